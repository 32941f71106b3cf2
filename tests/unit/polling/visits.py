"""One server read poll by poll over one store, across restarts, and what should come of it."""

from collections import Counter

from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.ledger.counters import ATTEMPTS, CounterKey
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.model.query import EVENT_TYPES
from cpanel_mail_exporter.polling.deliveries import DeliveriesReading
from cpanel_mail_exporter.polling.reading_terms import Moment, PollReading, ReadingTerms
from cpanel_mail_exporter.polling.sinks import EventSink, LineSink
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.unit.exposition.blocks_read import lines
from tests.unit.ledger.mail import MEANING, counted, numbers
from tests.unit.polling.living_server import LivingServer

LOGS = LogLines("email_logs", ())
DAYS = 86_400


class Visits:
    """Polls of one server.

    Args:
        window_seconds: how far email_logs reaches back; None switches it off.
        counts: whether events are counted.
        backfill: whether those of before the first poll are too.
    """

    def __init__(
        self,
        server: LivingServer,
        *,
        store: LedgerStore | None = None,
        look_back_seconds: int = 5 * DAYS,
        window_seconds: int | None = DAYS,
        counts: bool = True,
        backfill: bool = False,
        is_single: bool = False,
    ) -> None:
        self.server = server
        self.clock = server.clock
        self.store = MemoryStore() if store is None else store
        self.window_seconds = window_seconds
        self.has_time = True
        self.polls = 0
        self.last = PollReading()
        self._terms = ReadingTerms("web1", EVENT_TYPES, look_back_seconds, is_single=is_single)
        self._counts = counts
        self._backfill = backfill
        self._skew = 0.0
        self.restart()

    def restart(self) -> None:
        """Another process takes over what is stored."""
        self.ledger = Ledger("web1", self.store, MEANING, LedgerTerms(birth_delay_seconds=None))
        events = EventSink(self.ledger, counts_past=self._backfill) if self._counts else None
        shown = None if self.window_seconds is None else LineSink(LOGS, EVENT_TYPES, 0)
        self.reading = DeliveriesReading(self._terms, self.server, events, shown)
        self._skew = 0.0

    async def poll(self, after_seconds: float = 60) -> PollReading:
        """One poll, some time after the last."""
        self.clock.pass_by(after_seconds)
        window = self.window_seconds
        moment = Moment(
            exporter_unix=self.clock.now_unix,
            server_unix=self._server_unix,
            window_start=None if window is None else (lambda now: now - window),
            has_time=lambda: self.has_time,
        )
        self.polls += 1
        self.last = await self.reading.poll(moment)
        return self.last

    async def poll_times(self, polls: int, after_seconds: float = 60) -> None:
        """Several, as far apart as they usually are."""
        for _ in range(polls):
            await self.poll(after_seconds)

    async def poll_until_told(self, most: int, after_seconds: float = 60) -> int:
        """Poll until all is known; gives how many polls that took, and fails after *most*."""
        for number in range(1, most + 1):
            await self.poll(after_seconds)
            self.assert_not_too_much()
            if self.counters() == self.true_counters() and self.shown() == self.true_lines():
                return number
        assert self.counters() == self.true_counters()
        assert self.shown() == self.true_lines()
        raise AssertionError("it was equal in the end")

    def counters(self) -> dict[CounterKey, int]:
        """What the ledger counts; attempts are left out, which may be observed later or never."""
        if not self._counts or self.ledger.counting_since_unix is None:
            return {}
        return _apart_from_attempts(numbers(self.ledger, self.clock.now_unix()))

    def true_counters(self) -> dict[CounterKey, int]:
        """What it should count, as far as rows are there."""
        since = self.ledger.counting_since_unix
        if not self._counts or since is None:
            return {}
        events = self.server.seen()
        horizon = self.ledger.horizon_unix
        return _apart_from_attempts(counted(events, since, forgotten_before_unix=horizon))

    def shown(self) -> Counter[str] | None:
        """The lines of email_logs, None if it isn't whole."""
        return None if self.last.lines is None else Counter(lines(self.last.lines))

    def true_lines(self) -> Counter[str] | None:
        """What they should be."""
        if self.window_seconds is None:
            return None
        start = int(self.clock.now_unix() + self._skew) - self.window_seconds
        if self.server.quirks.get("ignores_filters"):
            start = 0  # whatever a server answers is shown
        records = [event.record for event in self.server.seen(first=start)]
        return Counter({line.text for line in LOGS.render(records)})

    def events(self) -> int:
        """How many are counted."""
        return sum(value for (name, _), value in self.counters().items() if name == "events")

    def assert_not_too_much(self) -> None:
        """No event is counted that didn't happen."""
        true = self.true_counters()
        for key, value in self.counters().items():
            if key[0] in {"events", "user_events"}:
                assert value <= true.get(key, 0), key

    def _server_unix(self, skew: float | None) -> int:
        self._skew = self._skew if skew is None else skew
        return int(self.clock.now_unix() + self._skew)


def _apart_from_attempts(found: dict[CounterKey, int]) -> dict[CounterKey, int]:
    return {key: n for key, n in found.items() if n and not key[0].startswith(f"{ATTEMPTS}_")}
