"""Whole expositions, byte for byte, in both formats."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.publication import Publication
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.model.accounts import Account, LastHour, UniqueRecipients
from cpanel_mail_exporter.model.deliveries import ActionFilter, DeliveriesState, GoesBy, LastDay
from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    Denied,
    StorageFailed,
    TimedOut,
    Unsupported,
)
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.outcome import DELIVERY_EVENTS, SERVER_INFO, USER_STATS
from cpanel_mail_exporter.model.queue import QueueSummary
from cpanel_mail_exporter.model.records import LimitUse
from cpanel_mail_exporter.model.services import ServerInfo, Service
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.publishing.whole_answers import AnswerTerms
from cpanel_mail_exporter.storage.memory import MemoryStore
from cpanel_mail_exporter.whm.decode import delivery_rows as decoded_deliveries
from cpanel_mail_exporter.whm.decode import judge, user_stat_rows
from tests.unit.exposition.records import delivery
from tests.unit.ledger.mail import MEANING
from tests.unit.ledger.mail import row as mail
from tests.unit.publishing.boards import (
    SIMPLE,
    PastHour,
    board,
    log_blocks,
    poll,
    shown,
    stat,
    terms,
    whole,
)
from tests.unit.publishing.clock import StandingClock

Compare = Callable[[str, bytes], None]

DESCRIPTION = Path(__file__).parent / "description"
NOW = 1_795_252_447.0
FORMATS = [(Format.TEXT, "txt"), (Format.OPENMETRICS, "om")]


def rows(name: str) -> bytes:
    """The JSON array `data.records` of one of the description's inputs."""
    verdict = judge((DESCRIPTION / name).read_bytes())
    assert verdict.rows is not None
    return b"[" + b",".join(map(bytes, verdict.rows)) + b"]"


def flag_mode() -> Board:
    """One server without a name, which answers with the description's two records."""
    clock = StandingClock(NOW)
    one = board(clock, terms("192.0.2.1:2087", labels=()), total=50_000)
    poll(
        one.servers[0],
        NOW,
        user_stats=user_stat_rows(rows("user_stats.json")).records,
        email_logs=log_blocks([], outside=decoded_deliveries(rows("email_logs.json")).records),
        figures={
            "user_stats": {"rows_read": 1},
            "email_logs": {"rows_read": 1, "rows_outside_range": 1},
        },
        clock_skew_seconds=0.25,
    )
    one.build()
    return one


def file_mode() -> Board:
    """Four servers: one that is well, one that grows stale, one denied, one not polled yet."""
    clock = StandingClock(NOW - 400)
    one = board(
        clock,
        terms("web1", labels=(("server", "web1"), ("region", "eu"), ("rack", 'a"1'))),
        terms("web2"),
        terms("web3", answers=AnswerTerms(user_stats_labels=("owner", "primary_domain"))),
        terms("web4"),
        total=5,
    )
    web1, web2, web3, _ = one.servers
    poll(web2, NOW - 400, user_stats=[stat(user="gone")], email_logs=log_blocks([delivery()]))
    poll(
        web2,
        NOW - 120,
        user_stats=TimedOut("web2", "emailtrack_user_stats", "no whole answer within 30 s"),
        email_logs=log_blocks(
            [delivery(1_795_252_300 + n, None) for n in range(9)], web2.terms.labels
        ),
        figures={"email_logs": {"rows_read": 9, "slices_incomplete": 1}},
        clock_skew_seconds=-3.0,
    )
    poll(
        web1,
        NOW - 60,
        user_stats=ApiRefused("web1", "emailtrack_user_stats", "no"),
        email_logs=Unsupported("web1", "emailtrack_search", "access denied (HTTP 403)"),
        figures={"user_stats": {"rows_read": 0}},
    )
    poll(
        web1,
        NOW,
        user_stats=[
            stat(flags={"reached_maxemails": True, "reached_maxdeferfail": False}),
            stat(domain="", user="-remote-", flags={}, unreadable_flags=2),
            stat(user='odd "user"\\\n', counts={"send_count": 2.5, "inprogress_count": 3}),
        ],
        email_logs=log_blocks(
            [
                delivery(1_795_252_400, 1_795_252_401, message='550 "no" \\ such\nuser'),
                delivery(1_795_252_410, 1_795_252_411, type="defer", host="", ip=""),
            ],
            web1.terms.labels,
            outside=[delivery(None, None, message="grüße \u2028 \U0001f600")],
        ),
        figures={
            "user_stats": {"rows_read": 4, "rows_rejected": 1, "unreadable_flags": 2},
            "email_logs": {
                "rows_read": 5,
                "rows_rejected": 2,
                "rows_outside_range": 1,
                "repeated_pages": 1,
                "duration_seconds": 1.25,
            },
        },
    )
    denied = Denied("web3", "emailtrack_user_stats", "access denied (HTTP 403)")
    poll(web3, NOW, user_stats=denied, email_logs=denied, login_retry_unix=NOW + 900)
    clock.now = NOW
    one.build()
    return one


