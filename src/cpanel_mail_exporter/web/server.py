"""The HTTP side as a whole: it listens, asks for the login, sends what the routes answer, stops."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress

from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.web.answers import COMMON_HEADERS, plain
from cpanel_mail_exporter.web.basic_auth import BasicAuth, Verdict
from cpanel_mail_exporter.web.bounces_page import BouncesPage
from cpanel_mail_exporter.web.connection import Connection, Connections, Limits
from cpanel_mail_exporter.web.http import BaseRequest, Response, Server, StreamResponse
from cpanel_mail_exporter.web.listening import open_sockets
from cpanel_mail_exporter.web.negotiation import accepts_gzip, exposition_format
from cpanel_mail_exporter.web.ports import (
    Cardinality,
    Exposition,
    Published,
    ServerViews,
    UnexplainedTexts,
    nothing_counted,
)
from cpanel_mail_exporter.web.routes import Routes
from cpanel_mail_exporter.web.sending import send_body
from cpanel_mail_exporter.web.status_page import Link, StatusPage
from cpanel_mail_exporter.web.tls import BadCertificate, Certificate

log = logging.getLogger(__name__)


class WebServer:
    """Serves /metrics, /probe, /sd, /-/healthy, /-/ready and the pages for people.

    Args:
        published: what scrapes are answered with.
        views: every server's state, for people, discovery and readiness.
        version: of this program, shown on the status page.
        now_unix: wall clock, for "12 s ago".
        host: name or address to listen on; empty for all interfaces, IPv4 and IPv6.
        port: TCP port, 0 lets the system choose.
        certificate: with it TLS only is spoken.
        users: bcrypt hash by user name; with any, every path asks for a login.
        links: further links for the status page.
        unexplained: texts that no rule explains, for the page of bounces.
        rules_file: the operator's own file of rules, as that page names it.
        cardinality: counts the series for the page of cardinality.
        limits: time limits and bounds.
        sleep: waits between two looks at the certificate's files.
    """

    def __init__(
        self,
        *,
        published: Published,
        views: ServerViews,
        version: str,
        now_unix: Callable[[], float],
        host: str = "",
        port: int = 9197,
        certificate: Certificate | None = None,
        users: Mapping[str, Secret] | None = None,
        links: Sequence[Link] = (),
        unexplained: UnexplainedTexts = tuple,
        rules_file: str = "",
        cardinality: Cardinality = nothing_counted,
        limits: Limits = Limits(),  # noqa: B008
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        scheme = "https" if certificate else "http"
        self._host = host
        self._port = port
        self._certificate = certificate
        self._users = dict(users or {})
        self._limits = limits
        self._sleep = sleep
        self._auth: BasicAuth | None = None
        self._connections: Connections | None = None
        self._server: Server | None = None
        self._listeners: list[asyncio.Server] = []
        self._watch: asyncio.Task[None] | None = None
        page = StatusPage(version, links)
        bounces = BouncesPage(rules_file)
        self._routes = Routes(
            published, views, unexplained, page, bounces, cardinality, scheme, now_unix
        )

    async def start(self) -> tuple[str, int]:
        """Listen.

        Returns:
            The address that was bound, host and port.

        Raises:
            CannotListen: nothing is left open.
        """
        sockets = await open_sockets(self._host, self._port)
        host, port = sockets[0].getsockname()[:2]
        self._auth = BasicAuth(self._users) if self._users else None
        connections = self._connections = Connections(self._limits)
        server = self._server = Server(self._handle)
        loop = asyncio.get_running_loop()
        tls = self._certificate
        for listening in sockets:
            self._listeners.append(
                await loop.create_server(
                    lambda: Connection(server, connections),
                    sock=listening,
                    ssl=tls.context if tls else None,
                    ssl_handshake_timeout=self._limits.request_seconds if tls else None,
                    ssl_shutdown_timeout=1.0 if tls else None,
                )
            )
        if tls is not None:
            self._watch = asyncio.create_task(self._watch_certificate(tls))
        return host, port

    async def stop(self) -> None:
        """Stop listening, let answers under way end, then cut off whoever is left; about 1 s."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
            self._watch = None
        if self._server is not None:
            # A request that has just come is to be seen as one under way.
            await asyncio.sleep(0)
            self._server.pre_shutdown()
            await self._server.shutdown(self._limits.stop_seconds)
            self._server = None
        if self._connections is not None:
            self._connections.drop_all()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._limits.stop_seconds):
                    await self._connections.none_left.wait()
        if self._auth is not None:
            self._auth.close()
            self._auth = None

    async def _handle(self, request: BaseRequest) -> StreamResponse:
        connection = request.protocol
        if not isinstance(connection, Connection):
            raise TypeError("a request came by a connection that isn't ours")
        connection.request_begins()
        try:
            async with asyncio.timeout(self._limits.answer_seconds):
                return await self._answer(request)
        except TimeoutError as error:
            connection.drop("too slow")
            raise ConnectionResetError("the client was too slow") from error
        finally:
            connection.request_ended()

    async def _answer(self, request: BaseRequest) -> StreamResponse:
        refusal = await _refusal(self._auth, request) if self._auth else None
        found = self._routes.answer(request) if refusal is None else refusal
        if isinstance(found, Awaitable):
            found = await found
        if not isinstance(found, Response):
            return await _send_exposition(request, found)
        if request.method not in ("GET", "HEAD"):
            # A body may follow that nobody wants to read.
            found.force_close()
        await found.prepare(request)
        await found.write_eof()
        return found

    async def _watch_certificate(self, certificate: Certificate) -> None:
        while True:
            await self._sleep(self._limits.certificate_check_seconds)
            try:
                if await asyncio.to_thread(certificate.reload_if_changed):
                    log.info("the renewed certificate is in use")
            except BadCertificate as error:
                log.warning("%s The one in use stays.", error)


async def _refusal(auth: BasicAuth, request: BaseRequest) -> Response | None:
    """Why a request isn't let in, None if it is."""
    sent = request.headers.getall("Authorization", [])
    verdict = await auth.verdict(sent[0] if len(sent) == 1 else None, request.remote or "")
    if verdict is Verdict.ALLOWED:
        return None
    if verdict is Verdict.BUSY:
        return plain(503, "Too many logins are being checked.", {"Retry-After": "5"})
    return plain(
        401,
        "Log in with a user name and password of basic_auth_users.",
        {"WWW-Authenticate": 'Basic realm="cpanel_mail_exporter", charset="UTF-8"'},
    )


async def _send_exposition(request: BaseRequest, exposition: Exposition) -> StreamResponse:
    wanted = exposition_format(_joined(request, "Accept"))
    compressed = accepts_gzip(_joined(request, "Accept-Encoding"))
    headers = {
        **COMMON_HEADERS,
        "Content-Type": wanted.value,
        "Vary": "Accept, Accept-Encoding",
    }
    if compressed:
        headers["Content-Encoding"] = "gzip"
    response = StreamResponse(headers=headers)
    await send_body(response, request, exposition.body(wanted, compressed))
    return response


def _joined(request: BaseRequest, header: str) -> str:
    """All lines of a header that is a list."""
    return ",".join(request.headers.getall(header, []))
