"""How many rows each series of `email_logs` counts, kept while slices are read again.

For lines that aren't one row each: labels were left out, or masked so that rows look the same.
Takes the rows of readings, gives the blocks to publish; what it gave is never changed.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter

from cpanel_mail_exporter.exposition.blocks import BLOCK_LINES, Block
from cpanel_mail_exporter.exposition.count_lines import CountedRow
from cpanel_mail_exporter.exposition.count_rows import CountRows, Entry, joined, merged, packed
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.pieces import piece
from cpanel_mail_exporter.exposition.read_spans import spans_since, with_span
from cpanel_mail_exporter.model.window import Slice

_ROWS_OPEN = 5_000
_SPARE_TEXTS = 500
_ROWS_AT_ONCE = 10_000
"""Rows that are counted in one go, during which nothing else runs."""


class CountReading:
    """Takes what a reading of one span brings; the window changes when it ends, not before.

    One that is never finished changes nothing.

    Args:
        span: seconds of send time whose rows are replaced; None if the rows may be of any time,
            and join those that are known.
        max_series: the most series whose texts are needed, 0 for all.
        start_unix: where the window begins.
        is_known: whether rows sent in a second count with it, though it isn't in the span.
    """

    def __init__(
        self,
        span: Slice | None,
        max_series: int,
        start_unix: int,
        is_known: Callable[[int], bool],
        ended: Callable[["CountReading"], None],
    ) -> None:
        self.span = span
        self._most = max_series
        self._start = start_unix
        self._is_known = is_known
        self._ended = ended
        self._multiset = 0
        self._open: list[Entry] = []
        self._parts: list[tuple[int, CountRows]] = []
        self._texts: dict[int, str] = {}

    def add(self, rows: Sequence[CountedRow], multiset: int) -> None:
        """Take rows of a multiset; its batches come one after another.

        Args:
            rows: in order of send time as far as may be.
            multiset: its number. Within one no row shows twice; others may show it again.
        """
        if multiset != self._multiset:
            self._close(keep_last_second=False)
            self._multiset = multiset
        texts = self._texts
        for sent, series, row, text in rows:
            if sent < self._start and self._is_own(sent):
                continue
            self._open.append((sent, series, row))
            if series not in texts:
                texts[series] = text
        if len(self._open) >= _ROWS_OPEN:
            self._close(keep_last_second=True)
        if self._most and len(texts) > 2 * self._most + _SPARE_TEXTS:
            self._let_texts_go()

    def finish(self) -> None:
        """What the window counts of the span is replaced by what this reading brought.

        May be called in a thread; nothing else may change the window at the same time.
        """
        self._close(keep_last_second=False)
        self._ended(self)

    def found(self) -> CountRows:
        """All rows."""
        return merged(self._parts)

    def texts(self) -> dict[int, str]:
        """The texts of the series they are in, those of the newest if they are many."""
        return self._texts

    def _is_own(self, second: int) -> bool:
        return self.span is None or second in self.span

    def _let_texts_go(self) -> None:
        newest: dict[int, tuple[bool, int]] = {}
        for entries in (*(part.entries() for _, part in self._parts), self._open):
            for sent, series, _ in entries:
                rank = (self._is_own(sent) or self._is_known(sent), sent)
                if rank >= newest.get(series, rank):
                    newest[series] = rank
        known = [series for series in newest if series in self._texts]
        kept = heapq.nlargest(self._most, known, key=newest.__getitem__)
        self._texts = {series: self._texts[series] for series in kept}

    def _close(self, *, keep_last_second: bool) -> None:
        """Pack the open rows; those of the last second may get company and wait."""
        last_second = max((entry[0] for entry in self._open), default=0)
        kept: list[Entry] = []
        if keep_last_second:
            kept = [entry for entry in self._open if entry[0] == last_second]
            if len(kept) == len(self._open):
                kept = []
        ended = [entry for entry in self._open if entry[0] != last_second] if kept else self._open
        if ended:
            self._parts.append((self._multiset, packed(ended)))
        self._open = kept


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
