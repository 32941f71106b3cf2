"""Where clients reach the servers: a port for each, or one port for all of them, told by name."""

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from aiohttp import web

from whm_simulator.web.certificates import Certificates, ChosenContext, ServerContext
from whm_simulator.web.listener import Address, Listener
from whm_simulator.web.pages import TEXT
from whm_simulator.web.server import answer_request
from whm_simulator.web.site import Site


class Reception(Protocol):
    """Where the clients of all servers come in."""

    async def open(self) -> None:
        """Take connections for all servers."""

    async def open_for(self, site: Site) -> None:
        """Take connections for *site* again."""

    def close_for(self, site: Site) -> None:
        """Cut the connections of *site* and take no new ones, which its `is_down` says as well."""

    def url_of(self, site: Site) -> str:
        """How clients on this machine reach *site*."""

    def port_of(self, site: Site) -> int:
        """The port that *site* is reached by."""

    async def stop(self) -> None:
        """Close for good."""


class ByPort:
    """A port for each server.

    Args:
        sites: the servers and where each listens.
        certificates: None for plain HTTP.
    """

    def __init__(
        self, sites: Iterable[tuple[Site, Address]], certificates: Certificates | None
    ) -> None:
        self._listeners: dict[str, Listener] = {}
        try:
            for site, address in sites:
                context = _chosen(certificates, site) if certificates else None
                handle = partial(answer_request, site)
                self._listeners[site.name] = Listener(address, handle, context)
        except BaseException:
            for listener in self._listeners.values():
                listener.close()
            raise

    async def open(self) -> None:
        """Take connections for all servers."""
        for listener in self._listeners.values():
            await listener.open()

    async def open_for(self, site: Site) -> None:
        """Listen on the port of *site* again.

        Raises:
            SimulatorError: somebody else has taken the port meanwhile.
        """
        await self._listeners[site.name].open()

    def close_for(self, site: Site) -> None:
        """Close the port of *site*."""
        self._listeners[site.name].close()

    def url_of(self, site: Site) -> str:
        """How clients on this machine reach *site*."""
        return self._listeners[site.name].url

    def port_of(self, site: Site) -> int:
        """The port that *site* is reached by."""
        return self._listeners[site.name].address.port

    async def stop(self) -> None:
        """Close all ports for good."""
        await asyncio.gather(*(listener.stop() for listener in self._listeners.values()))


class ByName:
    """One port for all servers, told by the TLS server name, or by the Host header without TLS.

    The first label of the name counts: web7, web7.localhost and web7.example.net are the same.
    A server that is down refuses the handshake, or cuts the connection without TLS, since the port
    belongs to the others as well.
    """

    def __init__(
        self, sites: Mapping[str, Site], address: Address, certificates: Certificates | None
    ) -> None:
        self._sites = sites
        self._certificates = certificates
        context: ServerContext | None = None
        if certificates is not None:
            context = certificates.context_for(None, None)
            context.sni_callback = self._told_by_tls
        self._listener = Listener(address, self._dispatch, context)

    async def open(self) -> None:
        """Take connections for all servers."""
        await self._listener.open()

    async def open_for(self, site: Site) -> None:
        """Nothing: the port stays open, and *site* says by itself that it is up."""

    def close_for(self, site: Site) -> None:
        """Cut the connections of *site*."""
        site.cut_connections()

    def url_of(self, _site: Site) -> str:
        """How clients on this machine reach any server."""
        return self._listener.url

    def port_of(self, _site: Site) -> int:
        """The one port."""
        return self._listener.address.port

    async def stop(self) -> None:
        """Close the port for good."""
        await self._listener.stop()

    def _told_by_tls(
        self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext
    ) -> int | None:
        site = self._sites.get(_first_label(name or ""))
        if site is None or self._certificates is None:
            return None
        if site.is_down:
            return int(ssl.ALERT_DESCRIPTION_INTERNAL_ERROR)
        connection.context = _context_of(self._certificates, site)
        return None

    async def _dispatch(self, request: web.BaseRequest) -> web.StreamResponse:
        if self._certificates is None:
            name: str | None = _first_label(request.headers.get("Host", ""))
        else:
            name = _server_of(request)
        site = self._sites.get(name or "")
        if site is None:
            return web.Response(
                status=421,
                headers={"Content-Type": TEXT},
                body=b"No server of this name; the first label must be one's name, such as web1.\n",
            )
        return await answer_request(site, request)


def _server_of(request: web.BaseRequest) -> str | None:
    connection = request.get_extra_info("ssl_object")
    context: Any = connection.context if connection is not None else None
    return context.server if isinstance(context, ServerContext) else None


def _first_label(host: str) -> str:
    """The first label of a host name, with or without a port.

    >>> [_first_label(host) for host in ("Web1.example.net:2087", "web2", "[::1]:80")]
    ['web1', 'web2', '[']
    """
    return host.partition(":")[0].partition(".")[0].lower()


def _context_of(certificates: Certificates, site: Site) -> ServerContext:
    fault = site.switch.certificate(site.clock())
    return certificates.context_for(site.name, site.mail.hostname, fault)


def _chosen(certificates: Certificates, site: Site) -> ChosenContext:
    context = ChosenContext(ssl.PROTOCOL_TLS_SERVER)
    context.choose = partial(_context_of, certificates, site)
    return context
