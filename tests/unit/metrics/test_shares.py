"""One bound for many servers is shared evenly, and what one doesn't need is lent to the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.metrics.shares import shares

WANTED = st.lists(st.integers(0, 60), max_size=12)


@given(WANTED, st.integers(0, 300))
def test_nothing_is_left_over_while_somebody_wants_more(wanted: list[int], total: int) -> None:
    granted = shares(wanted, total)
    assert len(granted) == len(wanted)
    assert sum(granted) == min(total, sum(wanted))
    assert all(0 <= part <= wish for part, wish in zip(granted, wanted, strict=True))


@given(WANTED, st.integers(0, 300))
def test_who_gets_less_than_it_wants_gets_no_less_than_others(
    wanted: list[int], total: int
) -> None:
    """Max-min fair: of two that differ by more than one, the smaller has all it wants."""
    granted = shares(wanted, total)
    for one, wish in zip(granted, wanted, strict=True):
        if one < wish:
            assert all(other <= one + 1 for other in granted)


@given(WANTED, st.integers(0, 300))
def test_equal_wishes_differ_by_at_most_one_and_the_first_is_not_behind(
    wanted: list[int], total: int
) -> None:
    granted = shares(wanted, total)
    by_wish: dict[int, list[int]] = {}
    for part, wish in zip(granted, wanted, strict=True):
        by_wish.setdefault(wish, []).append(part)
    for parts in by_wish.values():
        assert max(parts) - min(parts) <= 1
        assert parts == sorted(parts, reverse=True)


@given(WANTED, st.integers(0, 300))
def test_the_same_wishes_get_the_same_shares(wanted: list[int], total: int) -> None:
    assert shares(tuple(wanted), total) == shares(list(wanted), total)


@given(WANTED, st.integers(0, 300))
def test_a_larger_bound_takes_from_nobody(wanted: list[int], total: int) -> None:
    smaller, larger = shares(wanted, total), shares(wanted, total + 1)
    assert all(a <= b for a, b in zip(smaller, larger, strict=True))


@pytest.mark.parametrize(
    ("wanted", "total", "granted"),
    [
        ([], 10, []),
        ([5, 5], 0, [0, 0]),
        ([50_000, 10, 0], 50_000, [49_990, 10, 0]),
        ([7, 7, 7], 10, [4, 3, 3]),
        ([1] * 5, 3, [1, 1, 1, 0, 0]),
        ([2, 3], 100, [2, 3]),
    ],
)
def test_examples(wanted: list[int], total: int, granted: list[int]) -> None:
    assert shares(wanted, total) == granted
