"""What one reading brings of rows that are counted: packed while they come, few texts of series."""

import heapq
from collections.abc import Callable, Sequence

from cpanel_mail_exporter.exposition.count_lines import CountedRow
from cpanel_mail_exporter.exposition.count_rows import CountRows, Entry, merged, packed
from cpanel_mail_exporter.model.window import Slice

_ROWS_OPEN = 5_000
_SPARE_TEXTS = 500


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
