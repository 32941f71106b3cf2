"""A WHM server whose mail goes on: rows appear at their time, totals follow, requests may fail."""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from cpanel_mail_exporter.model.errors import PollError
from cpanel_mail_exporter.model.query import (
    AnswerEnd,
    Instant,
    SearchQuery,
    Totals,
    TotalsAnswer,
    UserStatsAnswer,
)
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from tests.fake_clock import FakeClock
from tests.unit.ledger.mail import Happened
from tests.unit.polling.model_server import ModelServer

_ALL_TIME = (-(1 << 60), 1 << 60)


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        at_unix: by the exporter's clock.
        what: "totals" or "search".
        span: of the range asked for; of totals as it was put.
        rows: that the answer held.
    """

    at_unix: float
    what: str
    span: Slice
    by: Instant = Instant.SENT
    rows: int = 0


@dataclass
class LivingServer:
    """Implements MailServer.

    Attributes:
        clock: of the exporter, which each answer moves on by `takes_seconds`.
        ahead_seconds: how much later it is by the server's own clock.
        totals_by: which instant ranges of emailtrack_stats are about.
        ends_belong: whether both of their ends belong to them, or neither.
        totals_error: what emailtrack_stats fails with.
        search_error: what every search fails with.
        quirks: of the ModelServer that answers searches.
        breaks: by number of the request from now on, 0 for the next: how many rows are handed on,
            and what the request then fails with.
    """

    clock: FakeClock
    ahead_seconds: int = 0
    totals_by: Instant = Instant.SENT
    ends_belong: bool = True
    totals_error: PollError | None = None
    search_error: PollError | None = None
    takes_seconds: float = 0.0
    quirks: dict[str, Any] = field(default_factory=dict)
    breaks: dict[int, tuple[int, PollError]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    _by: dict[Instant, tuple[list[int], list[Happened]]] = field(default_factory=dict)

    def happen(self, events: Iterable[Happened]) -> None:
        """These happen, each with a row that is to be seen from its time on."""
        self.events += events
        for by in Instant:
            ordered = sorted(self.events, key=lambda event: (_instant(event.record, by), id(event)))
            self._by[by] = [_instant(event.record, by) for event in ordered], ordered

    def now_unix(self) -> int:
        """By the server's own clock."""
        return int(self.clock.now_unix() + self.ahead_seconds)

    def seen(
        self, by: Instant = Instant.SENT, first: int = 0, last: int = 1 << 60
    ) -> list[Happened]:
        """Events whose rows are there now, of both seconds and those between."""
        instants, events = self._by.get(by, ([], []))
        found = events[bisect_left(instants, first) : bisect_right(instants, last)]
        now = self.now_unix()
        return [event for event in found if event.visible_unix <= now]

    async def user_stats(self, start_unix: int, end_unix: int) -> UserStatsAnswer:
        """No sums: not what this server is for."""
        raise NotImplementedError

    async def totals(self, start_unix: int, end_unix: int) -> TotalsAnswer:
        """Sums of the rows that are there."""
        async with _Request(self, Asked(0, "totals", Slice(start_unix, end_unix))) as request:
            if self.totals_error is not None:
                raise self.totals_error
            request.fail_after([])
            inward = 0 if self.ends_belong else 1
            rows = self.seen(self.totals_by, start_unix + inward, end_unix - inward)
            return TotalsAnswer(_totals([event.record for event in rows]), self._end())

    async def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], Awaitable[None]]
    ) -> AnswerEnd:
        """A page of them."""
        async with _Request(self, Asked(0, "search", query.span, query.by)) as request:
            if self.search_error is not None:
                raise self.search_error
            batches: list[list[DeliveryRecord]] = []
            model = ModelServer([event.record for event in self._reachable(query)], **self.quirks)
            end = model.search(query, batches.append)
            for batch in request.fail_after(batches):
                request.rows += len(batch)
                await receive(batch)
            request.fail()
            return AnswerEnd(end.rows_rejected, end.is_cut, self._end().clock_skew_seconds)

    def searches(self, since: int = 0) -> list[Asked]:
        """Those among the requests, from that number on."""
        return [asked for asked in self.asked[since:] if asked.what == "search"]

    def _reachable(self, query: SearchQuery) -> Sequence[Happened]:
        """All that a query could find, quirks of the model considered."""
        by = Instant.SENT if self.quirks.get("acts_by_send") else query.by
        all_count = self.quirks.get("ignores_filters") or self.quirks.get("cap_comes_first")
        first, last = _ALL_TIME if all_count else (query.span.start - 1, query.span.end)
        return self.seen(by, first, last)

    def _end(self) -> AnswerEnd:
        return AnswerEnd(clock_skew_seconds=float(self.ahead_seconds))


class _Request:
    """One request while it is in flight; it is noted when it ends."""

    def __init__(self, server: LivingServer, asked: Asked) -> None:
        self._server = server
        self._asked = asked
        self._at = server.clock.now_unix()
        self._broken: tuple[int, PollError] | None = None
        self._error: PollError | None = None
        self.rows = 0

    async def __aenter__(self) -> Self:
        server = self._server
        server.in_flight += 1
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        await asyncio.sleep(0)  # whoever else would ask now could
        server.clock.pass_by(server.takes_seconds)
        self._broken = server.breaks.pop(0, None)
        server.breaks = {number - 1: how for number, how in server.breaks.items()}
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        server, asked = self._server, self._asked
        server.in_flight -= 1
        server.asked.append(Asked(self._at, asked.what, asked.span, asked.by, self.rows))

    def fail_after(self, batches: list[list[DeliveryRecord]]) -> list[list[DeliveryRecord]]:
        """The rows that are handed on before it fails, all if it doesn't."""
        if self._broken is None:
            return batches
        rows, self._error = self._broken
        found = [record for batch in batches for record in batch][:rows]
        if not found:
            self.fail()
        return [found]

    def fail(self) -> None:
        """If it is to."""
        if self._error is not None:
            raise self._error


def _instant(record: DeliveryRecord, by: Instant) -> int:
    return (record.send_unix if by is Instant.SENT else record.action_unix) or 0


def _totals(records: Sequence[DeliveryRecord]) -> Totals:
    types = [record.type for record in records]
    success, failure, defer = (types.count(kind) for kind in ("success", "failure", "defer"))
    return Totals(
        sent=len({record.msg_id for record in records}),
        success=success,
        failure=failure,
        defer=defer,
        defer_fail=failure + defer,
        in_progress=types.count("inprogress"),
        size_bytes=sum(int(record.size) for record in records),
    )
