"""Settings of the process itself: open files, memory, and the collection of garbage."""

import ctypes
import gc
import resource
from contextlib import suppress

_M_ARENA_MAX = -8
"""The number of the setting in glibc's malloc.h."""


def collect_garbage_seldom() -> None:
    """Look for reference cycles only after many more new objects than Python does by itself.

    A poll makes millions of short-lived records that hold no cycles; looking through them again
    and again took a third of its time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def share_one_heap() -> None:
    """Let all threads allocate from one heap; to be called before there are any.

    glibc gives threads heaps of their own, so that they needn't wait for each other. Here they take
    turns anyway, and what one thread has let go of stays lost to the others: a fifth of the peak
    while 100,000 records were read. Other C libraries have no such setting.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def allow_many_connections() -> None:
    """Raise the bound on open files as far as the system lets an ordinary user."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
