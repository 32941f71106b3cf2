"""What every store does: gives back all it was given, by send second, and changes as a whole."""

import pytest

from cpanel_mail_exporter.ledger.change import (
    KIND_DEFERRAL,
    KIND_FAILURE,
    KIND_OTHER,
    KIND_SUCCESS,
    Change,
    Deferral,
    Event,
    Known,
    Pending,
    Seat,
    Sized,
)
from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.activity import Activity, HourActivity, folded
from tests.unit.storage.conftest import Open

FAR = 2**63 - 1
EVERYTHING = [Slice(0, 10**12)]
ODD = 'a "b"\\\n\0\ud800 é'
ODD_DID = Activity(networks=2)


def full(store: LedgerStore) -> LedgerStore:
    store.commit(
        Change(
            events=[
                Event(100, -FAR, 7, KIND_SUCCESS, 1),
                Event(100, FAR, 8, KIND_DEFERRAL, 2),
                Event(105, 3, 9, KIND_FAILURE, 1),
            ],
            deferrals=[
                Deferral(100, 8, 101, 2),
                Deferral(100, 8, 102, 1),
                Deferral(105, 9, 106, 1),
            ],
            sized=[Sized(100, -4, 0), Sized(100, -4, 1), Sized(105, 5, 0)],
            pending=[Pending(200, 100, 7, 1, 1), Pending(150, 105, 9, 0, 3)],
            counters={("events", ("success", ODD)): 2**40, ("deferred_recipients", ()): 1},
            seats={
                ("user_events", ("a", ODD)): Seat(has_series=True, volume=2**62, day=20_000),
                ("smtp_replies", ("a", ODD)): Seat(has_series=False, volume=3, day=9),
            },
            cursors={"mark": "x", "odd": "é\0"},
            slices={60: "a", 120: "b"},
            activity={
                ("a", 300): Activity(1, 2, 3, 4, 5, 6, 1 << 255, 0, 1 << 1_023),
                ("b", 300): Activity(tried=9),
                (ODD, 3_600): ODD_DID,
            },
            hours={
                ("a", 0): HourActivity(1, 2, 3, 4, 5, 6, 7, 8, 9),
                (ODD, -3_600): HourActivity(tried=5),
            },
        )
    )
    return store


def whole(store: LedgerStore) -> tuple[object, ...]:
    return (
        store.load(EVERYTHING),
        store.pending_until(FAR, None, 1_000),
        store.counters(),
        store.seats(),
        store.cursors(),
        dict(store.slices(EVERYTHING[0])),
        store.activity(-FAR),
        {user: store.hours(user) for user in ("a", "b", ODD)},
    )


def test_a_new_store_holds_nothing(open_store: Open) -> None:
    store = open_store()
    nothing = {"a": {}, "b": {}, ODD: {}}
    assert whole(store) == (Known(), [], {}, {}, {}, {}, {}, nothing)
    assert (store.oldest_second(), store.oldest_activity(), store.oldest_hour()) == (None,) * 3


def test_what_was_committed_is_there_when_it_is_opened_again(open_store: Open) -> None:
    full(open_store())
    store = open_store()
    assert whole(store) == (
        Known(
            copies={-FAR: 1, FAR: 2, 3: 1},
            final={7, 9},
            deferrals={8: {101: 2, 102: 1}, 9: {106: 1}},
            sized={(-4, 0), (-4, 1), (5, 0)},
        ),
        [Pending(150, 105, 9, 0, 3), Pending(200, 100, 7, 1, 1)],
        {("events", ("success", ODD)): 2**40, ("deferred_recipients", ()): 1},
        {
            ("user_events", ("a", ODD)): Seat(has_series=True, volume=2**62, day=20_000),
            ("smtp_replies", ("a", ODD)): Seat(has_series=False, volume=3, day=9),
        },
        {"mark": "x", "odd": "é\0"},
        {60: "a", 120: "b"},
        {
            ("a", 300): Activity(1, 2, 3, 4, 5, 6, 1 << 255, 0, 1 << 1_023),
            ("b", 300): Activity(tried=9),
            (ODD, 3_600): ODD_DID,
        },
        {
            "a": {0: HourActivity(1, 2, 3, 4, 5, 6, 7, 8, 9)},
            "b": {},
            ODD: {-3_600: HourActivity(tried=5)},
        },
    )
    assert (store.oldest_second(), store.oldest_activity(), store.oldest_hour()) == (
        100,
        300,
        -3_600,
    )


