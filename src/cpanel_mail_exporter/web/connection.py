"""One client's connection, with the time limits and the bounds that HTTP itself doesn't have.

aiohttp speaks HTTP; this adds only what a hostile or a stuck client makes needed:

- a request must be whole some seconds after it began, a new connection must bring one;
- a client that takes nothing for a minute is cut off, whatever is being sent to it;
- at most so many connections, where an idle one makes room for a new one;
- bad requests get one sentence, and are logged at debug.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from cpanel_mail_exporter.web.answers import plain
from cpanel_mail_exporter.web.http import BaseRequest, RequestHandler, Server, StreamResponse

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how many.

    Attributes:
        request_seconds: from a request's first byte (or the connection's start) to its last.
        idle_seconds: how long a connection waits for the next request; longer than usual scrape
            intervals, so that Prometheus can keep its own.
        stalled_seconds: how long nothing of what waits to be sent may be taken.
        answer_seconds: how long one answer may take in all.
        stop_seconds: how long `stop` lets answers under way go on.
        max_connections: open at once.
        certificate_check_seconds: how often certificate files are looked at.
    """

    request_seconds: float = 10.0
    idle_seconds: float = 180.0
    stalled_seconds: float = 60.0
    answer_seconds: float = 300.0
    stop_seconds: float = 0.5
    max_connections: int = 256
    certificate_check_seconds: float = 30.0


class Connections:
    """All open connections of one listener."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.none_left = asyncio.Event()
        self.none_left.set()
        self._open: dict[Connection, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: "Connection") -> None:
        """Register a new connection; if there are too many, the longest open idle one goes."""
        if len(self._open) >= self.limits.max_connections:
            idle = (other for other in self._open if not other.is_busy)
            next(idle, connection).drop("too many connections")
        self._open[connection] = None
        self.none_left.clear()

    def remove(self, connection: "Connection") -> None:
        """Forget a closed connection."""
        self._open.pop(connection, None)
        if not self._open:
            self.none_left.set()

    def drop_all(self) -> None:
        """Cut off every client, without waiting for what it still has to read."""
        for connection in list(self._open):
            connection.drop("stopping")


class Connection(RequestHandler):
    """aiohttp's protocol for one connection, with limits.

    Attributes:
        is_busy: a request is being answered.
    """

    __slots__ = ("_connections", "_line", "_request_timer", "_stall_timer", "is_busy")

    def __init__(self, server: Server, connections: Connections) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=connections.limits.idle_seconds,
            lingering_time=1.0,
            auto_decompress=False,
        )
        self._connections = connections
        self._line: asyncio.Transport | None = None
        self._request_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self.is_busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        super().connection_made(transport)
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream transport is needed")
        self._line = transport
        # Nothing is buffered here: a write waits until the system has taken all of the last one.
        # Not 0: asyncio's TLS (3.11) would then see a full buffer in an empty one, for ever.
        transport.set_write_buffer_limits(high=1)
        self._connections.admit(self)
        self._expect_request()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection is gone, whoever ended it."""
        self._line = None
        self._expect_nothing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        self._connections.remove(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Part of a request, one, or several."""
        super().data_received(data)
        if not self.is_busy and self._request_timer is None:
            self._expect_request()

    def pause_writing(self) -> None:
        """The client reads more slowly than we send."""
        super().pause_writing()
        self._stall_timer = self._after(self._connections.limits.stalled_seconds, "not reading")

    def resume_writing(self) -> None:
        """The client has taken everything so far."""
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().resume_writing()

    def request_begins(self) -> None:
        """A whole request has come and is about to be answered."""
        self.is_busy = True
        self._expect_nothing()

    def request_ended(self) -> None:
        """Its answer has been sent, or couldn't be."""
        self.is_busy = False

    def drop(self, reason: str) -> None:
        """Close at once, with what is still to be sent thrown away."""
        if self._line is not None:
            log.debug("dropped a client: %s", reason)
            self._line.abort()

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> StreamResponse:
        """Answer what aiohttp couldn't read, or what failed in answering."""
        if isinstance(exc, ConnectionError):
            raise ConnectionResetError("the client has gone") from exc
        if status < 500:
            log.debug("refused a request that isn't well-formed HTTP")
        else:
            log.error("answering a request failed", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionResetError("the answer had begun")
        sentence = (
            "This isn't a request this server understands."
            if status < 500
            else "The exporter failed to answer; its log says why."
        )
        response = plain(status, sentence)
        response.force_close()
        return response

    def log_access(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: scrapes aren't news."""

    def _expect_request(self) -> None:
        self._request_timer = self._after(
            self._connections.limits.request_seconds, "no whole request in time"
        )

    def _expect_nothing(self) -> None:
        if self._request_timer is not None:
            self._request_timer.cancel()
            self._request_timer = None

    def _after(self, seconds: float, reason: str) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, self.drop, reason)
