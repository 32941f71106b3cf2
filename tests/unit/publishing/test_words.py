"""How a server is doing, said in one sentence that is true."""

from typing import Any

import pytest

from cpanel_mail_exporter.ledger.history import ServerHistory
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.errors import (
    Denied,
    PollError,
    StorageFailed,
    TimedOut,
    Unsupported,
)
from cpanel_mail_exporter.model.outcome import CollectorOutcome, PollOutcome
from cpanel_mail_exporter.publishing.words import age, collector_state, server_state

NOW = 1_795_252_447.0
TWO = ("user_stats", "email_logs")
TIMED_OUT = TimedOut("web1", "emailtrack_user_stats", "no whole answer within 30 s")
DENIED = Denied("web1", "emailtrack_search", "access denied (HTTP 403)")


def after(
    *errors: PollError | None, login_retry_unix: float | None = None, **figures: Any
) -> ServerHistory:
    """One poll, 75 s ago, that ended so for each collector."""
    outcomes = tuple(
        CollectorOutcome(name, NOW - 75, 0.5, 0, error=error, **figures)
        for name, error in zip(TWO, errors, strict=True)
    )
    return ServerHistory.empty(TWO).after(
        PollOutcome(NOW - 75, outcomes, login_retry_unix=login_retry_unix)
    )


def test_before_the_first_poll() -> None:
    history = ServerHistory.empty(TWO)
    assert server_state(history, NOW) == "not polled yet"
    assert collector_state(history.collectors["email_logs"], NOW) == "not asked yet"


def test_a_complete_poll() -> None:
    history = after(None, None, rows_read=7)
    assert server_state(history, NOW) == "last poll 1 min 15 s ago was complete"
    logs = collector_state(history.collectors["email_logs"], NOW)
    assert logs == "complete 1 min 15 s ago, 7 rows"


def test_what_the_server_cut_is_not_called_complete() -> None:
    history = after(None, None, rows_read=7, slices_incomplete=2)
    assert server_state(history, NOW) == (
        "last poll 1 min 15 s ago lacks rows, slices cut by the server: 4"
    )
    logs = collector_state(history.collectors["email_logs"], NOW)
    assert logs == "incomplete 1 min 15 s ago, 7 rows, slices cut by the server: 2"


@pytest.mark.parametrize(
    ("slices", "left"),
    [
        (0, ""),
        (1, "; 1 slice of older mail still to be read"),
        (34, "; 34 slices of older mail still to be read"),
    ],
)
def test_what_is_still_to_be_read_is_said_whatever_the_poll_came_to(slices: int, left: str) -> None:
    state = DeliveriesState(backlog_slices=slices)

    def words(history: ServerHistory) -> str:
        return collector_state(history.collectors["email_logs"], NOW, state)

    assert words(ServerHistory.empty(TWO)) == "not asked yet"
    assert words(after(None, None, rows_read=12)) == f"complete 1 min 15 s ago, 12 rows{left}"
    assert words(after(None, None, rows_read=12, slices_incomplete=2)) == (
        f"incomplete 1 min 15 s ago, 12 rows, slices cut by the server: 2{left}"
    )
    full = StorageFailed("web1", "storage", "web1.sqlite: database or disk is full")
    assert words(after(None, full)) == (
        f"storage: web1.sqlite: database or disk is full (never good){left}"
    )


def test_a_failure_says_what_to_do() -> None:
    history = after(TIMED_OUT, TIMED_OUT)
    assert server_state(history, NOW) == (
        "last poll failed 1 min 15 s ago: no whole answer within 30 s; "
        "see whether the server is overloaded, or raise request_timeout"
    )
    assert collector_state(history.collectors["user_stats"], NOW) == (
        "timeout: no whole answer within 30 s (never good)"
    )


OFF = Unsupported("web1", "fetch_mail_queue", "access denied (HTTP 403)")


def beside(stats: PollError | None, queue: PollError | None) -> ServerHistory:
    """One poll, 75 s ago, of sums by user and of the queue."""
    both = ("user_stats", "mail_queue")
    outcomes = tuple(
        CollectorOutcome(name, NOW - 75, 0.5, 0, error=error)
        for name, error in zip(both, (stats, queue), strict=True)
    )
    return ServerHistory.empty(both).after(PollOutcome(NOW - 75, outcomes))


def test_what_is_switched_off_is_named_and_no_failure() -> None:
    history = beside(None, OFF)
    assert (history.switched_off, history.errors) == (("mail_queue",), ())
    assert server_state(history, NOW) == (
        "last poll 1 min 15 s ago was complete; switched off, since WHM refuses them: mail_queue"
    )
    assert collector_state(history.collectors["mail_queue"], NOW) == (
        "switched off: access denied (HTTP 403) (never good), asked again hourly"
    )


def test_another_failure_beside_what_is_switched_off_is_still_one() -> None:
    history = beside(TIMED_OUT, OFF)
    assert history.errors == (TIMED_OUT,)
    assert server_state(history, NOW).startswith("last poll failed 1 min 15 s ago: no whole answer")
    history = beside(None, TIMED_OUT)
    assert (history.switched_off, history.errors) == ((), (TIMED_OUT,))
    assert server_state(history, NOW).startswith("1 of 2 collectors failed")


def test_one_collector_that_fails_is_said_as_one_of_two() -> None:
    unsupported = Unsupported("web1", "emailtrack_search", "access denied (HTTP 403)")
    assert server_state(after(None, unsupported), NOW) == (
        "1 of 2 collectors failed 1 min 15 s ago: access denied (HTTP 403); give the token the "
        "privilege for it in WHM >> Manage API Tokens, or switch the collector off; asked again "
        "hourly"
    )


@pytest.mark.parametrize("first", [DENIED, TIMED_OUT])
def test_a_refused_login_says_so_and_when_it_is_tried_again(first: PollError) -> None:
    """Whatever else failed before: what holds the server up is the login."""
    history = after(first, DENIED, login_retry_unix=NOW + 825)
    assert server_state(history, NOW) == (
        "access denied (HTTP 403); check user and token, and the token's privileges, expiry and "
        "allowed addresses in WHM >> Manage API Tokens; "
        "next try in 13 min 45 s, or when the token changes"
    )


def test_a_failure_tells_when_it_was_good_before() -> None:
    history = after(None, None).after(
        PollOutcome(NOW, (CollectorOutcome("user_stats", NOW, 30.0, 0, error=TIMED_OUT),))
    )
    assert collector_state(history.collectors["user_stats"], NOW) == (
        "timeout: no whole answer within 30 s (last good 1 min 15 s ago)"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.99, "59 s"),
        (60, "1 min"),
        (3_600, "1 h"),
        (3_605, "1 h 5 s"),
        (3_661, "1 h 1 min"),
        (86_399, "23 h 59 min"),
        (86_400 * 400, "400 d"),
    ],
)
def test_age(seconds: float, words: str) -> None:
    assert age(seconds) == words
