"""A window changes only where it was read again; what was let go of it is counted, not kept."""

from collections.abc import Iterable, Sequence
from random import Random

import pytest

from cpanel_mail_exporter.exposition import blocks as blocks_module
from cpanel_mail_exporter.exposition.blocks import BLOCK_LINES, Block
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.log_lines import LogLine, LogLines
from cpanel_mail_exporter.exposition.log_window import LogWindow
from cpanel_mail_exporter.exposition.pieces import Piece
from cpanel_mail_exporter.model.window import Slice
from tests.unit.exposition.blocks_read import blocks_of, lines
from tests.unit.exposition.records import delivery

LINES = LogLines("email_logs", ())
DAY = Slice(100_000, 186_400)


def line(sent: int | None, msg_id: str = "a", acted: int = 1) -> LogLine:
    return LINES.render([delivery(sent, acted, msg_id=msg_id)])[0]


def one_a_second(span: Slice, msg_id: str = "a") -> list[LogLine]:
    return [line(second, msg_id) for second in range(span.start, span.end)]


def read(window: LogWindow, span: Slice, *batches: Sequence[LogLine]) -> None:
    reading = window.reading(span)
    for batch in batches:
        reading.add(batch)
    reading.finish()


def filled(span: Slice, max_series: int = 0) -> LogWindow:
    window = LogWindow(max_series)
    read(window, span, one_a_second(span))
    return window


def text(*parts: Sequence[LogLine]) -> list[str]:
    return [one.text for part in parts for one in part]


def not_among(blocks: Sequence[Block], others: Sequence[Block]) -> list[Block]:
    known = {id(block.piece) for block in others}
    return [block for block in blocks if id(block.piece) not in known]


def test_only_the_blocks_at_the_ends_of_a_span_are_made_anew() -> None:
    with blocks_of(10):
        window = filled(Slice(100, 200))
        before = window.blocks()
        assert [block.lines for block in before.blocks] == [10] * 10
        read(window, Slice(123, 158), [line(130)])
        after = window.blocks()
    assert lines(after) == text(
        one_a_second(Slice(100, 123)), [line(130)], one_a_second(Slice(158, 200))
    )
    assert after.blocks[:2] == before.blocks[:2]
    assert [a is b for a, b in zip(after.blocks[:2], before.blocks[:2], strict=True)] == [True] * 2
    assert [block.lines for block in not_among(after.blocks, before.blocks)] == [6]
    assert not_among(before.blocks, after.blocks) == list(before.blocks[2:6])


def test_a_span_that_ends_between_blocks_opens_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with blocks_of(10):
        window = filled(Slice(100, 200))
        before = window.blocks()
        monkeypatch.setattr(
            blocks_module.KeyedBlock, "opened", lambda self: pytest.fail("a block was opened")
        )
        read(window, Slice(120, 140), one_a_second(Slice(120, 129)))
        window.begin_at(110)
        after = window.blocks()
    assert [block.lines for block in after.blocks] == [10, 9, *[10] * 6]
    assert not_among(after.blocks, before.blocks) == [after.blocks[1]]


def test_a_line_alone_opens_the_block_of_its_second_and_no_other() -> None:
    with blocks_of(10):
        window = filled(Slice(100, 200))
        before = window.blocks()
        window.add([line(155, "b"), line(111)])
        after = window.blocks()
    assert not_among(before.blocks, after.blocks) == [before.blocks[5]]
    assert lines(after) == text(
        one_a_second(Slice(100, 156)), [line(155, "b")], one_a_second(Slice(156, 200))
    )


def test_a_poll_a_minute_leaves_no_tiny_blocks_and_compresses_few_lines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """1,440 polls of three lines, the last five minutes read again each time, the day moving on."""
    compressed = 0
    window = LogWindow(0)
    original = blocks_module.piece_of

    def counted(parts: Iterable[bytes]) -> Piece:
        nonlocal compressed
        made = original(parts)
        compressed += made.plain().count(b"\n")
        return made

    monkeypatch.setattr(blocks_module, "piece_of", counted)
    for minute in range(1_440):
        now = DAY.start + 60 * minute
        span = Slice(now - 300, now + 60)
        found = [line(second) for second in range(span.start, span.end, 20)]
        read(window, span, [one for one in found if one.sent >= DAY.start])
        window.begin_at(now - 43_200)
        shown = window.blocks()
        assert len(shown.blocks) <= 2 * shown.lines / BLOCK_LINES + 1
    assert window.blocks().lines == 3 * 721
    assert compressed / 1_440 < 2 * BLOCK_LINES


def test_the_same_lines_read_again_give_the_same_object() -> None:
    window = filled(Slice(100, 1_700))
    outside = line(None)
    read(window, Slice(1_000, 1_010), one_a_second(Slice(1_000, 1_010)), [outside])
    before = window.blocks()
    for span in (Slice(100, 1_700), Slice(90, 1_710), Slice(300, 1_503), Slice(1_800, 1_900)):
        inside = [one for one in one_a_second(Slice(100, 1_700)) if one.sent in span]
        read(window, span, inside, [outside])
        assert window.blocks() is before
    window.add(inside)
    window.add(one_a_second(Slice(400, 420)))
    window.begin_at(100)
    window.keep_at_most(5_000)
    assert window.blocks() is before


