"""Faults that act without being called: ports that close and open, certificates that change."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from whm_simulator.errors import SimulatorError
from whm_simulator.web.reception import Reception
from whm_simulator.web.site import Site
from whm_simulator.web.switch import SetFault

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.05


class Watch:
    """Brings the ports and certificates of *sites* in line with their faults.

    Args:
        sites: all servers.
        reception: their ports.
        on_done: called when a fault that happens once is over and has been forgotten.
    """

    def __init__(
        self, sites: Sequence[Site], reception: Reception, on_done: Callable[[], None]
    ) -> None:
        self._sites = sites
        self._reception = reception
        self._on_done = on_done
        self._watched: list[Site] = []
        self._needed = asyncio.Event()
        self._settling = asyncio.Lock()
        self._certificates: dict[str, str] = {}
        # By the fault's identity: when a restarting server is back, in the loop's own seconds.
        self._back_at: dict[int, tuple[SetFault, float]] = {}
        self._unheard: set[str] = set()

    async def run(self) -> None:
        """Keep them in line until cancelled; no work as long as no such fault is set."""
        while True:
            await self._needed.wait()
            await self.settle()
            await asyncio.sleep(_LOOK_SECONDS)

    async def settle(self) -> None:
        """Bring them in line with the faults of this instant."""
        async with self._settling:
            for site in self._watched:
                await self._settle(site)
            self._watched = [site for site in self._watched if self._is_open(site)]
            if not self._watched:
                self._needed.clear()

    async def look_again(self) -> None:
        """Faults have been set anew: look which servers to watch, and bring them in line."""
        async with self._settling:
            self._watched = [site for site in self._sites if self._is_open(site)]
            known = {id(one) for site in self._watched for one in site.switch.faults}
            self._back_at = {key: at for key, at in self._back_at.items() if key in known}
        self._needed.set()
        await self.settle()

    def _is_open(self, site: Site) -> bool:
        return site.switch.needs_watching or site.is_down or site.name in self._certificates

    async def _settle(self, site: Site) -> None:
        is_down = self._is_to_be_down(site)
        if is_down and not site.is_down:
            site.is_down = True
            self._reception.close_for(site)
        elif site.is_down and not is_down:
            await self._reopen(site)
        certificate = site.switch.certificate(site.clock())
        if certificate != self._certificates.get(site.name):
            if certificate is None:
                del self._certificates[site.name]
            else:
                self._certificates[site.name] = certificate
            # Who is connected would go on with the one it has seen.
            site.cut_connections()

    async def _reopen(self, site: Site) -> None:
        try:
            await self._reception.open_for(site)
        except SimulatorError as error:
            if site.name not in self._unheard:
                log.error("%s stays down: %s", site.name, error)
                self._unheard.add(site.name)
            return
        self._unheard.discard(site.name)
        site.is_down = False

    def _is_to_be_down(self, site: Site) -> bool:
        is_down = False
        now_seconds = asyncio.get_running_loop().time()
        for one in site.switch.of_port(site.clock()):
            if one.fault.fault != "restart":
                is_down = True
                continue
            _, back_at = self._back_at.setdefault(id(one), (one, now_seconds + one.fault.amount))
            if now_seconds < back_at:
                is_down = True
            else:
                del self._back_at[id(one)]
                site.switch.remove(one)
                self._on_done()
        return is_down
