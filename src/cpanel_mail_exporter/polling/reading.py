"""Reads a window of emailtrack_search completely, with few and small queries; pure, no I/O.

The rules:

1. The first query of a server asks for the whole window, sorted by send time, one page. Most
   servers fit in it. Where they don't, slices of the window are asked for, sized so that each fits
   one page, and the sizes that worked are remembered for the next poll.
2. A full page is not paged on: its rows sent before its last second are accepted, and the next
   query begins at that second. So no row is skipped or doubled by rows that appear meanwhile, and
   the server doesn't run one long query again for each page.
3. Only where a single second fills a page (a newsletter), or rows come unsorted, pages of one
   slice are read one after another until an empty page.
4. A short page is the end only if the server has sent a longer one before: it may clip the page
   size. Otherwise the page after it is asked for, which makes sure.
5. An answer with more rows than its query asked for proves that the server ignores the size of
   pages: nothing is left to ask. A page equal to the one before proves that it ignores where a
   page starts, or the filters: then pages are no way to go on, and smaller slices are asked for,
   or the whole window is read in pages. Where it ignores both, one answer is all there is.
6. An answer that WHM calls cut is halved, down to a second; what is still cut is incomplete.
7. Rows outside the window, or without a readable send time, are accepted as such and counted.
8. A page of which no row could be decoded says nothing about what follows: where there may be
   more, its slice is incomplete.
"""

from collections.abc import Callable, Hashable
from itertools import pairwise
from typing import Generic, Protocol, TypeVar

from cpanel_mail_exporter.model.query import AnswerEnd, SearchQuery
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading_state import (
    PAGE_ROWS,
    Page,
    Progress,
    ReadCounts,
    ReadingMemory,
    next_width,
)

_MOST_PAGES = 2_000


class Sent(Hashable, Protocol):
    """A row as far as reading goes: when it was sent, and whether it equals another one."""

    @property
    def send_unix(self) -> int | None:
        """Second in which the server accepted the message, None where that can't be read."""


Row = TypeVar("Row", bound=Sent)


class TooManyPages(Exception):
    """The server goes on sending new pages without end."""


