"""The ledger of one server: whole steps, and what is shown of them."""

import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Any

import pytest

from cpanel_mail_exporter.ledger.change import Change
from cpanel_mail_exporter.ledger.counters import KNOWN_BEFOREHAND, CounterKey
from cpanel_mail_exporter.ledger.figures import PlacesTaken
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms, spans_of
from cpanel_mail_exporter.ledger.unclassified import Unclassified
from cpanel_mail_exporter.model.errors import StorageFailed
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.unit.ledger.mail import MEANING, nonzero, numbers, row

T = 1_000_000
ZEROS = dict.fromkeys(KNOWN_BEFOREHAND, 0)


def begun(store: MemoryStore | None = None, **terms: Any) -> Ledger:
    terms.setdefault("birth_delay_seconds", None)
    ledger = Ledger("web1", store or MemoryStore(), MEANING, LedgerTerms(**terms))
    ledger.begin(T)
    return ledger


def users(shown: dict[CounterKey, int]) -> dict[tuple[str, ...], int]:
    return {labels: value for (name, labels), value in shown.items() if name == "user_events"}


def by(user: str, events: int, msg_id: str, acted: int = T) -> list[Any]:
    return [
        row("outbound", "success", T, acted, user=user, msg_id=msg_id, recipient=f"r{n}@x.example")
        for n in range(events)
    ]


def test_nothing_is_shown_before_the_numbers_are_loaded() -> None:
    ledger = Ledger("web1", MemoryStore(), MEANING)
    assert ledger.published(T) is None
    assert (ledger.counting_since_unix, ledger.next_publication_unix) == (None, None)
    ledger.load()
    assert numbers(ledger, T) == ZEROS


def test_counting_begins_once_and_survives() -> None:
    store = MemoryStore()
    assert Ledger("web1", store, MEANING).begin(T) == T
    assert Ledger("web1", store, MEANING).begin(T + 500) == T
    assert Ledger("web1", store, MEANING).begin(T + 500, counts_past=True) == T
    assert Ledger("web1", MemoryStore(), MEANING).begin(T, counts_past=True) == 0


def test_a_ledger_that_has_not_begun_takes_nothing() -> None:
    with pytest.raises(StorageFailed, match="counting has not begun"):
        Ledger("web1", MemoryStore(), MEANING).learn([], T)


def test_an_answer_with_what_the_reading_knows_by_it_is_one_step() -> None:
    store = MemoryStore()
    ledger = begun(store)
    applied = ledger.learn([row("outbound", "success", T, T + 3)], T, {"mark": "x"}, {T: "1,0"})
    assert (applied.new_events, applied.newest_event_unix) == (1, T + 3)
    again = begun(store)
    assert again.cursors() == {"mark": "x"}
    assert again.slices(Slice(T, T + 1)) == {T: "1,0"}
    assert numbers(again, T) == numbers(ledger, T)
    assert nonzero(numbers(again, T)) == {
        ("events", ("success", "outbound", "other")): 1,
        ("user_events", ("acc1", "example.com", "success")): 1,
        ("time_to_deliver_seconds_bucket", ("outbound", "other", "5")): 1,
        ("time_to_deliver_seconds_sum", ("outbound", "other")): 3,
        ("message_size_bytes_bucket", ("outbound", "4096")): 1,
        ("message_size_bytes_sum", ("outbound",)): 2000,
    }
    ledger.note({"mark": None, "other": "y"}, {T: None})
    assert (ledger.cursors(), ledger.slices(Slice(0, 2 * T))) == ({"other": "y"}, {})


def test_the_readings_cursors_keep_off_the_ledgers_own() -> None:
    with pytest.raises(ValueError, match=r"begins with ledger\."):
        begun().learn([], T, {"ledger.horizon_unix": "5"})


def test_rows_without_time_show_as_drift_at_every_reading() -> None:
    ledger = begun()
    for times in (1, 2):
        ledger.learn([row("outbound", "success", None, None)], T)
        assert nonzero(numbers(ledger, T)) == {("drift", ("no_time",)): times}


REPLIES = ("550-5.1.1 no such user", "452 4.2.2 over quota", "421 slow down")


def refused(*messages: str, msg_id: str = "m1", way: str = "outbound") -> list[Any]:
    return [
        row(way, "failure", T, T, message=text, msg_id=msg_id, recipient=f"r{n}@x.example")
        for n, text in enumerate(messages)
    ]


