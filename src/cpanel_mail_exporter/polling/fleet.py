"""All pollers side by side: each at its own pace, none in the way of another."""

import asyncio
from collections.abc import Sequence

from cpanel_mail_exporter.polling.poller import Poller

FIRST_REQUESTS = 32
PATIENCE_SECONDS = 2.0


class StartGate:
    """Lets at most FIRST_REQUESTS servers make their first requests at a time.

    A server asks one thing at a time, so that is a bound on requests as well. One that has not
    answered after PATIENCE_SECONDS gives its place away: a handful of servers that hang must not
    hold up the others.
    """

    def __init__(self, places: int = FIRST_REQUESTS, patience: float = PATIENCE_SECONDS) -> None:
        self._places = asyncio.Semaphore(places)
        self._patience = patience

    def pass_for_one(self) -> "Pass":
        """A pass through the gate for one server."""
        return Pass(self._places, self._patience)


class Pass:
    """One server's place, held from entering until leaving or until patience ends."""

    def __init__(self, places: asyncio.Semaphore, patience: float) -> None:
        self._places = places
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None
        self._is_held = False

    async def __aenter__(self) -> None:
        await self._places.acquire()
        self._is_held = True
        self._timer = asyncio.get_running_loop().call_later(self._patience, self._give_back)

    async def __aexit__(self, *exc_info: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._give_back()

    def _give_back(self) -> None:
        if self._is_held:
            self._is_held = False
            self._places.release()


async def run_fleet(pollers: Sequence[Poller]) -> None:
    """Run all pollers until cancelled."""
    gate = StartGate()
    async with asyncio.TaskGroup() as group:
        for poller in pollers:
            group.create_task(poller.run(gate.pass_for_one()))


async def poll_all_once(pollers: Sequence[Poller]) -> None:
    """One visit to each server."""
    gate = StartGate()

    async def one(poller: Poller) -> None:
        async with gate.pass_for_one():
            await poller.poll()

    async with asyncio.TaskGroup() as group:
        for poller in pollers:
            group.create_task(one(poller))
