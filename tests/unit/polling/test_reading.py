"""The rules by which a window is read, one by one, against a model of the server."""

import itertools
from collections import Counter
from typing import Any

import pytest

from cpanel_mail_exporter.model.query import AnswerEnd, Instant, SearchQuery
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading import Accepted, SpanReader, TooManyPages
from cpanel_mail_exporter.polling.reading_state import PAGE_ROWS, ReadCounts, ReadingMemory
from tests.unit.polling.model_server import ModelServer, Reading, read, row

DAY = Slice(1_000, 87_400)
NEWS = 40_000
"""When newsletters are sent: the middle of the day, about."""


def table(*times: int | None, number: int = 0) -> list[DeliveryRecord]:
    return [row(number + place, sent) for place, sent in enumerate(times)]


def spread(count: int, *, number: int = 0) -> list[DeliveryRecord]:
    """So many rows, spread evenly over the day."""
    step = DAY.seconds / max(count, 1)
    return table(*(DAY.start + int(place * step) for place in range(count)), number=number)


def newsletter(count: int, *, sent: int = NEWS, number: int = 500_000) -> list[DeliveryRecord]:
    return table(*[sent] * count, number=number)


def spans(result: Reading) -> list[tuple[int, int, int]]:
    return [(q.span.start, q.span.end, q.first_row) for q in result.queries]


def ids(records: list[DeliveryRecord]) -> set[str]:
    return {record.msg_id for record in records}


WHOLE_DAY = (DAY.start, DAY.end, 1)


# Rule 1: the whole window in one page where it fits, else slices that are remembered.


def test_1_the_first_query_is_about_the_whole_window() -> None:
    reader = SpanReader(DAY, ("success", "defer"), ReadingMemory())
    assert reader.next_query() == SearchQuery(DAY, ("success", "defer"), PAGE_ROWS, 1)


def test_1_a_window_that_fits_is_one_query_once_a_longer_page_was_seen() -> None:
    memory = ReadingMemory(longest_page=100)
    result = read(ModelServer(spread(99)), DAY, memory)
    assert spans(result) == [WHOLE_DAY]
    assert (len(result.inside), result.counts) == (99, ReadCounts(rows=99))


def test_1_an_empty_window_is_one_query() -> None:
    result = read(ModelServer([]), DAY, ReadingMemory())
    assert spans(result) == [WHOLE_DAY]
    assert (result.inside, result.outside, result.counts) == ([], [], ReadCounts())


@pytest.mark.parametrize("window", [Slice(1_000, 1_000), Slice(1_000, 900)])
def test_1_a_window_without_a_second_asks_nothing(window: Slice) -> None:
    assert read(ModelServer(spread(3)), window, ReadingMemory()).queries == []


def test_1_slices_that_worked_are_asked_for_again_and_hold_no_full_page() -> None:
    memory = ReadingMemory()
    server = ModelServer(spread(20_000))
    read(server, DAY, memory)
    boundaries = memory.boundaries
    again = read(server, DAY, memory)
    edges = [DAY.start, *boundaries, DAY.end]
    assert spans(again) == [(low, high, 1) for low, high in itertools.pairwise(edges)]
    assert len(again.inside) == 20_000
    assert again.counts == ReadCounts(rows=20_000)


def test_1_a_new_day_needs_no_slices_of_the_old_one() -> None:
    memory = ReadingMemory()
    read(ModelServer(spread(20_000)), DAY, memory)
    tomorrow = Slice(DAY.end, DAY.end + 3_600)
    result = read(ModelServer(table(DAY.end + 5)), tomorrow, memory)
    assert spans(result) == [(tomorrow.start, tomorrow.end, 1)]


# Rule 2: a full page is accepted up to its last second; the next query begins there.


def test_2_after_a_full_page_the_next_slice_begins_at_its_last_second() -> None:
    result = read(ModelServer(spread(6_000)), DAY, ReadingMemory())
    last_second = DAY.start + int((PAGE_ROWS - 1) * DAY.seconds / 6_000)
    assert spans(result) == [WHOLE_DAY, (last_second, DAY.end, 1)]
    assert len(result.inside) == len(ids(result.inside)) == 6_000
    assert result.counts == ReadCounts(rows=6_001), "only the row of the last second came twice"


