"""Settings of the process itself: open files and the collection of garbage."""

import gc
import resource
from contextlib import suppress


def collect_garbage_seldom() -> None:
    """Look for reference cycles only after many more new objects than Python does by itself.

    A poll makes millions of short-lived records that hold no cycles; looking through them again
    and again took a third of its time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def allow_many_connections() -> None:
    """Raise the bound on open files as far as the system lets an ordinary user."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
