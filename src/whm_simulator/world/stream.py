"""The mail of one server at any instant, without playing up to it.

Every minute of send time is written from a key of seed, server and minute alone; written minutes
are kept in a bounded cache that all servers share.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from whm_simulator.mail.queue import queue_of
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import AccountCard, Interrupted, Queued, Span
from whm_simulator.mail.sums import Sender, Sums, sums_of
from whm_simulator.world.accounts import accounts_of
from whm_simulator.world.blocks import Block
from whm_simulator.world.chance import Dice
from whm_simulator.world.plan import HOUR_SECONDS, SHARES, Hour, Slot, Source, plan_hour
from whm_simulator.world.replies import reason_of
from whm_simulator.world.writing import Site, write_minute

_PLANS_KEPT = 3


class BlockCache:
    """Written minutes of all servers, the least recently used thrown out. Safe across threads."""

    def __init__(self, max_rows: int) -> None:
        self._max_rows = max_rows
        self._rows = 0
        self._blocks: OrderedDict[tuple[str, int], Block] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, server: str, minute: int) -> Block | None:
        """The block of *minute*, None if it must be written."""
        with self._lock:
            block = self._blocks.get((server, minute))
            if block is not None:
                self._blocks.move_to_end((server, minute))
            return block

    def put(self, server: str, minute: int, block: Block) -> None:
        """Keep *block*, and throw out others until the bound holds."""
        with self._lock:
            if (server, minute) in self._blocks:
                return
            self._blocks[server, minute] = block
            self._rows += self._cost(block)
            while self._rows > self._max_rows and len(self._blocks) > 1:
                _, oldest = self._blocks.popitem(last=False)
                self._rows -= self._cost(oldest)

    @staticmethod
    def _cost(block: Block) -> int:
        return len(block.attempts) + 1


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """What all servers of a simulation have in common."""

    seed: str = "1"
    accounts: int = 10
    rate_per_minute: float = 20.0
    history_seconds: int = 86_400
    zone: tzinfo = UTC
    max_cached_rows: int = 400_000


@dataclass(slots=True)
class World:
    """The mail of the server called *name*, the *number*-th of its simulation (from 1).

    Every second server runs an Exim before 4.97, whose message ids are shorter.
    """

    settings: WorldSettings
    name: str
    number: int
    cache: BlockCache
    stopping: threading.Event = field(default_factory=threading.Event)
    site: Site = field(init=False)
    _plans: OrderedDict[int, tuple[tuple[Slot, ...], ...]] = field(
        init=False, default_factory=OrderedDict
    )
    _writing: threading.Lock = field(init=False, default_factory=threading.Lock)

    def __post_init__(self) -> None:
        settings = self.settings
        accounts = accounts_of(
            settings.seed,
            self.name,
            settings.accounts,
            settings.rate_per_minute * SHARES[Source.ACCOUNT],
        )
        self.site = Site(f"{self.name}.example.net", accounts, self.number % 2 == 0, settings.zone)

    @property
    def hostname(self) -> str:
        """The server's own name."""
        return self.site.hostname

    @property
    def zone(self) -> tzinfo:
        """The server's own time zone."""
        return self.settings.zone

    def accounts(self, now_unix: float) -> tuple[AccountCard, ...]:  # noqa: ARG002 - they stay
        """The server's accounts, by user name."""
        cards = (
            AccountCard(
                account.user,
                account.domain,
                account.owner,
                (account.domain,),
                account.max_email_per_hour,
                is_suspended=False,
            )
            for account in self.site.accounts
        )
        return tuple(sorted(cards))

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """Rows that exist at *now_unix*, oldest send time first.

        Mail sent more than the history before *now_unix* is gone, as after eximstats' retention.
        """
        found: list[Row] = []
        first, last = self._within_history(now_unix, span)
        for minute, block in self._blocks(first, last):
            rows = block.visible(now_unix)
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
        return sums_of(self.rows(now_unix, span))

    def queue(self, now_unix: float) -> list[Queued]:
        """What Exim still holds at *now_unix*, oldest first."""
        return queue_of(self.rows(now_unix))

    def reason(self, row: Row) -> str | None:
        """Why *row* failed or was deferred."""
        return reason_of(row)

    def _within_history(self, now_unix: float, span: Span | None) -> tuple[int, int]:
        first, last = math.ceil(now_unix - self.settings.history_seconds), math.floor(now_unix)
        if span is not None:
            first, last = max(first, span.first_unix), min(last, span.last_unix)
        return first, last

    def _blocks(self, first_unix: int, last_unix: int) -> Iterator[tuple[int, Block]]:
        if last_unix < first_unix:
            return
        for minute in range(first_unix // 60, last_unix // 60 + 1):
            if self.stopping.is_set():
                raise Interrupted
            yield minute, self._block(minute)

    def _block(self, minute: int) -> Block:
        block = self.cache.get(self.name, minute)
        if block is not None:
            return block
        with self._writing:
            block = self.cache.get(self.name, minute)
            if block is None:
                slots = self._plan(minute * 60 // HOUR_SECONDS * HOUR_SECONDS)[minute % 60]
                dice = Dice(self.settings.seed, self.name, "minute", minute)
                block = write_minute(dice, self.site, slots)
                self.cache.put(self.name, minute, block)
        return block

    def _plan(self, hour_unix: int) -> tuple[tuple[Slot, ...], ...]:
        plan = self._plans.get(hour_unix)
        if plan is None:
            settings = self.settings
            wall = datetime.fromtimestamp(hour_unix, settings.zone)
            hour = Hour(settings.seed, self.name, hour_unix, wall.hour, wall.weekday() >= 5)
            plan = plan_hour(hour, self.site.accounts, settings.rate_per_minute)
            self._plans[hour_unix] = plan
            while len(self._plans) > _PLANS_KEPT:
                self._plans.popitem(last=False)
        return plan
