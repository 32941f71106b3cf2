"""The only wiring: settings in, a running exporter out; starts the parts and stops them."""

import asyncio
import gc
import logging
import resource
import signal
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib import metadata
from ipaddress import ip_address
from pathlib import Path

import aiohttp

from cpanel_mail_exporter.clock import Clock, SystemClock
from cpanel_mail_exporter.config.settings import ServerSettings, Settings
from cpanel_mail_exporter.config.token_file import TokenFile
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.exposition.text import LabelPairs
from cpanel_mail_exporter.metrics.catalogue import EMAIL_LOGS as EMAIL_LOGS_FAMILY
from cpanel_mail_exporter.metrics.exporter import build_info
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.model.outcome import EMAIL_LOGS, USER_STATS
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.model.window import Window
from cpanel_mail_exporter.polling.fleet import poll_all_once, run_fleet
from cpanel_mail_exporter.polling.poller import Poller, PollPlan
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.publishing.process import ProcessFigures
from cpanel_mail_exporter.publishing.server_board import ServerBoard, ServerTerms
from cpanel_mail_exporter.publishing.words import collector_state, server_state
from cpanel_mail_exporter.web.ports import Health, ServerView
from cpanel_mail_exporter.web.server import WebServer
from cpanel_mail_exporter.web.tls import Certificate
from cpanel_mail_exporter.whm.client import Access, WhmServer, open_session
from cpanel_mail_exporter.whm.tls import client_context

DISTRIBUTION = "cpanel-mail-exporter"
_STOP_SECONDS = 4.0

logger = logging.getLogger(__name__)


def version() -> str:
    """Version of the installed distribution."""
    return metadata.version(DISTRIBUTION)


class LiveToken:
    """A server's token: fixed, or followed in its file. Implements polling's `Token`."""

    def __init__(self, server: ServerSettings) -> None:
        self._name = server.name
        self._current = server.token.value
        file = server.token.file
        self._file = TokenFile(file, server.token.value) if file is not None else None

    def renew(self) -> bool:
        """Look whether the file holds another token now."""
        if self._file is None:
            return False
        look = self._file.look()
        if look.problem is not None:
            logger.warning("%s: %s; the token known so far is kept", self._name, look.problem)
        self._current = look.token
        return look.has_changed

    def current(self) -> Secret:
        """The token to send now."""
        return self._current


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
        context = cache(_client_context)
        self.pollers = [
            _poller(server, settings, windows, board, session, context, clock)
            for server, board in zip(settings.servers, self.board.servers, strict=True)
        ]

    def views(self) -> list[ServerView]:
        """Every server's state, for people and for service discovery."""
        now = self._clock.now_unix()
        return [
            _view(server, board, poller.next_poll_unix, now)
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


async def serve(settings: Settings) -> None:
    """Poll and serve until SIGTERM or SIGINT.

    Raises:
        CannotListen: the address can't be bound.
        BadCertificate: certificate or key can't be used.
    """
    clock = SystemClock()
    _warn(settings)
    _warn_of_open_port(settings)
    _allow_many_connections()
    _collect_garbage_seldom()
    async with open_session(user_agent=f"{DISTRIBUTION}/{version()}") as session:
        exporter = Exporter(settings, session, clock)
        web = _web_server(settings, exporter, clock)
        host, port = await web.start()
        shown = f"[{host}]" if ":" in host else host
        logger.info("listening on %s:%s, servers: %s", shown, port, len(settings.servers))
        work = [
            asyncio.create_task(exporter.board.run(), name="publish"),
            asyncio.create_task(run_fleet(exporter.pollers), name="poll"),
        ]
        try:
            with _stop_signals() as stopped:
                await _first_to_end(stopped, work)
        finally:
            for task in work:
                task.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await web.stop()
                    await asyncio.gather(*work, return_exceptions=True)
        logger.info("stopped")


async def poll_once(settings: Settings) -> bool:
    """Poll each server once and print the exposition; True if every collector succeeded."""
    clock = SystemClock()
    _warn(settings)
    _allow_many_connections()
    _collect_garbage_seldom()
    async with open_session(user_agent=f"{DISTRIBUTION}/{version()}") as session:
        exporter = Exporter(settings, session, clock)
        with _stop_signals() as stopped:
            polls = asyncio.create_task(poll_all_once(exporter.pollers))
            await _first_to_end(stopped, [polls])
            polls.cancel()
    exporter.board.build()
    for part in exporter.board.everything().body(Format.TEXT, compressed=False).open():
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()
    return exporter.all_succeeded()


async def _first_to_end(stopped: asyncio.Event, work: Sequence[asyncio.Task[None]]) -> None:
    """Wait for a stop signal or the end of the work; a part that breaks ends the program."""
    waiting = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait({waiting, *work}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done:
        task.result()


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


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


def _client_context(ca_file: Path | None, *, insecure_skip_verify: bool) -> ssl.SSLContext:
    return client_context(ca_file, insecure_skip_verify=insecure_skip_verify)


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


def _web_server(settings: Settings, exporter: Exporter, clock: Clock) -> WebServer:
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


def _view(
    server: ServerSettings, board: ServerBoard, next_poll_unix: float | None, now_unix: float
) -> ServerView:
    history = board.history
    pasts = history.collectors
    successes = [p.last_success.ended_unix for p in pasts.values() if p.last_success is not None]
    return ServerView(
        name=server.name,
        endpoint_authority=server.endpoint.authority,
        labels=server.labels,
        was_polled=history.last_poll_unix is not None,
        state=server_state(history, now_unix),
        last_success_unix=max(successes, default=None),
        next_poll_unix=next_poll_unix,
        collectors=tuple((name, collector_state(past, now_unix)) for name, past in pasts.items()),
        health=_health(board),
    )


def _health(board: ServerBoard) -> Health:
    history = board.history
    if history.is_up is None:
        return Health.WAITING
    if not history.is_up:
        return Health.FAILING
    pasts = history.collectors.values()
    is_whole = all(
        past.last is not None and past.last.error is None and not past.last.slices_incomplete
        for past in pasts
    )
    return Health.GOOD if is_whole else Health.INCOMPLETE


def _warn(settings: Settings) -> None:
    for warning in settings.warnings:
        logger.warning("%s", warning)
    if settings.token_on_command_line:
        logger.warning(
            "the token was given on the command line, where process lists show it; "
            "use --apikey-file or CPANEL_MAIL_APIKEY"
        )
    for server in settings.servers:
        if server.tls.insecure_skip_verify:
            logger.warning(
                "%s: its certificate is not checked, so the token can be stolen on the way; "
                "use a ca_file instead",
                server.name,
            )
        if server.endpoint.scheme == "http":
            logger.warning("%s: asked without TLS, the token can be read on the way", server.name)


def _warn_of_open_port(settings: Settings) -> None:
    is_open = not _is_loopback(settings.web.host) and not settings.web.basic_auth_users
    if is_open and settings.email_logs.window is not None:
        logger.warning(
            "listening on %s without basic auth: customers' addresses in email_logs can be read "
            "by anyone who reaches the port; use --web.config.file, or listen on 127.0.0.1",
            settings.web.host or "all addresses",
        )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _collect_garbage_seldom() -> None:
    """Look for reference cycles only after many more new objects than Python does by itself.

    A poll makes millions of short-lived records that hold no cycles; looking through them again
    and again took a third of its time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def _allow_many_connections() -> None:
    """Raise the bound on open files as far as the system lets an ordinary user."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
