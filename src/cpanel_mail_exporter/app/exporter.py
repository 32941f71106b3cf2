"""All parts of one exporter, put together: nothing else knows more than its neighbours."""

import ssl
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import aiohttp

from cpanel_mail_exporter import __version__
from cpanel_mail_exporter.app.ledgers import Ledgers
from cpanel_mail_exporter.app.live_token import LiveToken
from cpanel_mail_exporter.app.log_rows import shown_rows
from cpanel_mail_exporter.app.texts import shown_texts
from cpanel_mail_exporter.app.views import view
from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.config.settings import ServerSettings, Settings
from cpanel_mail_exporter.exposition.log_privacy import LabelMask
from cpanel_mail_exporter.exposition.text import LabelPairs
from cpanel_mail_exporter.ledger.ledger import Ledger
from cpanel_mail_exporter.metrics import selection
from cpanel_mail_exporter.metrics.exporter import build_info, exposition_sizes
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.model.outcome import (
    ACCOUNTS,
    COLLECTORS,
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    MAIL_QUEUE,
    SERVER_INFO,
    SERVICES,
    UNIQUE_RECIPIENTS,
    USER_STATS,
)
from cpanel_mail_exporter.model.query import DELIVERY_TYPES, EVENT_TYPES
from cpanel_mail_exporter.model.window import Window
from cpanel_mail_exporter.polling.deliveries import DeliveriesReading
from cpanel_mail_exporter.polling.poller import Poller, PollPlan
from cpanel_mail_exporter.polling.reading_terms import ReadingTerms
from cpanel_mail_exporter.polling.shown_rows import ShownRows
from cpanel_mail_exporter.polling.sinks import EventSink
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.publishing.process import ProcessFigures
from cpanel_mail_exporter.publishing.server_board import ServerTerms
from cpanel_mail_exporter.publishing.whole_answers import AnswerTerms
from cpanel_mail_exporter.web.ports import Cardinality, ServerTexts, ServerView
from cpanel_mail_exporter.web.server import WebServer
from cpanel_mail_exporter.web.tls import Certificate
from cpanel_mail_exporter.whm.client import Access, WhmServer
from cpanel_mail_exporter.whm.tls import client_context

DISTRIBUTION = "cpanel-mail-exporter"


