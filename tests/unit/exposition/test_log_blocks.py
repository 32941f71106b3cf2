"""Whatever the order and the batches, blocks hold the lines once, oldest first, newest kept."""

import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks, LogBlocksBuilder
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.model.records import DeliveryRecord
from tests.unit.exposition.blocks_read import blocks_of, lines
from tests.unit.exposition.records import delivery, obvious_line

LINES = LogLines("email_logs", ())
IDS = ("a", "b", "a\nb", "a b", "a\tb", "é", "", '"')
Batch = tuple[bool, list[DeliveryRecord]]


def records(send_times: st.SearchStrategy[int | None]) -> st.SearchStrategy[DeliveryRecord]:
    return st.builds(
        lambda sent, acted, msg_id, message: delivery(sent, acted, msg_id=msg_id, message=message),
        send_times,
        st.one_of(st.none(), st.integers(100, 103)),
        st.sampled_from(IDS),
        st.sampled_from(["", "x", "x\ny"]),
    )


INSIDE = records(st.integers(100, 112))
OUTSIDE = records(st.one_of(st.none(), st.integers(1, 5), st.integers(200, 203)))
BATCHES = st.lists(
    st.one_of(
        st.tuples(st.just(True), st.lists(INSIDE, max_size=12)),
        st.tuples(st.just(True), st.lists(INSIDE, max_size=12).map(lambda b: sorted(b, key=_key))),
        st.tuples(st.just(False), st.lists(OUTSIDE, max_size=8)),
    ),
    max_size=10,
)


def _key(record: DeliveryRecord) -> tuple[int, int, str, str]:
    """The order of lines; an id with a line end in it is no id of Exim's, a space will do."""
    sent = -1 if record.send_unix is None else record.send_unix
    acted = -1 if record.action_unix is None else record.action_unix
    return sent, acted, record.msg_id.replace("\n", " "), obvious_line(record)


def expected(batches: Sequence[Batch]) -> list[str]:
    """All different lines: those outside the window first, each part oldest first."""
    parts = [
        {_key(record) for is_inside, batch in batches if is_inside is part for record in batch}
        for part in (False, True)
    ]
    return [key[-1] for part in parts for key in sorted(part)]


def built(batches: Sequence[Batch], max_series: int, block_lines: int) -> LogBlocks:
    with blocks_of(block_lines):
        builder = LogBlocksBuilder(max_series)
        for is_inside, batch in batches:
            (builder.add if is_inside else builder.add_outside)(LINES.render(batch))
        return builder.finish()


@given(BATCHES, st.integers(0, 25), st.integers(1, 6))
@example([(True, [delivery(100)]), (True, [delivery(101)]), (True, [delivery(101)])], 2, 1)
@example([(True, [delivery(100, msg_id="a\nb")]), (True, [delivery(100, msg_id="a b")])] * 2, 2, 1)
def test_the_newest_different_lines_are_kept_in_order(
    batches: list[Batch], max_series: int, block_lines: int
) -> None:
    blocks = built(batches, max_series, block_lines)
    wanted = expected(batches)
    assert lines(blocks) == (wanted[-max_series:] if max_series else wanted)
    received = [record for _, batch in batches for record in batch]
    if len(received) == len(wanted) or not max_series:
        assert blocks.wanted == len(wanted)
    else:  # a line that comes again after it was let go is counted again
        assert len(wanted) <= blocks.wanted <= len(received)


@given(BATCHES, st.integers(1, 6))
def test_newest_keeps_the_last_lines_for_every_number(
    batches: list[Batch], block_lines: int
) -> None:
    blocks = built(batches, 0, block_lines)
    all_lines = lines(blocks)
    for most in range(len(all_lines) + 2):
        fewer = blocks.newest(most)
        assert lines(fewer) == (all_lines[-most:] if most else [])
        assert fewer.wanted == len(all_lines)
    assert lines(blocks) == all_lines


def test_newest_makes_at_most_one_block_anew() -> None:
    blocks = built([(True, [delivery(100 + n) for n in range(13)])], 0, 4)
    assert [block.lines for block in blocks.blocks] == [4, 4, 4, 1]
    assert blocks.newest(13).blocks == blocks.blocks
    assert blocks.newest(9).blocks == blocks.blocks[1:]
    cut = blocks.newest(7).blocks
    assert cut[1:] == blocks.blocks[2:]
    assert cut[0].lines == 2


def test_rows_outside_the_window_go_before_the_oldest_inside() -> None:
    outside = [delivery(None), delivery(900)]
    inside = [delivery(100), delivery(101)]
    wanted = [obvious_line(record) for record in (*outside, *inside)]
    for most in range(1, 5):
        assert lines(built([(True, inside), (False, outside)], most, 2)) == wanted[-most:]


def test_memory_stays_near_the_bound_while_rows_come_in_order() -> None:
    """A million rows to a bound of 20: the builder never holds more than some blocks."""
    held = []
    with blocks_of(10):
        builder = LogBlocksBuilder(20)
        for second in range(0, 2_000, 5):
            builder.add(LINES.render([delivery(1_000 + second + n) for n in range(5)]))
            held.append(sum(block.lines for block in builder._inside._blocks))
        blocks = builder.finish()
    assert max(held) <= 20 + 3 * 10
    assert blocks.wanted == 2_000
    assert lines(blocks) == [obvious_line(delivery(2_980 + n)) for n in range(20)]


@pytest.mark.parametrize("order", ["newest first", "twice", "interleaved"])
def test_rows_out_of_order_lose_none_that_belongs_to_the_newest(order: str) -> None:
    rows = [delivery(1_000 + n) for n in range(300)]
    given_rows = {
        "newest first": rows[::-1],
        "twice": [*rows, *rows],
        "interleaved": [*rows[::2], *rows[1::2]],
    }[order]
    batches = [(True, given_rows[at : at + 7]) for at in range(0, len(given_rows), 7)]
    blocks = built(batches, 50, 10)
    assert lines(blocks) == [obvious_line(record) for record in rows[-50:]]
    if order != "twice":
        assert blocks.wanted == 300


def test_nothing_taken_gives_no_blocks() -> None:
    assert built([(True, []), (False, [])], 5, 2) == LogBlocks((), 0)
    assert LogBlocks().newest(3) == LogBlocks()


def test_lines_that_came_twice_are_put_in_order_a_few_blocks_at_a_time() -> None:
    """As when answers of a long slice look cut, and all of it is read again in pieces."""
    once = [delivery(second, message="x" * 500) for second in range(100, 8_100)]
    rendered = LINES.render(once)
    text_bytes = sum(len(line.text) for line in rendered)
    builder = LogBlocksBuilder(0)
    for batch_lines in (1_000, 800):
        for first in range(0, len(rendered), batch_lines):
            builder.add(rendered[first : first + batch_lines])
    wanted = [line.text for line in rendered]
    del rendered
    tracemalloc.start()
    try:
        blocks = builder.finish()
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "".join(lines(blocks)) == "".join(wanted)
    assert peak_bytes < text_bytes / 2
