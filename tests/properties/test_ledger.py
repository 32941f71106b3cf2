"""However mail is read and whatever breaks meanwhile, the totals are those of one perfect read."""

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from cpanel_mail_exporter.ledger.change import Change
from cpanel_mail_exporter.ledger.counters import SMTP_REPLIES, USER_EVENTS, CounterKey
from cpanel_mail_exporter.ledger.identity import event_identity
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.model.errors import StorageFailed
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.storage.memory import MemoryStore
from cpanel_mail_exporter.storage.sqlite import SqliteStore
from tests.unit.ledger.mail import (
    MEANING,
    REASONS,
    WAYS,
    Happened,
    counted,
    nonzero,
    performed,
    remembered,
    row,
)

START = 1_000_000
LATEST = 3_600
FOUND_WITHIN = 300
SETTLE = LATEST + FOUND_WITHIN
KINDS = st.sampled_from(["success", "failure", "success", "defer", "archived"])
TEXTS = st.sampled_from([*REASONS, "nobody has a rule for this"])


class Breaking:
    """A store whose commits can be made to fail, with or without having been stored."""

    def __init__(self, store: LedgerStore) -> None:
        self.store = store
        self.breaks: list[str] = []

    def commit(self, change: Change) -> None:
        if not self.breaks:
            self.store.commit(change)
            return
        if self.breaks.pop() == "after":
            self.store.commit(change)
        raise StorageFailed("web1", "storage", "broken on purpose")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