def test_a_reading_that_fails_at_its_end_or_is_given_up_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with blocks_of(10):
        window = filled(Slice(100, 200), max_series=80)
        before = window.blocks()
        reading = window.reading(Slice(105, 195))
        reading.add([line(110), line(None)])
        assert window.blocks() is before

        def full(*_: object, **__: object) -> None:
            raise MemoryError

        with monkeypatch.context() as patched:
            patched.setattr(blocks_module, "piece_of", full)
            with pytest.raises(MemoryError):
                reading.finish()
        assert window.blocks() is before
        read(window, Slice(150, 160), one_a_second(Slice(150, 160)))
        assert window.blocks() is before


def test_a_window_begins_at_the_second_it_is_told() -> None:
    with blocks_of(10):
        window = filled(Slice(100, 200))
        before = window.blocks()
        window.begin_at(125)
        assert lines(window.blocks()) == text(one_a_second(Slice(125, 200)))
        assert [block.lines for block in not_among(window.blocks().blocks, before.blocks)] == [5]
        read(window, Slice(100, 130), one_a_second(Slice(100, 130), "b"))
        window.add([line(124), line(None)])
    assert lines(window.blocks()) == text(
        one_a_second(Slice(125, 130), "b"), one_a_second(Slice(130, 200))
    )
    assert window.blocks().wanted == 75


def test_lines_of_one_second_stand_by_action_time_id_and_text_whoever_brings_them() -> None:
    same_second = [line(100, msg_id, acted) for acted in (1, 2) for msg_id in "abc"]
    for shift in range(len(same_second)):
        window = LogWindow(0)
        window.add(same_second[shift::2])
        window.add([*same_second[:shift], *same_second[shift:][::-1]])
        assert lines(window.blocks()) == text(same_second)


def test_the_newest_lines_are_kept_and_the_others_counted_until_the_window_moves_on() -> None:
    window = filled(Slice(100, 200), max_series=30)
    assert lines(window.blocks()) == text(one_a_second(Slice(170, 200)))
    assert window.blocks().wanted == 100
    read(window, Slice(110, 120), [line(115)])  # of ten that were let go one is left
    assert (window.blocks().lines, window.blocks().wanted) == (30, 91)
    read(window, Slice(100, 110), one_a_second(Slice(100, 110)))  # let go again: no more than were
    window.add([line(140), line(141)])
    assert (window.blocks().lines, window.blocks().wanted) == (30, 91)
    window.begin_at(150)
    assert (window.blocks().lines, window.blocks().wanted) == (30, 50)
    window.begin_at(190)
    assert (window.blocks().lines, window.blocks().wanted) == (10, 10)


def test_the_most_lines_can_become_fewer_and_more() -> None:
    window = filled(Slice(100, 200))
    window.keep_at_most(20)
    assert lines(window.blocks()) == text(one_a_second(Slice(180, 200)))
    window.keep_at_most(40)
    assert (window.blocks().lines, window.blocks().wanted) == (20, 100)
    read(window, Slice(100, 200), one_a_second(Slice(100, 200)))
    assert lines(window.blocks()) == text(one_a_second(Slice(160, 200)))
    assert window.blocks().newest(10).wanted == window.blocks().wanted == 100


def test_lines_outside_come_first_once_and_go_first() -> None:
    early, untimed = line(50), line(None)
    window = LogWindow(4)
    for span in (Slice(100, 110), Slice(110, 120), Slice(105, 110)):
        reading = window.reading(span)
        reading.add_outside([early, untimed, early])
        reading.finish()
        assert lines(window.blocks()) == text([untimed, early])
        assert window.blocks().wanted == 2
    window.add(one_a_second(Slice(200, 203)))
    assert lines(window.blocks()) == text([early], one_a_second(Slice(200, 203)))
    assert window.blocks().wanted == 5
    window.add([line(203)])
    assert lines(window.blocks()) == text(one_a_second(Slice(200, 204)))
    assert window.blocks().wanted == 6


def test_lines_outside_stay_until_a_reading_that_covers_theirs_is_without_them() -> None:
    window = LogWindow(0)
    read(window, Slice(100, 110), [line(50), line(51), line(None)])
    for span in (Slice(100, 109), Slice(101, 110), Slice(110, 200)):
        read(window, span)
        assert lines(window.blocks()) == text([line(None), line(50), line(51)])
    read(window, Slice(90, 110), [line(51)])
    assert lines(window.blocks()) == text([line(51)])
    window.begin_at(109)
    assert lines(window.blocks()) == text([line(51)])
    window.begin_at(110)
    assert window.blocks() == LogBlocks()


