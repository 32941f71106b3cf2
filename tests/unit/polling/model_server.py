"""emailtrack_search as a model in memory: a table of rows, and switches for what may go wrong."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cpanel_mail_exporter.model.query import DELIVERY_TYPES, AnswerEnd, Instant, SearchQuery
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading import Accepted, SpanReader
from cpanel_mail_exporter.polling.reading_state import ReadCounts, ReadingMemory


def row(
    number: int,
    sent_unix: int | None,
    *,
    kind: str | None = None,
    acted_unix: int | None = None,
    recipient: str | None = None,
) -> DeliveryRecord:
    """A row that no other number has; sent at *sent_unix*, or with a time that can't be read.

    Without a *kind* its type is a word of its own, so that no number of rows looks like a cap.
    """
    text = str(number)
    acted = sent_unix if acted_unix is None else acted_unix
    plain = DeliveryRecord(*[text] * 22, sent_unix, acted)
    return plain._replace(type=kind or text, recipient=recipient or text)


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
        type_cap: the same for the rows of each type.
        cap_comes_first: `type_cap` keeps the newest of the table, and filters come after it.
        admits_cap: whether what the cap took away is said.
        acts_by_send: filters on action time are applied to send time.
        begins: what a filter on the recipient's beginning finds: "any case", "this case",
            or, being ignored, "all".
        bad: numbers of rows that can't be decoded.
        arrivals: rows that come into the table after so many queries were answered.
        at_head: arrivals come to the table's head rather than its end.
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
    type_cap: int | None = None
    cap_comes_first: bool = False
    admits_cap: bool = True
    acts_by_send: bool = False
    begins: str = "any case"
    bad: frozenset[str] = frozenset()
    arrivals: Sequence[tuple[int, DeliveryRecord]] = ()
    at_head: bool = False
    piece_rows: Sequence[int] = (7,)
    queries: list[SearchQuery] = field(default_factory=list)

    def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], None]
    ) -> AnswerEnd:
        """One page."""
        page, is_cut = self.page(query)
        self.queries.append(query)
        new = [new for after, new in self.arrivals if after == len(self.queries)]
        self.rows = new + self.rows if self.at_head else self.rows + new
        good = [record for record in page if record.msg_id not in self.bad]
        turn = len(self.queries)
        while good:
            size = self.piece_rows[turn % len(self.piece_rows)]
            receive(good[:size])
            good = good[size:]
            turn += 1
        return AnswerEnd(sum(record.msg_id in self.bad for record in page), is_cut)

    def page(self, query: SearchQuery) -> tuple[list[DeliveryRecord], bool]:
        found = [r for r in self.rows if r.type in query.types or r.type not in DELIVERY_TYPES]
        is_cut = False
        if self.cap_comes_first:
            found, is_cut = self.newest_of_each_type(found)
        found = [record for record in found if self.passes(record, query)]
        if not self.ignores_sort:
            found.sort(key=lambda record: self.instant(record, query.by) or 0)
        if not self.cap_comes_first:
            found, is_cut = self.newest_of_each_type(found)
        if self.cap is not None and len(found) > self.cap:
            found, is_cut = found[-self.cap :], True
        start = 0 if self.ignores_start else query.first_row - 1
        size = len(found) if self.ignores_size else query.page_rows
        return found[start : start + min(size, self.clip or size)], is_cut and self.admits_cap

    def newest_of_each_type(self, rows: list[DeliveryRecord]) -> tuple[list[DeliveryRecord], bool]:
        if self.type_cap is None:
            return rows, False
        places = sorted(range(len(rows)), key=lambda p: (-(rows[p].send_unix or 0), -p))
        taken: Counter[str] = Counter()
        kept = set()
        for place in places:
            taken[rows[place].type] += 1
            if taken[rows[place].type] <= self.type_cap:
                kept.add(place)
        return [r for place, r in enumerate(rows) if place in kept], len(kept) < len(rows)

    def instant(self, record: DeliveryRecord, by: Instant) -> int | None:
        is_by_send = by is Instant.SENT or self.acts_by_send
        return record.send_unix if is_by_send else record.action_unix

    def passes(self, record: DeliveryRecord, query: SearchQuery) -> bool:
        if self.ignores_filters:
            return True
        other = Instant.ACTED if query.by is Instant.SENT else Instant.SENT
        begins, recipient = query.recipient_begins, record.recipient
        if self.begins == "any case":
            begins, recipient = begins.lower(), recipient.lower()
        return (
            self.is_within(self.instant(record, query.by), query.span)
            and (query.also is None or self.is_within(self.instant(record, other), query.also))
            and (self.begins == "all" or recipient.startswith(begins))
        )

    def is_within(self, instant: int | None, span: Slice) -> bool:
        reach = int(self.has_inclusive_ends)
        return span.start - reach <= (instant or 0) < span.end + reach


@dataclass
class Reading:
    """What one reading of a span came to.

    Attributes:
        inside: rows accepted, in the order they were.
        outside: the same of those outside the span.
        multisets: all rows accepted, by multiset.
        counts: of the reader.
        queries: that were asked.
        rows_by_type: of the reader.
    """

    inside: list[DeliveryRecord] = field(default_factory=list)
    outside: list[DeliveryRecord] = field(default_factory=list)
    multisets: dict[int, Counter[DeliveryRecord]] = field(default_factory=dict)
    counts: ReadCounts = field(default_factory=ReadCounts)
    queries: list[SearchQuery] = field(default_factory=list)
    rows_by_type: dict[str, int] = field(default_factory=dict)

    @property
    def learned(self) -> Counter[DeliveryRecord]:
        """What a receiver knows who takes the most equal rows of any multiset."""
        learned: Counter[DeliveryRecord] = Counter()
        for rows in self.multisets.values():
            learned |= rows
        return learned

    def take(self, accepted: list[Accepted]) -> None:
        for part in accepted:
            (self.inside if part.is_inside else self.outside).extend(part.rows)
            self.multisets.setdefault(part.multiset, Counter()).update(part.rows)


def read(
    server: ModelServer,
    span: Slice,
    memory: ReadingMemory,
    *,
    types: tuple[str, ...] = ("success",),
    by: Instant = Instant.SENT,
    most_queries: int = 10_000,
) -> Reading:
    """Read *span* once."""
    server.queries = []
    reader = SpanReader(span, types, memory, by=by)
    result = Reading(counts=reader.counts, queries=server.queries)

    def receive(rows: list[DeliveryRecord]) -> None:
        reader.rows(rows)
        result.take(reader.accepted())

    while (query := reader.next_query()) is not None:
        assert len(server.queries) < most_queries, "the reading should have ended by now"
        reader.page_end(server.search(query, receive))
        result.take(reader.accepted())
    result.rows_by_type = dict(reader.rows_by_type)
    return result
