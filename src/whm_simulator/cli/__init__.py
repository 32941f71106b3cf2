"""The command ``whm-simulator``: from flags to a running simulation, errors as one sentence."""

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence

from whm_simulator.app import Settings, Simulator
from whm_simulator.cli.flags import settings_of
from whm_simulator.errors import BadSettings, SimulatorError


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``whm-simulator`` with *argv* (without the program's name) until a signal ends it.

    Returns:
        1 if it couldn't start, 2 for flags that can't be followed; after a signal the process ends
        here, with 0.
    """
    settings = settings_of(argv)
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_OneLine("%(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    _allow_many_connections()
    try:
        asyncio.run(_serve(settings))
    except SimulatorError as error:
        sys.stderr.write(f"whm-simulator: {error}\n")
        return 2 if isinstance(error, BadSettings) else 1
    except KeyboardInterrupt:
        pass
    # The interpreter would wait for threads that build answers which nobody waits for.
    os._exit(0)


class _OneLine(logging.Formatter):
    """Log records without tracebacks, such as the web server's about malformed requests."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's message, and the kind of its error if it has one."""
        error = record.exc_info[0] if record.exc_info else None
        record.exc_info = record.exc_text = None
        text = super().format(record)
        return f"{text}: {error.__name__}" if error else text


def _allow_many_connections() -> None:
    """As many open files as the system lets us have; a thousand servers need a thousand ports."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with Simulator(settings):
        await stopped.wait()