class LedgerMachine(RuleBasedStateMachine):
    """Mail goes on while it is read in pieces; at the end all is read once more, whole."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.events: list[Happened] = []
        self.waiting: list[tuple[int, int, DeliveryRecord]] = []
        self.messages = 0
        self.texts: dict[int, str] = {}
        self.read_whole: dict[int, int] = {}
        self.forgotten = 0
        self.last: dict[CounterKey, int] = {}
        self.store = Breaking(self.new_store())
        self.limits = {USER_EVENTS: 0, SMTP_REPLIES: 0}

    def new_store(self) -> LedgerStore:
        return MemoryStore()

    def survivor(self) -> LedgerStore:
        """What a killed process leaves."""
        return self.store.store

    @initialize(
        users=st.sampled_from([0, 1, 2]),
        replies=st.sampled_from([0, 1, 2]),
        counts_past=st.booleans(),
    )
    def begin(self, users: int, replies: int, counts_past: bool) -> None:
        self.limits = {USER_EVENTS: users, SMTP_REPLIES: replies}
        self.restart()
        self.since = self.ledger.begin(START, counts_past=counts_past)
        assert self.since == (0 if counts_past else START)

    def restart(self) -> None:
        terms = LedgerTerms(
            user_limit=self.limits[USER_EVENTS],
            reply_limit=self.limits[SMTP_REPLIES],
            settle_seconds=SETTLE,
        )
        self.ledger = Ledger("web1", self.store, MEANING, terms)  # type: ignore[arg-type]

    @rule(seconds=st.sampled_from([1, 60, 1_000, 4_000, 9_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    @rule(
        ago=st.integers(0, 3),
        ways=st.lists(st.sampled_from(sorted(WAYS)), min_size=1, max_size=3),
        data=st.data(),
    )
    def mail_is_sent(self, ago: int, ways: list[str], data: st.DataObject) -> None:
        """A message to some recipients, each with deferrals and then perhaps an outcome."""
        sent = self.now - ago
        self.messages += 1
        msg_id = f"m{self.messages}"
        size = str(data.draw(st.sampled_from([0, 900, 5_000, 60_000_000])))
        for number, way in enumerate(ways):
            to = {"msg_id": msg_id, "recipient": f"r{number}@example.net", "size": size}
            acted = sent
            self.waiting.append((sent, sent, row(way, "inprogress", sent, None, **to)))
            for _ in range(data.draw(st.integers(0, 3))):
                acted += data.draw(st.sampled_from([0, 1, 60, 2_000]))
                copies = data.draw(st.sampled_from([1, 1, 2]))
                self.happens(way, row(way, "defer", sent, acted, **to), copies, data)
            acted += data.draw(st.sampled_from([0, 1, 10, 500, 9_000]))
            for place, kind in enumerate(data.draw(st.lists(KINDS, max_size=3))):
                copies = data.draw(st.sampled_from([1, 1, 3]))
                to["delivered_to"] = f"d{place}"
                self.happens(way, row(way, kind, sent, acted, **to), copies, data)
                acted += data.draw(st.sampled_from([0, 0, 7]))

    def happens(self, way: str, record: DeliveryRecord, copies: int, data: st.DataObject) -> None:
        assert record.action_unix is not None
        # Rows that are alike but for their text are any one of them.
        text = self.texts.setdefault(event_identity(record), data.draw(TEXTS))
        record = record._replace(message=text)
        late = data.draw(st.sampled_from([0, 0, 5, LATEST]))
        self.events += [Happened(way, record, record.action_unix + late)] * copies

    def visible(self, span: Slice) -> list[DeliveryRecord]:
        rows = [
            event.record
            for event in self.events
            if event.visible_unix <= self.now and event.record.send_unix in span
        ]
        return rows + [record for _, sent, record in self.waiting if sent in span]

    @rule(
        length=st.sampled_from([1, 60, 50_000, 50_000]),
        data=st.data(),
        breaks=st.lists(st.sampled_from(["before", "after"]), max_size=1),
    )
    def read(self, length: int, data: st.DataObject, breaks: list[str]) -> None:
        """One answer: shuffled, perhaps cut, perhaps lost on its way to the store."""
        sent = [event.record.send_unix or 0 for event in self.events] or [self.now]
        start = data.draw(st.sampled_from(sent)) - length // 2
        span = Slice(start, start + length)
        rows = data.draw(st.permutations(self.visible(span)))
        is_cut = data.draw(st.booleans())
        if is_cut:
            rows = rows[: data.draw(st.integers(0, len(rows)))]
        self.store.breaks = list(breaks)
        try:
            self.ledger.learn(rows, self.now, {"mark": str(self.now)})
        except StorageFailed:
            self.ledger.begin(self.now)
            return
        finally:
            self.store.breaks = []
        assert self.ledger.cursors() == {"mark": str(self.now)}
        if not is_cut:
            self.read_whole.update(dict.fromkeys(range(span.start, span.end), self.now))

    @rule()
    def read_everything(self) -> None:
        """As a server does that ignores filters."""
        self.ledger.learn(self.visible(Slice(0, 2**40)), self.now)
        sent = {event.record.send_unix or 0 for event in self.events}
        self.read_whole.update(dict.fromkeys(sent, self.now))

    @rule(breaks=st.lists(st.sampled_from(["before", "after"]), max_size=1))
    def settle(self, breaks: list[str]) -> None:
        held = [
            Slice(second, second + 1)
            for second in {event.record.send_unix or 0 for event in self.events}
            if self.read_whole.get(second, 0) < self.now - FOUND_WITHIN
        ]
        self.store.breaks = list(breaks)
        try:
            self.ledger.settle(self.now, held)
        except StorageFailed:
            self.ledger.begin(self.now)
        finally:
            self.store.breaks = []

    @precondition(lambda self: self.events)
    @rule(breaks=st.lists(st.sampled_from(["before", "after"]), max_size=1))
    def forget(self, breaks: list[str]) -> None:
        """Mail that nothing more will happen to, all of it read."""
        unread = [
            event.record.send_unix or 0
            for event in self.events
            if event.visible_unix > self.read_whole.get(event.record.send_unix or 0, 0)
        ]
        before = min([*unread, self.now - 3])
        self.store.breaks = list(breaks)
        try:
            self.ledger.forget(before)
        except StorageFailed:
            self.ledger.begin(self.now)
        finally:
            self.store.breaks = []
        self.forgotten = max(self.forgotten, self.ledger.horizon_unix)

    @rule(breaks=st.lists(st.sampled_from(["before", "after"]), max_size=2))
    def watch(self, breaks: list[str]) -> None:
        """Slots become hours, and nothing of them is lost or there twice."""
        self.store.breaks = list(breaks)
        try:
            self.ledger.watch(self.now)
        except StorageFailed:
            self.ledger.begin(self.now)
        finally:
            self.store.breaks = []

    @rule()
    def killed(self) -> None:
        """What wasn't committed is gone; the rest goes on without notice."""
        self.ledger.watch(self.now)
        before = self.ledger.last_hour(self.now), self.ledger.spam_runs()
        self.store = Breaking(self.survivor())
        self.restart()
        assert self.ledger.begin(self.now) == self.since
        self.ledger.watch(self.now)
        assert (self.ledger.last_hour(self.now), self.ledger.spam_runs()) == before

    @rule()
    def rests(self) -> None:
        self.ledger.rest()

    @invariant()
    def numbers_agree_and_none_falls(self) -> None:
        if not hasattr(self, "since"):
            return
        stored = self.store.counters()
        self.ledger.load()
        assert self.ledger._figures._counters == stored
        for key, value in self.last.items():
            if key[0] != "deferred_recipients":
                assert stored.get(key, 0) >= value, key
        self.last = stored
        outcomes = last_label_summed(stored, USER_EVENTS)
        assert outcomes == first_label_summed(stored, "events")
        for name, outcome in (("failures", "failure"), ("deferrals", "defer")):
            assert sum(first_label_summed(stored, name).values()) == outcomes[outcome]

    def teardown(self) -> None:
        if not hasattr(self, "since"):
            return
        self.now += 50_000
        self.read_everything()
        self.ledger.settle(self.now)
        perfect = counted(self.events, self.since, forgotten_before_unix=self.forgotten)
        assert nonzero(exact(self.store.counters(), self.limits)) == exact(perfect, self.limits)
        assert self.ledger.settle(self.now) == 0
        self.ledger.begin(self.now)
        assert remembered(self.store) == performed(self.events)
        self.ledger.watch(self.now)
        assert remembered(self.store) == performed(self.events)
        self.ledger.close()