def test_replies_over_their_budget_share_a_series_and_users_are_none_of_its_business() -> None:
    ledger = begun(reply_limit=2, user_limit=1)
    ledger.learn(refused(REPLIES[0], *REPLIES, REPLIES[2]), T)
    shown = numbers(ledger, T)
    assert {labels: n for (name, labels), n in shown.items() if name == "smtp_replies"} == {
        ("550", "5.1.1"): 2,
        ("421", ""): 2,
        ("_other", "_other"): 1,
    }
    assert users(shown) == {("acc1", "example.com", "failure"): 5}
    published = ledger.published(T)
    assert published is not None
    assert published.places["smtp_replies"] == PlacesTaken(shown=2, wanted=3, limit=2)


def test_a_reply_that_loses_its_place_is_shown_until_its_last_events_could_be_scraped() -> None:
    ledger = begun(reply_limit=1, birth_delay_seconds=60)
    ledger.learn(refused(REPLIES[0]), T)
    ledger.learn(refused(*[REPLIES[1]] * 3, msg_id="m2"), T)
    assert replies(numbers(ledger, T)) == {"550": 0, "_other": 0}
    published = ledger.published(T)
    assert published is not None
    assert published.places["smtp_replies"] == PlacesTaken(shown=2, wanted=2, limit=1)
    assert replies(numbers(ledger, T + 60)) == {"550": 1, "_other": 3}
    assert ledger.next_publication_unix == T + 120
    assert replies(numbers(ledger, T + 120)) == {"_other": 3}
    ledger.learn(refused(REPLIES[1], msg_id="m3"), T)
    assert replies(numbers(ledger, T + 121)) == {"452": 0, "_other": 3}
    assert replies(numbers(ledger, T + 181)) == {"452": 1, "_other": 3}


def replies(shown: dict[CounterKey, int]) -> dict[str, int]:
    return {labels[0]: value for (name, labels), value in shown.items() if name == "smtp_replies"}


def test_places_of_both_families_survive() -> None:
    store = MemoryStore()
    first = begun(store, reply_limit=1, user_limit=1)
    first.learn(refused(REPLIES[0]) + by("a", 3, "m2"), T)
    again = begun(store, reply_limit=1, user_limit=1)
    again.learn(refused(REPLIES[1], msg_id="m3"), T)
    shown = nonzero(numbers(again, T))
    assert replies(shown) == {"550": 1, "_other": 1}
    assert users(shown) == {
        ("a", "example.com", "success"): 3,
        ("_other", "_other", "failure"): 2,
    }


def test_a_reason_that_is_new_stands_at_0_first_and_a_usual_one_does_from_the_start() -> None:
    ledger = begun(birth_delay_seconds=60)
    none_yet = {key: n for key, n in numbers(ledger, T).items() if key[0] in TROUBLES}
    other = ("other", "soft", "other", "outbound")
    assert none_yet == {("failures", other): 0, ("deferrals", other): 0}
    ledger.learn(refused("the moon", REPLIES[0], way="outbound"), T)
    unknown = ("failures", ("unknown_user", "hard", "other", "outbound"))
    shown = numbers(ledger, T)
    assert (shown["failures", other], shown[unknown]) == (1, 0)
    assert numbers(ledger, T + 60)[unknown] == 1


TROUBLES = {"failures", "deferrals"}


def test_what_nobody_has_a_rule_for_is_told_once_it_is_stored_and_once() -> None:
    store = MemoryStore()
    ledger = begun(store)
    rows = refused("<a@x.example> the moon", "<b@x.example> the moon", REPLIES[0], way="gmail")
    with pytest.MonkeyPatch.context() as patch:

        def fail(_: Change) -> None:
            raise StorageFailed("web1", "storage", "broken on purpose")

        patch.setattr(store, "commit", fail)
        with pytest.raises(StorageFailed):
            ledger.learn(rows, T)
    assert ledger.unclassified() == []
    for _ in range(2):
        ledger.learn(rows, T)
    kind = Unclassified("<ADDRESS> the moon", "", "google", events=2, last_unix=T)
    assert ledger.unclassified() == [kind]
    assert begun(store).unclassified() == []


def test_attempts_wait_for_late_deferrals() -> None:
    """And for seconds that were not read whole; page by page of what is pending."""
    ledger = begun(settle_seconds=100)
    ledger.learn([row("outbound", "success", T, T + 9)], T)
    ledger.learn([row("outbound", "success", T + 1, T + 9, msg_id="m2")], T)
    assert ledger.settle(T + 108) == 0
    ledger.learn([row("outbound", "defer", T, T + 5)], T)
    assert ledger.settle(T + 109, [Slice(T + 1, T + 2)]) == 1
    assert numbers(ledger, T)["attempts_sum", ("outbound",)] == 2
    assert ledger.settle(T + 109) == 1
    assert numbers(ledger, T)["attempts_sum", ("outbound",)] == 3
    assert ledger.settle(T + 9_999) == 0