def counting() -> Board:
    """Two servers whose mail is counted: one in full, one that has just begun and then failed."""
    bounds = LedgerTerms(user_limit=2, reply_limit=2)
    ledgers = {name: Ledger(name, MemoryStore(), MEANING, bounds) for name in ("a", "b")}
    clock = StandingClock(NOW)
    collectors = (USER_STATS, DELIVERY_EVENTS)
    one = board(
        clock,
        terms("a", collectors=collectors, exemplars=True),
        terms("b", collectors=collectors),
        ledgers=ledgers,
    )
    sent = int(NOW) - 9_000
    ledgers["a"].begin(sent - 100)
    ledgers["a"].learn([mail("outbound", "success", sent - 500, sent - 400)], sent)
    one.build()
    for number, (way, kind, took, message) in enumerate(
        (
            ("outbound", "defer", 60, "421 slow down"),
            ("outbound", "success", 960, "Accepted"),
            ("gmail", "failure", 2, "550-5.1.1 no such user"),
            ("inbound", "success", 0, "Accepted"),
            ("internal", "success", 1, "Accepted"),
            ("refused", "failure", 0, "Message discarded"),
            ("forwarded", "defer", 7, "452 4.2.2 over quota"),
            ("outbound", "archive", 3, "Accepted"),
        )
    ):
        recipient = "amy@example.net" if number < 2 else f"reader{number}@example.net"
        row = mail(way, kind, sent, sent + took, recipient=recipient, message=message)
        ledgers["a"].learn([row], int(NOW))
    ledgers["a"].settle(int(NOW))
    day = LastDay(
        sent // 86_400 * 86_400 - 86_400,
        {"success": 30, "failure": 4, "defer": 9},
        {"success": 30, "failure": 4, "defer": 8, "other": 1},
    )
    state = DeliveriesState(
        newest_event_unix=sent + 960,
        backlog_slices=3,
        slices_incomplete=1,
        messages_in_progress=2,
        last_day=day,
        totals_go_by=GoesBy.SENT,
        action_filter=ActionFilter.WORKS,
        size_bytes=122_880,
    )
    figures = {"delivery_events": {"rows_read": 9, "slices_incomplete": 1}}
    poll(one.servers[0], NOW, delivery_events=state, figures=figures)
    ledgers["b"].begin(int(NOW))
    full = StorageFailed("b", "storage", "data/b.sqlite: database or disk is full")
    poll(one.servers[1], NOW, delivery_events=full)
    clock.now = NOW + 1
    one.build()
    clock.now = NOW + 70
    one.build()
    return one