def test_2_a_row_that_appears_before_the_page_shifts_nothing() -> None:
    late = row(900_000, DAY.start)
    server = ModelServer(spread(6_000), arrivals=[(1, late)])
    result = read(server, DAY, ReadingMemory())
    assert len(result.inside) == len(ids(result.inside)) == 6_000


def test_2_order_is_kept_from_slice_to_slice() -> None:
    result = read(ModelServer(spread(12_000)[::-1]), DAY, ReadingMemory())
    sent = [record.send_unix for record in result.inside]
    assert sent == sorted(sent, key=lambda instant: instant or 0)


@pytest.mark.parametrize("has_inclusive_ends", [False, True])
def test_2_no_row_at_a_boundary_is_skipped_or_doubled(has_inclusive_ends: bool) -> None:
    rows = [r for place in range(3) for r in table(*range(2_000, 6_000), number=10_000 * place)]
    server = ModelServer(rows, has_inclusive_ends=has_inclusive_ends)
    memory = ReadingMemory()
    for _ in range(2):
        result = read(server, DAY, memory)
        assert sorted(result.inside) == sorted(rows)


# Rule 3: pages only where a second is full, or rows come unsorted.


def test_3_a_newsletter_s_second_is_read_in_pages_and_the_rest_is_not() -> None:
    rows = [*spread(3_000), *newsletter(12_000)]
    result = read(ModelServer(rows), DAY, ReadingMemory())
    assert sorted(result.inside) == sorted(rows)
    assert {query.span for query in result.queries if query.first_row > 1} == {
        Slice(NEWS, NEWS + 1)
    }
    assert result.counts.incomplete == 0
    assert len(result.queries) < 12


def test_3_two_newsletters_in_neighbouring_seconds_are_both_read() -> None:
    rows = [*newsletter(6_000), *newsletter(6_000, sent=NEWS + 1, number=700_000)]
    for has_inclusive_ends in (False, True):
        server = ModelServer(rows, has_inclusive_ends=has_inclusive_ends)
        result = read(server, DAY, ReadingMemory())
        assert sorted(result.inside) == sorted(rows)


def test_3_rows_that_come_unsorted_are_read_in_pages_until_an_empty_one() -> None:
    rows = spread(10_000)[::-1]
    result = read(ModelServer(rows, ignores_sort=True), DAY, ReadingMemory())
    assert spans(result) == [(DAY.start, DAY.end, first) for first in (1, 5_001, 10_001)]
    assert sorted(result.inside) == sorted(rows)


def test_3_a_full_page_of_one_second_does_not_show_that_rows_are_sorted() -> None:
    """Newest first, with a newsletter as the newest: what was sent before it must not be lost."""
    rows = [*newsletter(6_000), *spread(2_000)[:900][::-1]]
    assert all((record.send_unix or 0) <= NEWS for record in rows)
    result = read(ModelServer(rows, ignores_sort=True), DAY, ReadingMemory())
    assert ids(result.inside) == ids(rows)


def test_3_unsorted_pages_of_a_live_table_lose_nothing_to_new_rows_at_their_head() -> None:
    rows = spread(9_000)[::-1]
    server = ModelServer(rows, ignores_sort=True)
    first = list(rows)

    class Live(ModelServer):
        def search(self, query: SearchQuery, receive: Any) -> AnswerEnd:
            self.rows.insert(0, row(800_000 + len(self.queries), DAY.end - 1))
            return super().search(query, receive)

    server = Live(list(first), ignores_sort=True)
    assert ids(first) <= ids(read(server, DAY, ReadingMemory()).inside)


# Rule 4: a short page is the end only if a longer one was seen.


def test_4_the_first_short_page_is_followed_by_a_look_behind_it() -> None:
    memory = ReadingMemory()
    result = read(ModelServer(spread(30)), DAY, memory)
    assert spans(result) == [WHOLE_DAY, (DAY.start, DAY.end, 31)]
    assert memory.longest_page == 30


def test_4_clipped_pages_are_found_out_and_remembered() -> None:
    memory = ReadingMemory()
    server = ModelServer(spread(1_000), clip=250)
    result = read(server, DAY, memory)
    assert len(result.inside) == len(ids(result.inside)) == 1_000
    assert memory.full_page == 250
    again = read(server, DAY, memory)
    assert len(again.inside) == 1_000
    assert len(again.queries) < len(result.queries)


