"""Reads a span of emailtrack_search completely, with few and small queries; pure, no I/O.

A span is about one of a row's two instants. "Its time" is that instant here. The rules:

1. The first query asks for the whole span, sorted by time, one page. Most spans fit in it. Where
   they don't, slices of the span are asked for, sized so that each fits one page, and the sizes
   that worked are remembered for the next reading of the same time.
2. A full page is not paged on: its rows before its last second are accepted, and the next query
   begins at that second. So no row is skipped or doubled by rows that appear meanwhile, and the
   server doesn't run one long query again for each page.
3. Only where a single second fills a page (a newsletter), or rows come unsorted, pages of one
   slice are read one after another until an empty page. Rows that appear meanwhile may shift
   others to a second page. So each page is a multiset of its own, and where equal rows stand on
   two pages, all are read a second time: if both readings agree, these rows are accepted together.
4. A short page is the end only if the server has sent a longer one before: it may clip the page
   size. Otherwise the page after it is asked for, which makes sure.
5. An answer with more rows than its query asked for proves that the server ignores the size of
   pages: nothing is left to ask. A page equal to the one before proves that it ignores where a
   page starts: smaller slices are asked for. Rows more than a second outside of what was asked
   for prove that it ignores filters: all it has is read in pages. Where it ignores both, one
   answer is all there is.
6. An answer that WHM calls cut is halved, down to a second, which is read in pieces by type, by
   the other instant where such a filter is known to work, and by the recipient's first
   characters; what is still cut is incomplete.
7. Rows outside the span, or without a readable time, are accepted as such and counted.
8. A page of which no row could be decoded says nothing about what follows: where there may be
   more, its slice is incomplete.
9. An answer with a number of rows of one type that looks like a cap is read in pieces as if it
   had been called cut. If they hold more together, the cap is proven, and answers with that many
   rows are cut from then on; if not, the number is trusted for a while. A number that is proven
   neither way is incomplete: no older row is to be seen, so the cap may come before the filters.
"""

from collections.abc import Generator, Mapping

from cpanel_mail_exporter.model.query import AnswerEnd, Instant, SearchQuery
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading_answers import Answers
from cpanel_mail_exporter.polling.reading_pages import TooManyPages
from cpanel_mail_exporter.polling.reading_slices import Slices
from cpanel_mail_exporter.polling.reading_state import Accepted, Page, ReadCounts, ReadingMemory

__all__ = ["Accepted", "ReadCounts", "ReadingMemory", "SpanReader", "TooManyPages"]

_MOST_QUERIES = 20_000


class SpanReader:
    """One reading of one span.

    Ask `next_query()`; hand the rows of its answer to `rows()` as they come and its end to
    `page_end()`; go on until `next_query()` gives None. What `accepted()` gives comes in order of
    time where the server keeps to sort and filters. Rows may be accepted more than once, under
    different numbers of multisets; never within one.

    A server that ignores filters gives all it has, whatever was asked: what lies outside the
    span is accepted too, and `memory.ignores_filters` tells.
    """

    def __init__(
        self,
        span: Slice,
        types: tuple[str, ...],
        memory: ReadingMemory,
        *,
        by: Instant = Instant.SENT,
    ) -> None:
        self._answers = Answers(span, memory, by)
        self._slices = Slices(self._answers, types)
        self._steps: Generator[SearchQuery, Page, None] = self._slices.read_all()
        self._next: SearchQuery | None = None
        self._queries = 0
        if span.seconds > 0:
            self._next = next(self._steps)

    @property
    def counts(self) -> ReadCounts:
        """What it has come across so far; `.incomplete` above 0 means: not read whole."""
        return self._answers.counts

    @property
    def rows_by_type(self) -> Mapping[str, int]:
        """Rows of the span by type, equal ones included, once it has been read.

        To be compared with emailtrack_stats: fewer of them may be owed to a cap that comes before
        the filters, which no answer shows.
        """
        return self._slices.own_of_type

    def next_query(self) -> SearchQuery | None:
        """What to ask now; None when the span has been read.

        Raises:
            TooManyPages: there seems to be no end to it.
        """
        if self._next is None:
            return None
        self._queries += 1
        if self._queries > _MOST_QUERIES:
            raise TooManyPages
        self._answers.begin(self._next)
        return self._next

    def rows(self, records: list[DeliveryRecord]) -> None:
        """Take some rows of the answer to the last query."""
        self._answers.rows(records)

    def page_end(self, end: AnswerEnd) -> None:
        """Take the end of the answer, and decide what comes next.

        Raises:
            TooManyPages: there seems to be no end to it.
        """
        try:
            self._next = self._steps.send(self._answers.end(end))
        except StopIteration:
            self._next = None
            self._answers.let_go()

    def accepted(self) -> list[Accepted]:
        """What was accepted since the last call; to be asked for after `rows` and `page_end`."""
        accepted, self._answers.accepted = self._answers.accepted, []
        return accepted
