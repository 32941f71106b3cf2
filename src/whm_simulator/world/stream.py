"""The mail of one server at any instant, without playing up to it.

Every minute of send time is written from a key of seed, server and minute alone, and so are hours
of what happens seldom. What was written is kept in a bounded cache that all servers share.
"""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import tzinfo

from whm_simulator.mail.queue import queue_of
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import AccountCard, Interrupted, Queued, Span
from whm_simulator.mail.sums import Sender, Sums, sums_of
from whm_simulator.world.cache import BlockCache
from whm_simulator.world.chronicle import Chronicle
from whm_simulator.world.courses import MOST_ORDINARY_RETRIES
from whm_simulator.world.lingering import FROZEN_SECONDS, Lingering, lingering_of
from whm_simulator.world.replies import reason_of
from whm_simulator.world.retry import LONGEST_FIRST_SECONDS, RETRY_OFFSETS_SECONDS
from whm_simulator.world.scribe import Scribe
from whm_simulator.world.settings import WorldSettings
from whm_simulator.world.site import Site
from whm_simulator.world.tally_book import TallyBook

__all__ = ["BlockCache", "World", "WorldSettings"]

_LONGEST_GAP_SECONDS = 7 * 3600
"""More than from one retry to the next; by then what a bad day put off has ended."""

_ORDINARY_END_SECONDS = RETRY_OFFSETS_SECONDS[MOST_ORDINARY_RETRIES] + 2 * LONGEST_FIRST_SECONDS
"""An ordinary message has left the queue by then."""


@dataclass(slots=True)
class World:
    """The mail of the server called *name*, the *number*-th of its simulation (from 1).

    Mail sent longer ago than the history has no rows any more, as after eximstats' retention; the
    queue is Exim's own and forgets nothing.
    """

    settings: WorldSettings
    name: str
    number: int
    cache: BlockCache
    stopping: threading.Event = field(default_factory=threading.Event)
    site: Site = field(init=False)
    _chronicle: Chronicle = field(init=False)
    _scribe: Scribe = field(init=False)
    _book: TallyBook = field(init=False)

    def __post_init__(self) -> None:
        self.site = Site(self.settings, self.name, self.number)
        self._chronicle = Chronicle(self.site)
        self._scribe = Scribe(self.site, self._chronicle, self.cache.blocks, self.stopping)
        self._book = TallyBook(self.name, self.cache.tallies, self._scribe.block)

    @property
    def hostname(self) -> str:
        """The server's own name."""
        return self.site.hostname

    @property
    def zone(self) -> tzinfo:
        """The server's own time zone."""
        return self.settings.zone

    def accounts(self, now_unix: float) -> tuple[AccountCard, ...]:
        """The server's accounts, by user name."""
        cards = (
            AccountCard(
                account.user,
                account.domain,
                account.owner,
                account.domains,
                account.max_email_per_hour,
                account.max_defer_fail_percentage,
                is_outgoing_suspended=self.site.is_suspended(account.user, now_unix),
            )
            for account in self.site.accounts
        )
        return tuple(sorted(cards))

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """Rows that exist at *now_unix*, oldest send time first."""
        first, last = self._within_history(now_unix, span)
        minutes: list[int] | range = range(first // 60, last // 60 + 1)
        if last < first:
            return []
        if acted is not None:
            minutes = self._minutes_acting(first, last, acted)
        found: list[Row] = []
        for minute in minutes:
            rows = self._scribe.block(minute).visible(now_unix)
            if minute * 60 < first or minute * 60 + 59 > last:
                rows = [row for row in rows if first <= row.sendunixtime <= last]
            if acted is not None:
                rows = [
                    row
                    for row in rows
                    if row.actionunixtime is not None
                    and acted.first_unix <= row.actionunixtime <= acted.last_unix
                ]
            found += rows
        return found

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        """Sums over the rows of *span* that exist at *now_unix*, by sender."""
        first, last = self._within_history(now_unix, span)
        settled_unix = math.floor(now_unix) - LONGEST_FIRST_SECONDS
        begin, end = -(-first // 60), min(last + 1, settled_unix) // 60
        if end <= begin:
            return sums_of(self.rows(now_unix, span))
        found = sums_of(
            self.rows(now_unix, Span(first, begin * 60 - 1))
            + self.rows(now_unix, Span(end * 60, last))
        )
        for tally in self._book.tallies(begin, end):
            tally.add_to(found, now_unix)
        return found

    def queue(self, now_unix: float) -> list[Queued]:
        """What Exim still holds at *now_unix*, oldest first."""
        now, block = math.floor(now_unix), self._scribe.block
        minutes = set(range((now - LONGEST_FIRST_SECONDS) // 60, now // 60 + 1))
        for first_unix, last_unix in self._times_of_deferrals(now):
            for tally in self._book.tallies(first_unix // 60, min(last_unix, now) // 60 + 1):
                minutes |= tally.minutes_acting_after(now_unix)
        rows = [row for minute in sorted(minutes) for row in block(minute).visible(now_unix)]
        found = {queued.msgid: queued for queued in queue_of(rows)}
        hour = now // 3600
        for begun in range(hour - FROZEN_SECONDS // 3600 - 1, hour + 1):
            for lingering in self._lingering(begun):
                queued = lingering.at(now_unix)
                if queued is not None:
                    found[queued.msgid] = queued
        return sorted(found.values(), key=lambda queued: (queued.time_unix, queued.msgid))

    def reason(self, row: Row) -> str | None:
        """Why *row* failed or was deferred."""
        return reason_of(row)

    def _within_history(self, now_unix: float, span: Span | None) -> tuple[int, int]:
        first, last = math.ceil(now_unix - self.settings.history_seconds), math.floor(now_unix)
        if span is not None:
            first, last = max(first, span.first_unix), min(last, span.last_unix)
        return first, last

    def _minutes_acting(self, first: int, last: int, acted: Span) -> list[int]:
        """Minutes of a range of send times that have attempts in *acted*, by first or by retry."""
        begin, end = first // 60, min(last, acted.last_unix) // 60 + 1
        minutes = set(range(max(begin, (acted.first_unix - LONGEST_FIRST_SECONDS) // 60), end))
        for tally in self._book.tallies(begin, end):
            minutes |= tally.minutes_acting(acted.first_unix, acted.last_unix)
        return sorted(minutes)

    def _times_of_deferrals(self, now_unix: int) -> Iterator[tuple[int, int]]:
        """Ranges of send time whose ordinary messages may wait for a retry at *now_unix*."""
        yield now_unix - _ORDINARY_END_SECONDS, now_unix
        for day in self.settings.bad_days:
            if day.start_unix <= now_unix < day.end_unix + _LONGEST_GAP_SECONDS:
                yield day.start_unix, day.end_unix

    def _lingering(self, hour: int) -> tuple[Lingering, ...]:
        key = self.name, hour
        found = self.cache.lingering.get(key)
        if found is None:
            if self.stopping.is_set():
                raise Interrupted
            found = tuple(lingering_of(self.site, self._chronicle.stories(hour)))
            self.cache.lingering.put(key, found, len(found) + 1)
        return found