def test_4_a_clip_that_grows_is_noticed() -> None:
    memory = ReadingMemory()
    rows = spread(1_000)
    read(ModelServer(rows, clip=250), DAY, memory)
    result = read(ModelServer(rows, clip=400), DAY, memory)
    assert len(result.inside) == len(ids(result.inside)) == 1_000


def test_4_a_row_that_appears_before_the_look_does_not_pass_for_a_clipped_page_for_long() -> None:
    memory = ReadingMemory()
    late = row(900_000, DAY.end - 1)
    result = read(ModelServer(spread(30), arrivals=[(1, late)]), DAY, memory)
    assert len(result.inside) == len(ids(result.inside)) == 31
    result = read(ModelServer(spread(100)), DAY, memory)
    assert len(result.inside) == len(ids(result.inside)) == 100
    assert memory.full_page == PAGE_ROWS


# Rule 5: what ignores the size, the start or the filter of a query.


def test_5_an_answer_with_more_rows_than_asked_for_is_all_there_is() -> None:
    memory = ReadingMemory()
    server = ModelServer(spread(20_000), ignores_size=True)
    for _ in range(2):
        result = read(server, DAY, memory)
        assert spans(result) == [WHOLE_DAY]
        assert len(result.inside) == 20_000
    assert memory.ignores_size


@pytest.mark.parametrize("piece_rows", [[1], [7, 2], [5_000], [3, 1_000, 17]])
def test_5_a_page_that_comes_again_is_known_in_whatever_pieces_it_arrives(
    piece_rows: list[int],
) -> None:
    memory = ReadingMemory()
    server = ModelServer(newsletter(300), ignores_start=True, piece_rows=piece_rows)
    result = read(server, DAY, memory)
    assert memory.ignores_start
    assert result.counts.repeated_pages >= 1
    assert sorted(set(result.inside)) == sorted(server.rows)


def test_5_where_pages_have_no_start_smaller_slices_go_on_after_a_clipped_one() -> None:
    memory = ReadingMemory()
    server = ModelServer(spread(1_000), ignores_start=True, clip=250)
    for _ in range(2):
        result = read(server, DAY, memory)
        assert ids(result.inside) == ids(server.rows)
        assert result.counts.incomplete == 0


def test_5_where_pages_have_no_start_none_is_asked_for_behind_a_short_one() -> None:
    memory = ReadingMemory()
    server = ModelServer(spread(30), ignores_start=True)
    read(server, DAY, memory)
    result = read(server, DAY, memory)
    last_second = server.rows[-1].send_unix
    assert spans(result) == [WHOLE_DAY, (last_second, DAY.end, 1)]
    memory.longest_page = 31
    assert spans(read(server, DAY, memory)) == [WHOLE_DAY]


def test_5_a_clipped_second_whose_pages_have_no_start_is_incomplete() -> None:
    """Two slices in turn that are as long as each other show that both are clipped."""
    memory = ReadingMemory()
    server = ModelServer([*spread(1_000), *newsletter(400)], ignores_start=True, clip=250)
    result = read(server, DAY, memory)
    assert (result.counts.incomplete, memory.full_page) == (1, 250)
    assert len(ids(result.inside)) == 1_250


@pytest.mark.parametrize("has_inclusive_ends", [False, True])
def test_5_a_single_row_does_not_pass_for_a_clipped_page(has_inclusive_ends: bool) -> None:
    memory = ReadingMemory()
    server = ModelServer(table(NEWS), ignores_start=True, has_inclusive_ends=has_inclusive_ends)
    for _ in range(2):
        result = read(server, DAY, memory, most_queries=25)
        assert result.inside == server.rows
        assert result.counts.incomplete == 0
        assert memory.full_page == PAGE_ROWS


@pytest.mark.parametrize(("count", "clip"), [(12_000, None), (1_000, 250)])
def test_5_where_pages_have_neither_start_nor_order_slices_are_halved(
    count: int, clip: int | None
) -> None:
    rows = spread(count)[::-1]
    server = ModelServer(rows, clip=clip, ignores_start=True, ignores_sort=True)
    memory = ReadingMemory()
    for _ in range(2):
        result = read(server, DAY, memory)
        assert ids(result.inside) == ids(server.rows)
        assert result.counts.incomplete == 0


