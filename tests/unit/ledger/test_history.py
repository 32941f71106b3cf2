"""What polls come to, added up."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.ledger.history import CollectorHistory, ServerHistory
from cpanel_mail_exporter.model.errors import KINDS, Denied, PollError, TimedOut
from cpanel_mail_exporter.model.outcome import (
    EMAIL_LOGS,
    USER_STATS,
    CollectorOutcome,
    PollOutcome,
)

NO_FAILURES = {
    "denied": 0,
    "unsupported": 0,
    "timeout": 0,
    "connect": 0,
    "dns": 0,
    "tls": 0,
    "http_status": 0,
    "redirect": 0,
    "not_json": 0,
    "api_error": 0,
    "shape": 0,
    "storage": 0,
}


def outcome(collector: str = USER_STATS, **fields: Any) -> CollectorOutcome:
    return replace(CollectorOutcome(collector, 100.0, 1.5, 50), **fields)


def failed(kind: type[PollError] = TimedOut) -> PollError:
    return kind("web1", "emailtrack_search", "detail")


def test_every_kind_of_failure_is_0_from_the_start() -> None:
    history = ServerHistory.empty([USER_STATS, EMAIL_LOGS])
    assert history == ServerHistory(
        collectors={USER_STATS: CollectorHistory(), EMAIL_LOGS: CollectorHistory()}
    )
    assert history.collectors[EMAIL_LOGS].failures == NO_FAILURES
    assert (history.is_up, history.last_poll_unix, history.login_retry_unix) == (None, None, None)


def test_a_good_poll_raises_its_counters_and_is_the_last_success() -> None:
    good = outcome(
        rows_read=10,
        rows_rejected=2,
        unreadable_flags=3,
        repeated_pages=1,
        rows_outside_range=4,
        slices_incomplete=5,
    )
    once = CollectorHistory().after(good)
    assert once == CollectorHistory(
        polls=1,
        failures=NO_FAILURES,
        rows_read=10,
        rows_rejected=2,
        unreadable_flags=3,
        repeated_pages=1,
        last=good,
        last_success=good,
    )
    twice = once.after(good)
    assert (twice.polls, twice.rows_read, twice.rows_rejected) == (2, 20, 4)
    assert (twice.unreadable_flags, twice.repeated_pages) == (6, 2)
    assert once.error is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_raises_the_counter_of_its_kind_and_leaves_the_last_success(
    kind: type[PollError],
) -> None:
    good, bad = outcome(rows_read=10), outcome(error=failed(kind), ended_unix=160.0)
    history = CollectorHistory().after(good).after(bad)
    assert history.failures == {**NO_FAILURES, kind.kind: 1}
    assert (history.last, history.last_success, history.error) == (bad, good, bad.error)
    assert (history.polls, history.rows_read) == (2, 10)


def test_earlier_states_stay_as_they_were() -> None:
    before = ServerHistory.empty([USER_STATS])
    before.after(PollOutcome(160.0, (outcome(error=failed()),)))
    assert before == ServerHistory.empty([USER_STATS])


@pytest.mark.parametrize(
    "history", [CollectorHistory(), CollectorHistory().after(outcome(error=failed()))]
)
def test_counters_cannot_be_changed_from_outside(history: CollectorHistory) -> None:
    failures: Mapping[str, int] = history.failures
    with pytest.raises(TypeError):
        failures["timeout"] = 5  # type: ignore[index]


@pytest.mark.parametrize(
    ("errors", "is_up"),
    [
        ([None, None], True),
        ([None, failed()], True),
        ([failed(), None], True),
        ([failed(), failed()], False),
        ([failed(Denied)], False),
        ([None], True),
        ([], False),
    ],
)
def test_a_server_is_up_if_its_newest_poll_got_one_good_answer(
    errors: list[PollError | None], is_up: bool
) -> None:
    names = [USER_STATS, EMAIL_LOGS]
    parts = tuple(outcome(name, error=error) for name, error in zip(names, errors, strict=False))
    history = ServerHistory.empty(names).after(PollOutcome(160.0, parts))
    assert history.is_up is is_up
    assert history.after(PollOutcome(170.0, (outcome(),))).is_up is True


def test_a_collector_that_was_not_asked_stays_as_it_was() -> None:
    first = PollOutcome(160.0, (outcome(), outcome(EMAIL_LOGS, error=failed())))
    history = ServerHistory.empty([USER_STATS, EMAIL_LOGS]).after(first)
    later = history.after(PollOutcome(220.0, (outcome(),)))
    assert later.collectors[EMAIL_LOGS] == history.collectors[EMAIL_LOGS]
    assert later.collectors[USER_STATS].polls == 2
    assert later.last_poll_unix == 220.0


def test_the_clock_skew_is_kept_while_no_answer_tells_it_and_the_retry_is_not() -> None:
    history = ServerHistory.empty([USER_STATS])
    history = history.after(PollOutcome(1.0, (outcome(),), 12.5, 901.0))
    assert (history.clock_skew_seconds, history.login_retry_unix) == (12.5, 901.0)
    history = history.after(PollOutcome(2.0, (outcome(),)))
    assert (history.clock_skew_seconds, history.login_retry_unix) == (12.5, None)
    history = history.after(PollOutcome(3.0, (outcome(),), 0.0))
    assert history.clock_skew_seconds == 0.0


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, *KINDS]), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)
        )
    )
)
def test_counters_only_rise_and_add_up(
    polls: list[tuple[type[PollError] | None, int, int, int]],
) -> None:
    history = CollectorHistory()
    for kind, read, rejected, flags in polls:
        part = outcome(
            error=kind and failed(kind),
            rows_read=read,
            rows_rejected=rejected,
            unreadable_flags=flags,
        )
        after = history.after(part)
        assert after.polls == history.polls + 1
        assert all(after.failures[name] >= count for name, count in history.failures.items())
        history = after
    assert sum(history.failures.values()) == sum(kind is not None for kind, *_ in polls)
    assert (history.rows_read, history.rows_rejected, history.unreadable_flags) == tuple(
        sum(poll[place] for poll in polls) for place in (1, 2, 3)
    )
