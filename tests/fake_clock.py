"""A clock that stands still: who sleeps on it is parked until a test moves the time."""

import asyncio


class FakeClock:
    """Time that passes only when `advance` is called, and then at once.

    A test waits until everybody it watches is asleep (`parked`) before it looks or moves on, so
    that nothing depends on how long anything really takes.
    """

    def __init__(self, now_unix: float = 1_795_252_447.0) -> None:
        self._now_unix = now_unix
        self._elapsed = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self._changed = asyncio.Event()

    def now_unix(self) -> float:
        return self._now_unix

    def elapsed(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper = (self._elapsed + seconds, asyncio.get_running_loop().create_future())
        self._sleepers.append(sleeper)
        self._changed.set()
        try:
            await sleeper[1]
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    def pass_by(self, seconds: float) -> None:
        """Let time go by without waking anybody: what an answer takes to come."""
        self._now_unix += seconds
        self._elapsed += seconds

    def set_wall(self, now_unix: float) -> None:
        """Set the wall clock, as an operator does; who sleeps doesn't notice."""
        self._now_unix = now_unix

    async def parked(self, sleepers: int = 1) -> None:
        """Wait until *sleepers* tasks are asleep."""
        while len(self._sleepers) < sleepers:
            self._changed.clear()
            await self._changed.wait()

    async def advance(self, seconds: float, *, sleepers: int = 1) -> None:
        """Move time on, waking each sleeper at its time; back when *sleepers* sleep again."""
        end = self._elapsed + seconds
        await self.parked(sleepers)
        while any(wakes <= end for wakes, _ in self._sleepers):
            first = min(self._sleepers, key=lambda sleeper: sleeper[0])
            self._sleepers.remove(first)
            self.pass_by(max(0.0, first[0] - self._elapsed))
            if not first[1].done():
                first[1].set_result(None)
            await self.parked(sleepers)
        self.pass_by(max(0.0, end - self._elapsed))