def test_many_held_outcomes_do_not_hide_those_behind_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cpanel_mail_exporter.ledger.ledger._SETTLED_AT_ONCE", 2)
    ledger = begun(settle_seconds=0)
    for n in range(5):
        ledger.learn([row("outbound", "success", T + n, T + n, msg_id=f"m{n}")], T)
    assert ledger.settle(T + 9, [Slice(T, T + 3)]) == 2
    assert ledger.settle(T + 9) == 3


def test_forgotten_mail_is_settled_and_not_counted_again() -> None:
    ledger = begun(settle_seconds=10**6)
    rows = [
        row("outbound", "success", T, T),
        row("outbound", "defer", T, T, msg_id="m2"),
        row("outbound", "defer", T + 9_000, T + 9_000, msg_id="m3"),
    ]
    ledger.learn(rows, T)
    assert numbers(ledger, T)["deferred_recipients", ()] == 2
    ledger.forget(T + 9_000)
    assert ledger.horizon_unix == T + 9_000
    shown = numbers(ledger, T)
    assert shown["deferred_recipients", ()] == 1
    assert shown["attempts_sum", ("outbound",)] == 1
    assert ledger.learn(rows, T).rows_too_old == 2
    assert numbers(ledger, T) == shown
    ledger.forget(T + 1)
    assert ledger.horizon_unix == T + 9_000


def test_over_budget_users_share_a_series_and_the_sum_stays() -> None:
    ledger = begun(user_limit=1)
    ledger.learn(by("a", 3, "m1") + by("b", 2, "m2"), T)
    assert users(numbers(ledger, T)) == {
        ("a", "example.com", "success"): 3,
        ("_other", "_other", "success"): 2,
    }
    published = ledger.published(T)
    assert published is not None
    assert published.places == {
        "user_events": PlacesTaken(shown=1, wanted=2, limit=1),
        "smtp_replies": PlacesTaken(shown=0, wanted=0, limit=100),
    }


def test_a_user_that_loses_its_place_comes_back_with_its_old_value_shown_first() -> None:
    ledger = begun(user_limit=1, birth_delay_seconds=60)
    ledger.learn(by("a", 3, "m1"), T)
    ledger.learn(by("b", 7, "m2"), T)
    for now in (T, T + 60, T + 120):
        numbers(ledger, now)
    assert users(numbers(ledger, T + 121)) == {("_other", "_other", "success"): 7}
    ledger.learn(by("b", 1, "m3"), T)
    assert users(numbers(ledger, T + 122)) == {
        ("b", "example.com", "success"): 0,
        ("_other", "_other", "success"): 7,
    }
    assert users(numbers(ledger, T + 182))["b", "example.com", "success"] == 1
    ledger.learn(by("a", 20, "m4"), T)
    ledger.learn(by("a", 5, "m5"), T)
    assert users(numbers(ledger, T + 200)) == {
        ("a", "example.com", "success"): 3,
        ("b", "example.com", "success"): 1,
        ("_other", "_other", "success"): 27,
    }
    assert users(numbers(ledger, T + 260)) == {
        ("a", "example.com", "success"): 8,
        ("_other", "_other", "success"): 27,
    }


def test_a_user_that_loses_its_place_is_shown_until_its_last_events_could_be_scraped() -> None:
    """Otherwise they would never show in any rate."""
    ledger = begun(user_limit=1, birth_delay_seconds=60)
    ledger.learn(by("a", 3, "m1"), T)
    ledger.learn(by("b", 7, "m2"), T)
    a, b = ("a", "example.com", "success"), ("b", "example.com", "success")
    other = ("_other", "_other", "success")
    assert users(numbers(ledger, T)) == {a: 0, other: 0}
    published = ledger.published(T)
    assert published is not None
    assert published.places["user_events"] == PlacesTaken(shown=2, wanted=2, limit=1)
    assert ledger.next_publication_unix == T + 60
    assert users(numbers(ledger, T + 60)) == {a: 3, other: 7}
    assert ledger.next_publication_unix == T + 120
    assert users(numbers(ledger, T + 119)) == {a: 3, other: 7}
    assert users(numbers(ledger, T + 120)) == {other: 7}
    assert ledger.next_publication_unix is None
    assert b not in users(numbers(ledger, T + 121))