class WindowReader(Generic[Row]):
    """One reading of one window.

    Ask `next_query()`; hand the rows of its answer to `rows()` as they come and its end to
    `page_end()`; go on until `next_query()` gives None. Accepted rows go to *inside* or *outside*,
    in order of send time where the server keeps to sort and filters. A server that doesn't may
    have a row accepted more than once: the receiver drops equal lines.
    """

    def __init__(
        self,
        window: Slice,
        types: tuple[str, ...],
        memory: ReadingMemory,
        *,
        inside: Callable[[list[Row]], None],
        outside: Callable[[list[Row]], None],
    ) -> None:
        self.counts = ReadCounts()
        self._window = window
        self._types = types
        self._memory = memory
        self._inside = inside
        self._outside = outside
        self._progress = Progress()
        self._ends: list[int] = [window.end]  # ends of the slices still to be read, nearest last
        self._low = window.start
        self._first_row = 1
        self._width = window.seconds
        self._is_paging = memory.ignores_filters
        self._is_done = window.seconds <= 0
        self._queries = 0
        self._held: list[Row] = []
        self._page = Page()
        self._previous: Page | None = None
        self._outside_before_slice = 0
        self._incomplete_before_slice = 0
        self._outside_before_page = 0
        self._begin_slice(window.start)

    def next_query(self) -> SearchQuery | None:
        """What to ask now; None when the window has been read.

        Raises:
            TooManyPages: there seems to be no end to it.
        """
        if self._is_done:
            return None
        self._queries += 1
        if self._queries > _MOST_PAGES:
            raise TooManyPages
        self._outside_before_page = self.counts.outside
        return SearchQuery(self._span, self._types, PAGE_ROWS, self._first_row)

    def rows(self, records: list[Row]) -> None:
        """Take some rows of the answer to the last query."""
        page = self._page
        page.length += len(records)
        if page.length <= PAGE_ROWS:
            page.rows += records
        if page.confirms:
            return
        page.strays = page.strays or self._strays(records)
        self._held += records
        if page.length > PAGE_ROWS:
            self._accept_held()

    def page_end(self, end: AnswerEnd) -> None:
        """Take the end of the answer, and decide what comes next."""
        page, self._page = self._page, Page()
        page.length += end.rows_rejected
        is_unreadable = 0 < page.length == end.rows_rejected
        repeats = page.length > end.rows_rejected and page.repeats(
            self._previous, may_not_overlap=self._is_paging or page.confirms or page.strays
        )
        if not repeats:
            self.counts.rows += page.length
            self.counts.rejected += end.rows_rejected
        is_last = self._is_surely_last(page.length)
        self._learn_size(page.length, is_another=not repeats and self._previous is not None)
        if page.length and not page.confirms:
            self._previous = page
        if page.confirms:
            self._confirmed(page.length, repeats=repeats, is_unreadable=is_unreadable)
        elif repeats and self._is_paging:
            self._stop_paging(page.length, is_cut=end.is_cut)
        elif repeats and page.strays:
            self._read_whole_window_in_pages(page.length)
            self._mark_incomplete(end.is_cut)
        elif end.is_cut and not self._is_paging and self._halve_cut_slice(page.length):
            return
        else:
            self._mark_incomplete(end.is_cut)
            self._page_accepted(page.length, is_last=is_last, is_unreadable=is_unreadable)

    def _page_accepted(self, length: int, *, is_last: bool, is_unreadable: bool) -> None:
        memory = self._memory
        if is_last:
            self._finish_slice(length)
        elif is_unreadable and (self._is_paging or length >= memory.full_page):
            self._mark_incomplete(True)
            self._finish_slice(length)
        elif self._is_paging:
            self._accept_held()
            self._first_row += length
        elif length < memory.full_page and not memory.ignores_start:
            self._page.confirms = True
            self._first_row += length
        else:
            self._go_on_after_full_page(length)

    @property
    def _span(self) -> Slice:
        return Slice(self._low, self._ends[-1])

    def _is_surely_last(self, length: int) -> bool:
        memory = self._memory
        if memory.ignores_size or length > PAGE_ROWS or length == 0:
            return True
        is_all_there_is = memory.ignores_start and memory.ignores_filters
        return length < memory.full_page and (length < memory.longest_page or is_all_there_is)

    def _strays(self, records: list[Row]) -> bool:
        """Whether rows are among *records* that a filter on this slice can't have let through.

        A second's distance proves nothing: whether the ends are inclusive isn't known.
        """
        sent = [record.send_unix for record in records]
        readable = [instant for instant in sent if instant is not None]
        if len(readable) < len(sent):
            return True
        return bool(sent) and (min(readable) < self._low - 1 or max(readable) > self._ends[-1])

    def _learn_size(self, length: int, *, is_another: bool) -> None:
        memory = self._memory
        if memory.ignores_start and is_another and length == memory.longest_page > 0:
            memory.full_page = length  # the rest as long as all before it: both are clipped
        memory.ignores_size = memory.ignores_size or length > PAGE_ROWS
        memory.longest_page = max(memory.longest_page, min(length, PAGE_ROWS))
        if length > memory.full_page:
            memory.full_page = PAGE_ROWS  # it wasn't clipped after all: rows came meanwhile

    def _confirmed(self, length: int, *, repeats: bool, is_unreadable: bool) -> None:
        """Rule 4: nothing after a short page means that it was the last."""
        held = self._first_row - 1
        if length == 0:
            self._finish_slice(held)
        elif is_unreadable and not self._held:
            self._mark_incomplete(True)
            self._finish_slice(held)
        elif repeats:
            self.counts.repeated_pages += 1
            self._memory.ignores_start = True
            self._go_on_after_full_page(held)
        else:
            self._memory.full_page = held
            self._go_on_after_full_page(held)

    def _stop_paging(self, length: int, *, is_cut: bool) -> None:
        """Rule 5: what comes after this page can be reached by smaller slices alone."""
        memory = self._memory
        self.counts.repeated_pages += 1
        memory.ignores_start = True
        self.counts.outside = self._outside_before_page
        self._held.clear()
        if is_cut or length >= memory.full_page:
            if not memory.ignores_filters and self._halve():
                self._is_paging = False
                return
            self._mark_incomplete(True)
        self._finish_slice(0)

    def _read_whole_window_in_pages(self, length: int) -> None:
        self.counts.repeated_pages += 1
        self._memory.ignores_filters = True
        self._is_paging = True
        self._low, self._ends = self._window.start, [self._window.end]
        self.counts.outside -= self._outside_before_page  # all of them come again
        self._accept_held()
        self._first_row = 1 + length

    def _go_on_after_full_page(self, length: int) -> None:
        """Rule 2 where rows are sorted and span more than a second, else rule 3.

        Rows of one and the same second don't show whether they are sorted: then what was sent
        before that second is asked for by itself.
        """
        sent = [record.send_unix or 0 for record in self._held]
        is_sorted = all(a <= b for a, b in pairwise(sent))
        last = min(sent[-1], self._ends[-1] - 1) if sent else 0
        if self._memory.ignores_start and self._strays(self._held):
            self._memory.ignores_filters = True
            self._low, self._ends = self._window.start, [self._window.end]
            self._finish_slice(length)
        elif is_sorted and last > self._low and sent[0] == sent[-1]:
            self._read_first(last)
        elif is_sorted and last > self._low:
            self._held = [r for r in self._held if (r.send_unix or 0) < last]
            self._progress.starts.append(self._low)
            self._progress.rows.append(len(self._held))
            self._width = next_width(last - self._low, len(self._held))
            self._accept_held()
            self._begin_slice(last)
        elif is_sorted and self._span.seconds > 1:
            self._read_first(self._low + 1)
        elif self._memory.ignores_start and self._halve():
            return
        else:
            self._is_paging = True
            self._accept_held()
            self._first_row = 1 + length

    def _halve_cut_slice(self, length: int) -> bool:
        """Rule 6; False if it is no use.

        `overflowed` is undocumented, and a server may always say it. No bound cuts an answer to
        nothing, so one that is called cut and holds no row proves that the word means nothing.
        """
        memory = self._memory
        memory.always_says_cut = memory.always_says_cut or length == 0
        return not memory.always_says_cut and self._halve()

    def _halve(self) -> bool:
        if self._span.seconds < 2:
            return False
        self._read_first((self._low + self._ends[-1]) // 2)
        return True

    def _read_first(self, end: int) -> None:
        """Forget what came of this slice, and read it up to *end* before the rest."""
        self._held.clear()
        self.counts.outside = self._outside_before_slice
        self._first_row = 1
        self._ends.append(end)

    def _accept_held(self) -> None:
        """Give the held rows away: those inside the window, and those outside.

        Rows of the seconds next to the slice are left to the neighbouring slices: whether the
        ends of a filter are inclusive isn't known.
        """
        span, start, end = self._span, self._window.start, self._window.end
        near = set() if self._memory.ignores_filters else {span.start - 1, span.end}
        inside = [
            r
            for r in self._held
            if (sent := r.send_unix) is not None and start <= sent < end and sent not in near
        ]
        if len(inside) < len(self._held):
            outside = [r for r in self._held if r.send_unix not in self._window]
            self.counts.outside += len(outside)
            self._outside(outside)
        if inside:
            self._inside(inside)
        self._held = []

    def _mark_incomplete(self, is_so: bool) -> None:
        """Count this slice as incomplete, once for all its pages."""
        if is_so:
            self.counts.incomplete = self._incomplete_before_slice + 1

    def _finish_slice(self, length: int) -> None:
        self._progress.starts.append(self._low)
        self._progress.rows.append(PAGE_ROWS if self._is_paging else length)
        self._accept_held()
        end = self._ends.pop()
        if not self._ends:
            self._is_done = True
            if not self.counts.incomplete:
                self._memory.boundaries = self._progress.boundaries()
            return
        self._width = next_width(end - self._low, length)
        self._is_paging = False
        self._begin_slice(end)

    def _begin_slice(self, low: int) -> None:
        """Start at *low*; the slice ends where one ended last time, or as its width says."""
        self._low = low
        self._first_row = 1
        self._outside_before_slice = self.counts.outside
        self._incomplete_before_slice = self.counts.incomplete
        if self._is_paging:
            return
        if self._memory.boundaries is None:
            end = low + self._width
        else:
            end = next((b for b in self._memory.boundaries if b > low), self._window.end)
        if low < end < self._ends[-1]:
            self._ends.append(end)