def test_5_a_full_second_whose_pages_have_no_start_is_incomplete() -> None:
    server = ModelServer([*spread(100), *newsletter(6_000)], ignores_start=True)
    result = read(server, DAY, ReadingMemory())
    assert result.counts.incomplete == 1
    assert len(ids(result.inside)) == 5_100


def test_5_a_server_without_filters_is_read_in_pages_over_the_whole_window() -> None:
    old = table(*range(100), number=600_000)
    server = ModelServer([*spread(12_000), *old], ignores_filters=True)
    memory = ReadingMemory()
    result = read(server, DAY, memory)
    assert memory.ignores_filters
    assert ids(result.inside) == ids(server.rows[:12_000])
    assert (ids(result.outside), result.counts.outside) == (ids(old), 100)
    again = read(server, DAY, memory)
    assert spans(again) == [(DAY.start, DAY.end, first) for first in (1, 5_001, 10_001)]
    assert sorted(again.inside) == sorted(server.rows[:12_000])
    assert again.counts == ReadCounts(rows=12_100, outside=100)


@pytest.mark.parametrize(("sent", "most"), [(500, 2), (40_000, 6), (200_000, 2), (None, 2)])
def test_5_a_static_answer_is_soon_asked_for_once(sent: int | None, most: int) -> None:
    """What a mock server gives that answers one file whatever it is asked."""
    server = ModelServer(
        [row(1, sent)],
        ignores_filters=True,
        ignores_sort=True,
        ignores_size=True,
        ignores_start=True,
    )
    memory = ReadingMemory()
    first = read(server, DAY, memory)
    assert ids(first.inside + first.outside) == {"1"}
    assert len(first.queries) <= most
    for _ in range(2):
        result = read(server, DAY, memory)
        assert spans(result) == [WHOLE_DAY]
        assert result.inside + result.outside == server.rows
        assert result.counts == ReadCounts(rows=1, outside=len(result.outside))


def test_5_pages_without_end_are_given_up() -> None:
    class Endless(ModelServer):
        def page(self, query: SearchQuery) -> tuple[list[DeliveryRecord], bool]:
            number = 10_000 * len(self.queries)
            return table(DAY.end - 1, DAY.start, number=number), False

    with pytest.raises(TooManyPages):
        read(Endless([], piece_rows=[5]), DAY, ReadingMemory(full_page=2))


# Rule 6: what WHM calls cut is halved, down to a second.


def test_6_a_cut_answer_is_halved_until_nothing_is_cut() -> None:
    server = ModelServer(spread(1_000), cap=250)
    result = read(server, DAY, ReadingMemory())
    assert sorted(result.inside) == sorted(server.rows)
    assert result.counts.incomplete == 0


def test_6_a_second_that_is_still_cut_is_incomplete_and_counted_once() -> None:
    server = ModelServer([*spread(100), *newsletter(400)], cap=250, clip=100)
    memory = ReadingMemory()
    result = read(server, DAY, memory)
    assert result.counts.incomplete == 1
    assert result.learned.total() == 350, "of those that can't be had the newest"
    assert memory.boundaries == [], "an incomplete reading teaches no slices"


def test_6_a_cut_answer_of_a_server_without_filters_is_incomplete() -> None:
    server = ModelServer([*spread(100), row(9_999, 5)], cap=50, ignores_filters=True)
    memory = ReadingMemory()
    for _ in range(2):
        result = read(server, DAY, memory)
        assert result.counts.incomplete == 1
        assert len(ids(result.inside)) == 50


# Rule 7: rows outside the window, or without a time, are accepted apart.


def test_7_rows_outside_the_window_and_without_time_are_given_apart() -> None:
    others = table(None, 5, DAY.start - 1, DAY.end, DAY.end + 9, number=900)
    server = ModelServer([*spread(10), *others], ignores_filters=True)
    result = read(server, DAY, ReadingMemory(longest_page=16))
    assert sorted(result.inside) == spread(10)
    assert ids(result.outside) == ids(others)
    assert result.counts == ReadCounts(rows=15, outside=5)


