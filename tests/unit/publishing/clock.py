"""A clock that stands still until a test moves it."""

import asyncio


class StandingClock:
    """Sleeping parks a task; `advance` wakes, in order of time, those whose time has come."""

    def __init__(self, now_unix: float = 1_795_252_447.0) -> None:
        self.now = now_unix
        self._parked: list[tuple[float, asyncio.Future[None]]] = []

    def now_unix(self) -> float:
        return self.now

    def elapsed(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        entry = (self.now + seconds, asyncio.get_running_loop().create_future())
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._parked.append(entry)
        try:
            await entry[1]
        finally:
            self._parked.remove(entry)

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everybody do what is due meanwhile."""
        end = self.now + seconds
        await settle()
        while due := [entry for entry in self._parked if entry[0] <= end]:
            wakes, parked = min(due, key=lambda entry: entry[0])
            self.now = max(self.now, wakes)
            parked.set_result(None)
            await settle()
        self.now = end
        await settle()

    def next_wake_seconds(self) -> float | None:
        """How long until somebody wakes."""
        return min((wakes - self.now for wakes, _ in self._parked), default=None)


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)
