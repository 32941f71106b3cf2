"""Each family with a budget has places of its own; what a step adds goes to what it is shown as."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.ledger.change import Seat
from cpanel_mail_exporter.ledger.counters import (
    BUDGETED,
    OUTCOMES,
    SMTP_REPLIES,
    USER_EVENTS,
    CounterKey,
)
from cpanel_mail_exporter.ledger.places import Placed, Places, counters_of, place_of

A, B = ("a", "a.example"), ("b", "b.example")
OTHER = ("_other", "_other")


def test_the_outcomes_of_a_pair_share_its_place_and_families_share_nothing() -> None:
    places = Places({USER_EVENTS: 1, SMTP_REPLIES: 1})
    placed = places.placed(
        {
            (USER_EVENTS, (*A, "success")): 2,
            (USER_EVENTS, (*A, "defer")): 2,
            (USER_EVENTS, (*B, "success")): 3,
            (SMTP_REPLIES, ("550", "5.1.1")): 1,
        },
        9,
    )
    assert placed.counters == {
        (USER_EVENTS, (*A, "success")): 2,
        (USER_EVENTS, (*A, "defer")): 2,
        (USER_EVENTS, (*OTHER, "success")): 3,
        (SMTP_REPLIES, ("550", "5.1.1")): 1,
    }
    assert placed.seats() == {
        (USER_EVENTS, A): Seat(has_series=True, volume=4 * 1024, day=9),
        (USER_EVENTS, B): Seat(has_series=False, volume=3 * 1024, day=9),
        (SMTP_REPLIES, ("550", "5.1.1")): Seat(has_series=True, volume=1024, day=9),
    }


def test_a_step_without_numbers_changes_no_place() -> None:
    assert Places({USER_EVENTS: 1, SMTP_REPLIES: 1}).placed({}, 0) == Placed()


def test_stored_places_belong_to_their_families_and_those_of_none_are_left_out() -> None:
    seat = Seat(has_series=True, volume=5, day=1)
    stored = {(USER_EVENTS, A): seat, (SMTP_REPLIES, ("421", "")): seat, ("bygone", ("x",)): seat}
    places = Places({USER_EVENTS: 7, SMTP_REPLIES: 0}, stored)
    assert {name: (budget.limit, dict(budget.seats)) for name, budget in places} == {
        USER_EVENTS: (7, {A: seat}),
        SMTP_REPLIES: (0, {("421", ""): seat}),
    }


def test_a_place_and_its_counters_know_each_other() -> None:
    assert counters_of((USER_EVENTS, A)) == [(USER_EVENTS, (*A, outcome)) for outcome in OUTCOMES]
    for name in BUDGETED:
        assert {place_of(key) for key in counters_of((name, A))} == {(name, A)}
    assert place_of(("events", ("success", "outbound", "other"))) is None


pairs = st.tuples(st.sampled_from("abc"), st.sampled_from("xy"))
numbers = st.dictionaries(
    st.one_of(
        st.tuples(st.just(USER_EVENTS), st.tuples(pairs, st.sampled_from(OUTCOMES))).map(
            lambda key: (key[0], (*key[1][0], key[1][1]))
        ),
        st.tuples(st.just(SMTP_REPLIES), pairs),
    ),
    st.integers(1, 9),
)


@given(st.integers(0, 2), st.integers(0, 2), st.lists(st.tuples(numbers, st.integers(0, 2))))
def test_every_number_goes_to_one_series_of_its_family_and_ending(
    users: int, replies: int, steps: list[tuple[dict[CounterKey, int], int]]
) -> None:
    places = Places({USER_EVENTS: users, SMTP_REPLIES: replies})
    for added, day in steps:
        placed = places.placed(added, day)
        assert by_ending(placed.counters) == by_ending(added)
        for name, labels in placed.counters:
            place = labels[:2]
            assert place == OTHER or (name, place) in {place_of(key) for key in added}
        for name, seating in placed.seatings.items():
            places[name].accept(seating)


def by_ending(counters: object) -> Counter[tuple[str, tuple[str, ...]]]:
    found: Counter[tuple[str, tuple[str, ...]]] = Counter()
    assert hasattr(counters, "items")
    for (name, labels), value in counters.items():
        found[name, labels[2:]] += value
    return found