def test_what_users_did_is_added_and_sketches_are_united(open_store: Open) -> None:
    store = full(open_store())
    store.commit(
        Change(
            activity={
                ("a", 300): Activity(10, 10, 10, 10, 10, 10, 1, 6, 1 << 1_023),
                ("a", 600): Activity(tried=1),
            },
            hours={("a", 0): HourActivity(10, 10, 10, 10, 10, 10, 6, 9, 10)},
        )
    )
    added = Activity(11, 12, 13, 14, 15, 16, 1 << 255 | 1, 6, 1 << 1_023)
    assert store.activity(301) == {("a", 600): Activity(tried=1), (ODD, 3_600): ODD_DID}
    found = store.activity(300)
    assert (found["a", 300], found["b", 300]) == (added, Activity(tried=9))
    assert store.hours("a") == {0: HourActivity(11, 12, 13, 14, 15, 16, 7, 9, 10)}


def test_slots_of_an_hour_are_told_together(open_store: Open) -> None:
    store = full(open_store())
    assert store.activity_together(Slice(0, 300)) == {}
    assert store.activity_together(Slice(3_600, 7_200)) == {ODD: folded([ODD_DID])}
    one, other = Activity(3, 1, 1, 1, 1, 1, 1, 3, 1), Activity(5, 1, 1, 1, 1, 1, 6, 2, 1 << 9)
    slots = {("c", 7_200): one, ("c", 10_500): other, ("c", 10_800): other}
    store.commit(Change(activity=slots))
    assert store.activity_together(Slice(7_200, 10_800)) == {
        "c": HourActivity(8, 2, 2, 2, 2, 2, peak=5, addresses=3, networks=2)
    }


def test_slots_that_were_folded_and_hours_that_are_too_old_are_deleted(open_store: Open) -> None:
    store = full(open_store())
    hours = {("b", 3_600): HourActivity(tried=2)}
    store.commit(Change(hours=hours, folded=Slice(0, 3_600), forget_hours_before_unix=0))
    assert store.activity(-FAR) == {(ODD, 3_600): ODD_DID}
    assert (store.hours("b"), store.hours(ODD)) == ({3_600: HourActivity(tried=2)}, {})
    assert (store.oldest_activity(), store.oldest_hour()) == (3_600, 0)


def test_only_the_seconds_that_were_asked_for_are_loaded(open_store: Open) -> None:
    store = full(open_store())
    assert store.load([Slice(101, 106)]) == Known({3: 1}, {9}, {9: {106: 1}}, {(5, 0)})
    assert store.load([Slice(0, 100), Slice(101, 105), Slice(106, 10**9)]) == Known()
    assert store.load([Slice(100, 101), Slice(105, 106)]) == store.load(EVERYTHING)
    assert store.deferrals([Slice(100, 101)]) == Known(deferrals={8: {101: 2, 102: 1}})
    assert store.slices(Slice(60, 120)) == {60: "a"}
    assert store.load([]) == Known()


def test_what_is_loaded_is_the_callers_own(open_store: Open) -> None:
    store = full(open_store())
    known = store.load(EVERYTHING)
    known.deferrals[8].clear()
    known.sized.clear()
    store.counters().clear()
    assert store.load(EVERYTHING).deferrals[8] == {101: 2, 102: 1}
    assert store.load(EVERYTHING).sized
    assert store.counters()


def test_copies_are_replaced_and_numbers_added(open_store: Open) -> None:
    store = full(open_store())
    store.commit(
        Change(
            events=[Event(100, FAR, 8, KIND_DEFERRAL, 5)],
            deferrals=[Deferral(100, 8, 101, 3)],
            pending=[Pending(200, 100, 7, 1, 4)],
            counters={("events", ("success", ODD)): 2, ("deferred_recipients", ()): -1},
            seats={("user_events", ("a", ODD)): Seat(has_series=False, volume=0, day=1)},
            cursors={"mark": "z"},
            slices={60: "c"},
        )
    )
    known = store.load([Slice(100, 101)])
    assert (known.copies[FAR], known.deferrals) == (5, {8: {101: 5, 102: 1}})
    assert store.pending_until(FAR, None, 9)[-1] == Pending(200, 100, 7, 1, 5)
    assert store.counters() == {
        ("events", ("success", ODD)): 2**40 + 2,
        ("deferred_recipients", ()): 0,
    }
    assert store.seats() == {
        ("user_events", ("a", ODD)): Seat(has_series=False, volume=0, day=1),
        ("smtp_replies", ("a", ODD)): Seat(has_series=False, volume=3, day=9),
    }, "of another family it is another place"
    assert (store.cursors()["mark"], store.slices(Slice(60, 61))) == ("z", {60: "c"})


