"""The desk of a reading: queries go out, answers come in, accepted rows are handed over.

It knows what holds for any answer, whatever it was asked for: which rows of it are its query's
own, whether it repeats the one before, and what it tells of how the server treats pages.
"""

from collections import Counter
from collections.abc import Callable, Generator
from typing import TypeVar

from cpanel_mail_exporter.model.query import AnswerEnd, Instant, SearchQuery
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling import reading_state
from cpanel_mail_exporter.polling.reading_state import Accepted, Page, ReadCounts, ReadingMemory

Result = TypeVar("Result")
Steps = Generator[SearchQuery, Page, Result]
"""A part of a reading: gives queries, takes their answers, and comes to a result."""


def _sent(record: DeliveryRecord) -> int | None:
    return record.send_unix


def _acted(record: DeliveryRecord) -> int | None:
    return record.action_unix


class FiltersIgnored(Exception):
    """The filter on time lets rows through that lie elsewhere.

    Attributes:
        page: an answer that begins with the first of all rows, None where there is none.
    """

    def __init__(self, page: Page | None) -> None:
        super().__init__()
        self.page = page


class Answers:
    """Takes the rows of one query at a time."""

    def __init__(self, span: Slice, memory: ReadingMemory, by: Instant) -> None:
        self.span = span
        self.memory = memory
        self.by = by
        self.counts = ReadCounts()
        self.instant: Callable[[DeliveryRecord], int | None]
        self.other_instant: Callable[[DeliveryRecord], int | None]
        is_by_send = by is Instant.SENT
        self.instant, self.other_instant = (_sent, _acted) if is_by_send else (_acted, _sent)
        self.accepted: list[Accepted] = []
        self._multisets = 0
        self._query = SearchQuery(span, (), 0)
        self._page = Page()
        self._previous: Page | None = None
        self._is_aside = False

    def begin(self, query: SearchQuery) -> None:
        """*query* is being asked."""
        self._query = query
        self._page = Page(multiset=self.new_multiset())

    def let_go(self) -> None:
        """Nothing is asked any more: keep no rows until garbage is collected, which is seldom."""
        self._page = Page()
        self._previous = None

    def new_multiset(self) -> int:
        """A number that no multiset has."""
        self._multisets += 1
        return self._multisets

    def rows(self, records: list[DeliveryRecord]) -> None:
        """Take some rows of the answer."""
        page = self._page
        page.length += len(records)
        of_type = Counter([record.type for record in records])
        page.of_type.update(of_type)
        if not self._are_all_own(records):
            of_type = self.own(records, self._query)
        page.own_of_type.update(of_type)
        if self._is_aside:
            return
        if page.is_passed_on:
            self.accept(records, self._query, page.multiset)
            return
        page.rows += records
        if page.length > reading_state.PAGE_ROWS:
            page.is_passed_on = True
            self.accept_page(page, self._query)
            del page.rows[reading_state.PAGE_ROWS :]

    def end(self, end: AnswerEnd) -> Page:
        """The answer as a whole."""
        page = self._page
        page.length += end.rows_rejected
        page.rejected = end.rows_rejected
        page.is_cut = end.is_cut
        return page

    def ask(self, query: SearchQuery, *, confirms: bool = False) -> Steps[Page]:
        """Ask, and learn what the answer tells of pages.

        *confirms*: it is asked only to see whether the page before was the last.

        Raises:
            FiltersIgnored: rows came that a filter on time can't have let through.
        """
        page = yield query
        may_overlap = query.first_row == 1 and not page.has_strays and not page.has_untimed
        page.is_repeat = page.repeats(self._previous, may_overlap=may_overlap)
        if not page.is_repeat:
            self.counts.rows += page.length
            self.counts.rejected += page.rejected
        self._learn_size(page.length, is_another=not page.is_repeat and self._previous is not None)
        if page.length and not confirms:
            self._previous = page
        if page.has_strays and not self.memory.ignores_filters:
            is_first = query.first_row == 1 and not page.is_passed_on
            raise FiltersIgnored(page if is_first else None)
        return page

    def ask_aside(self, query: SearchQuery) -> Steps[int]:
        """How many rows of *query* itself the answer holds; they aren't accepted."""
        self._is_aside = True
        page = yield query
        self._is_aside = False
        return page.own_of_type.total()

    def is_surely_last(self, page: Page) -> bool:
        """Rules 4 and 5: whether what the page already shows makes sure that it is the last."""
        memory, length = self.memory, page.length
        if memory.ignores_size or length > reading_state.PAGE_ROWS or length == 0:
            return True
        is_all_there_is = memory.ignores_start and memory.ignores_filters
        return length < memory.full_page and (length < memory.longest_page or is_all_there_is)

    def is_own(self, record: DeliveryRecord, query: SearchQuery) -> bool:
        """Whether a row is one that *query* asked for.

        Whether the ends of a filter are inclusive isn't known, so an answer may hold rows of the
        seconds next to it, which are left to the neighbours.
        """
        instant = self.instant(record)
        span = self.span if self.memory.ignores_filters else query.span
        if instant is None or not span.start <= instant < span.end:
            return False
        return (query.also is None or self.other_instant(record) in query.also) and (
            record.recipient.lower().startswith(query.recipient_begins.lower())
        )

    def accept_page(self, page: Page, query: SearchQuery) -> None:
        """Hand over all its rows, once: a multiset shows no row twice."""
        if not page.is_accepted:
            page.is_accepted = True
            self.accept(page.rows, query, page.multiset)

    def own(self, rows: list[DeliveryRecord], query: SearchQuery) -> Counter[str]:
        """How many rows of each type are the query's own."""
        return Counter([record.type for record in rows if self.is_own(record, query)])

    def accept(self, rows: list[DeliveryRecord], query: SearchQuery, multiset: int) -> None:
        """Hand rows over: the query's own, and apart from them those outside the whole span."""
        instant, span = self.instant, self.span
        inside = [r for r in rows if instant(r) in span and self.is_own(r, query)]
        if len(inside) < len(rows):
            outside = [r for r in rows if instant(r) not in span]
            self.counts.outside += len(outside)
            self._hand_over(outside, multiset, is_inside=False)
        self._hand_over(inside, multiset, is_inside=True)

    def _hand_over(self, rows: list[DeliveryRecord], multiset: int, *, is_inside: bool) -> None:
        if rows:
            self.accepted.append(Accepted(rows, multiset, is_inside))

    def _are_all_own(self, records: list[DeliveryRecord]) -> bool:
        """A look at the instants, which shows strays as well; False where it takes another look.

        A second's distance proves nothing: whether the ends are inclusive isn't known.
        """
        page, query = self._page, self._query
        instants = [self.instant(record) for record in records]
        readable = [instant for instant in instants if instant is not None]
        page.has_untimed = page.has_untimed or len(readable) < len(instants)
        if not readable:
            return False
        low, high = min(readable), max(readable)
        if low < query.span.start - 1 or high > query.span.end:
            page.has_strays = True
        is_within = query.span.start <= low and high < query.span.end and not page.has_untimed
        return is_within and query.also is None and not query.recipient_begins

    def _learn_size(self, length: int, *, is_another: bool) -> None:
        memory, page_rows = self.memory, reading_state.PAGE_ROWS
        if memory.ignores_start and is_another and length == memory.longest_page > 0:
            memory.full_page = length  # the rest as long as all before it: both are clipped
        memory.ignores_size = memory.ignores_size or length > page_rows
        memory.longest_page = max(memory.longest_page, min(length, page_rows))
        if length > memory.full_page:
            memory.full_page = page_rows  # it wasn't clipped after all: rows came meanwhile
