"""A simulated server without its port: its mail, who may ask for it, and what is wrong with it."""

import asyncio
from collections import deque
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from whm_simulator.api.quirks import PLAIN, Quirks
from whm_simulator.mail.source import Mail
from whm_simulator.web.clock import Clock
from whm_simulator.web.login import Logins
from whm_simulator.web.switch import FaultSwitch

_REQUESTS_REMEMBERED = 1000


@dataclass(slots=True)
class Site:
    """One simulated server.

    Attributes:
        name: such as web1.
        mail: all its mail, which is the truth.
        logins: who may call it.
        clock: the time of the whole simulation; the server's own is `now_unix`.
        executor: where answers are built.
        switch: its faults.
        quirks: how it behaves where the facts about WHM leave it open.
        history_seconds: how long its mail is kept; None if that isn't known.
        requests: the newest requests, without their tokens, for tests of what a client asks for.
        is_down: its port is closed for now.
        connections: those that have brought a request.
    """

    name: str
    mail: Mail
    logins: Logins = field(repr=False)
    clock: Clock
    executor: Executor
    switch: FaultSwitch
    quirks: Quirks = PLAIN
    history_seconds: int | None = None
    requests: deque[dict[str, Any]] = field(
        default_factory=lambda: deque(maxlen=_REQUESTS_REMEMBERED)
    )
    is_down: bool = False
    connections: WeakSet[asyncio.Transport] = field(default_factory=WeakSet, repr=False)

    def now_unix(self) -> float:
        """What this server's own clock shows."""
        return self.clock() + self.quirks.clock_offset_seconds

    def cut_connections(self) -> None:
        """Cut every open connection at once, whatever it is busy with."""
        for connection in list(self.connections):
            connection.abort()
