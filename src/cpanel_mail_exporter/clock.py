"""The only place that reads a clock or waits; tests hand in another one."""

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time as an argument."""

    def now_unix(self) -> float:
        """Wall time in seconds since 1970."""

    def elapsed(self) -> float:
        """Seconds on a clock that never goes back; only differences mean something."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own clock."""

    def now_unix(self) -> float:
        """Wall time in seconds since 1970."""
        return time.time()

    def elapsed(self) -> float:
        """Monotonic seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait, letting others run."""
        await asyncio.sleep(max(0.0, seconds))