def exact(numbers: dict[CounterKey, int], limits: dict[str, int]) -> dict[CounterKey, int]:
    """Where a family has a limit, label sets may share a series, so only sums are fixed."""
    found = {key: value for key, value in numbers.items() if not limits.get(key[0])}
    if limits[USER_EVENTS]:
        outcomes = last_label_summed(numbers, USER_EVENTS)
        found |= {(USER_EVENTS, (outcome,)): value for outcome, value in outcomes.items()}
    if limits[SMTP_REPLIES]:
        found[SMTP_REPLIES, ()] = sum(first_label_summed(numbers, SMTP_REPLIES).values())
    return nonzero(found)


def first_label_summed(numbers: dict[CounterKey, int], family: str) -> Counter[str]:
    return _label_summed(numbers, family, 0)


def last_label_summed(numbers: dict[CounterKey, int], family: str) -> Counter[str]:
    return _label_summed(numbers, family, -1)


def _label_summed(numbers: dict[CounterKey, int], family: str, place: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for (name, labels), value in numbers.items():
        if name == family:
            found[labels[place]] += value
    return found


class SqliteMachine(LedgerMachine):
    """The same with files; a kill leaves the file and its log as they are at that instant."""

    def new_store(self) -> LedgerStore:
        self.folder = Path(tempfile.mkdtemp())
        self.lives = 0
        return SqliteStore("web1", self.folder / "0.sqlite")

    def survivor(self) -> LedgerStore:
        old = self.store.store
        self.lives += 1
        copy = self.folder / f"{self.lives}.sqlite"
        for ending in ("", "-wal"):
            source = Path(f"{old.path}{ending}")  # type: ignore[attr-defined]
            if source.exists():
                shutil.copy(source, f"{copy}{ending}")
        old.close()
        return SqliteStore("web1", copy)

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.store.close()
            shutil.rmtree(self.folder)


thorough = settings(
    max_examples=150,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestInMemory = LedgerMachine.TestCase
TestInMemory.settings = thorough
TestInSqlite = SqliteMachine.TestCase
TestInSqlite.settings = settings(thorough, max_examples=60)
