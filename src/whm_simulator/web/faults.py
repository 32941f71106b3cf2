"""What can be wrong with a server: one fault at a time, switched by the control endpoint."""

import asyncio
from typing import Literal, get_args

import msgspec

FaultName = Literal[
    "none",
    "hang",
    "latency",
    "403",
    "401_html",
    "500",
    "result_0",
    "truncated_json",
    "html_200",
    "redirect",
    "drop",
    "empty_body",
    "empty_object",
    "list",
    "ignore_filters",
    "ignore_chunks",
]
FAULT_NAMES: tuple[str, ...] = get_args(FaultName)


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A fault of one server.

    Attributes:
        server: the server's name.
        fault: what is wrong; ``none`` puts it right.
        seconds: how long each answer is held back by ``latency``.
        function: only calls of this function suffer; None for all.
    """

    server: str
    fault: FaultName
    seconds: float = 1.0
    function: str | None = None

    def hits(self, function: str) -> bool:
        """Whether a call of *function* suffers from this fault."""
        return self.fault != "none" and self.function in (None, function)


class FaultSwitch:
    """The fault of one server, and a way to wait until it is another."""

    def __init__(self, server: str) -> None:
        self.now = Fault(server, "none")
        self._changed = asyncio.Event()

    def set(self, fault: Fault) -> None:
        """From now on the server suffers from *fault*; what hangs is let go."""
        self.now = fault
        self._changed.set()
        self._changed = asyncio.Event()

    async def changed(self) -> None:
        """Wait until the fault is set anew."""
        await self._changed.wait()


LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>WHM Login</title></head>"
    b'<body><form action="/login/" method="post"></form></body></html>\n'
)
UNAUTHORIZED_PAGE = (
    b"<html><head><title>Access Denied</title></head>"
    b"<body><h1>401 Access Denied</h1></body></html>\n"
)
ERROR_PAGE = (
    b"<html><head><title>500 Internal Server Error</title></head>"
    b"<body><h1>Internal Server Error</h1></body></html>\n"
)
