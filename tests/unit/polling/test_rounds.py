"""What a poll reads of a server's deliveries, and how far back it looks: each rule for any time."""

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.ranges import LEAF_SECONDS, READ_SECONDS, floor
from cpanel_mail_exporter.polling.rounds import (
    OVERLAP_SECONDS,
    Round,
    backlog_slices,
    due_ranges,
    due_round,
    fast_loop,
    looked_before,
    next_unread,
)
from cpanel_mail_exporter.polling.spans import Spans


@given(st.integers(10**6, 2 * 10**6), st.integers(0, 10**6))
def test_the_fast_loop_and_what_it_missed_are_all_since_the_last_poll(
    now: int, behind: int
) -> None:
    read_until = floor(now - behind)
    new, missed = fast_loop(now, read_until)
    assert new.end == now + 1
    assert now - new.start >= OVERLAP_SECONDS
    assert new.seconds <= 40 * 60, "what is new comes first after a long pause"
    assert new.start % LEAF_SECONDS == 0
    if missed is None:
        assert new.start <= read_until
    else:
        assert missed == Slice(read_until, new.start)


@given(st.integers(0, 300), st.integers(1, 2_000), st.sampled_from(Round))
def test_all_is_watched_the_newest_at_every_poll(start: int, leaves: int, reaches: Round) -> None:
    watched = Slice(start * LEAF_SECONDS, (start + leaves) * LEAF_SECONDS)
    seen = Spans.of(*due_ranges(watched, reaches))
    least = {Round.NEWEST: READ_SECONDS, Round.DAY: 86_400, Round.ALL: watched.seconds}[reaches]
    assert seen.within(watched) == seen
    newest = Slice(max(watched.start, watched.end - least), watched.end)
    assert seen.within(newest) == Spans.of(newest)


@given(st.integers(10**6, 10**7), st.lists(st.integers(1, 200), max_size=300))
def test_rounds_come_in_time_however_irregular_the_polls(now: int, gaps: list[int]) -> None:
    day = everything = looked_before("web1", now, 60.0)
    assert 0 <= now - everything < 30 * 60
    for gap in gaps:
        now += gap
        due = due_round(now, day, everything, 60.0)
        if due is not Round.NEWEST:
            day = now
        if due is Round.ALL:
            everything = now
        assert now - day < 5 * 60
        assert now - everything < 30 * 60


def test_a_clock_set_back_makes_everything_due() -> None:
    assert due_round(999, 1_000, 1_000, 60.0) is Round.ALL


def test_a_backlog_is_read_newest_first_in_slices_of_80_minutes() -> None:
    unread = Spans.of(Slice(0, 10_000), Slice(20_000, 25_000))
    assert backlog_slices(unread) == 5
    read = []
    while (span := next_unread(unread)) is not None:
        read.append((span.start, span.end))
        unread = unread.without(span)
    assert read == [(24_000, 25_000), (20_000, 24_000), (9_600, 10_000), (4_800, 9_600), (0, 4_800)]
    assert backlog_slices(unread) == 0
