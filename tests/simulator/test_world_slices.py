"""Rows, sums and queue of a world agree with each other for any instant and any slice."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.conftest import NOW_UNIX, make_world
from whm_simulator.mail.queue import queue_of
from whm_simulator.mail.source import Span
from whm_simulator.mail.sums import sums_of
from whm_simulator.world.incidents import BadDay, Compromise
from whm_simulator.world.scribe import Scribe
from whm_simulator.world.tallies import LENGTHS_MINUTES, pieces

HOUR, DAY = 3600, 86_400

BUSY = make_world(
    history_seconds=5 * HOUR,
    rate_per_minute=15,
    domains_per_account=2,
    compromises=(Compromise("web1", "forum1", NOW_UNIX - 3 * HOUR, per_minute=6, seconds=HOUR),),
    bad_days=(BadDay("google", NOW_UNIX - 4 * HOUR, 2 * HOUR),),
)
LONG = make_world(
    history_seconds=7 * DAY,
    rate_per_minute=2,
    bad_days=(BadDay("microsoft", NOW_UNIX - 9 * HOUR, 8 * HOUR),),
    max_cached_rows=10**6,
)

instants = st.integers(NOW_UNIX - 5 * HOUR, NOW_UNIX + HOUR) | st.floats(NOW_UNIX - 90, NOW_UNIX)
spans = st.none() | st.builds(
    Span,
    st.integers(NOW_UNIX - 6 * HOUR, NOW_UNIX + 100),
    st.integers(NOW_UNIX - 6 * HOUR, NOW_UNIX + 100),
)


@given(now=instants, span=spans)
@settings(max_examples=80, deadline=None)
def test_a_span_is_the_same_rows_cut_to_its_send_times(now: float, span: Span | None) -> None:
    wanted = [
        row
        for row in BUSY.rows(now)
        if span is None or span.first_unix <= row.sendunixtime <= span.last_unix
    ]
    assert BUSY.rows(now, span) == wanted


@given(now=instants, span=spans, acted=spans)
@settings(max_examples=80, deadline=None)
def test_an_action_range_is_the_same_rows_cut_to_it(
    now: float, span: Span | None, acted: Span | None
) -> None:
    wanted = [
        row
        for row in BUSY.rows(now, span)
        if acted is None
        or (row.actionunixtime and acted.first_unix <= row.actionunixtime <= acted.last_unix)
    ]
    assert BUSY.rows(now, span, acted) == wanted


@given(now=instants, span=spans)
@settings(max_examples=120, deadline=None)
def test_sums_are_those_of_the_rows(now: float, span: Span | None) -> None:
    assert BUSY.sums(now, span) == sums_of(BUSY.rows(now, span))


def test_sums_of_a_long_history_are_those_of_its_rows() -> None:
    for now in (NOW_UNIX, NOW_UNIX - 3 * DAY, NOW_UNIX - 8 * HOUR):
        assert LONG.sums(now) == sums_of(LONG.rows(now))


def test_sums_of_a_known_range_need_few_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a day's totals of many servers can be asked every minute."""
    world = make_world(history_seconds=6 * HOUR, max_cached_rows=1000, rate_per_minute=5)
    world.sums(NOW_UNIX)
    written = []
    write = Scribe._written
    monkeypatch.setattr(
        Scribe, "_written", lambda self, minute: written.append(minute) or write(self, minute)
    )
    for minute in range(1, 121):
        world.sums(NOW_UNIX + 60 * minute)
    assert 120 <= len(written) <= 5 * 120


def test_a_short_action_range_needs_few_rows_of_a_long_history() -> None:
    world = make_world(history_seconds=12 * HOUR, rate_per_minute=5)
    world.sums(NOW_UNIX)
    world.cache.blocks._known.clear()
    rows = world.rows(NOW_UNIX, acted=Span(NOW_UNIX - 59, NOW_UNIX))
    assert rows
    assert len(world.cache.blocks) < 12


@given(now=st.integers(NOW_UNIX - 2 * DAY, NOW_UNIX) | st.floats(NOW_UNIX - 400, NOW_UNIX))
@settings(max_examples=25, deadline=None)
def test_the_queue_holds_what_has_no_final_outcome_and_what_is_frozen(now: float) -> None:
    """Frozen are reports of failure that failed in turn, until they are five days old."""
    rows = LONG.rows(now)
    frozen = {
        row.msgid
        for row in rows
        if row.sender == "" and row.type == "failure" and row.sendunixtime + 5 * DAY > now
    }
    queue = LONG.queue(now)
    assert {queued.msgid for queued in queue if queued.is_frozen} == frozen != set()
    assert sorted(queued for queued in queue if not queued.is_frozen) == sorted(queue_of(rows))
    assert [queued.time_unix for queued in queue] == sorted(queued.time_unix for queued in queue)
    assert {(queued.sender, queued.user) for queued in queue if queued.is_frozen} == {
        ("", "mailnull")
    }


@given(st.integers(0, 500), st.integers(0, 500))
def test_pieces_are_the_range_without_gaps_or_overlaps(first: int, length: int) -> None:
    minutes = [
        minute
        for size, number in pieces(first, first + length)
        for minute in range(size * number, size * (number + 1))
    ]
    assert minutes == list(range(first, first + length))
    assert len(list(pieces(first, first + length))) <= length // 60 + 2 * (5 + 9) + 1
    assert all(longer % shorter == 0 for longer, shorter in itertools.pairwise(LENGTHS_MINUTES))
