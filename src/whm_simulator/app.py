"""The wiring: worlds, servers and the control endpoint, started and stopped together."""

import asyncio
import logging
import os
import socket
import ssl
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from hashlib import blake2b
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple, Self

import msgspec
from aiohttp import web

from whm_simulator.errors import SimulatorError
from whm_simulator.web.certificates import Authority
from whm_simulator.web.control import Control
from whm_simulator.web.faults import FaultSwitch
from whm_simulator.web.server import Clock, Site
from whm_simulator.world.stream import BlockCache, World, WorldSettings

log = logging.getLogger(__name__)

_THREADS = 8
_GRACE_SECONDS = 0.2
_HIGHEST_PORT = 65_535
_CAPITALS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


class Address(NamedTuple):
    """Where to listen; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


ANY_LOOPBACK_PORT = Address("127.0.0.1", 0)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a simulator is told.

    Attributes:
        servers: how many; they are called web1, web2 and so on.
        listen: address of the first; with a port of their own choice the others take the next ones.
        has_tls: whether they speak HTTPS.
        user: who may log in.
        token: of every server; empty for one of each server's own, derived from the seed.
        world: their mail.
        control: address of the control endpoint, on loopback; None for none.
        ready_file: where to tell clients all of this once it listens.
        state_dir: where certificates go; None for a folder that is removed at the end.
    """

    servers: int = 1
    listen: Address = ANY_LOOPBACK_PORT
    has_tls: bool = False
    user: str = "root"
    token: str = field(default="", repr=False)
    world: WorldSettings = field(default_factory=WorldSettings)
    control: Address | None = None
    ready_file: Path | None = None
    state_dir: Path | None = None


class Server(msgspec.Struct, frozen=True):
    """What a client needs to know of one server; also its entry in the ready file."""

    name: str
    endpoint: str
    user: str
    token: str
    ca_file: str | None

    def __repr__(self) -> str:
        return f"Server({self.name!r}, {self.endpoint!r})"


def token_of(seed: str, server: str) -> str:
    """The token of *server*: 32 capitals and digits, as WHM makes them."""
    digest = blake2b(f"token/{seed}/{server}".encode(), digest_size=32).digest()
    return "".join(_CAPITALS_AND_DIGITS[byte % len(_CAPITALS_AND_DIGITS)] for byte in digest)


class Simulator:
    """A running simulation, from ``async with`` to its end.

    Attributes:
        servers: how to reach each server.
        sites: their inner sides by name, for tests in the same process.
        control: URL of the control endpoint, None if there is none.
    """

    def __init__(self, settings: Settings, clock: Clock = time.time) -> None:
        if settings.control is not None and not _is_loopback(settings.control.host):
            raise SimulatorError(
                "The control endpoint has no login: --control must be a loopback address."
            )
        self._settings = settings
        self._clock = clock
        self._stack = AsyncExitStack()
        self._runners: list[web.AppRunner] = []
        self._stopping = threading.Event()
        self.servers: list[Server] = []
        self.sites: dict[str, Site] = {}
        self.control: str | None = None

    async def __aenter__(self) -> Self:
        """Listen on all addresses.

        Raises:
            SimulatorError: an address or a file can't be used.
        """
        try:
            await self._start()
        except OSError as error:
            await self._stop()
            raise SimulatorError(f"{error}; choose another address or folder.") from error
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self._stop()

    async def _start(self) -> None:
        settings = self._settings
        if settings.ready_file is not None:
            settings.ready_file.unlink(missing_ok=True)
        executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="answers")
        self._stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        authority, ca_file = self._authority()
        cache = BlockCache(settings.world.max_cached_rows)
        for number in range(1, settings.servers + 1):
            name = f"web{number}"
            world = World(settings.world, name, number, cache, self._stopping)
            token = settings.token or token_of(settings.world.seed, name)
            site = Site(world, settings.user, token, self._clock, executor, FaultSwitch(name))
            self.sites[name] = site
            port = settings.listen.port
            address = Address(settings.listen.host, port + number - 1 if port else 0)
            context = authority.context_for(world.site.hostname) if authority else None
            endpoint = await self._listen(site.application(), address, context)
            self.servers.append(Server(name, endpoint, settings.user, token, ca_file))
        if settings.control is not None:
            application = Control(self.sites, self._clock).application()
            self.control = await self._listen(application, settings.control, None)
        for server in self.servers:
            log.info("%s listens on %s, user %s", server.name, server.endpoint, server.user)
        if self.control:
            log.info("control endpoint listens on %s", self.control)
        if settings.ready_file is not None:
            _write_whole(settings.ready_file, self.as_ready())

    def as_ready(self) -> dict[str, Any]:
        """The content of the ready file."""
        return {"servers": self.servers, "control": self.control}

    def _authority(self) -> tuple[Authority | None, str | None]:
        if not self._settings.has_tls:
            return None, None
        folder = self._settings.state_dir
        if folder is None:
            temporary = tempfile.TemporaryDirectory(prefix="whm-simulator-")
            folder = Path(self._stack.enter_context(temporary))
        folder.mkdir(parents=True, exist_ok=True)
        ca_file = folder.absolute() / "ca.pem"
        return Authority(ca_file), str(ca_file)

    async def _listen(
        self, application: web.Application, address: Address, context: ssl.SSLContext | None
    ) -> str:
        listener = _listener(address)
        runner = web.AppRunner(
            application,
            access_log=None,
            handle_signals=False,
            handler_cancellation=True,
            shutdown_timeout=_GRACE_SECONDS,
        )
        self._runners.append(runner)
        await runner.setup()
        await web.SockSite(runner, listener, ssl_context=context).start()
        host = "127.0.0.1" if address.host in ("0.0.0.0", "::", "") else address.host  # noqa: S104
        scheme = "https" if context else "http"
        return f"{scheme}://{Address(host, listener.getsockname()[1])}"

    async def _stop(self) -> None:
        self._stopping.set()
        for site in self.sites.values():
            site.switch.set(site.switch.now)
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        await self._stack.aclose()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listener(address: Address) -> socket.socket:
    if address.port > _HIGHEST_PORT:
        raise SimulatorError(
            f"There is no port {address.port}; choose another address or fewer servers."
        )
    try:
        infos = socket.getaddrinfo(
            address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, where = infos[0]
        return socket.create_server((str(where[0]), address.port), family=family, backlog=128)
    except OSError as error:
        raise SimulatorError(
            f"Can't listen on {address} ({error}); choose another address."
        ) from error


def _write_whole(path: Path, content: object) -> None:
    """Write *content* as JSON so that a reader sees all of it or no file at all."""
    part = path.with_name(path.name + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(content) + b"\n")
    part.replace(path)
