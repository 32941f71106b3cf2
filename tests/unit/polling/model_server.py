"""emailtrack_search as a model in memory: a table of rows, and switches for what may go wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cpanel_mail_exporter.model.query import AnswerEnd, SearchQuery
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading import WindowReader
from cpanel_mail_exporter.polling.reading_state import ReadCounts, ReadingMemory


def row(number: int, sent_unix: int | None) -> DeliveryRecord:
    """A row that no other number has; sent at *sent_unix*, or with a time that can't be read."""
    text = str(number)
    return DeliveryRecord(*[text] * 22, sent_unix, sent_unix)


@dataclass
class ModelServer:
    """Answers a query with rows of its table.

    Attributes:
        rows: the table, in the order that an answer has where sorting is ignored.
        clip: the most rows of a page whatever is asked, None for as many as asked.
        ignores_filters: every query is about the whole table.
        ignores_sort: rows come in the table's order.
        ignores_size: an answer holds all rows from the start asked for.
        ignores_start: every page begins with the first row.
        has_inclusive_ends: filters mean "from" and "until" rather than "after" and "before".
        cap: the most rows of a query over all its pages, newest kept; more is called cut.
        admits_cap: whether what the cap took away is said.
        bad: numbers of rows that can't be decoded.
        arrivals: rows that come into the table after so many queries were answered.
        piece_rows: sizes of the pieces in which the rows of an answer arrive, in turn.
    """

    rows: list[DeliveryRecord]
    clip: int | None = None
    ignores_filters: bool = False
    ignores_sort: bool = False
    ignores_size: bool = False
    ignores_start: bool = False
    has_inclusive_ends: bool = False
    cap: int | None = None
    admits_cap: bool = True
    bad: frozenset[str] = frozenset()
    arrivals: Sequence[tuple[int, DeliveryRecord]] = ()
    piece_rows: Sequence[int] = (7,)
    queries: list[SearchQuery] = field(default_factory=list)

    def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], None]
    ) -> AnswerEnd:
        """One page."""
        page, is_cut = self.page(query)
        self.queries.append(query)
        self.rows += [new for after, new in self.arrivals if after == len(self.queries)]
        good = [record for record in page if record.msg_id not in self.bad]
        turn = len(self.queries)
        while good:
            size = self.piece_rows[turn % len(self.piece_rows)]
            receive(good[:size])
            good = good[size:]
            turn += 1
        return AnswerEnd(sum(record.msg_id in self.bad for record in page), is_cut)

    def page(self, query: SearchQuery) -> tuple[list[DeliveryRecord], bool]:
        found = [record for record in self.rows if self.passes(record, query.span)]
        if not self.ignores_sort:
            found.sort(key=lambda record: record.send_unix or 0)
        is_cut = self.cap is not None and len(found) > self.cap
        if is_cut:
            found = found[-(self.cap or 0) :]
        start = 0 if self.ignores_start else query.first_row - 1
        size = len(found) if self.ignores_size else query.page_rows
        return found[start : start + min(size, self.clip or size)], is_cut and self.admits_cap

    def passes(self, record: DeliveryRecord, span: Slice) -> bool:
        if self.ignores_filters:
            return True
        sent, reach = record.send_unix or 0, int(self.has_inclusive_ends)
        return span.start - reach <= sent < span.end + reach


@dataclass
class Reading:
    """What one reading of a window came to."""

    inside: list[DeliveryRecord]
    outside: list[DeliveryRecord]
    counts: ReadCounts
    queries: list[SearchQuery]


def read(
    server: ModelServer, window: Slice, memory: ReadingMemory, *, most_queries: int = 10_000
) -> Reading:
    """Read *window* once."""
    inside: list[DeliveryRecord] = []
    outside: list[DeliveryRecord] = []
    server.queries = []
    reader = WindowReader(
        window, ("success",), memory, inside=inside.extend, outside=outside.extend
    )
    while (query := reader.next_query()) is not None:
        assert len(server.queries) < most_queries, "the reading should have ended by now"
        reader.page_end(server.search(query, reader.rows))
    return Reading(inside, outside, reader.counts, server.queries)
