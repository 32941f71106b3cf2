"""A row of blocks in order of time that don't overlap: cut at seconds, joined by single lines.

Takes rows and gives new ones; only the blocks that must be opened are made anew.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from cpanel_mail_exporter.exposition.blocks import AnyBlock, KeyedBlock, Row, cut, packed, texts
from cpanel_mail_exporter.model.window import Slice


def line_count(row: Sequence[AnyBlock]) -> int:
    """How many lines its blocks hold."""
    return sum(block.lines for block in row)


def has_second(row: Sequence[KeyedBlock], second: int) -> bool:
    """Whether a line of it was sent in that second."""
    at = bisect_left(row, second, key=_sent_last)
    if at == len(row):
        return False
    times = row[at].send_times
    return times[bisect_left(times, second)] == second


def split(
    row: Sequence[KeyedBlock], span: Slice
) -> tuple[list[AnyBlock], list[AnyBlock], list[AnyBlock]]:
    """The lines sent before *span*, in it, and after it; at most two blocks are opened."""
    first = bisect_left(row, span.start, key=_sent_last)
    end = bisect_left(row, span.end, key=_sent_first)
    before: list[AnyBlock] = list(row[:first])
    inside: list[AnyBlock] = list(row[first:end])
    after: list[AnyBlock] = list(row[end:])
    if inside and inside[0].send_times[0] < span.start:
        older, inside[0] = _halves(inside[0], span.start)
        before.append(older)
    if inside and inside[-1].send_times[-1] >= span.end:
        inside[-1], newer = _halves(inside[-1], span.end)
        after.insert(0, newer)
    return before, inside, after


def are_same_lines(some: Sequence[AnyBlock], others: Sequence[AnyBlock]) -> bool:
    """Whether both hold the same lines in the same order, however they are cut."""
    if line_count(some) != line_count(others) or _send_times(some) != _send_times(others):
        return False
    return all(text == other for text, other in zip(texts(some), texts(others), strict=True))


def with_rows(row: Sequence[KeyedBlock], rows: Sequence[Row]) -> tuple[list[KeyedBlock], list[int]]:
    """The lines of both, equal ones once.

    Args:
        row: blocks.
        rows: single lines, sorted.

    Returns:
        the blocks, and when those of *rows* were sent that *row* didn't hold. Blocks that get no
        line stay the same objects.
    """
    result: list[AnyBlock] = []
    new: list[int] = []
    block, line = 0, 0
    while line < len(rows):
        first = bisect_left(row, rows[line][0], lo=block, key=_sent_last)
        result += row[block:first]
        block = first
        next_sent = row[block].first[0] if block < len(row) else rows[-1][0] + 1
        between = bisect_left(rows, next_sent, lo=line, key=_sent)
        if between > line:
            gap = cut(rows[line:between])
            result += gap
            new += _send_times(gap)
            line = between
            continue
        # Lines of one second may lie in several blocks: those come along where it is met.
        end, met = block, line
        while end < len(row) and (
            end == block or row[end].first[0] == row[end - 1].last[0] == rows[met - 1][0]
        ):
            met = bisect_right(rows, row[end].last[0], lo=met, key=_sent)
            end += 1
        known = {known for old in row[block:end] for known in old.opened().rows()}
        unknown = set(rows[line:met]) - known
        result += cut(sorted(known | unknown)) if unknown else row[block:end]
        new += [unknown_row[0] for unknown_row in unknown]
        block, line = end, met
    return packed([*result, *row[block:]]), new


def newest(row: Sequence[KeyedBlock], most: int) -> tuple[list[KeyedBlock], "array[int]"]:
    """At most the last *most* lines, and when those were sent that are let go."""
    surplus = line_count(row) - most
    if surplus <= 0:
        return list(row), array("q")
    gone: list[AnyBlock] = []
    kept: list[AnyBlock] = list(row)
    while kept and kept[0].lines <= surplus:
        surplus -= kept[0].lines
        gone.append(kept.pop(0))
    if surplus:
        opened = kept[0].opened()
        gone.append(opened.part(0, surplus))
        kept[0] = opened.part(surplus, opened.lines)
    return packed(kept), _send_times(gone)


def _halves(block: AnyBlock, second: int) -> tuple[AnyBlock, AnyBlock]:
    opened = block.opened()
    at = bisect_left(opened.send_times, second)
    return opened.part(0, at), opened.part(at, opened.lines)


def _send_times(row: Sequence[AnyBlock]) -> "array[int]":
    times = array("q")
    for block in row:
        times += block.send_times
    return times


def _sent(row: Row) -> int:
    return row[0]


def _sent_first(block: KeyedBlock) -> int:
    return block.first[0]


def _sent_last(block: KeyedBlock) -> int:
    return block.last[0]
