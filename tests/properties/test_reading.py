"""A window is read whole from any server that can be made sense of, and what isn't is said."""

from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.model.query import Instant
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling import reading_caps, reading_pieces, reading_state
from cpanel_mail_exporter.polling.reading_state import ReadingMemory
from tests.unit.polling.model_server import ModelServer, Reading, read, row

PAGE = 20
WINDOW = Slice(1_000, 1_200)
quick = settings(deadline=None, max_examples=150)


@pytest.fixture(autouse=True, scope="module")
def small_pages() -> Iterator[None]:
    """Pages of 20 rows, so that some hundred rows show what takes ten thousands otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading_state, "PAGE_ROWS", PAGE)
        patch.setattr(reading_state, "_TARGET_ROWS", 16)
        patch.setattr(reading_pieces, "FIRST_CHARACTERS", "ab0123456789@")
        patch.setattr(reading_pieces, "ascii_lowercase", "ab")
        patch.setattr(reading_caps, "LEAST_CAP_ROWS", 6)
        patch.setattr(reading_caps, "CAP_STEP_ROWS", 3)
        yield


def fresh_memory() -> ReadingMemory:
    return ReadingMemory(full_page=PAGE)


seconds = st.integers(WINDOW.start, WINDOW.end - 1)
spread = st.lists(seconds, max_size=120)
newsletters = st.tuples(seconds, st.integers(0, 70)).map(lambda burst: [burst[0]] * burst[1])
few_seconds = st.lists(st.sampled_from([1_000, 1_001, 1_100, 1_101, 1_199]), max_size=90)
sent_times = (
    spread
    | few_seconds
    | st.tuples(spread, newsletters, newsletters).map(lambda parts: [t for p in parts for t in p])
)
clips = st.none() | st.sampled_from([5, 7, 16, 19, 20, 30])
pieces = st.lists(st.integers(1, 9), min_size=1, max_size=4)


def newest_first(times: list[int], *, number: int = 0) -> list[DeliveryRecord]:
    rows = [
        row(number + place, sent, recipient=f"{number + place}@example.com")
        for place, sent in enumerate(times)
    ]
    return sorted(rows, key=lambda record: -(record.send_unix or 0))


def in_window(rows: list[DeliveryRecord]) -> set[DeliveryRecord]:
    return {record for record in rows if record.send_unix in WINDOW}


def most_queries(rows: int, clip: int | None) -> int:
    """A few to find out how the server answers, and up to four for each page or newsletter."""
    return 10 + 4 * (rows // min(clip or PAGE, PAGE) + 1)


def check_split(result: Reading, server: ModelServer) -> None:
    """Inside is inside, outside is outside, and both are rows of the table."""
    assert all(record.send_unix in WINDOW for record in result.inside)
    assert all(record.send_unix not in WINDOW for record in result.outside)
    assert {*result.inside, *result.outside} <= set(server.rows)


@quick
@given(sent_times, clips, st.booleans(), pieces)
def test_a_server_that_keeps_to_what_it_is_asked_gives_each_row_once(
    times: list[int], clip: int | None, has_inclusive_ends: bool, piece_rows: list[int]
) -> None:
    """Whether it clips pages or not, and whatever it takes the ends of a filter to mean."""
    rows = newest_first(times)
    server = ModelServer(
        rows, clip=clip, has_inclusive_ends=has_inclusive_ends, piece_rows=piece_rows
    )
    memory = fresh_memory()
    before: list[int] = []
    for _ in range(3):
        result = read(server, WINDOW, memory)
        assert Counter(result.inside) == Counter(rows)
        assert result.outside == []
        sent = [record.send_unix or 0 for record in result.inside]
        assert sent == sorted(sent)
        assert (result.counts.outside, result.counts.repeated_pages) == (0, 0)
        assert (result.counts.incomplete, result.counts.rejected) == (0, 0)
        assert result.counts.rows >= len(rows)
        asked = len(result.queries)
        assert asked <= most_queries(len(rows), clip) * (2 if has_inclusive_ends else 1)
        before.append(asked)
    if not has_inclusive_ends:
        assert before == sorted(before, reverse=True), "what was learned saves queries"


@quick
@given(sent_times, clips, pieces, st.data())
def test_rows_that_appear_while_it_reads_neither_hide_nor_double_others(
    times: list[int], clip: int | None, piece_rows: list[int], data: st.DataObject
) -> None:
    """Late ones in time already read, others in the page that is being read, or in the newest."""
    rows = newest_first(times)
    arrivals = [
        (after, row(1_000 + place, sent))
        for place, (after, sent) in enumerate(
            data.draw(st.lists(st.tuples(st.integers(1, 12), seconds), max_size=40))
        )
    ]
    server = ModelServer(list(rows), clip=clip, arrivals=arrivals, piece_rows=piece_rows)
    result = read(server, WINDOW, fresh_memory())
    assert in_window(rows) <= set(result.inside) <= set(server.rows)
    server.arrivals = ()
    again = read(server, WINDOW, fresh_memory())
    assert set(again.inside) == set(server.rows)


@quick
@given(sent_times, clips, pieces, st.data())
def test_a_window_that_moves_on_is_read_whole_with_what_was_learned_before(
    times: list[int], clip: int | None, piece_rows: list[int], data: st.DataObject
) -> None:
    """Poll by poll, over midnight, with mail coming in between."""
    memory = fresh_memory()
    rows = newest_first(times)
    end = 1_050
    for poll in range(4):
        start = data.draw(st.sampled_from([1_000, 1_000, 1_000, end - 20]))
        server = ModelServer(list(rows), clip=clip, piece_rows=piece_rows)
        result = read(server, Slice(start, end), memory)
        wanted = [r for r in rows if r.send_unix is not None and start <= r.send_unix < end]
        assert Counter(result.inside) == Counter(wanted)
        new = data.draw(st.lists(st.integers(end - 30, end), max_size=45))
        rows += newest_first(new, number=1_000 * (poll + 1))
        end += 40


@quick
@given(
    sent_times,
    clips,
    st.sampled_from(["sort", "size", "start", "sort size", "sort start", "size start"]),
    st.booleans(),
    pieces,
)
def test_a_server_that_ignores_size_start_or_order_of_pages_hides_nothing(
    times: list[int],
    clip: int | None,
    ignored: str,
    has_inclusive_ends: bool,
    piece_rows: list[int],
) -> None:
    rows = newest_first(times)
    per_second = Counter(record.send_unix or 0 for record in rows)
    crowded = max((sum(per_second[s + d] for d in (-1, 0, 1)) for s in per_second), default=0)
    server = ModelServer(
        rows,
        clip=None if "size" in ignored else clip,
        ignores_sort="sort" in ignored,
        ignores_size="size" in ignored,
        ignores_start="start" in ignored,
        has_inclusive_ends=has_inclusive_ends,
        piece_rows=piece_rows,
    )
    # A clipped page of a single second that is always the same page looks like all there is.
    assume(not (server.ignores_start and server.clip and crowded >= server.clip))
    memory = fresh_memory()
    for _ in range(3):
        result = read(server, WINDOW, memory)
        missing = in_window(rows) - set(result.inside)
        assert not missing or result.counts.incomplete, "what is cut is said"
        if not server.ignores_start:
            assert not missing
        check_split(result, server)
        assert result.outside == []
        assert result.counts.outside == 0
        assert len(result.queries) <= 2 * most_queries(len(rows), clip) + 20


@quick
@given(
    sent_times,
    clips,
    st.lists(st.sampled_from([None, 5, 900, 3_000]), max_size=60),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    pieces,
)
def test_a_server_that_ignores_filters_is_read_whole_with_all_its_rows(
    times: list[int],
    clip: int | None,
    other_times: list[int | None],
    ignores_sort: bool,
    ignores_size: bool,
    ignores_start: bool,
    piece_rows: list[int],
) -> None:
    """What lies outside the window, or has no time, is given apart and counted once."""
    others = [row(1_000 + place, sent) for place, sent in enumerate([*other_times, 7])]
    rows = newest_first(times) + others
    server = ModelServer(
        rows,
        clip=None if ignores_size else clip,
        ignores_filters=True,
        ignores_sort=ignores_sort,
        ignores_size=ignores_size,
        ignores_start=ignores_start,
        piece_rows=piece_rows,
    )
    # Where one page is all that can ever be seen, nobody can tell what it leaves out.
    assume(not (ignores_start and server.clip and server.clip < PAGE))
    memory = fresh_memory()
    for poll in range(3):
        result = read(server, WINDOW, memory)
        check_split(result, server)
        assert result.counts.outside == len(set(result.outside))
        if not result.counts.incomplete:
            assert set(result.inside) == in_window(rows)
            assert set(result.outside) == set(others)
        elif not ignores_start:
            pytest.fail("it can be read by pages")
        if poll:
            assert len(result.queries) <= 2 + len(rows) // min(server.clip or PAGE, PAGE) + 1


@quick
@given(sent_times, st.integers(4, 40), clips, st.booleans(), pieces)
def test_a_cap_that_is_admitted_is_got_round_or_shown(
    times: list[int], cap: int, clip: int | None, has_inclusive_ends: bool, piece_rows: list[int]
) -> None:
    rows = newest_first(times)
    server = ModelServer(
        rows, cap=cap, clip=clip, has_inclusive_ends=has_inclusive_ends, piece_rows=piece_rows
    )
    result = read(server, WINDOW, fresh_memory())
    per_second = Counter(record.send_unix for record in rows)
    if not has_inclusive_ends:
        cut_seconds = sum(count > cap for count in per_second.values())
        assert result.counts.incomplete <= cut_seconds, "what isn't cut is read whole"
    assert set(result.inside) == in_window(rows) or result.counts.incomplete
    check_split(result, server)


@quick
@given(sent_times, clips, st.booleans(), pieces, st.data())
def test_rows_that_cannot_be_decoded_hide_no_other_row_in_silence(
    times: list[int],
    clip: int | None,
    ignores_start: bool,
    piece_rows: list[int],
    data: st.DataObject,
) -> None:
    rows = newest_first(times)
    bad = data.draw(st.frozensets(st.sampled_from([r.msg_id for r in rows]))) if rows else ()
    server = ModelServer(rows, clip=clip, bad=frozenset(bad), piece_rows=piece_rows)
    memory = fresh_memory()
    for _ in range(2):
        result = read(server, WINDOW, memory, most_queries=2_000)
        good = [record for record in rows if record.msg_id not in bad]
        if result.counts.incomplete:
            assert set(result.inside) <= set(good)
        else:
            assert Counter(result.inside) == Counter(good)
            assert result.counts.rejected >= len(bad)
        assert memory.ignores_start is False, "pages of bad rows look alike and prove nothing"
        assert memory.ignores_filters is False


worlds = st.lists(
    st.tuples(
        st.sampled_from([1_000, 1_001, 1_002, 1_100, 1_198, 1_199]) | seconds,
        st.sampled_from(["success", "defer", "failure"]),
        st.integers(0, 30),  # how long after sending it was acted on
        st.sampled_from(["a1", "a2", "ab", "b1", "Ab", "BA", "7b", "7ab"]),
        st.sampled_from([1, 1, 1, 2, 3, 9, 25]),  # how many rows are equal
    ),
    max_size=40,
)


def table(world: list[tuple[int, str, int, str, int]], *, number: int = 0) -> list[DeliveryRecord]:
    """Newest first; the copies of a row stand together."""
    rows = [
        row(
            number + place % 7,
            sent,
            kind=kind,
            acted_unix=sent + later,
            recipient=f"{to}@b.example",
        )
        for place, (sent, kind, later, to, copies) in enumerate(world)
        for _ in range(copies)
    ]
    return sorted(rows, key=lambda record: -(record.send_unix or 0))


TYPES = ("success", "defer", "failure")


@quick
@given(
    worlds,
    clips,
    st.none() | st.sampled_from([6, 9, 12, 30]),
    st.sampled_from(["works", "by send", "unknown"]),
    st.sampled_from(["any case", "this case", "all"]),
    st.sampled_from([Instant.SENT, Instant.ACTED]),
    st.frozensets(st.sampled_from(["sort", "size", "ends", "silent"])),
    pieces,
)
def test_the_fullest_multisets_are_the_world_or_it_is_called_incomplete(
    world: list[tuple[int, str, int, str, int]],
    clip: int | None,
    type_cap: int | None,
    action_filter: str,
    begins: str,
    by: Instant,
    quirks: frozenset[str],
    piece_rows: list[int],
) -> None:
    """Equal rows, caps told and silent, pages of any kind: never less in silence, never more.

    Without a cap there are at most 1,000 queries and 10 for each row (an honest number that looks
    like a cap, in one second, with inclusive ends); with one, at most 6,000, for worlds of some
    hundred rows that mostly share a few seconds.

    Left out: a silent cap of more rows than a page, and one together with inclusive ends. Pages
    of such an answer are asked for slice by slice, and their sum may miss the cap by the rows of
    a second that the cap has parted, or of the seconds next to the slice.
    """
    if "silent" in quirks and type_cap is not None:
        assume("ends" not in quirks and type_cap < min(clip or PAGE, PAGE))
    rows = table(world)
    server = ModelServer(
        list(rows),
        clip=None if "size" in quirks else clip,
        type_cap=type_cap,
        admits_cap="silent" not in quirks,
        acts_by_send=action_filter == "by send",
        begins=begins,
        ignores_sort="sort" in quirks,
        ignores_size="size" in quirks,
        has_inclusive_ends="ends" in quirks,
        piece_rows=piece_rows,
    )
    # a row of another time, so that a cap isn't taken to come before the filters
    server.rows += [row(900 + i, 500, kind=kind) for i, kind in enumerate(TYPES)]
    assume(by is Instant.SENT or action_filter == "works")
    memory = fresh_memory()
    memory.action_filter_works = action_filter != "unknown"
    wanted = Counter(
        r for r in rows if (r.send_unix if by is Instant.SENT else r.action_unix) in WINDOW
    )
    for _ in range(2):
        result = read(server, WINDOW, memory, types=TYPES, by=by, most_queries=6_000)
        assert result.learned <= Counter(server.rows), "never more than there is"
        inside = Counter({r: n for r, n in result.learned.items() if r in wanted})
        assert inside == wanted or result.counts.incomplete
        if type_cap is None:
            assert len(result.queries) <= 1_000 + 10 * len(rows)
        if not result.counts.incomplete and not memory.ignores_filters:
            assert result.rows_by_type == Counter(r.type for r in wanted.elements())


@quick
@given(
    worlds,
    clips,
    st.booleans(),
    st.lists(st.tuples(st.integers(1, 9), seconds, st.integers(1, 3)), max_size=12),
    st.booleans(),
)
def test_equal_rows_are_never_more_than_there_are_while_others_appear(
    world: list[tuple[int, str, int, str, int]],
    clip: int | None,
    ignores_sort: bool,
    new: list[tuple[int, int, int]],
    at_head: bool,
) -> None:
    """Pages of a live table show a row twice where a late one shifts it.

    Late rows of a server that ignores sort are its newest here: a first page whose rows look sorted
    by chance is believed.
    """
    rows = table(world)
    arrivals = [
        (
            after,
            row(
                500 + place,
                WINDOW.end - 1 if ignores_sort else sent,
                kind="success",
                recipient="a1@b.example",
            ),
        )
        for place, (after, sent, copies) in enumerate(new)
        for _ in range(copies)
    ]
    server = ModelServer(
        list(rows), clip=clip, ignores_sort=ignores_sort, arrivals=arrivals, at_head=at_head
    )
    server.rows.append(row(900, 500, kind="success"))
    result = read(server, WINDOW, fresh_memory(), types=TYPES)
    assert result.learned <= Counter(server.rows)
    if not result.counts.incomplete:
        assert Counter(rows) <= result.learned, "what was there is there"
