"""The faults of one server: which are set, since when, and which of them hit a call."""

import asyncio
import math
from collections.abc import Iterable, Sequence

import msgspec

from whm_simulator.web.faults import CERTIFICATE, MAIL, PORT, WHOLE_SERVER, Fault

_MILLION = 1_000_000


class SetFault(msgspec.Struct):
    """A fault, the simulated instant at which it was set, and how many calls it might have hit."""

    fault: Fault
    since_unix: float
    calls: int = 0

    @property
    def begins_unix(self) -> float:
        """When it begins; one without a delay is there at once, even if time is set back."""
        return self.since_unix + self.fault.after if self.fault.after else -math.inf

    @property
    def ends_unix(self) -> float:
        """When it is over."""
        lasts = self.fault.lasts
        return math.inf if lasts is None else self.since_unix + self.fault.after + lasts

    def is_active(self, now_unix: float) -> bool:
        """Whether the server suffers from it at *now_unix*."""
        return self.begins_unix <= now_unix < self.ends_unix

    def hits_next(self) -> bool:
        """Whether the next call is among its share; with a share of 0.25 every 4th is."""
        share = round(self.fault.share * _MILLION)
        before = self.calls * share // _MILLION
        self.calls += 1
        return self.calls * share // _MILLION > before


class FaultSwitch:
    """The faults of one server, and a way to wait until they are others."""

    def __init__(self, server: str) -> None:
        self.server = server
        self._faults: list[SetFault] = []
        self._changed = asyncio.Event()

    @property
    def faults(self) -> Sequence[SetFault]:
        """All that are set, in their order, active or not."""
        return self._faults

    @property
    def needs_watching(self) -> bool:
        """Whether one of them acts without being called, on the port or the certificate."""
        return any(one.fault.kind.stage in WHOLE_SERVER for one in self._faults)

    def set(self, faults: Iterable[SetFault]) -> None:
        """From now on the server suffers from *faults* instead; what hangs is let go."""
        self._faults = [one for one in faults if one.fault.fault != "none"]
        self.let_go()

    def let_go(self) -> None:
        """End all waiting for another state."""
        self._changed.set()
        self._changed = asyncio.Event()

    def remove(self, done: SetFault) -> None:
        """Forget a fault that happened once."""
        self._faults = [one for one in self._faults if one is not done]

    def hits(self, function: str, now_unix: float) -> list[Fault]:
        """The faults that this call of *function* suffers from; it is counted."""
        return [
            one.fault
            for one in self._faults
            if one.is_active(now_unix)
            and one.fault.kind.stage not in WHOLE_SERVER
            and one.fault.function in (None, function)
            and one.hits_next()
        ]

    def of_mail(self, function: str, now_unix: float) -> list[Fault]:
        """The active faults of the data that every call of *function* suffers from."""
        return [
            one.fault
            for one in self._active(MAIL, now_unix)
            if one.fault.function in (None, function) and one.fault.share == 1
        ]

    def of_port(self, now_unix: float) -> list[SetFault]:
        """The active faults that close the port."""
        return self._active(PORT, now_unix)

    def certificate(self, now_unix: float) -> str | None:
        """The active fault of the certificate, the one set first; None for a good one."""
        active = self._active(CERTIFICATE, now_unix)
        return active[0].fault.fault if active else None

    def _active(self, stage: str, now_unix: float) -> list[SetFault]:
        return [
            one for one in self._faults if one.fault.kind.stage == stage and one.is_active(now_unix)
        ]

    async def changed(self) -> None:
        """Wait until other faults are set."""
        await self._changed.wait()
