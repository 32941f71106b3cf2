"""Asks one server for its deliveries, and hands what comes to ledger and lines; decides nothing."""

from dataclasses import dataclass, field

from cpanel_mail_exporter.ledger.counters import UNKNOWN_FIELD
from cpanel_mail_exporter.model.deliveries import ActionFilter, GoesBy
from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    BadStatus,
    Denied,
    TimedOut,
    WrongShape,
)
from cpanel_mail_exporter.model.query import (
    EVENT_TYPES,
    AnswerEnd,
    Instant,
    SearchQuery,
    Totals,
)
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.learning import Facts, candidate
from cpanel_mail_exporter.polling.ports import DeliveryServer
from cpanel_mail_exporter.polling.ranges import Fingerprint, fingerprint
from cpanel_mail_exporter.polling.reading import SpanReader, TooManyPages
from cpanel_mail_exporter.polling.reading_state import PAGE_ROWS, ReadCounts, ReadingMemory
from cpanel_mail_exporter.polling.shown_rows import ShownRows
from cpanel_mail_exporter.polling.sinks import EventSink
from cpanel_mail_exporter.polling.tally import Tally

_WITHOUT_TOTALS_SECONDS = 3_600
_OWN_REFUSALS = (Denied, ApiRefused, BadStatus, WrongShape, TimedOut)
"""Failures of emailtrack_stats that say nothing about whether the server can be searched."""


@dataclass(slots=True)
class Visit:
    """What one poll's answers came to, all together.

    Attributes:
        now_unix: the server's time.
        skew: server's clock minus the exporter's, from the first answer that told it.
    """

    now_unix: int
    counts: ReadCounts = field(default_factory=ReadCounts)
    skew: float | None = None


class Intake:
    """The requests about one server's deliveries.

    Args:
        name: the operator's name for the server.
        types: WHM's words for the rows that are asked for.
        events: where they are counted, None if they aren't.
        lines: where they are shown, None if they aren't.
    """

    def __init__(
        self,
        name: str,
        types: tuple[str, ...],
        server: DeliveryServer,
        events: EventSink | None,
        lines: ShownRows | None,
    ) -> None:
        self.memory = ReadingMemory()
        self.visit = Visit(0)
        self.telling_row: DeliveryRecord | None = None
        self.tally = Tally()
        self._name = name
        self._types = types
        self._server = server
        self._events = events
        self._lines = lines
        self._no_totals_until = 0

    @property
    def has_totals(self) -> bool:
        """Whether emailtrack_stats can be asked; after a refusal not for an hour."""
        wait_seconds = self._no_totals_until - self.visit.now_unix
        # A wait that seems longer shows that the clock has been set back.
        return not 0 < wait_seconds <= _WITHOUT_TOTALS_SECONDS

    async def read(self, span: Slice, facts: Facts, by: Instant = Instant.SENT) -> int:
        """Read a span; gives how many pieces of it could not be read whole.

        Its lines are shown. Of its events the last are held back by the sink, until it is told
        what to store with them.

        Raises:
            PollError: an answer failed; what came before it may be in the ledger.
        """
        self.memory.action_filter_works = facts.action_filter is ActionFilter.WORKS
        reader = SpanReader(span, self._types, self.memory, by=by)
        self.tally = Tally()
        if self._lines is not None:
            self._lines.begin(span if by is Instant.SENT else None)

        async def receive(rows: list[DeliveryRecord]) -> None:
            reader.rows(rows)
            await self._hand_on(reader, facts)

        try:
            while (query := reader.next_query()) is not None:
                if self._events is not None:
                    await self._events.make_room(self.visit.now_unix)
                end = await self._server.search(query, receive)
                reader.page_end(end)
                await self._hand_on(reader, facts)
                self._note(end)
        except TooManyPages as error:
            raise WrongShape(
                self._name, "emailtrack_search", "the server sends new pages without end"
            ) from error
        finally:
            self._add(reader.counts)
        if self._lines is not None:
            await self._lines.finish()
        return reader.counts.incomplete

    async def rows(self, span: Slice, by: Instant) -> list[DeliveryRecord]:
        """A page of events, to be looked at only."""
        found: list[DeliveryRecord] = []

        async def receive(rows: list[DeliveryRecord]) -> None:
            found.extend(rows)

        query = SearchQuery(span, EVENT_TYPES, PAGE_ROWS, by=by)
        self._note(await self._server.search(query, receive))
        return found

    async def totals(
        self, start_unix: int, end_unix: int, *, was_refused: bool = False
    ) -> Totals | None:
        """Sums over a range; None where the server doesn't give any.

        A refusal of this function alone is no failure: all can be read without it. But if
        *was_refused* (a login in this visit, and none was accepted), nothing else may be asked
        after another refusal.

        Raises:
            PollError: the server can't be asked at all.
        """
        if not self.has_totals:
            return None
        try:
            answer = await self._server.totals(start_unix, end_unix)
        except _OWN_REFUSALS as error:
            if was_refused and isinstance(error, Denied):
                raise
            self._no_totals_until = self.visit.now_unix + _WITHOUT_TOTALS_SECONDS
            return None
        self._note(answer.end)
        return answer.totals

    def forget_refusals(self) -> None:
        """Totals may be asked for again."""
        self._no_totals_until = 0

    async def totals_of_sent(self, span: Slice, facts: Facts) -> Totals | None:
        """Sums of the mail sent in a span; None where totals don't go by that, or are refused."""
        if facts.totals is GoesBy.ACTED:
            return None
        ends = 0 if facts.ends_belong is False else 1
        return await self.totals(span.start - 1 + ends, span.end - ends)

    async def fingerprint(self, of: Slice, facts: Facts) -> Fingerprint | None:
        """What totals say of a range; a second wider unless it is known that ends belong to it."""
        if facts.ends_belong:
            totals = await self.totals(of.start, of.end - 1)
        else:
            totals = await self.totals(of.start - 1, of.end)
        return None if totals is None else fingerprint(totals)

    async def _hand_on(self, reader: SpanReader, facts: Facts) -> None:
        now = self.visit.now_unix
        for accepted in reader.accepted():
            self.tally.add(accepted.multiset, accepted.rows)
            if facts.is_due(now):
                row = candidate(accepted.rows, now, facts.voter)
                self.telling_row = row or self.telling_row
            if self._lines is not None:
                await self._lines.take(accepted)
            if self._events is not None:
                await self._events.take(accepted, now)

    def _note(self, end: AnswerEnd) -> None:
        if end.unknown_fields and self._events is not None:
            self._events.note_drift(UNKNOWN_FIELD)
        if self.visit.skew is None:
            self.visit.skew = end.clock_skew_seconds

    def _add(self, counts: ReadCounts) -> None:
        total = self.visit.counts
        total.rows += counts.rows
        total.rejected += counts.rejected
        total.outside += counts.outside
        total.repeated_pages += counts.repeated_pages