def test_a_user_that_comes_back_while_it_leaves_was_never_gone() -> None:
    ledger = begun(user_limit=1, birth_delay_seconds=60)
    ledger.learn(by("a", 3, "m1"), T)
    for now in (T, T + 60):
        numbers(ledger, now)
    ledger.learn(by("b", 7, "m2"), T)
    assert users(numbers(ledger, T + 61))["a", "example.com", "success"] == 3
    ledger.learn(by("a", 20, "m3"), T)
    ledger.learn(by("a", 1, "m4"), T)
    assert users(numbers(ledger, T + 62))["a", "example.com", "success"] == 4


def test_new_series_are_shown_at_0_first_and_histograms_empty() -> None:
    ledger = begun(birth_delay_seconds=60)
    ledger.learn([row("gmail", "success", T, T + 3)], T)
    first = numbers(ledger, T)
    assert nonzero(first) == {}
    assert ("events", ("success", "outbound", "google")) in first
    assert ("time_to_deliver_seconds_sum", ("outbound", "google")) in first
    assert ledger.next_publication_unix == T + 60
    ledger.learn([row("gmail", "success", T, T + 700)], T)
    assert nonzero(numbers(ledger, T + 59)) == {}
    assert numbers(ledger, T + 60)["time_to_deliver_seconds_sum", ("outbound", "google")] == 703


def test_what_is_known_beforehand_or_was_loaded_is_shown_at_its_value() -> None:
    store = MemoryStore()
    ledger = begun(store, birth_delay_seconds=60)
    numbers(ledger, T)
    ledger.learn([row("outbound", "success", T, T + 3)], T)
    assert nonzero(numbers(ledger, T)) == {("events", ("success", "outbound", "other")): 1}
    loaded = begun(store, birth_delay_seconds=60)
    assert nonzero(numbers(loaded, T)) == store.counters()


def test_a_deferred_recipient_is_no_counter_and_shown_at_once() -> None:
    ledger = begun(birth_delay_seconds=60)
    ledger.learn([row("outbound", "defer", T, T)], T)
    assert numbers(ledger, T)["deferred_recipients", ()] == 1


def test_a_step_that_brings_nothing_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = begun()
    ledger.learn([row("outbound", "success", T, T)], T)
    monkeypatch.setattr(MemoryStore, "commit", None)
    ledger.learn([row("outbound", "success", T, T)], T)
    ledger.note()
    ledger.settle(T)


def test_a_batch_is_seen_only_once_it_is_stored() -> None:
    """Given again after a failure it is neither lost nor counted twice."""
    store = MemoryStore()
    ledger = begun(store)
    record = row("outbound", "success", T, T)
    seen: dict[int, int] = {}
    plain = store.commit
    for is_stored in (False, True):
        with pytest.MonkeyPatch.context() as patch:

            def fail(change: Change, is_stored: bool = is_stored) -> None:
                if is_stored:
                    plain(change)
                raise StorageFailed("web1", "storage", "broken on purpose")

            patch.setattr(store, "commit", fail)
            with pytest.raises(StorageFailed):
                ledger.learn([record], T, seen=seen)
        assert seen == {}
    assert ledger.learn([record], T, seen=seen).new_events == 0
    assert ledger.learn([record], T, seen=seen).new_events == 1
    assert list(seen.values()) == [2]
    assert ledger.learn([record, record], T, seen={}).new_events == 0
    assert numbers(ledger, T)["events", ("success", "outbound", "other")] == 2


def test_what_was_stored_though_it_seemed_to_fail_is_shown_at_0_first() -> None:
    store = MemoryStore()
    ledger = begun(store, birth_delay_seconds=60)
    plain = store.commit

    def fail(change: Change) -> None:
        plain(change)
        raise StorageFailed("web1", "storage", "broken on purpose")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "commit", fail)
        with pytest.raises(StorageFailed):
            ledger.learn([row("gmail", "success", T, T)], T)
    key = ("events", ("success", "outbound", "google"))
    assert key not in numbers(ledger, T), "a failure leaves what is shown as it was"
    ledger.load()
    assert numbers(ledger, T + 1)[key] == 0
    assert numbers(ledger, T + 61)[key] == 1


