"""Boards of servers, and polls to put on them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks, LogBlocksBuilder
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.exposition.publication import Publication
from cpanel_mail_exporter.ledger.figures import Published
from cpanel_mail_exporter.metrics.catalogue import BUILD_INFO
from cpanel_mail_exporter.model.accounts import LastHour
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.errors import PollError
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.model.outcome import (
    ACCOUNTS,
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    MAIL_QUEUE,
    SERVER_INFO,
    SERVICES,
    UNIQUE_RECIPIENTS,
    USER_STATS,
    CollectorOutcome,
    PollOutcome,
)
from cpanel_mail_exporter.model.records import STAT_TYPES, DeliveryRecord, UserStat
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.publishing.ports import Numbers
from cpanel_mail_exporter.publishing.server_board import ServerBoard, ServerTerms
from cpanel_mail_exporter.spam_runs.signals import Signals
from tests.unit.exposition.reading import Read, read
from tests.unit.exposition.records import delivery

WINDOWED = (USER_STATS, EMAIL_LOGS)
SIMPLE = (SERVER_INFO, SERVICES, MAIL_QUEUE, ACCOUNTS, UNIQUE_RECIPIENTS)
VERSION = FamilySamples(BUILD_INFO, [(("1.2.3", "3.11.2"), 1)])


class PastHour:
    """A ledger that knows of nothing but the last hour.

    Attributes:
        asked: the instants it was asked about.
    """

    version = 0
    next_publication_unix = None

    def __init__(self, hour: Mapping[str, LastHour]) -> None:
        self.asked: list[int] = []
        self._hour = hour

    def published(self, now_unix: float) -> Published | None:
        return None

    def spam_runs(self) -> Sequence[Signals] | None:
        return None

    def last_hour(self, server_now_unix: int) -> Mapping[str, LastHour]:
        self.asked.append(server_now_unix)
        return self._hour


def terms(name: str = "web1", **changes: Any) -> ServerTerms:
    usual: dict[str, Any] = {
        "labels": (("server", name),),
        "collectors": WINDOWED,
        "poll_interval_seconds": 60.0,
        "stale_after_seconds": 300.0,
        "max_series": 50_000,
    }
    return ServerTerms(name=name, **{**usual, **changes})


def board(
    clock: Clock,
    *servers: ServerTerms,
    total: int = 0,
    own: Callable[[], Sequence[FamilySamples]] = lambda: [VERSION],
    ledgers: Mapping[str, Numbers] | None = None,
) -> Board:
    return Board(servers or (terms(),), total, own, clock, ledgers or {})


def stat(**changes: Any) -> UserStat:
    counts = dict(zip(STAT_TYPES, (1, 1, 0, 0, 0, 7301), strict=True))
    usual = {"domain": "example.com", "user": "user1", "owner": "root", "primary_domain": ""}
    return UserStat(**{**usual, "counts": counts, **changes})


def log_blocks(
    records: Sequence[DeliveryRecord],
    labels: tuple[tuple[str, str], ...] = (),
    *,
    max_series: int = 0,
    outside: Sequence[DeliveryRecord] = (),
) -> LogBlocks:
    lines = LogLines("email_logs", labels)
    builder = LogBlocksBuilder(max_series)
    builder.add(lines.render(records))
    builder.add_outside(lines.render(outside))
    return builder.finish()


def deliveries(count: int) -> list[DeliveryRecord]:
    return [delivery(1_795_250_000 + number) for number in range(count)]


def poll(
    to: ServerBoard,
    now_unix: float,
    *,
    user_stats: Sequence[UserStat] | PollError | None = (),
    email_logs: LogBlocks | PollError | None = None,
    delivery_events: DeliveriesState | PollError | None = None,
    facts: ServerFacts | None = None,
    failed: Mapping[str, PollError] | None = None,
    figures: dict[str, Any] | None = None,
    login_retry_unix: float | None = None,
    clock_skew_seconds: float | None = None,
) -> None:
    """A poll that ended now; an error instead of an answer makes that collector fail.

    What simple collectors got is in *facts*, under their names; those in *failed* failed.
    """
    told = facts or ServerFacts()
    asked: dict[str, object] = {
        USER_STATS: user_stats,
        DELIVERY_EVENTS: delivery_events,
        EMAIL_LOGS: email_logs,
        **{name: getattr(told, name) for name in SIMPLE},
        **(failed or {}),
    }
    outcomes = []
    for name, answer in asked.items():
        if name in to.history.collectors and answer is not None:
            error = answer if isinstance(answer, PollError) else None
            usual: dict[str, Any] = {
                "ended_unix": now_unix,
                "duration_seconds": 0.5,
                "window_start_unix": 1_795_215_600,
            }
            more = (figures or {}).get(name, {})
            outcomes.append(CollectorOutcome(name, error=error, **{**usual, **more}))
    to.poll_ended(
        PollOutcome(now_unix, tuple(outcomes), clock_skew_seconds, login_retry_unix),
        told if isinstance(user_stats, PollError) else replace(told, user_stats=user_stats),
        None if isinstance(email_logs, PollError) else email_logs,
        None if isinstance(delivery_events, PollError) else delivery_events,
    )


def whole(publication: Publication | None, form: Format = Format.TEXT) -> bytes:
    assert publication is not None
    body = publication.body(form, compressed=False)
    text = b"".join(body.open())
    assert len(text) == body.length
    return text


def shown(publication: Publication | None) -> Read:
    """What the publication says; both formats must have the same samples."""
    text = read(whole(publication))
    other = read(whole(publication, Format.OPENMETRICS), openmetrics=True)
    assert text.samples == other.samples
    return text
