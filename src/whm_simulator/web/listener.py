"""One port and its connections, which can be closed and opened again."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import NamedTuple

from aiohttp import web

from whm_simulator.errors import SimulatorError

_HIGHEST_PORT = 65_535
_GRACE_SECONDS = 0.2
_BACKLOG = 512
_KEEPALIVE_SECONDS = 75
_EVERY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104


class Address(NamedTuple):
    """Where to listen; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Listener:
    """One port and its connections, which *handle* serves; it can be closed and opened again.

    The port is taken at once, so that it is known before anything listens.

    Raises:
        SimulatorError: the port can't be had.
    """

    def __init__(
        self,
        address: Address,
        handle: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._socket: socket.socket | None = _listening(address)
        self._context = context
        self._server: asyncio.Server | None = None
        self.address = Address(address.host, self._socket.getsockname()[1])
        self._connections = web.Server(
            handle,
            access_log=None,
            handler_cancellation=True,
            keepalive_timeout=_KEEPALIVE_SECONDS,
        )

    @property
    def url(self) -> str:
        """How clients on this machine reach it."""
        host, port = self.address
        reached = Address("127.0.0.1" if host in _EVERY_ADDRESS else host, port)
        return f"{'https' if self._context else 'http'}://{reached}"

    async def open(self) -> None:
        """Take connections; nothing happens if it does already.

        Raises:
            SimulatorError: somebody else has taken the port meanwhile.
        """
        if self._server is not None:
            return
        listening = self._socket or _listening(self.address)
        self._socket = None
        self._server = await asyncio.get_running_loop().create_server(
            self._connections, sock=listening, ssl=self._context, backlog=_BACKLOG
        )

    def close(self) -> None:
        """Give the port back and cut all connections."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in self._connections.connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def stop(self) -> None:
        """Close for good; what is being answered has a moment to end."""
        if self._server is not None:
            self._server.close()
        self._connections.pre_shutdown()
        await self._connections.shutdown(_GRACE_SECONDS)
        self.close()


def _listening(address: Address) -> socket.socket:
    if address.port > _HIGHEST_PORT:
        raise SimulatorError(
            f"There is no port {address.port}; choose another address or fewer servers."
        )
    try:
        infos = socket.getaddrinfo(
            address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, where = infos[0]
        return socket.create_server((str(where[0]), address.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise SimulatorError(
            f"Can't listen on {address} ({error}); choose another address."
        ) from error
