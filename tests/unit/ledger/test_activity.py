"""Whose activity an event is, when, and what it counts as."""

from typing import Any

import pytest

from cpanel_mail_exporter.ledger.activity import network_of
from cpanel_mail_exporter.ledger.apply import apply
from cpanel_mail_exporter.ledger.change import Change, Known
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.model.accounts import LastHour
from cpanel_mail_exporter.model.errors import StorageFailed
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.sketch import distinct
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.unit.ledger.mail import MEANING, row

T = 1_000_800
HOUR = 3_600
NOBODY = {"message": "550-5.1.1 no such user"}


def begun(store: MemoryStore, now: int = T) -> Ledger:
    ledger = Ledger("web1", store, MEANING, LedgerTerms(birth_delay_seconds=None))
    ledger.begin(now)
    return ledger


def sent(ledger: Ledger, count: int, acted: int, user: str = "acc1", **more: Any) -> None:
    """So many recipients of one account take its mail at once."""
    ledger.learn(
        [
            row("outbound", "success", acted, acted, user=user, recipient=f"r{n}@x.example", **more)
            for n in range(count)
        ],
        acted,
    )


@pytest.mark.parametrize(
    ("way", "kind", "labels", "expected"),
    [
        ("outbound", "success", {}, LastHour(sent=1)),
        ("outbound", "defer", {}, LastHour(deferred=1)),
        ("outbound", "failure", {}, LastHour(failed=1)),
        ("internal", "success", {}, None),
        ("inbound", "success", {}, None),
        ("forwarded", "success", {}, None),
        ("outbound", "success", {"user": ""}, None),
        ("outbound", "archived", {}, None),
        ("refused", "failure", {}, None),
        ("refused", "defer", {}, None),
        ("outbound", "success", {"user": "root"}, LastHour(sent=1)),
        ("outbound", "failure", {"transport": "", "delivery_user": ""}, LastHour(failed=1)),
        ("outbound", "success", {"transport": "", "delivery_user": ""}, None),
    ],
)
def test_what_goes_to_other_servers_is_an_accounts_activity(
    way: str, kind: str, labels: dict[str, str], expected: LastHour | None
) -> None:
    ledger = begun(MemoryStore())
    record = row(way, kind, T, T, **labels)
    ledger.learn([record], T)
    assert ledger.last_hour(T) == ({} if expected is None else {record.user: expected})


def test_what_happened_before_counting_began_is_activity_too() -> None:
    """So there is a past once the look-back has been read for the first time."""
    ledger = begun(MemoryStore())
    sent(ledger, 3, T - 60)
    assert ledger.last_hour(T) == {"acc1": LastHour(sent=3)}
    published = ledger.published(T)
    assert published is not None
    assert not any(published.numbers.values())


def test_only_first_attempts_are_recipients_tried_and_only_receivers_know_nobody() -> None:
    records = [
        row("outbound", "failure", T, T + 600, **NOBODY),
        row("outbound", "failure", T, T + 601, **NOBODY),
        row("outbound", "failure", None, T + 602),
        row("refused", "failure", T + 603, T + 603, **NOBODY),
    ]
    ((key, found),) = apply(Known(), records, MEANING, 0).change.activity.items()
    assert key == ("acc1", T + 600)
    assert found[:6] == (3, 0, 0, 3, 2, 1)