def test_7_with_inclusive_ends_the_seconds_next_to_the_window_are_outside() -> None:
    others = table(DAY.start - 1, DAY.end, number=900)
    server = ModelServer([*spread(10), *others], has_inclusive_ends=True)
    result = read(server, DAY, ReadingMemory(longest_page=13))
    assert (sorted(result.inside), ids(result.outside)) == (spread(10), ids(others))


def test_7_a_small_span_shows_that_filters_are_ignored_and_gives_all_there_is() -> None:
    rows = spread(12_000)
    memory = ReadingMemory()
    span = Slice(NEWS, NEWS + 300)
    result = read(ModelServer(rows, ignores_filters=True), span, memory)
    assert memory.ignores_filters
    assert Counter(result.inside) == Counter(r for r in rows if r.send_unix in span)
    assert Counter(result.outside) == Counter(r for r in rows if r.send_unix not in span)
    assert [query.first_row for query in result.queries] == [1, 5_001, 10_001]
    assert result.counts == ReadCounts(rows=12_000, outside=12_000 - len(result.inside))


def test_7_a_filter_on_action_time_that_lets_others_through_is_given_up() -> None:
    memory = ReadingMemory(longest_page=9, action_filter_works=True)
    rows = [row(1, NEWS, acted_unix=NEWS + 900)]
    span = Slice(NEWS - 100, NEWS + 100)
    result = read(ModelServer(rows, acts_by_send=True), span, memory, by=Instant.ACTED)
    assert (result.outside, result.counts.incomplete) == (rows, 1)
    assert (memory.action_filter_works, memory.ignores_filters) == (False, False)


# Rule 8: pages of which nothing could be decoded.


def all_bad(count: int, **switches: Any) -> ModelServer:
    rows = spread(count)
    return ModelServer(rows, bad=frozenset(ids(rows)), **switches)


def test_8_a_bad_page_behind_which_nothing_comes_is_complete() -> None:
    memory = ReadingMemory()
    result = read(all_bad(3), DAY, memory)
    assert spans(result) == [WHOLE_DAY, (DAY.start, DAY.end, 4)]
    assert result.counts == ReadCounts(rows=3, rejected=3)


def test_8_bad_pages_that_look_alike_teach_nothing_and_are_incomplete() -> None:
    memory = ReadingMemory()
    result = read(all_bad(1_000, clip=100), DAY, memory)
    assert result.counts == ReadCounts(rows=200, rejected=200, incomplete=1)
    assert not memory.ignores_start
    assert len(result.queries) == 2


def test_8_a_full_bad_page_is_incomplete() -> None:
    result = read(all_bad(6_000), DAY, ReadingMemory())
    assert result.counts == ReadCounts(rows=5_000, rejected=5_000, incomplete=1)


def test_8_bad_rows_among_good_ones_hide_none_of_them() -> None:
    rows = spread(12_000)
    server = ModelServer(rows, bad=frozenset(r.msg_id for r in rows[::7]))
    result = read(server, DAY, ReadingMemory())
    assert sorted(result.inside) == sorted(r for r in rows if r.msg_id not in server.bad)
    assert result.counts.incomplete == 0
    assert result.counts.rejected >= len(server.bad)


# Rule 3: multisets.


def test_3_rows_of_one_answer_are_one_multiset_in_however_many_batches() -> None:
    rows = [*spread(3_000), *newsletter(3_000)]
    result = read(ModelServer(rows, ignores_size=True), DAY, ReadingMemory())
    assert result.multisets == {1: Counter(rows)}


def test_3_equal_rows_on_two_pages_are_one_multiset_after_a_second_reading() -> None:
    rows = [*newsletter(4_999), *newsletter(1) * 3]
    server = ModelServer(rows)
    result = read(server, Slice(NEWS, NEWS + 1), ReadingMemory())
    assert result.learned == Counter(rows)
    assert result.counts.incomplete == 0
    assert [query.first_row for query in result.queries] == [1, 5_001, 1, 5_001]


