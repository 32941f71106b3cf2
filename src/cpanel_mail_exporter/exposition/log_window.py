"""The lines of `email_logs` of one server, kept while slices of their send time are read again.

Takes the lines of readings, gives the blocks to publish; what it gave is never changed.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from cpanel_mail_exporter.exposition.block_row import (
    are_same_lines,
    has_second,
    line_count,
    newest,
    split,
    with_rows,
)
from cpanel_mail_exporter.exposition.blocks import BLOCK_LINES, KeyedBlock, Row, packed
from cpanel_mail_exporter.exposition.let_go import LetGo
from cpanel_mail_exporter.exposition.log_blocks import BlockSorter, LogBlocks
from cpanel_mail_exporter.exposition.log_lines import LogLine
from cpanel_mail_exporter.exposition.outside_lines import OutsideLines
from cpanel_mail_exporter.exposition.read_spans import spans_since, with_span
from cpanel_mail_exporter.model.window import Slice


class LogReading:
    """Takes what a reading of one span brings; the window changes when it ends, not before.

    One that is never finished changes nothing.
    """

    def __init__(
        self,
        span: Slice,
        max_series: int,
        start_unix: int,
        is_known: Callable[[int], bool],
        ended: Callable[["LogReading"], None],
    ) -> None:
        self.span = span
        self.inside = BlockSorter(max_series)
        self.outside: set[Row] = set()
        self.let_go_outside = 0
        self._most = max_series
        self._start = start_unix
        self._is_known = is_known
        self._ended = ended

    def add(self, lines: Sequence[LogLine]) -> None:
        """Take lines in order of send time as far as may be; their send time tells which belong.

        Memory stays near what `max_series` lines take.
        """
        start, end = self.span.start, self.span.end
        strays = [line for line in lines if not start <= line.sent < end]
        if strays:
            self._stray(strays)
            lines = [line for line in lines if start <= line.sent < end]
        self.inside.add(lines)

    def add_outside(self, lines: Sequence[LogLine]) -> None:
        """Take lines whose send time wasn't asked for, or can't be read."""
        self.add(lines)

    def finish(self) -> None:
        """The lines of the window that were sent in the span are replaced by those of this reading.

        May be called in a thread; nothing else may change the window at the same time.
        """
        self._ended(self)

    def _stray(self, lines: Iterable[LogLine]) -> None:
        self.outside.update(lines)
        if self._most and len(self.outside) > 2 * self._most + BLOCK_LINES:
            # What will join its second goes before what stays outside.
            ordered = sorted(self.outside, key=lambda row: (self._is_known(row[0]), row))
            self.outside = set(ordered[-self._most :])
            # Those sent in the window are counted, or will be, by the reading of their own second.
            gone = ordered[: -self._most]
            self.let_go_outside += sum(row[0] < self._start for row in gone)


class LogWindow:
    """The lines of one server.

    Lines are kept by the second they were sent in: a reading decides alone what was sent in its
    span. Lines that it brings from elsewhere join their second if that one is known, else they
    stand before all others. One change at a time; `blocks` may be called at any time.

    Args:
        max_series: the most lines to keep, 0 for all. The newest are kept; of the others only
            their number is known, by second, so a line that comes alone to such a second counts
            as one of them.
    """

    def __init__(self, max_series: int) -> None:
        self._most = max_series
        self._start = 0
        self._row: list[KeyedBlock] = []
        self._let_go = LetGo()
        self._outside = OutsideLines()
        self._read: list[Slice] = []
        self._blocks = LogBlocks()

    def reading(self, span: Slice) -> LogReading:
        """A reading of that span of send time begins; nothing changes yet."""
        return LogReading(span, self._most, self._start, self._is_known, self._reading_ended)

    def add(self, lines: Sequence[LogLine]) -> None:
        """Take single lines of any send time; those sent before the window aren't part of it."""
        rows: set[Row] = {line for line in lines if line.sent >= self._start}
        row, let_go = _joined(self._row, self._let_go, rows)
        self._become(row, let_go, self._outside.without_rows(rows))

    def begin_at(self, start_unix: int) -> None:
        """The window begins here now: lines sent before leave."""
        self._start = start_unix
        self._read = spans_since(self._read, start_unix)
        older, _, kept = split(self._row, Slice(start_unix, start_unix))
        row = packed(kept) if older else self._row
        self._become(row, self._let_go.since(start_unix), self._outside.since(start_unix))

    def keep_at_most(self, max_series: int) -> None:
        """The most lines to keep is another one now; older ones don't come back unless read."""
        self._most = max_series
        self._become(self._row, self._let_go, self._outside)

    def blocks(self) -> LogBlocks:
        """What is to be published; the same object while nothing changed."""
        return self._blocks

    def _reading_ended(self, reading: LogReading) -> None:
        found, let_go_found = reading.inside.finish()
        start = max(reading.span.start, self._start)
        span = Slice(start, max(reading.span.end, start))
        before, old, after = split(self._row, span)
        _, new, _ = split(found, span)
        row = self._row
        if not are_same_lines(old, new):
            row = packed([*before, *new, *after])
        let_go = self._let_go.without(span).with_all(let_go_found.since(start))
        joining = {line for line in reading.outside if self._is_known(line[0])}
        row, let_go = _joined(row, let_go, joining)
        outside = self._outside.without(reading.span).without_rows(joining)
        if reading.span.end > self._start:
            outside = outside.after(reading.span, reading.outside - joining, reading.let_go_outside)
        self._become(row, let_go, outside)
        self._read = with_span(self._read, span)

    def _is_known(self, second: int) -> bool:
        """Whether lines sent in that second are kept with it: it was read, or has some."""
        return second >= self._start and (
            any(second in span for span in self._read)
            or has_second(self._row, second)
            or second in self._let_go
        )

    def _become(self, row: list[KeyedBlock], let_go: LetGo, outside: OutsideLines) -> None:
        if self._most:
            row, gone = newest(row, self._most)
            let_go = let_go.with_lines(gone)
            outside = outside.newest(self._most - line_count(row))
        wanted = line_count(row) + let_go.lines + outside.wanted
        blocks = tuple(keyed.block for keyed in chain(outside.blocks(), row))
        self._row, self._let_go, self._outside = row, let_go, outside
        if (now := LogBlocks(blocks, wanted)) != self._blocks:
            self._blocks = now


def _joined(row: list[KeyedBlock], let_go: LetGo, rows: set[Row]) -> tuple[list[KeyedBlock], LetGo]:
    """Single lines join their seconds, in the places of lines that were let go of them."""
    row, new = with_rows(row, sorted(rows))
    return row, let_go.taken_back(new)