def test_values_of_none_delete(open_store: Open) -> None:
    store = full(open_store())
    store.commit(
        Change(
            seats={("user_events", ("a", ODD)): None, ("no", ("no",)): None},
            cursors={"mark": None, "no": None},
            slices={60: None, 1: None},
        )
    )
    left = {("smtp_replies", ("a", ODD)): Seat(has_series=False, volume=3, day=9)}
    assert (store.seats(), store.cursors()) == (left, {"odd": "é\0"})
    assert store.slices(EVERYTHING[0]) == {120: "b"}


def test_pending_outcomes_are_given_in_order_and_in_parts(open_store: Open) -> None:
    store = open_store()
    rows = [Pending(5 + n // 3, n % 2, n * (-1) ** n, n % 5, 1 + n) for n in range(9)]
    store.commit(Change(pending=rows))
    ordered = sorted(rows)
    assert store.pending_until(FAR, None, 100) == ordered
    assert store.pending_until(6, None, 100) == [row for row in ordered if row.action_unix <= 6]
    assert store.pending_until(FAR, None, 4) == ordered[:4]
    assert store.pending_until(FAR, ordered[3], 4) == ordered[4:8]
    assert store.pending_until(FAR, ordered[8], 4) == []
    assert store.pending_sent_before(1) == [row for row in ordered if row.second < 1]
    store.commit(Change(settled=[*ordered[:4], Pending(1, 1, 1, 1, 1)]))
    assert store.pending_until(FAR, None, 100) == ordered[4:]


def test_forgetting_leaves_numbers_and_what_is_pending(open_store: Open) -> None:
    store = full(open_store())
    before = whole(store)
    store.commit(Change(cursors={"mark": "y"}, forget_before_unix=105))
    assert store.load(EVERYTHING) == Known({3: 1}, {9}, {9: {106: 1}}, {(5, 0)})
    assert store.oldest_second() == 105
    assert store.slices(EVERYTHING[0]) == {120: "b"}
    assert (store.counters(), store.seats()) == (before[2], before[3])
    assert store.pending_until(FAR, None, 100) == before[1]
    assert store.cursors()["mark"] == "y"


def test_events_of_a_span_are_told_by_kind(open_store: Open) -> None:
    store = full(open_store())
    assert store.outcomes(EVERYTHING[0]) == {KIND_SUCCESS: 1, KIND_DEFERRAL: 2, KIND_FAILURE: 1}
    assert store.outcomes(Slice(101, 106)) == {KIND_FAILURE: 1}
    assert store.outcomes(Slice(101, 105)) == {}


def test_recipients_that_wait_are_found_by_their_seconds_the_newest_first(
    open_store: Open,
) -> None:
    """A final outcome counts in its own second and for its own recipient alone."""
    store = open_store()
    assert store.open_deferral_seconds(9) == []
    kinds = [
        (100, 1, KIND_DEFERRAL),
        (100, 2, KIND_SUCCESS),
        (101, 1, KIND_DEFERRAL),
        (101, 1, KIND_SUCCESS),
        (102, 1, KIND_DEFERRAL),
        (102, 1, KIND_FAILURE),
        (103, 1, KIND_DEFERRAL),
        (103, 2, KIND_DEFERRAL),
        (104, 1, KIND_DEFERRAL),
        (104, 1, KIND_OTHER),
        (105, 1, KIND_SUCCESS),
    ]
    store.commit(
        Change(
            events=[Event(second, n, who, kind, 1) for n, (second, who, kind) in enumerate(kinds)],
            deferrals=[
                Deferral(second, who, second, 1)
                for second, who, kind in kinds
                if kind == KIND_DEFERRAL
            ],
        )
    )
    assert store.open_deferral_seconds(9) == [104, 103, 100]
    assert store.open_deferral_seconds(2) == [104, 103]


@pytest.mark.parametrize("pause", ["rest", "close"])
def test_it_can_rest_and_close_more_than_once(open_store: Open, pause: str) -> None:
    store = full(open_store())
    before = whole(store)
    for _ in range(2):
        getattr(store, pause)()
    store = open_store() if pause == "close" else store
    assert whole(store) == before