class Exporter:
    """All parts of one exporter, wired and not yet running.

    Must be built inside a running event loop, which the HTTP session belongs to.

    Args:
        ledgers: one for each server whose delivery events are counted.
        mask: how labels of email_logs are masked, None if they aren't.
        once: there is one poll of each server only.
    """

    def __init__(
        self,
        settings: Settings,
        session: aiohttp.ClientSession,
        clock: Clock,
        ledgers: Ledgers,
        *,
        mask: LabelMask | None = None,
        once: bool = False,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._ledgers = ledgers.by_server
        process = ProcessFigures()
        about = build_info(__version__)
        published: Board | None = None

        def own() -> Sequence[FamilySamples]:
            sizes = exposition_sizes(published.sizes_bytes() if published else {})
            return selection.shown([sizes, about, *process.collect()], settings.hidden_families)

        windows = _windows(settings)
        collectors = _collectors(settings, windows)
        self.collectors = collectors
        published = self.board = Board(
            [_terms(server, settings, collectors) for server in settings.servers],
            settings.email_logs.max_series_total if EMAIL_LOGS in windows else 0,
            own,
            clock,
            ledgers.by_server,
        )
        context = cache(client_context)
        self.pollers = []
        for server, board in zip(settings.servers, self.board.servers, strict=True):
            token = LiveToken(server)
            access = _access(server, settings, token, context)
            whm = WhmServer(session, access, clock)
            plan = PollPlan(
                name=server.name,
                collectors=collectors,
                windows=windows,
                zone=server.timezone,
                interval_seconds=settings.poll_interval_seconds,
                is_single=once,
                hides_people=settings.email_logs.hides_people,
            )
            shown = shown_rows(_labels(server, settings), settings.email_logs, mask)
            ledger = self._ledgers.get(server.name)
            deliveries = _deliveries(server, settings, whm, ledger, shown, once=once)
            self.pollers.append(
                Poller(plan, whm, token, deliveries, board, clock, ledgers.meaning.provider)
            )

    def views(self) -> list[ServerView]:
        """Every server's state, for people and for service discovery."""
        now = self._clock.now_unix()
        return [
            view(server, board, poller.next_poll_unix, now)
            for server, board, poller in zip(
                self._settings.servers, self.board.servers, self.pollers, strict=True
            )
        ]

    def unexplained(self) -> list[ServerTexts]:
        """The newest texts that no rule explains, of every server whose events are counted."""
        hides_people = self._settings.email_logs.hides_people
        return [
            ServerTexts(name, shown_texts(ledger.unclassified(), hides_people=hides_people))
            for name, ledger in self._ledgers.items()
        ]

    def all_succeeded(self) -> bool:
        """Whether every collector of every server succeeded at its newest visit.

        What is switched off, since the token lacks a privilege that many do, is no failure.
        """
        histories = [board.history for board in self.board.servers]
        return all(
            not history.errors and all(past.last for past in history.collectors.values())
            for history in histories
        )


def _windows(settings: Settings) -> dict[str, Window]:
    """The windowed collectors that are switched on, with their windows."""
    wished = {USER_STATS: settings.user_stats.window, EMAIL_LOGS: settings.email_logs.window}
    return {name: window for name, window in wished.items() if window is not None}


def _collectors(settings: Settings, windows: Mapping[str, Window]) -> tuple[str, ...]:
    """All that are switched on, in the order they are asked."""
    further = settings.further
    switches = {
        **dict.fromkeys(windows, True),
        DELIVERY_EVENTS: settings.delivery_events.is_enabled,
        MAIL_QUEUE: further.mail_queue,
        ACCOUNTS: further.accounts,
        UNIQUE_RECIPIENTS: further.unique_recipients,
        SERVICES: further.services,
        SERVER_INFO: further.server_info,
    }
    return tuple(name for name in COLLECTORS if switches.get(name))


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
        max_series=settings.email_logs.max_series,
        answers=AnswerTerms(
            user_stats_labels=settings.user_stats.labels,
            user_stats_pairs=settings.user_stats.user_series,
            queue_users=settings.further.queue_users,
            account_series=settings.further.account_series,
        ),
        max_spam_run_accounts=settings.max_spam_run_accounts,
        exemplars=not settings.email_logs.hides_people,
        hidden_families=settings.hidden_families,
    )


def _access(
    server: ServerSettings,
    settings: Settings,
    token: LiveToken,
    context: Callable[..., ssl.SSLContext],
) -> Access:
    tls = None
    if server.endpoint.scheme == "https":
        tls = context(server.tls.ca_file, insecure_skip_verify=server.tls.insecure_skip_verify)
    return Access(
        name=server.name,
        endpoint=server.endpoint,
        user=server.user,
        token=token.current,
        tls=tls,
        server_name=server.tls.server_name,
        timeout_seconds=settings.request_timeout_seconds,
    )


def _deliveries(
    server: ServerSettings,
    settings: Settings,
    whm: WhmServer,
    ledger: Ledger | None,
    lines: ShownRows | None,
    *,
    once: bool,
) -> DeliveriesReading | None:
    """What reads delivery records, for the ledger and for email_logs; None if both are off."""
    logs, counted = settings.email_logs, settings.delivery_events
    if ledger is None and logs.window is None:
        return None
    shown = logs.types if logs.window is not None else ()
    needed = EVENT_TYPES if ledger is not None else ()
    terms = ReadingTerms(
        name=server.name,
        types=tuple(kind for kind in DELIVERY_TYPES if kind in {*shown, *needed}),
        look_back_seconds=counted.look_back_seconds,
        interval_seconds=settings.poll_interval_seconds,
        is_single=once,
    )
    events = None if ledger is None else EventSink(ledger, counts_past=counted.backfill)
    return DeliveriesReading(terms, whm, events, lines)


def web_server(
    settings: Settings, exporter: Exporter, clock: Clock, cardinality: Cardinality
) -> WebServer:
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
        version=__version__,
        now_unix=clock.now_unix,
        host=web.host,
        port=web.port,
        certificate=certificate,
        users=web.basic_auth_users,
        unexplained=exporter.unexplained,
        rules_file=str(settings.bounces.rules_file or ""),
        cardinality=cardinality,
    )
