"""A simulated server's mail, read perfectly into a real ledger, and judged once a minute.

Mail from elsewhere is left out.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.model.reason import Reason
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.spam_runs.signals import Signals
from cpanel_mail_exporter.storage.memory import MemoryStore
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Span
from whm_simulator.world.cache import BlockCache
from whm_simulator.world.incidents import BadDay, Compromise
from whm_simulator.world.settings import WorldSettings
from whm_simulator.world.stream import World

MONDAY = 1_793_577_600
"""2026-11-02 00:00:00 UTC."""
DAY = 86_400
_HOUR = 3_600
_ALL_IS_OVER_SECONDS = 30 * DAY
_LOOK_BACK_SECONDS = 5 * DAY


class TrueReasons:
    """A Meaning that knows what the simulator's texts were made for."""

    def __init__(self) -> None:
        self.by_text: dict[str, Reason] = {}

    def reason(self, record: DeliveryRecord) -> Reason:
        return self.by_text.get(record.message) or Reason("other", "soft")

    def provider(self, host: str, domain: str) -> str:
        return "other"


@dataclass
class Play:
    """One server from an instant on.

    Args:
        seed: which mail there is.
        accounts: how many accounts; seven have one of each habit.
        rate_per_minute: messages of all of them, and half as much from elsewhere.
        compromises: accounts that send spam.
        bad_days: sites that take mail badly for a while.
        store: where the ledger is kept.
        meaning: says which recipients don't exist; that of the simulator if it is None.
    """

    seed: str
    accounts: int = 14
    rate_per_minute: float = 20
    compromises: Sequence[Compromise] = ()
    bad_days: Sequence[BadDay] = ()
    begin_unix: int = MONDAY
    store: LedgerStore = field(default_factory=MemoryStore)
    meaning: Meaning | None = None
    rows: int = 0

    def __post_init__(self) -> None:
        settings = WorldSettings(
            seed=self.seed,
            accounts=self.accounts,
            rate_per_minute=self.rate_per_minute,
            history_seconds=2 * _ALL_IS_OVER_SECONDS,
            compromises=tuple(self.compromises),
            bad_days=tuple(self.bad_days),
        )
        self.world = World(settings, "web1", 1, BlockCache(1_000))
        self._true = TrueReasons()
        self.now = self._read_until = self.begin_unix
        self._acting: dict[int, list[DeliveryRecord]] = defaultdict(list)
        self.restart()

    def restart(self) -> None:
        """Another process goes on with what was stored."""
        terms = LedgerTerms(user_limit=0, birth_delay_seconds=None)
        self.ledger = Ledger("web1", self.store, self.meaning or self._true, terms)
        self.ledger.begin(self.now, counts_past=True)

    def passes(self, seconds: int) -> None:
        """Time goes by unjudged, as in a first fill: what happened is learned hour by hour."""
        end = self.now + seconds
        while self.now < end:
            self._go_on(min(_HOUR, end - self.now))
            self.ledger.watch(self.now)

    def minutes(self, number: int, each: int = 1) -> Iterator[Sequence[Signals]]:
        """What is seen at the end of each of so many minutes, or of *each* of them."""
        for _ in range(number // each):
            self._go_on(60 * each)
            self.ledger.watch(self.now)
            yield self.ledger.spam_runs() or ()

    def _go_on(self, seconds: int) -> None:
        """Learn all that happens in the next *seconds*."""
        end = self.now + seconds
        while self._read_until < end:
            first = self._read_until
            self._read_until += _HOUR
            later = self._read_until + _ALL_IS_OVER_SECONDS
            for row in self.world.rows(later, Span(first, self._read_until - 1)):
                if row.user == "-remote-":
                    continue  # nearly half of all, and nobody's activity
                assert row.actionunixtime is not None
                self._acting[row.actionunixtime // 60].append(self._record(row))
        records = [
            record
            for minute in range(self.now // 60, end // 60)
            for record in self._acting.pop(minute, ())
        ]
        self.now = end
        self.rows += len(records)
        self.ledger.learn(records, end)
        if end % DAY == 0:
            self.ledger.settle(end)
            self.ledger.forget(end - _LOOK_BACK_SECONDS)

    def _record(self, row: Row) -> DeliveryRecord:
        reason = self.world.reason(row)
        if reason is not None and row.message is not None:
            self._true.by_text[row.message] = Reason(reason, "soft")
        values = (
            row.actionunixtime, row.deliveredto, row.deliverydomain, row.deliveryuser, row.domain,
            row.host, row.ip, row.message, row.msgid, row.recipient, row.router, row.sender,
            row.senderauth, row.senderhost, row.senderip, row.sendunixtime, row.size,
            row.actiontime, row.transport, row.transport_is_remote, row.type, row.user,
        )  # fmt: skip
        texts = ("" if value is None else str(value) for value in values)
        return DeliveryRecord(*texts, row.sendunixtime, row.actionunixtime)