def test_sets_are_of_senders_networks_and_recipients() -> None:
    records = []
    for n, ip in enumerate(
        ("192.0.2.1", "192.0.2.2", "198.51.100.1", "2001:db8:1:2::3", "2001:db8:1:4::5", "::1", "")
    ):
        sender = "" if n == 3 else f"s{n % 2}@example.com"
        records.append(
            row("outbound", "success", T, T, sender_ip=ip, sender=sender, recipient=f"r{n // 2}@x")
        )
    ((_, found),) = apply(Known(), records, MEANING, 0).change.activity.items()
    assert distinct(found.addresses, 256) == 2
    assert distinct(found.networks, 256) == 3
    assert distinct(found.recipients, 1_024) == 4


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.77", "192.0.2"),
        ("::ffff:192.0.2.77", "192.0.2"),
        ("2001:db8:1::7", "2001:db8:1"),
        ("2001:0db8:0001:0002::7", "2001:db8:1"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("0.0.0.0", ""),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_networks(ip: str, network: str) -> None:
    assert network_of(ip) == network


def test_the_last_hour_goes_by_time_of_action_and_moves_on() -> None:
    ledger = begun(MemoryStore())
    ledger.learn([row("outbound", "success", T - 9 * HOUR, T, user="late")], T)
    sent(ledger, 10, T)
    sent(ledger, 4, T + 600)
    assert ledger.last_hour(T + 700) == {"acc1": LastHour(sent=14), "late": LastHour(sent=1)}
    assert ledger.last_hour(T + HOUR + 180) == {"acc1": LastHour(sent=8)}, "2 of 5 minutes of 10"
    assert ledger.last_hour(T + HOUR + 300) == {"acc1": LastHour(sent=4)}
    ledger.watch(T + HOUR + 1_200)
    assert ledger.last_hour(T + HOUR + 1_200) == {}


def test_the_past_hour_is_there_again_after_a_restart() -> None:
    store = MemoryStore()
    ledger = begun(store)
    sent(ledger, 10, T)
    again = begun(store, T + 900)
    assert again.last_hour(T + 900) == {"acc1": LastHour(sent=10)}
    assert begun(store, T + 5 * HOUR).last_hour(T + 5 * HOUR) == {}


class StoredThough(MemoryStore):
    """Its next commit is stored, and fails all the same."""

    is_failing = False

    def commit(self, change: Change) -> None:
        super().commit(change)
        if self.is_failing:
            self.is_failing = False
            raise StorageFailed("web1", "storage", "on purpose")


def test_after_a_failure_the_past_hour_is_read_again() -> None:
    """What was stored though it seemed to fail is in it, once."""
    store = StoredThough()
    ledger = begun(store)
    sent(ledger, 2, T - 60, msg_id="m1")
    store.is_failing = True
    with pytest.raises(StorageFailed):
        sent(ledger, 5, T)
    assert ledger.last_hour(T) == {"acc1": LastHour(sent=2)}
    ledger.begin(T)
    assert ledger.last_hour(T) == {"acc1": LastHour(sent=7)}
    sent(ledger, 5, T)
    assert ledger.last_hour(T) == {"acc1": LastHour(sent=7)}


def test_slots_become_hours_and_hours_are_forgotten_after_four_weeks() -> None:
    store = MemoryStore()
    ledger = begun(store)
    first = T - T % HOUR
    sent(ledger, 5, first, msg_id="m1")
    sent(ledger, 7, first + 400, msg_id="m2")
    ledger.watch(first + 4 * HOUR - 1)
    assert (store.oldest_activity(), store.oldest_hour()) == (first, None)
    ledger.watch(first + 4 * HOUR)
    assert (store.oldest_activity(), store.oldest_hour()) == (None, first)
    assert (store.hours("acc1")[first].tried, store.hours("acc1")[first].peak) == (12, 7)
    later = first + 28 * 86_400
    sent(ledger, 1, later, msg_id="m3")
    ledger.watch(later + 4 * HOUR)
    assert list(store.hours("acc1")) == [first, later]
    sent(ledger, 1, later + HOUR, msg_id="m4")
    ledger.watch(later + 5 * HOUR)
    assert list(store.hours("acc1")) == [later, later + HOUR]


def test_a_server_that_is_wrong_about_the_time_once_costs_no_past() -> None:
    store = MemoryStore()
    ledger = begun(store)
    sent(ledger, 5, T - 86_400, msg_id="m1")
    sent(ledger, 6, T, msg_id="m2")
    ledger.watch(T + 400 * 86_400)
    ledger.watch(T + 60)
    assert sum(hour.tried for hour in store.hours("acc1").values()) == 11
    sent(ledger, 3, T + 30, msg_id="m3")
    assert ledger.last_hour(T + 60) == {"acc1": LastHour(sent=3)}


class Committed(MemoryStore):
    """Notes what was folded at once."""

    def __init__(self) -> None:
        super().__init__()
        self.folded: list[Slice] = []

    def commit(self, change: Change) -> None:
        super().commit(change)
        if change.folded is not None:
            self.folded.append(change.folded)


def test_the_hours_of_a_day_are_folded_at_once() -> None:
    """Each to an hour of its own, as far as hours are that ended long enough ago."""
    store = Committed()
    ledger = begun(store)
    first = T - T % HOUR
    for number in range(30):
        sent(ledger, 1 + number, first + number * HOUR, msg_id=f"m{number}")
    ledger.watch(first + 30 * HOUR)
    day = 24 * HOUR
    assert store.folded == [Slice(first, first + day), Slice(first + day, first + 27 * HOUR)]
    hours = store.hours("acc1")
    assert {hour: one.tried for hour, one in hours.items()} == {
        first + number * HOUR: 1 + number for number in range(27)
    }
    assert store.oldest_activity() == first + 27 * HOUR


def test_recipients_are_only_sketched_of_the_past_hour() -> None:
    """Nobody asks for those of before."""
    store = MemoryStore()
    ledger = begun(store)
    records = [
        row("outbound", "success", acted, acted, recipient=f"r{acted}@x.example")
        for acted in (T - 2 * HOUR, T - HOUR, T)
    ]
    ledger.learn(records, T)
    found = {slot: one for (_, slot), one in store.activity(0).items()}
    assert [distinct(one.recipients, 1_024) for one in found.values()] == [0, 1, 1]
    assert [distinct(one.addresses, 256) for one in found.values()] == [1, 1, 1]


def spam(ledger: Ledger, user: str, count: int) -> None:
    ledger.learn(
        [
            row(
                "outbound", "failure" if n % 4 == 0 else "success", T, T,
                user=user, msg_id=f"{user}{n}", recipient=f"{user}{n}@x.example",
                sender_ip=f"203.0.{n % 100}.1", **NOBODY,
            )
            for n in range(count)
        ],
        T,
    )  # fmt: skip


def test_who_sends_spam_is_seen_at_the_next_look_the_worst_first() -> None:
    ledger = begun(MemoryStore())
    assert ledger.spam_runs() is None
    ledger.watch(T)
    assert ledger.spam_runs() == ()
    spam(ledger, "acc1", 60)
    spam(ledger, "acc2", 300)
    spam(ledger, "mailnull", 300)
    sent(ledger, 19, T, user="acc3")
    assert ledger.spam_runs() == (), "not before the next look"
    ledger.watch(T + 60)
    found = ledger.spam_runs() or ()
    assert [(one.user, one.recipients) for one in found] == [("acc2", 300), ("acc1", 60)]
    assert found[0].score > 0.9 > found[1].score > 0
    ledger.watch(T + 1_200)
    assert ledger.spam_runs() == ()


def test_what_is_usual_grows_with_the_hours_that_are_folded() -> None:
    """An account that never stops is judged as by a process that has just begun."""
    store = MemoryStore()
    ledger = begun(store)
    usual = []
    for number in range(30):
        now = T + number * HOUR
        sent(ledger, 200, now, msg_id=f"m{number}")
        ledger.watch(now)
        again = begun(store, now)
        again.watch(now)
        assert again.spam_runs() == ledger.spam_runs()
        usual += [one.usual_recipients for one in ledger.spam_runs() or ()]
    assert (len(usual), usual[0], round(usual[-1])) == (30, 30, 200)


def test_what_is_usual_lets_a_busy_account_be() -> None:
    """The same mail in the same hour of each of the days before."""
    store = MemoryStore()
    ledger = begun(store)
    for day in range(6, 0, -1):
        sent(ledger, 900, T - day * 86_400, msg_id=f"m{day}")
    ledger.watch(T)
    spam(ledger, "acc1", 900)
    spam(ledger, "acc2", 900)
    ledger.watch(T)
    rates = {one.user: one.parts.rate for one in ledger.spam_runs() or ()}
    assert rates["acc2"] == 1
    assert rates["acc1"] < 0.5
