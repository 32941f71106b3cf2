"""All parts of one exporter, put together: nothing else knows more than its neighbours."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import metadata

import aiohttp

from cpanel_mail_exporter.app.live_token import LiveToken
from cpanel_mail_exporter.app.views import view
from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.config.settings import ServerSettings, Settings
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.exposition.text import LabelPairs
from cpanel_mail_exporter.metrics.catalogue import EMAIL_LOGS as EMAIL_LOGS_FAMILY
from cpanel_mail_exporter.metrics.exporter import build_info
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.model.outcome import EMAIL_LOGS, USER_STATS
from cpanel_mail_exporter.model.window import Window
from cpanel_mail_exporter.polling.poller import Poller, PollPlan
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.publishing.process import ProcessFigures
from cpanel_mail_exporter.publishing.server_board import ServerBoard, ServerTerms
from cpanel_mail_exporter.web.ports import ServerView
from cpanel_mail_exporter.web.server import WebServer
from cpanel_mail_exporter.web.tls import Certificate
from cpanel_mail_exporter.whm.client import Access, WhmServer
from cpanel_mail_exporter.whm.tls import client_context

DISTRIBUTION = "cpanel-mail-exporter"


def version() -> str:
    """Version of the installed distribution."""
    return metadata.version(DISTRIBUTION)


class Exporter:
    """All parts of one exporter, wired and not yet running.

    Must be built inside a running event loop, which the HTTP session belongs to.
    """

    def __init__(self, settings: Settings, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        process = ProcessFigures()
        about = build_info(version())

        def own() -> Sequence[FamilySamples]:
            return [about, *process.collect()]

        windows = _windows(settings)
        self.board = Board(
            [_terms(server, settings, tuple(windows)) for server in settings.servers],
            settings.email_logs.max_series_total if EMAIL_LOGS in windows else 0,
            own,
            clock,
        )
        context = cache(client_context)
        self.pollers = [
            _poller(server, settings, windows, board, session, context, clock)
            for server, board in zip(settings.servers, self.board.servers, strict=True)
        ]

    def views(self) -> list[ServerView]:
        """Every server's state, for people and for service discovery."""
        now = self._clock.now_unix()
        return [
            view(server, board, poller.next_poll_unix, now)
            for server, board, poller in zip(
                self._settings.servers, self.board.servers, self.pollers, strict=True
            )
        ]

    def all_succeeded(self) -> bool:
        """Whether every collector of every server succeeded at its newest visit."""
        return all(
            past.last is not None and past.last.error is None
            for board in self.board.servers
            for past in board.history.collectors.values()
        )


def _windows(settings: Settings) -> dict[str, Window]:
    """The collectors that are switched on, in the order they are asked, with their windows."""
    wished = {USER_STATS: settings.user_stats.window, EMAIL_LOGS: settings.email_logs.window}
    return {name: window for name, window in wished.items() if window is not None}


def _labels(server: ServerSettings, settings: Settings) -> LabelPairs:
    first = (("server", server.name),) if settings.server_label else ()
    return first + server.labels


def _terms(server: ServerSettings, settings: Settings, collectors: tuple[str, ...]) -> ServerTerms:
    return ServerTerms(
        name=server.name,
        labels=_labels(server, settings),
        collectors=collectors,
        poll_interval_seconds=settings.poll_interval_seconds,
        stale_after_seconds=settings.stale_after_seconds,
        user_stats_labels=settings.user_stats.labels,
        max_series=settings.email_logs.max_series,
    )


def _poller(
    server: ServerSettings,
    settings: Settings,
    windows: Mapping[str, Window],
    board: ServerBoard,
    session: aiohttp.ClientSession,
    context: Callable[..., ssl.SSLContext],
    clock: Clock,
) -> Poller:
    token = LiveToken(server)
    access = Access(
        name=server.name,
        endpoint=server.endpoint,
        user=server.user,
        token=token.current,
        tls=context(server.tls.ca_file, insecure_skip_verify=server.tls.insecure_skip_verify),
        server_name=server.tls.server_name,
        timeout_seconds=settings.request_timeout_seconds,
    )
    plan = PollPlan(
        name=server.name,
        windows=windows,
        types=settings.email_logs.types,
        max_series=settings.email_logs.max_series,
        zone=server.timezone,
        interval_seconds=settings.poll_interval_seconds,
    )
    lines = LogLines(EMAIL_LOGS_FAMILY.name, _labels(server, settings))
    return Poller(plan, WhmServer(session, access, clock), token, lines, board, clock)


def web_server(settings: Settings, exporter: Exporter, clock: Clock) -> WebServer:
    """The HTTP side of *exporter*, not listening yet.

    Raises:
        BadCertificate: certificate or key can't be used.
    """
    web = settings.web
    certificate = None
    if web.cert_file is not None and web.key_file is not None:
        certificate = Certificate(web.cert_file, web.key_file)
    return WebServer(
        published=exporter.board,
        views=exporter.views,
        version=version(),
        now_unix=clock.now_unix,
        host=web.host,
        port=web.port,
        certificate=certificate,
        users=web.basic_auth_users,
    )
