"""How many rows each series of `email_logs` counts, kept while slices are read again.

For lines that aren't one row each: labels were left out, or masked so that rows look the same.
Takes the rows of readings, gives the blocks to publish; what it gave is never changed.
"""

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby, islice
from operator import itemgetter

from cpanel_mail_exporter.exposition.blocks import BLOCK_LINES, Block
from cpanel_mail_exporter.exposition.count_reading import CountReading
from cpanel_mail_exporter.exposition.count_rows import CountRows, joined
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.pieces import piece
from cpanel_mail_exporter.exposition.read_spans import spans_since, with_span
from cpanel_mail_exporter.model.window import Slice

_ROWS_AT_ONCE = 10_000
"""Rows that are counted in one go, during which nothing else runs."""


class CountWindow:
    """The counts of one server.

    Each row is kept as three numbers, by the second it was sent in: a reading decides alone what
    was sent in its span. Rows that it brings from elsewhere join their second if that one is
    known, else they count as long as the last reading that brought them speaks for them. One
    change at a time.

    Args:
        max_series: the most series to show, 0 for all: those with the newest rows, series of which
            no row was sent in the window before all others. All rows are counted nevertheless, so
            that no count is too small; only texts are let go, and of these series `blocks` knows
            how many there are. One of them comes back with its next row.
    """

    def __init__(self, max_series: int) -> None:
        self._most = max_series
        self._start = 0
        self._inside = CountRows()
        self._outside: Mapping[Slice, CountRows] = {}
        self._read: list[Slice] = []
        self._texts: dict[int, str] = {}
        self._has_changed = False
        self._blocks = LogBlocks()

    def reading(self, span: Slice | None) -> CountReading:
        """A reading of that span of send time, or of rows of any, begins; nothing changes yet."""
        return CountReading(span, self._most, self._start, self._is_known, self._reading_ended)

    def begin_at(self, start_unix: int) -> None:
        """The window begins here now: rows sent before don't count any more."""
        self._start = start_unix
        self._read = spans_since(self._read, start_unix)
        outside = {span: rows for span, rows in self._outside.items() if span.end > start_unix}
        self._become(self._inside.since(start_unix), outside, {})

    def keep_at_most(self, max_series: int) -> None:
        """The most series to show is another one now; others don't come back unless read."""
        if max_series != self._most:
            self._most = max_series
            self._has_changed = True

    def blocks(self) -> LogBlocks:
        """What is to be published; the same object while nothing changed.

        Takes time where there are many rows or series, so call it in a thread; it lets others run.
        """
        if self._has_changed:
            if (now := self._published()) != self._blocks:
                self._blocks = now
            self._has_changed = False
        return self._blocks

    def _reading_ended(self, reading: CountReading) -> None:
        found = reading.found()
        if reading.span is None:
            single = found.since(self._start)
            self._become(self._inside.union(single), self._without(single), reading.texts())
            return
        start = max(reading.span.start, self._start)
        span = Slice(start, max(reading.span.end, start))
        before, old, after = self._inside.cut(span)
        new = found.cut(span)[1]
        inside = self._inside if new == old else joined([before, new, after])
        earlier, _, later = found.cut(reading.span)
        strays = joined([earlier, later])
        joining, outside = strays.of_seconds(set(filter(self._is_known, strays.seconds())))
        inside = inside.union(joining)
        others = {
            brought: rows
            for brought, rows in self._without(strays).items()
            if not _covers(reading.span, brought)
        }
        others = {brought: _without_span(rows, reading.span) for brought, rows in others.items()}
        if outside and reading.span.end > self._start:
            others[reading.span] = outside
        self._become(inside, others, reading.texts())
        self._read = with_span(self._read, span)

    def _without(self, rows: CountRows) -> dict[Slice, CountRows]:
        """What stands outside, without these rows."""
        return {brought: others.without(rows) for brought, others in self._outside.items()}

    def _is_known(self, second: int) -> bool:
        """Whether rows sent in that second count with it: it was read, or has some."""
        return second >= self._start and (
            any(second in span for span in self._read) or self._inside.has_second(second)
        )

    def _become(
        self, inside: CountRows, outside: Mapping[Slice, CountRows], texts: Mapping[int, str]
    ) -> None:
        outside = {span: rows for span, rows in outside.items() if rows}
        if inside != self._inside or outside != self._outside:
            self._has_changed = True
        new_texts = [series for series in texts if series not in self._texts]
        if new_texts:
            self._has_changed = True
            self._texts = {**self._texts, **{series: texts[series] for series in new_texts}}
        self._inside, self._outside = inside, outside

    def _published(self) -> LogBlocks:
        counts: Counter[int] = Counter()
        for rows in (self._inside, *self._outside.values()):
            for part in _in_parts(rows):
                counts.update(part.series)
        shown = list(islice(self._newest_first(len(counts)), self._most or None))
        shown.reverse()
        self._texts = {series: text for text, series in shown}
        blocks: list[Block] = []
        for start in range(0, len(shown), BLOCK_LINES):
            some = shown[start : start + BLOCK_LINES]
            lines = "".join([f"{text} {counts[series]}\n" for text, series in some])
            blocks.append(Block(piece(lines.encode(), keep=False), len(some)))
        return LogBlocks(tuple(blocks), len(counts))

    def _newest_first(self, most: int) -> Iterator[tuple[str, int]]:
        """Series by when the last of their rows was sent, those outside of the window at the end.

        Of those of one second the last by text comes first. Rows are walked through, until *most*
        series were found: to sort a hundred thousand at once would let nothing else run.
        """
        inside = self._inside.newest_first()
        outside = heapq.merge(
            *(rows.newest_first() for rows in self._outside.values()), reverse=True
        )
        seen: set[int] = set()
        for rows in (inside, outside):
            for _, of_second in groupby(rows, key=itemgetter(0)):
                new = {series for _, series in of_second if series not in seen}
                seen |= new
                yield from sorted(
                    ((self._texts[series], series) for series in new if series in self._texts),
                    reverse=True,
                )
                if len(seen) == most:
                    return


def _in_parts(rows: CountRows) -> Iterator[CountRows]:
    return (rows.part(start, start + _ROWS_AT_ONCE) for start in range(0, len(rows), _ROWS_AT_ONCE))


def _without_span(rows: CountRows, span: Slice) -> CountRows:
    before, inside, after = rows.cut(span)
    return joined([before, after]) if inside else rows


def _covers(span: Slice, other: Slice) -> bool:
    return span.start <= other.start and other.end <= span.end
