"""The desk of a reading: queries go out, answers come in, accepted rows are handed over.

It knows what holds for any answer, whatever it was asked for: which rows of it are its query's
own, whether it repeats the one before, and what it tells of how the server treats pages.
"""

from collections import Counter
from collections.abc import Callable, Generator
from operator import attrgetter
from typing import TypeVar

from cpanel_mail_exporter.model.query import AnswerEnd, Instant, SearchQuery
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling import reading_state
from cpanel_mail_exporter.polling.reading_state import Accepted, Page, ReadCounts, ReadingMemory

Result = TypeVar("Result")
Steps = Generator[SearchQuery, Page, Result]
"""A part of a reading: gives queries, takes their answers, and comes to a result."""


# A function of our own would take twice the time, and it is called for every row.
_sent: Callable[[DeliveryRecord], int | None] = attrgetter("send_unix")
_acted: Callable[[DeliveryRecord], int | None] = attrgetter("action_unix")
_type: Callable[[DeliveryRecord], str] = attrgetter("type")


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
        of_type = of_types(records)
        page.of_type.update(of_type)
        own = self._own(records, self._query)
        if len(own) < len(records):
            self._look_for_strays(records)
            of_type = of_types(own)
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
        begins = query.recipient_begins
        return (query.also is None or self.other_instant(record) in query.also) and (
            not begins or record.recipient.lower().startswith(begins.lower())
        )

    def accept_page(self, page: Page, query: SearchQuery) -> None:
        """Hand over all its rows, once: a multiset shows no row twice."""
        if not page.is_accepted:
            page.is_accepted = True
            self.accept(page.rows, query, page.multiset)

    def accept(
        self, rows: list[DeliveryRecord], query: SearchQuery, multiset: int
    ) -> list[DeliveryRecord]:
        """Hand rows over: the query's own, and apart from them those outside the whole span.

        Gives the query's own. What is accepted was asked for inside the whole span.
        """
        inside = self._own(rows, query)
        if len(inside) < len(rows):
            instant, span = self.instant, self.span
            outside = [r for r in rows if instant(r) not in span]
            self.counts.outside += len(outside)
            self._hand_over(outside, multiset, is_inside=False)
        self._hand_over(inside, multiset, is_inside=True)
        return inside

    def _own(self, rows: list[DeliveryRecord], query: SearchQuery) -> list[DeliveryRecord]:
        """Those of *rows* that are the query's own.

        Nearly always they all are, which the first and the last instant tell without a look at
        each row.
        """
        span = self.span if self.memory.ignores_filters else query.span
        readable = self._readable(rows)
        if (
            len(readable) == len(rows) > 0
            and (span.start <= min(readable) and max(readable) < span.end)
            and (query.also is None and not query.recipient_begins)
        ):
            return rows.copy()  # a page's own list may still be shortened
        return [record for record in rows if self.is_own(record, query)]

    def _readable(self, rows: list[DeliveryRecord]) -> list[int]:
        """The instants of *rows*, without those that can't be read."""
        return [instant for instant in map(self.instant, rows) if instant is not None]

    def _hand_over(self, rows: list[DeliveryRecord], multiset: int, *, is_inside: bool) -> None:
        if rows:
            self.accepted.append(Accepted(rows, multiset, is_inside))

    def _look_for_strays(self, records: list[DeliveryRecord]) -> None:
        """See what the instants of rows show that aren't all the query's own.

        A second's distance proves nothing: whether the ends are inclusive isn't known.
        """
        page, span = self._page, self._query.span
        readable = self._readable(records)
        page.has_untimed = page.has_untimed or len(readable) < len(records)
        if readable and not (span.start - 1 <= min(readable) and max(readable) <= span.end):
            page.has_strays = True

    def _learn_size(self, length: int, *, is_another: bool) -> None:
        memory, page_rows = self.memory, reading_state.PAGE_ROWS
        if memory.ignores_start and is_another and length == memory.longest_page > 0:
            memory.full_page = length  # the rest as long as all before it: both are clipped
        memory.ignores_size = memory.ignores_size or length > page_rows
        memory.longest_page = max(memory.longest_page, min(length, page_rows))
        if length > memory.full_page:
            memory.full_page = page_rows  # it wasn't clipped after all: rows came meanwhile


def of_types(rows: list[DeliveryRecord]) -> Counter[str]:
    """How many rows there are of each type."""
    return Counter(map(_type, rows))
