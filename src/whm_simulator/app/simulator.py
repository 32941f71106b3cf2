"""A running simulation: everything built, opened in order, kept for the next start, and closed."""

import asyncio
import logging
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

from whm_simulator.app import state as states
from whm_simulator.app.mails import world_of
from whm_simulator.app.settings import Server, Settings
from whm_simulator.app.sites import (
    as_server,
    build_sites,
    check_logins,
    chosen_quirks,
    ordered_faults,
)
from whm_simulator.app.state import State, Told
from whm_simulator.errors import SimulatorError
from whm_simulator.web.certificates import Certificates
from whm_simulator.web.clock import Clock, SimulatedClock
from whm_simulator.web.control import Control
from whm_simulator.web.listener import Address, Listener
from whm_simulator.web.reception import ByName, ByPort, Reception
from whm_simulator.web.site import Site
from whm_simulator.web.switch import SetFault
from whm_simulator.web.watch import Watch

log = logging.getLogger(__name__)

_THREADS = 8
_NAMED_ONE_BY_ONE = 20
_CONTROL = "control"


class Simulator:
    """A running simulation, from ``async with`` to its end.

    Attributes:
        servers: how to reach each server.
        sites: their inner sides by name, for tests in the same process.
        control: URL of the control endpoint, None if there is none.
        clock: the time that all of them share; there once it runs.

    Args:
        settings: all that it is told.
        clock: real time; tests hand in one that they set.

    Raises:
        SimulatorError: the settings can't be followed.
    """

    def __init__(self, settings: Settings, clock: Clock = time.time) -> None:
        if settings.control is not None and not settings.control.is_loopback:
            raise SimulatorError(
                "The control endpoint has no login: --control must be a loopback address."
            )
        self._settings = settings
        self._real_clock = clock
        self._told = Told(
            start_unix=settings.start_unix, speed=settings.speed, faults=ordered_faults(settings)
        )
        self._quirks = chosen_quirks(settings)
        check_logins(settings)
        world_of(settings, clock() if settings.start_unix is None else settings.start_unix)
        self._stack = AsyncExitStack()
        self._stopping = threading.Event()
        self._first_start_unix = 0.0
        self._reception: Reception | None = None
        self._listener: Listener | None = None
        self._watch: Watch | None = None
        self.clock = SimulatedClock(clock)
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

    def as_ready(self) -> dict[str, Any]:
        """The content of the ready file."""
        return {"servers": self.servers, "control": self.control}

    async def _start(self) -> None:
        settings = self._settings
        if settings.ready_file is not None:
            settings.ready_file.unlink(missing_ok=True)
        kept = self._kept()
        ports = kept.ports if kept else {}
        # With other flags for time or faults, time and faults begin anew.
        goes_on = kept if kept is not None and kept.told == self._told else None
        self._set_clock(goes_on)
        self._build_sites()
        certificates = Certificates(self._folder()) if settings.has_tls else None
        self._reception = self._received(certificates, ports)
        sites = list(self.sites.values())
        self._watch = Watch(sites, self._reception, self._keep_on)
        if settings.control is not None:
            self._listener = self._controlled(settings.control, self._watch, ports)
        self._set_faults(goes_on)
        # Kept before anybody can connect, so that no endpoint is told that a restart would lose.
        self._keep()
        await self._reception.open()
        await self._watch.look_again()
        watching = asyncio.create_task(self._watch.run())
        self._stack.push_async_callback(_cancelled, watching)
        if self._listener is not None:
            await self._listener.open()
            self.control = self._listener.url
        ca_file = str(certificates.ca_file.absolute()) if certificates else None
        self.servers = [
            as_server(settings, site, self._reception.url_of(site), ca_file) for site in sites
        ]
        self._say()
        if settings.ready_file is not None:
            states.write_whole(settings.ready_file, self.as_ready())

    def _folder(self) -> Path:
        """Where certificates go."""
        if self._settings.state_dir is not None:
            return self._settings.state_dir
        temporary = tempfile.TemporaryDirectory(prefix="whm-simulator-")
        return Path(self._stack.enter_context(temporary))

    def _kept(self) -> State | None:
        folder = self._settings.state_dir
        if folder is None:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        return states.load(folder)

    def _set_clock(self, kept: State | None) -> None:
        told = self._told
        anchor = kept.clock if kept else None
        self.clock = SimulatedClock(self._real_clock, told.start_unix, told.speed, anchor)
        self._first_start_unix = kept.first_start_unix if kept else self.clock()

    def _build_sites(self) -> None:
        settings = self._settings
        executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="answers")
        self._stack.callback(executor.shutdown, wait=False, cancel_futures=True)
        self.sites = build_sites(
            settings,
            self._quirks,
            self.clock,
            self._first_start_unix,
            executor,
            self._stopping,
        )

    def _received(self, certificates: Certificates | None, ports: dict[str, int]) -> Reception:
        host, port = self._settings.listen
        if self._settings.is_by_name:
            address = Address(host, port or ports.get("web1", 0))
            return ByName(self.sites, address, certificates)
        return ByPort(
            (
                (site, Address(host, port + index if port else ports.get(site.name, 0)))
                for index, site in enumerate(self.sites.values())
            ),
            certificates,
        )

    def _controlled(self, address: Address, watch: Watch, ports: dict[str, int]) -> Listener:
        control = Control(
            self.sites,
            self.clock,
            has_tls=self._settings.has_tls,
            watch=watch,
            on_change=self._keep_on,
        )
        port = address.port or ports.get(_CONTROL, 0)
        return Listener(address._replace(port=port), control.handle)

    def _set_faults(self, kept: State | None) -> None:
        now_unix = self.clock()
        faults: Sequence[SetFault] = (
            [SetFault(fault, now_unix) for fault in self._told.faults]
            if kept is None
            else kept.faults
        )
        by_server: dict[str, list[SetFault]] = {}
        for one in faults:
            # The folder may tell of more servers than there are this time.
            if one.fault.server in self.sites:
                by_server.setdefault(one.fault.server, []).append(one)
        for name, those in by_server.items():
            self.sites[name].switch.set(those)

    def _keep(self) -> None:
        folder, reception = self._settings.state_dir, self._reception
        if folder is None or reception is None:
            return
        ports = {site.name: reception.port_of(site) for site in self.sites.values()}
        if self._listener is not None:
            ports[_CONTROL] = self._listener.address.port
        faults = [one for site in self.sites.values() for one in site.switch.faults]
        states.save(
            folder,
            State(
                first_start_unix=self._first_start_unix,
                told=self._told,
                clock=self.clock.anchor,
                faults=faults,
                ports=ports,
            ),
        )

    def _keep_on(self) -> None:
        """Keep what has changed; a folder that takes nothing any more is no reason to stop."""
        try:
            self._keep()
        except OSError as error:
            log.error("A restart will not know of this change: %s", error)

    def _say(self) -> None:
        shown = self.servers
        if len(shown) > _NAMED_ONE_BY_ONE:
            first, last = shown[0], shown[-1]
            log.info("%s listens on %s, user %s", first.name, first.endpoint, first.user)
            log.info("... and so on, up to %s on %s", last.name, last.endpoint)
        else:
            for server in shown:
                log.info("%s listens on %s, user %s", server.name, server.endpoint, server.user)
        if self.control:
            log.info("control endpoint listens on %s", self.control)

    async def _stop(self) -> None:
        self._stopping.set()
        for site in self.sites.values():
            site.switch.let_go()
        closing = [one.stop() for one in (self._reception, self._listener) if one is not None]
        await asyncio.gather(*closing)
        await self._stack.aclose()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