FACTS = ServerFacts(
    mail_queue=QueueSummary(
        messages=41,
        frozen=3,
        bounces=5,
        size_bytes=1_234_567,
        oldest_unix=int(NOW) - 100_000,
        older={"5m": 30, "30m": 20, "1h": 12, "4h": 4, "1d": 1, "4d": 0},
        recipients={"google": 30, "other": 25, "microsoft": 2},
        users={"shop": 20, "news": 12, "": 5, "forum": 4},
    ),
    accounts=[
        Account("shop", "example.com", "root", 200, 60, False, False, False),
        Account("news", "example.net", "root", 500, None, False, True, False),
        Account("forum", "example.org", "agency", None, 50, True, False, False),
        Account("office", "office.example", "agency", None, None, False, False, True),
    ],
    unique_recipients=[UniqueRecipients("news", 310), UniqueRecipients("-remote-", 4_211)],
    services=[Service("exim", True), Service("tailwatchd", False)],
    server_info=ServerInfo("web1.example.net", "11.138.0.6"),
)


def state() -> Board:
    """One server that is told of in full, and one whose token may ask for deliveries alone."""
    clock = StandingClock(NOW)
    bounds = AnswerTerms(user_stats_pairs=1, queue_users=2, account_series=2)
    collectors = (USER_STATS, DELIVERY_EVENTS, *SIMPLE)
    past = PastHour({"shop": LastHour(90, 6, 4), "news": LastHour(480), "idle": LastHour()})
    one = board(
        clock,
        terms("web1", collectors=collectors, answers=bounds),
        terms("web2", collectors=collectors, answers=bounds),
        ledgers={"web1": past},
    )
    limits = {
        "reached_maxemails": LimitUse(200, 200),
        "reached_maxdeferfail": LimitUse(5, 5, 100.0),
    }
    poll(
        one.servers[0],
        NOW,
        user_stats=[stat(user="shop", limit_uses=limits)],
        delivery_events=DeliveriesState(),
        facts=FACTS,
        figures={"mail_queue": {"rows_read": 42, "rows_rejected": 1}},
        clock_skew_seconds=-5.0,
    )
    poll(
        one.servers[1],
        NOW,
        user_stats=[stat()],
        delivery_events=DeliveriesState(),
        facts=ServerFacts(server_info=ServerInfo("web2.example.net", "")),
        failed={
            name: Unsupported("web2", name, "access denied (HTTP 403)")
            for name in SIMPLE
            if name != SERVER_INFO
        },
    )
    one.build()
    return one


@pytest.mark.parametrize(("form", "ending"), FORMATS)
def test_state(form: Format, ending: str, golden: Compare) -> None:
    golden(f"state.{ending}", whole(state().everything(), form))


@pytest.mark.parametrize(("form", "ending"), FORMATS)
def test_counting(form: Format, ending: str, golden: Compare) -> None:
    golden(f"counting.{ending}", whole(counting().everything(), form))


@pytest.mark.parametrize(("form", "ending"), FORMATS)
def test_flag_mode(form: Format, ending: str, golden: Compare) -> None:
    golden(f"flag_mode.{ending}", whole(flag_mode().everything(), form))


@pytest.mark.parametrize(("form", "ending"), FORMATS)
def test_file_mode(form: Format, ending: str, golden: Compare) -> None:
    golden(f"file_mode.{ending}", whole(file_mode().everything(), form))


@pytest.mark.parametrize(("form", "ending"), FORMATS)
def test_one_server_of_the_file(form: Format, ending: str, golden: Compare) -> None:
    golden(f"file_mode_web1.{ending}", whole(file_mode().of_server("web1"), form))


def test_flag_mode_holds_the_lines_of_the_description_verbatim() -> None:
    text = whole(flag_mode().everything())
    for name in ("email_user_stats.txt", "email_logs.txt"):
        assert (DESCRIPTION / name).read_bytes() in text


def test_both_formats_have_the_same_well_formed_samples() -> None:
    for publication in (
        flag_mode().everything(),
        file_mode().everything(),
        file_mode().of_server("web1"),
        counting().everything(),
        state().everything(),
    ):
        assert shown(publication).samples


def test_a_publication_of_nothing() -> None:
    one = Board([], 0, list, StandingClock(NOW))
    nothing: Publication = one.everything()
    assert whole(nothing, Format.TEXT) == b""
    assert whole(nothing, Format.OPENMETRICS) == b"# EOF\n"
