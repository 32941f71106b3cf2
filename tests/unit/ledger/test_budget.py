"""Label sets get series by volume, with patience; each event goes to exactly one series."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.ledger.budget import Budget
from cpanel_mail_exporter.ledger.change import Seat

A, B, C, D = ("a",), ("b",), ("c",), ("d",)
OTHER = ("_other",)


def step(budget: Budget, demand: dict[tuple[str, ...], int], day: int = 0) -> dict[str, str]:
    """Accept a step; gives where each went, by their only label."""
    seating = budget.seating(demand, day)
    budget.accept(seating)
    return {labels[0]: route[0] for labels, route in seating.routes.items()}


def seated(budget: Budget) -> set[str]:
    return {labels[0] for labels, seat in budget.seats.items() if seat.has_series}


def test_places_are_given_as_sets_come_the_largest_first() -> None:
    budget = Budget(2, 1)
    assert step(budget, {A: 1, B: 5, C: 3}) == {"a": "_other", "b": "b", "c": "c"}
    assert (seated(budget), budget.wanted, budget.seated) == ({"b", "c"}, 3, 2)
    assert [budget.is_shown(labels) for labels in (A, B, OTHER, D)] == [False, True, True, False]


def test_equals_are_told_apart_by_name_and_not_by_order() -> None:
    assert step(Budget(1, 1), {B: 1, A: 1}) == step(Budget(1, 1), {A: 1, B: 1})
    assert step(Budget(1, 1), {B: 1, A: 1}) == {"a": "a", "b": "_other"}


def test_a_place_changes_hands_when_another_is_more_than_twice_as_large() -> None:
    budget = Budget(1, 1)
    step(budget, {A: 10})
    assert step(budget, {B: 20}) == {"b": "_other"}
    assert seated(budget) == {"a"}
    assert step(budget, {B: 1}) == {"b": "_other"}, "the step that earns it still goes to _other"
    assert seated(budget) == {"b"}
    assert step(budget, {A: 30, B: 1}) == {"a": "_other", "b": "b"}
    assert step(budget, {A: 5}) == {"a": "_other"}
    assert step(budget, {A: 1}) == {"a": "a"}


def test_volumes_halve_every_day() -> None:
    budget = Budget(1, 1)
    step(budget, {A: 100}, day=10)
    assert step(budget, {B: 25}, day=12) == {"b": "_other"}
    assert seated(budget) == {"a"}, "100 are 25 by now"
    step(budget, {B: 26}, day=12)
    assert seated(budget) == {"b"}
    assert step(budget, {B: 1}, day=1) == {"b": "b"}, "a clock set back harms nothing"


def test_without_a_limit_all_have_places() -> None:
    budget = Budget(0, 1)
    assert step(budget, {A: 1, B: 1}) == {"a": "a", "b": "b"}


def test_a_lower_limit_takes_places_from_the_weakest_and_a_higher_one_gives_them() -> None:
    budget = Budget(3, 1)
    step(budget, {A: 1, B: 2, C: 3})
    lower = Budget(1, 1, budget.seats)
    assert step(lower, {A: 1}) == {"a": "_other"}
    assert seated(lower) == {"c"}
    higher = Budget(2, 1, lower.seats)
    assert step(higher, {C: 1}) == {"c": "c"}
    assert seated(higher) == {"c", "a"}, "a and b are alike by now"
    unlimited = Budget(0, 1, lower.seats)
    assert step(unlimited, {A: 1}) == {"a": "a"}


def test_those_that_wait_are_bounded_and_forgotten_when_they_are_nothing_any_more() -> None:
    budget = Budget(1, 1)
    step(budget, {A: 100})
    for number in range(30):
        step(budget, {(f"x{number}",): 1 + number})
    waiting = {labels[0] for labels in budget.seats} - seated(budget)
    assert waiting == {"x26", "x27", "x28", "x29"}
    step(budget, {A: 1}, day=40)
    assert set(budget.seats) == {A}


def test_a_set_called_other_shares_the_series_and_never_hides_it() -> None:
    budget = Budget(1, 1)
    step(budget, {OTHER: 1})
    step(budget, {A: 100})
    step(budget, {A: 1})
    assert budget.is_shown(OTHER)


def test_nothing_moves_before_it_is_accepted() -> None:
    budget = Budget(1, 1, {A: Seat(has_series=True, volume=1, day=0)})
    before = dict(budget.seats)
    assert budget.seating({B: 50}, 0).routes == {B: OTHER}
    assert budget.seats == before


names = st.sampled_from("abcdef").map(lambda name: (name,))
demands = st.dictionaries(names, st.integers(1, 50), min_size=1)


@given(st.integers(0, 4), st.lists(st.tuples(demands, st.integers(0, 3)), max_size=12))
def test_series_are_within_the_limit_never_fall_and_hold_every_event(
    limit: int, steps: list[tuple[dict[tuple[str, ...], int], int]]
) -> None:
    """And a budget that is loaded from what was stored goes on as the one that stored it."""
    budget = Budget(limit, 1)
    series: Counter[str] = Counter()
    for demand, day in steps:
        loaded = Budget(limit, 1, budget.seats)
        shuffled = dict(reversed(demand.items()))
        assert loaded.seating(shuffled, day).changes == budget.seating(demand, day).changes
        had = seated(budget)
        for name, route in step(budget, demand, day).items():
            assert route in {name, "_other"}
            assert route == name or name not in had or limit
            series[route] += demand[name,]
        assert not limit or budget.seated <= limit
    assert sum(series.values()) == sum(sum(demand.values()) for demand, _ in steps)
