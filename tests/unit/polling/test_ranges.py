"""Changes are found by comparing totals with what they were: all of them, with few questions."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.model.query import Totals
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.ranges import (
    LEAF_SECONDS,
    READ_SECONDS,
    Ask,
    Fingerprints,
    Read,
    cover,
    fingerprint,
    halves,
    pieces,
    walk,
)

LEAVES = 64
ALL = Slice(0, LEAVES * LEAF_SECONDS)
leaves = st.integers(0, LEAVES - 1)


class Server:
    """Rows by leaf, and what a reader has taken of them."""

    def __init__(self) -> None:
        self.rows: Counter[int] = Counter()
        self.taken: Counter[int] = Counter()
        self.asks = self.reads = 0

    def answer(self, step: Ask | Read) -> tuple[int, ...] | bool:
        span = step.range
        inside = range(span.start // LEAF_SECONDS, span.end // LEAF_SECONDS)
        if isinstance(step, Ask):
            self.asks += 1
            return (sum(self.rows[leaf] for leaf in inside),)
        self.reads += 1
        self.taken.update({leaf: self.rows[leaf] - self.taken[leaf] for leaf in inside})
        return True


def check(server: Server, known: Fingerprints, *, most_steps: int = 10_000) -> bool:
    going = walk(ALL, known, ALL.end)
    try:
        step = next(going)
        for _ in range(most_steps):
            step = going.send(server.answer(step))
    except StopIteration as end:
        return bool(end.value)
    finally:
        going.close()
    return False


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.lists(leaves, max_size=6), st.integers(1, 40)), max_size=8))
def test_whatever_comes_between_walks_and_wherever_they_break_off_all_is_found(
    rounds: list[tuple[list[int], int]],
) -> None:
    server, known = Server(), Fingerprints()
    for new, steps in rounds:
        server.rows.update(new)
        check(server, known, most_steps=steps)
    for _ in range(50):
        if check(server, known):
            break
    assert +server.taken == +server.rows
    assert check(server, known)


def test_a_quiet_tree_costs_one_question() -> None:
    server, known = Server(), Fingerprints()
    assert check(server, known)
    server.asks = server.reads = 0
    assert check(server, known)
    assert (server.asks, server.reads) == (1, 0)


def test_a_changed_leaf_costs_few_questions_and_one_short_reading() -> None:
    server, known = Server(), Fingerprints()
    check(server, known)
    server.rows[LEAVES - 1] += 1
    check(server, known)
    server.asks = server.reads = 0
    server.rows[LEAVES - 1] += 1
    assert check(server, known)
    # Two halves each time, from 64 leaves down to 4, and to 2 for fingerprints that are new.
    assert (server.asks, server.reads) == (1 + 2 * 5, 1)


def test_rows_that_could_not_be_taken_are_read_again() -> None:
    server, known = Server(), Fingerprints()
    server.rows[3] += 1
    going = walk(Slice(0, READ_SECONDS), known, ALL.end)
    step = next(going)
    while not isinstance(step, Read):
        step = going.send(server.answer(step))
    with pytest.raises(StopIteration):
        going.send(False)
    assert len(known) == 0
    assert check(server, known)
    assert server.taken[3] == 1


def test_a_walk_that_is_closed_while_it_reads_keeps_nothing_of_that() -> None:
    server, known = Server(), Fingerprints()
    going = walk(Slice(0, READ_SECONDS), known, ALL.end)
    step = next(going)
    while not isinstance(step, Read):
        step = going.send(server.answer(step))
    going.close()
    assert len(known) == 0


@given(st.integers(0, 200), st.integers(0, 200))
def test_a_cover_is_its_span_in_few_ranges_newest_first(first: int, count: int) -> None:
    span = Slice(first * LEAF_SECONDS, (first + count) * LEAF_SECONDS)
    ranges = cover(span)
    ends = [each.end for each in ranges]
    assert ends == sorted(ends, reverse=True)
    assert sum(each.seconds for each in ranges) == span.seconds
    assert all(each.start % each.seconds == 0 for each in ranges)
    assert len(ranges) <= 2 * max(1, count).bit_length()


@given(st.integers(0, 50_000), st.integers(0, 50_000))
def test_pieces_are_their_span_cut_at_boundaries(start: int, seconds: int) -> None:
    span = Slice(start, start + seconds)
    cut = pieces(span)[::-1]
    assert [each.start for each in cut[1:]] == [each.end for each in cut[:-1]]
    assert sum(each.seconds for each in cut) == seconds
    assert all(each.start % READ_SECONDS == 0 for each in cut[1:])


def test_halves_make_up_a_range_the_newer_first() -> None:
    assert halves(Slice(600, 1200)) == (Slice(900, 1200), Slice(600, 900))


texts = st.dictionaries(
    st.tuples(leaves, st.sampled_from((LEAF_SECONDS, 2 * LEAF_SECONDS))),
    st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple),
)


@given(texts, st.lists(leaves, max_size=3))
def test_fingerprints_survive_storing(
    found: dict[tuple[int, int], tuple[int, ...]], gone: list[int]
) -> None:
    known, store = Fingerprints(), {}
    ranges = {Slice(start, start + width): seen for (start, width), seen in found.items()}
    known.keep(ranges)
    for leaf in gone:
        known.drop(Slice(leaf, leaf + 1 + 2 * LEAF_SECONDS))
    unstored = known.unstored()
    known.stored(unstored)
    assert known.unstored() == {}
    store = {start: text for start, text in unstored.items() if text is not None}
    again = Fingerprints()
    again.load(store)
    assert {each: again[each] for each in ranges} == {each: known[each] for each in ranges}
    assert len(again) == len(known)


def test_texts_of_another_form_are_passed_over() -> None:
    known = Fingerprints()
    known.load({0: "300:1,2", 300: "?", 600: "300:x", 900: ""})
    assert (len(known), known[Slice(0, 300)]) == (1, (1, 2))


def test_what_is_in_progress_is_no_part_of_a_fingerprint() -> None:
    assert fingerprint(Totals(1, 2, 3, 4, 5, 6, 7)) == (1, 2, 3, 4, 5, 7)