def test_3_a_row_that_a_late_one_shifts_to_the_next_page_is_not_two() -> None:
    rows = newsletter(6_000)
    arrivals = [(1, row(1, NEWS))]
    server = ModelServer(rows, ignores_sort=True, arrivals=arrivals, at_head=True)
    result = read(server, Slice(NEWS, NEWS + 1), ReadingMemory())
    assert result.learned == Counter(server.rows)
    assert result.counts.incomplete == 0, "the second reading was undisturbed"


def test_3_where_two_readings_disagree_the_slice_is_incomplete() -> None:
    rows = [*newsletter(4_999), *newsletter(1) * 3]
    late = [(3, row(place, NEWS)) for place in range(1)]
    server = ModelServer(rows, arrivals=late)
    result = read(server, Slice(NEWS, NEWS + 1), ReadingMemory())
    assert result.learned <= Counter(server.rows)
    assert result.counts.incomplete == 1


# Rule 6: below one second.

KINDS = ("success", "defer", "failure")


def crowd(count: int, *, kind: str = "success") -> list[DeliveryRecord]:
    """Rows of one second, acted on during ten minutes, to recipients of many names."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    return [
        row(
            place,
            NEWS,
            kind=kind,
            acted_unix=NEWS + place % 600,
            recipient=f"{letters[place % 36]}{letters[place // 36 % 36]}{place}@b.example",
        )
        for place in range(count)
    ]


SECOND = Slice(NEWS, NEWS + 1)


@pytest.mark.parametrize("admits_cap", [True, False])
@pytest.mark.parametrize(("action_filter_works", "most"), [(True, 60), (False, 170)])
def test_6_a_second_of_a_capped_server_is_read_in_pieces(
    admits_cap: bool, action_filter_works: bool, most: int
) -> None:
    rows = [*crowd(3_000), *crowd(40, kind="defer")]
    server = ModelServer(rows, type_cap=250, admits_cap=admits_cap)
    memory = ReadingMemory(action_filter_works=action_filter_works)
    result = read(server, SECOND, memory, types=KINDS)
    assert result.learned == Counter(rows)
    assert result.counts.incomplete == 0
    assert result.rows_by_type == {"success": 3_000, "defer": 40}
    assert len(result.queries) <= most
    assert all(query.span == SECOND for query in result.queries)


def test_6_an_action_filter_that_goes_by_send_time_is_given_up_for_recipients() -> None:
    rows = crowd(3_000)
    memory = ReadingMemory(action_filter_works=True)
    result = read(ModelServer(rows, type_cap=250, acts_by_send=True), SECOND, memory, types=KINDS)
    assert result.learned == Counter(rows)
    assert (result.counts.incomplete, memory.action_filter_works) == (0, False)


def test_6_capitals_are_asked_for_where_letters_do_not_find_them() -> None:
    rows = [r._replace(recipient=r.recipient.upper()) if n % 2 else r
            for n, r in enumerate(crowd(1_000))]  # fmt: skip
    for begins, ignores_case in (("any case", True), ("this case", False)):
        memory = ReadingMemory()
        server = ModelServer(rows, type_cap=250, begins=begins)
        result = read(server, SECOND, memory, types=KINDS)
        assert result.learned == Counter(rows)
        assert (result.counts.incomplete, memory.begins_ignores_case) == (0, ignores_case)


def test_6_a_recipient_s_beginning_that_is_ignored_is_asked_for_once() -> None:
    memory = ReadingMemory()
    server = ModelServer(crowd(1_000), type_cap=250, begins="all")
    result = read(server, SECOND, memory, types=("success",))
    assert (result.counts.incomplete, memory.begins_works) == (1, False)
    assert len([query for query in result.queries if query.recipient_begins]) <= 2
    assert result.learned.total() == 250


def test_6_pieces_that_hold_fewer_rows_than_the_cut_answer_are_incomplete() -> None:
    """Rows without a recipient are in no piece by recipient; they are accepted all the same."""
    rows = [record._replace(recipient="") for record in crowd(100)]
    result = read(ModelServer(rows), SECOND, ReadingMemory(cap_rows=100), types=("success",))
    assert result.counts.incomplete == 1
    assert result.learned == Counter(rows)


# Rule 9: caps that nobody tells of.


def kinds(count: int, *, kind: str = "success") -> list[DeliveryRecord]:
    return [record._replace(type=kind) for record in spread(count)]


def test_9_a_silent_cap_is_proven_and_kept() -> None:
    memory = ReadingMemory()
    rows = kinds(2_003)
    server = ModelServer(rows, type_cap=250, admits_cap=False)
    for most in (60, 20):
        result = read(server, DAY, memory, types=KINDS)
        assert result.learned == Counter(rows)
        assert (result.counts.incomplete, memory.cap_rows) == (0, 250)
        assert len(result.queries) <= most


def test_9_a_silent_cap_of_more_than_a_page_shows_in_the_sum_of_pages() -> None:
    memory = ReadingMemory()
    rows = kinds(14_321)
    result = read(ModelServer(rows, type_cap=10_000, admits_cap=False), DAY, memory, types=KINDS)
    assert result.learned == Counter(rows)
    assert (result.counts.incomplete, memory.cap_rows) == (0, 10_000)


def test_9_a_cap_that_is_not_round_shows_when_it_is_met_again_elsewhere() -> None:
    memory = ReadingMemory()
    rows = kinds(2_003)
    server = ModelServer(rows, type_cap=333, admits_cap=False)
    first = read(server, DAY, memory, types=KINDS)
    assert first.learned.total() == 333, "nothing can be known yet"
    half = Slice(DAY.start, NEWS)
    result = read(server, half, memory, types=KINDS)
    assert result.learned == Counter(r for r in rows if r.send_unix in half)
    assert (result.counts.incomplete, memory.cap_rows) == (0, 333)


def test_9_an_honest_number_is_looked_into_once_and_trusted_for_a_while() -> None:
    memory = ReadingMemory(longest_page=400)
    rows = [row(9_000, DAY.start - 500, kind="success"), *kinds(250)]
    server = ModelServer(rows)
    asked = [len(read(server, DAY, memory, types=KINDS).queries) for _ in range(52)]
    assert asked == [4, *[1] * 50, 4]
    assert memory.cap_rows is None


def test_9_a_cap_that_comes_before_the_filters_is_incomplete() -> None:
    """Everything that can be seen is as many rows as a cap: nothing older is there."""
    server = ModelServer(kinds(2_003), type_cap=250, admits_cap=False, cap_comes_first=True)
    result = read(server, DAY, ReadingMemory(), types=KINDS)
    assert result.counts.incomplete == 1
    assert result.learned.total() == 250
    assert result.rows_by_type == {"success": 250}


def test_9_an_answer_of_more_rows_than_the_cap_refutes_it() -> None:
    memory = ReadingMemory(longest_page=400, cap_rows=250)
    assert len(read(ModelServer(kinds(251)), DAY, memory, types=KINDS).queries) == 1
    assert memory.cap_rows is None


# By action time.


def test_rows_are_read_by_action_time_where_that_is_asked_for() -> None:
    rows = [row(n, NEWS, acted_unix=DAY.start + n * 14) for n in range(6_000)]
    memory = ReadingMemory()
    result = read(ModelServer(rows), DAY, memory, by=Instant.ACTED)
    assert Counter(result.inside) == Counter(rows)
    assert {query.by for query in result.queries} == {Instant.ACTED}
    assert len(result.queries) == 2


# Counts


def test_a_page_that_only_repeats_the_one_before_is_not_counted_as_rows() -> None:
    server = ModelServer(spread(30), ignores_start=True, bad=frozenset({"3"}))
    result = read(server, DAY, ReadingMemory())
    assert result.counts.repeated_pages == 1
    assert result.counts.rejected == 1
    assert result.counts.rows == 30 + 1, "the row of the last second was asked for again"


def test_nothing_is_accepted_before_its_answer_ended() -> None:
    reader = SpanReader(DAY, ("success",), ReadingMemory())
    reader.next_query()
    reader.rows(spread(100))
    assert reader.accepted() == []
    reader.page_end(AnswerEnd())
    assert reader.next_query() is not None
    assert reader.accepted() == [], "it may turn out to be a clipped page"
    reader.page_end(AnswerEnd())
    assert reader.next_query() is None
    assert reader.accepted() == [Accepted(spread(100), 1, is_inside=True)]
    assert reader.accepted() == [], "nothing is given twice"