def test_events_of_a_day_are_told_by_outcome_those_not_counted_included() -> None:
    ledger = begun()
    kinds = ("success", "success", "failure", "defer", "archived")
    ledger.learn([row("gmail", kind, T + n, T - 5 * n) for n, kind in enumerate(kinds)], T)
    assert ledger.outcomes(Slice(T, T + 9)) == {
        "success": 2,
        "failure": 1,
        "defer": 1,
        "other": 1,
    }
    assert ledger.outcomes(Slice(T + 9, T + 10)) == {
        "success": 0,
        "failure": 0,
        "defer": 0,
        "other": 0,
    }


def test_open_deferrals_are_those_without_an_outcome_yet() -> None:
    ledger = begun()
    for n in range(3):
        ledger.learn([row("gmail", "defer", T + n, T + n, msg_id=f"m{n}")], T)
    ledger.learn([row("gmail", "failure", T + 1, T + 50, msg_id="m1")], T)
    assert ledger.open_deferral_seconds(9) == [T + 2, T]
    assert ledger.open_deferral_seconds(1) == [T + 2]


def test_drift_of_rows_is_counted_and_what_events_show_is_left_to_them() -> None:
    ledger = begun()
    for rows in (2, 3, 0):
        ledger.note_drift("unknown_field", rows)
    assert nonzero(numbers(ledger, T)) == {("drift", ("unknown_field",)): 5}
    with pytest.raises(ValueError, match="isn't counted by rows"):
        ledger.note_drift("odd_size", 1)


def test_one_row_of_long_ago_is_forgotten_in_a_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in one for each hour since."""
    commits: list[Change] = []
    ledger = begun()
    ledger.learn([row("gmail", "defer", 1, 1), row("gmail", "defer", T, T)], T)
    plain = MemoryStore.commit

    def commit(self: MemoryStore, change: Change) -> None:
        commits.append(change)
        plain(self, change)

    monkeypatch.setattr(MemoryStore, "commit", commit)
    ledger.forget(T + 1)
    assert [change.forget_before_unix for change in commits] == [3_601, T + 1]
    assert ledger.horizon_unix == T + 1
    assert numbers(ledger, T)["deferred_recipients", ()] == 0


def test_the_version_rises_with_what_is_shown_and_only_then() -> None:
    ledger = begun()
    seen = [ledger.version]
    for step in (
        lambda: ledger.learn([row("gmail", "success", T, T)], T),
        lambda: ledger.note_drift("changed_shape", 1),
    ):
        step()
        seen.append(ledger.version)
    assert seen == sorted(set(seen))
    for quiet in (
        lambda: ledger.learn([row("gmail", "success", T, T)], T),
        lambda: ledger.note({"mark": "x"}),
        lambda: numbers(ledger, T),
    ):
        quiet()
        assert ledger.version == seen[-1]


def test_the_lock_is_never_held_while_something_is_stored_or_loaded() -> None:
    """The thread that publishes would wait for the disk."""
    lock = Lock()

    class Watching(MemoryStore):
        def __getattribute__(self, name: str) -> Any:
            if not name.startswith("_"):
                assert not lock.locked()
            return super().__getattribute__(name)

    ledger = Ledger("web1", Watching(), MEANING, LedgerTerms(settle_seconds=0), lock)
    ledger.begin(T)
    ledger.learn([*by("a", 3, "m1"), row("gmail", "defer", T, T)], T)
    ledger.settle(T + 1)
    ledger.outcomes(Slice(0, T))
    ledger.open_deferral_seconds(1)
    ledger.forget(T + 1)
    ledger.rest()
    assert ledger.published(T) is not None
    ledger.close()


def test_a_publication_made_meanwhile_never_holds_half_a_step() -> None:
    """Each step adds as many events by user as by outcome."""
    terms = LedgerTerms(user_limit=0, birth_delay_seconds=None)
    ledger = Ledger("web1", MemoryStore(), MEANING, terms, Lock())
    ledger.begin(T, counts_past=True)
    ended = Event()
    differences: set[int] = set()

    def publish() -> None:
        while not ended.is_set():
            found = numbers(ledger, T)
            by_outcome = sum(n for (name, _), n in found.items() if name == "events")
            differences.add(sum(users(found).values()) - by_outcome)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    with ThreadPoolExecutor(1) as pool:
        try:
            publishing = pool.submit(publish)
            for n in range(150):
                ledger.learn(by(f"u{n}", 1 + n % 5, f"m{n}"), T)
        finally:
            ended.set()
            sys.setswitchinterval(interval)
        publishing.result()
    assert differences == {0}


def test_spans_hold_all_seconds_and_little_more() -> None:
    assert spans_of([]) == []
    assert spans_of([None, 60, 0, 121, 121]) == [Slice(0, 61), Slice(121, 122)]
