"""Starts programs, notices when one ends, and ends them all, whatever happens to the demo.

Each runs in a session of its own, so that Ctrl-C on the terminal reaches it only through us, and
is tied to our life (`lifeline`). What it says goes to its own log file.
"""

import asyncio
import os
import signal
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from cpanel_mail_exporter.demo import lifeline

T = TypeVar("T")

_GRACE_SECONDS = 3.0
_TAIL_LINES = 5
_TAIL_BYTES = 10_000
_LINE_LENGTH = 400


class DemoFailed(Exception):
    """The demo can't go on; the text says why and what to do, for the person before it."""


@dataclass(frozen=True, slots=True)
class _Program:
    name: str
    process: asyncio.subprocess.Process
    ended: asyncio.Task[int]
    log: Path


class Programs:
    """The running programs, from `async with` to its end, which ends them.

    At the end each gets SIGTERM, and SIGKILL what is still there 3 s later.
    """

    def __init__(self) -> None:
        self._programs: list[_Program] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        ending = asyncio.create_task(self._end())
        while not ending.done():
            # A signal that comes now wants nothing else than this.
            with suppress(asyncio.CancelledError):
                await asyncio.shield(ending)

    async def start(self, name: str, command: list[str], log: Path) -> None:
        """Start a program.

        Args:
            name: what it is called at the beginning of a sentence.
            command: the program and its arguments.
            log: where its standard output and error go.
        """
        # Variables meant for the user's own exporter must not reach the demo's.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CPANEL_MAIL_")}
        with log.open("wb") as lines:
            process = await asyncio.create_subprocess_exec(
                *lifeline.command(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=lines,
                stderr=lines,
                env=environment,
                start_new_session=True,
            )
        ended = asyncio.create_task(process.wait(), name=f"end of {name}")
        self._programs.append(_Program(name, process, ended, log))

    async def unless_one_ends(self, work: Coroutine[Any, Any, T]) -> T:
        """Result of *work*.

        Raises:
            DemoFailed: a program ended first; *work* has been cancelled.
        """
        task = asyncio.create_task(work)
        try:
            await asyncio.wait(
                {task, *(program.ended for program in self._programs)},
                return_when=asyncio.FIRST_COMPLETED,
            )
            for program in self._programs:
                if program.ended.done():
                    code = program.ended.result()
                    raise DemoFailed(_told(program, f"ended by itself with {_how(code)}"))
            return task.result()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def ready(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Result of *work*, which waits until the program started last is ready.

        Raises:
            DemoFailed: a program ended first, or it took more than *seconds*.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self.unless_one_ends(work)
        except TimeoutError:
            late = f"wasn't ready within {seconds:.0f} s"
            raise DemoFailed(_told(self._programs[-1], late)) from None

    async def _end(self) -> None:
        for number, seconds in ((signal.SIGTERM, _GRACE_SECONDS), (signal.SIGKILL, None)):
            left = {program.ended for program in self._programs if not program.ended.done()}
            if not left:
                return
            for program in self._programs:
                if not program.ended.done():
                    # Its process group is its own, and has its id.
                    with suppress(ProcessLookupError):
                        os.killpg(program.process.pid, number)
            await asyncio.wait(left, timeout=seconds)


def _how(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"signal {signal.Signals(-code).name}"


def _told(program: _Program, what: str) -> str:
    """Which program, what it did, and its last words."""
    with program.log.open("rb") as log:
        log.seek(max(0, program.log.stat().st_size - _TAIL_BYTES))
        text = log.read().decode(errors="replace")
    lines = [line[:_LINE_LENGTH] for line in text.splitlines() if line.strip()][-_TAIL_LINES:]
    if not lines:
        return f"{program.name} {what}, and said nothing."
    return "\n  ".join([f"{program.name} {what}; it said last:", *lines])
