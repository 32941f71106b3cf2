"""The ledger of one server: whole steps, and what is shown of them."""

from typing import Any

import pytest

from cpanel_mail_exporter.ledger.counters import KNOWN_BEFOREHAND, CounterKey
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms, spans_of
from cpanel_mail_exporter.model.errors import StorageFailed
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.unit.ledger.mail import nonzero, row

T = 1_000_000
ZEROS = dict.fromkeys(KNOWN_BEFOREHAND, 0)


def begun(store: MemoryStore | None = None, **terms: Any) -> Ledger:
    terms.setdefault("birth_delay_seconds", None)
    ledger = Ledger("web1", store or MemoryStore(), LedgerTerms(**terms))
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
    ledger = Ledger("web1", MemoryStore())
    assert ledger.published(T) == {}
    assert (ledger.counting_since_unix, ledger.next_publication_unix) == (None, None)
    ledger.load()
    assert ledger.published(T) == ZEROS


def test_counting_begins_once_and_survives() -> None:
    store = MemoryStore()
    assert Ledger("web1", store).begin(T) == T
    assert Ledger("web1", store).begin(T + 500) == T
    assert Ledger("web1", store).begin(T + 500, counts_past=True) == T
    assert Ledger("web1", MemoryStore()).begin(T, counts_past=True) == 0


def test_a_ledger_that_has_not_begun_takes_nothing() -> None:
    with pytest.raises(StorageFailed, match="counting has not begun"):
        Ledger("web1", MemoryStore()).learn([], T)


def test_an_answer_with_what_the_reading_knows_by_it_is_one_step() -> None:
    store = MemoryStore()
    ledger = begun(store)
    applied = ledger.learn([row("outbound", "success", T, T + 3)], T, {"mark": "x"}, {T: "1,0"})
    assert (applied.new_events, applied.newest_event_unix) == (1, T + 3)
    again = begun(store)
    assert again.cursors() == {"mark": "x"}
    assert again.slices(Slice(T, T + 1)) == {T: "1,0"}
    assert again.published(T) == ledger.published(T)
    assert nonzero(again.published(T)) == {
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
        assert nonzero(ledger.published(T)) == {("drift", ("no_time",)): times}


def test_attempts_wait_for_late_deferrals() -> None:
    """And for seconds that were not read whole; page by page of what is pending."""
    ledger = begun(settle_seconds=100)
    ledger.learn([row("outbound", "success", T, T + 9)], T)
    ledger.learn([row("outbound", "success", T + 1, T + 9, msg_id="m2")], T)
    assert ledger.settle(T + 108) == 0
    ledger.learn([row("outbound", "defer", T, T + 5)], T)
    assert ledger.settle(T + 109, [Slice(T + 1, T + 2)]) == 1
    assert ledger.published(T)["attempts_sum", ("outbound",)] == 2
    assert ledger.settle(T + 109) == 1
    assert ledger.published(T)["attempts_sum", ("outbound",)] == 3
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
    assert ledger.published(T)["deferred_recipients", ()] == 2
    ledger.forget(T + 9_000)
    assert ledger.horizon_unix == T + 9_000
    shown = ledger.published(T)
    assert shown["deferred_recipients", ()] == 1
    assert shown["attempts_sum", ("outbound",)] == 1
    assert ledger.learn(rows, T).rows_too_old == 2
    assert ledger.published(T) == shown
    ledger.forget(T + 1)
    assert ledger.horizon_unix == T + 9_000


def test_over_budget_users_share_a_series_and_the_sum_stays() -> None:
    ledger = begun(user_limit=1)
    ledger.learn(by("a", 3, "m1") + by("b", 2, "m2"), T)
    assert users(ledger.published(T)) == {
        ("a", "example.com", "success"): 3,
        ("_other", "_other", "success"): 2,
    }
    budget = ledger.user_budget
    assert (budget.seated, budget.wanted, budget.limit) == (1, 2, 1)


def test_a_user_that_loses_its_place_comes_back_with_its_old_value_shown_first() -> None:
    ledger = begun(user_limit=1, birth_delay_seconds=60)
    ledger.learn(by("a", 3, "m1"), T)
    ledger.learn(by("b", 7, "m2"), T)
    ledger.published(T)
    assert users(ledger.published(T + 60)) == {("_other", "_other", "success"): 7}
    ledger.learn(by("b", 1, "m3"), T)
    assert users(ledger.published(T + 61)) == {
        ("b", "example.com", "success"): 0,
        ("_other", "_other", "success"): 7,
    }
    assert users(ledger.published(T + 121))["b", "example.com", "success"] == 1
    ledger.learn(by("a", 20, "m4"), T)
    ledger.learn(by("a", 5, "m5"), T)
    shown = users(ledger.published(T + 200))
    assert shown == {
        ("a", "example.com", "success"): 3,
        ("_other", "_other", "success"): 27,
    }
    assert users(ledger.published(T + 260))["a", "example.com", "success"] == 8


def test_new_series_are_shown_at_0_first_and_histograms_empty() -> None:
    ledger = begun(birth_delay_seconds=60)
    ledger.learn([row("gmail", "success", T, T + 3)], T)
    first = ledger.published(T)
    assert nonzero(first) == {}
    assert ("events", ("success", "outbound", "gmail")) in first
    assert ("time_to_deliver_seconds_sum", ("outbound", "gmail")) in first
    assert ledger.next_publication_unix == T + 60
    ledger.learn([row("gmail", "success", T, T + 700)], T)
    assert nonzero(ledger.published(T + 59)) == {}
    assert ledger.published(T + 60)["time_to_deliver_seconds_sum", ("outbound", "gmail")] == 703


def test_what_is_known_beforehand_or_was_loaded_is_shown_at_its_value() -> None:
    store = MemoryStore()
    ledger = begun(store, birth_delay_seconds=60)
    ledger.published(T)
    ledger.learn([row("outbound", "success", T, T + 3)], T)
    assert nonzero(ledger.published(T)) == {("events", ("success", "outbound", "other")): 1}
    loaded = begun(store, birth_delay_seconds=60)
    assert nonzero(loaded.published(T)) == store.counters()


def test_a_deferred_recipient_is_no_counter_and_shown_at_once() -> None:
    ledger = begun(birth_delay_seconds=60)
    ledger.learn([row("outbound", "defer", T, T)], T)
    assert ledger.published(T)["deferred_recipients", ()] == 1


def test_a_step_that_brings_nothing_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = begun()
    ledger.learn([row("outbound", "success", T, T)], T)
    monkeypatch.setattr(MemoryStore, "commit", None)
    ledger.learn([row("outbound", "success", T, T)], T)
    ledger.note()
    ledger.settle(T)


def test_spans_hold_all_seconds_and_little_more() -> None:
    assert spans_of([]) == []
    assert spans_of([None, 60, 0, 121, 121]) == [Slice(0, 61), Slice(121, 122)]