def test_a_line_outside_joins_its_second_as_soon_as_that_is_read_and_is_shown_once() -> None:
    window = LogWindow(0)
    read(window, Slice(200, 210), [line(105), line(106), line(300)])
    assert lines(window.blocks()) == text([line(105), line(106), line(300)])
    read(window, Slice(100, 110), [line(104), line(105)])
    assert lines(window.blocks()) == text([line(300), line(104), line(105)])
    read(window, Slice(210, 220), [line(103), line(105), line(215)])
    assert lines(window.blocks()) == text([line(300)], [line(s) for s in (103, 104, 105, 215)])


def test_a_line_outside_joins_a_second_that_holds_lines_or_held_some_and_no_other() -> None:
    window = LogWindow(3)
    window.add([line(100, "a"), line(103), line(104)])
    read(window, Slice(200, 210), [line(100, "b"), line(101), line(300)])
    assert lines(window.blocks()) == text([line(100, "b"), line(103), line(104)])
    assert window.blocks().wanted == 6  # 101 and 300 don't belong to a second that is known
    read(window, Slice(200, 210), [line(100, "a"), line(100, "b")])
    assert window.blocks().wanted == 4
    window.add([line(105), line(106), line(107)])
    read(window, Slice(200, 210), [line(100, "a"), line(100, "b")])
    assert window.blocks().wanted == 7


def test_a_line_is_not_shown_outside_and_inside_whichever_comes_first() -> None:
    window = LogWindow(0)
    read(window, Slice(200, 210), [line(100), line(300), line(301, "b")])
    window.add([line(300), line(301, "a")])
    assert lines(window.blocks()) == text([line(100), line(301, "b"), line(300), line(301, "a")])
    read(window, Slice(210, 220), [line(300), line(301, "b")])
    assert lines(window.blocks()) == text([line(100), line(300), line(301, "a"), line(301, "b")])


def test_a_reading_decides_about_lines_outside_of_its_seconds_before_the_window_too() -> None:
    window = LogWindow(0)
    window.begin_at(100)
    read(window, Slice(150, 160), [line(95), line(96)])
    read(window, Slice(96, 110))
    assert lines(window.blocks()) == text([line(95)])


def test_what_a_reading_let_go_before_the_window_is_not_wanted() -> None:
    with blocks_of(10):
        window = LogWindow(20)
        window.begin_at(150)
        read(window, Slice(100, 200), *[[one] for one in one_a_second(Slice(100, 200))])
        assert window.blocks().wanted == 50


def test_seconds_that_left_the_window_have_to_be_read_again() -> None:
    window = filled(Slice(100, 110))
    for start in (105, 120):
        window.begin_at(start)
        window.begin_at(100)
        read(window, Slice(200, 210), [line(102), line(300)])
        read(window, Slice(210, 220), [line(102), line(301)])
        shown = [line(102), line(300), line(301)]
        assert lines(window.blocks())[:3] == text(shown)


def test_single_lines_leave_no_tiny_blocks() -> None:
    with blocks_of(10):
        window = LogWindow(0)
        for second in range(0, 200, 2):
            window.add([line(second)])
        for second in range(199, 0, -2):
            window.add([line(second)])
        shown = window.blocks()
    assert lines(shown) == text(one_a_second(Slice(0, 200)))
    assert len(shown.blocks) <= 2 * 200 / 10 + 1


def test_a_server_that_ignores_what_is_asked_for_is_counted_once() -> None:
    """Each of many readings brings a hundred lines, of which sixty belong to the window."""
    everything = one_a_second(Slice(100, 200))
    for most in (0, 200, 80, 25, 5):
        with blocks_of(10):
            window = LogWindow(most)
            window.begin_at(140)
            for start in (*range(140, 200, 20), 180, 190, 195):
                read(window, Slice(start, min(200, start + 20)), everything)
                read(window, Slice(start + 5, min(200, start + 20)), everything)
            assert window.blocks().wanted == 100
            assert lines(window.blocks()) == text(everything[-most:] if most else everything)


@pytest.mark.parametrize("order", ["oldest first", "any order"])
def test_a_reading_holds_not_much_more_than_the_bound(order: str) -> None:
    """Whatever it brings, and in whatever order: here 4,000 lines, half of them outside."""
    found = one_a_second(Slice(1_000, 3_000))
    strays = one_a_second(Slice(5_000, 7_000))
    if order == "any order":
        Random(1).shuffle(found)
        Random(2).shuffle(strays)
    held = []
    with blocks_of(10):
        window = LogWindow(20)
        window.begin_at(900)
        reading = window.reading(Slice(1_000, 5_000))
        for at in range(0, 2_000, 5):
            reading.add(found[at : at + 5])
            reading.add_outside(strays[at : at + 5])
            inside = sum(block.lines for block in reading.inside._blocks)
            held.append((inside, len(reading.outside)))
        reading.finish()
    assert max(inside for inside, _ in held) <= 2 * 20 + 3 * 10
    assert max(outside for _, outside in held) <= 2 * 20 + 10 + 5
    assert lines(window.blocks()) == text(one_a_second(Slice(2_980, 3_000)))
    assert window.blocks().wanted >= 2_020
