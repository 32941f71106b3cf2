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

from whm_simulator.world.accounts import accounts_of
from whm_simulator.world.blocks import Block, Refusal
from whm_simulator.world.chance import Dice
from whm_simulator.world.plan import HOUR_SECONDS, SHARES, Hour, Slot, Source, plan_hour
from whm_simulator.world.rows import Row
from whm_simulator.world.writing import Site, write_minute

_PLANS_KEPT = 3


class Interrupted(Exception):
    """The simulator is being stopped; the answer that was being built is not wanted any more."""


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


@dataclass(frozen=True, slots=True)
class Span:
    """Send times from *first_unix* to *last_unix*, both included; empty if the last is earlier."""

    first_unix: int
    last_unix: int


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

    def rows(self, now_unix: float, span: Span | None = None) -> list[Row]:
        """Rows that exist at *now_unix*, oldest send time first.

        Mail sent more than the history before *now_unix* is gone, as after eximstats' retention.

        Args:
            now_unix: the instant that is asked about; may lie in the future.
            span: only mail sent in this range; None for all.

        Raises:
            Interrupted: *stopping* was set meanwhile.
        """
        found: list[Row] = []
        first, last = self._within_history(now_unix, span)
        for minute, block in self._blocks(first, last):
            rows = block.visible(now_unix)
            if minute * 60 < first or minute * 60 + 59 > last:
                rows = [row for row in rows if first <= row.sendunixtime <= last]
            found += rows
        return found

    def refusals(self, now_unix: float, span: Span | None = None) -> dict[str, Refusal]:
        """The limits that messages of *span* ran into, by message id, oldest first."""
        first, last = self._within_history(now_unix, span)
        found: dict[str, Refusal] = {}
        for _, block in self._blocks(first, last):
            found |= block.refusals
        return found

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
