"""Different texts are counted in few bits, in any order and any number of times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.spam_runs.sketch import FEW_BITS, MANY_BITS, distinct, sketch


@given(st.lists(st.text()), st.lists(st.text()))
def test_the_sketch_of_all_is_that_of_the_parts_united(some: list[str], others: list[str]) -> None:
    assert sketch(some + others, 256) == sketch(others, 256) | sketch(some, 256)
    assert sketch(some + some, 1_024) == sketch(some, 1_024)
    assert 0 <= sketch(some, 256) < 1 << 256


@pytest.mark.parametrize(
    ("bits", "count", "within"),
    [
        (FEW_BITS, 1, 0.0),
        (FEW_BITS, 20, 0.12),
        (FEW_BITS, 200, 0.15),
        (MANY_BITS, 20, 0.06),
        (MANY_BITS, 200, 0.08),
        (MANY_BITS, 1_000, 0.1),
        (MANY_BITS, 4_000, 0.2),
    ],
)
@pytest.mark.parametrize("form", ["reader{}@example.net", "{}@example.com", "192.0.{}"])
def test_the_error_is_within_four_times_the_one_that_is_told(
    bits: int, count: int, within: float, form: str
) -> None:
    found = distinct(sketch((form.format(n) for n in range(count)), bits), bits)
    assert abs(found - count) <= within * count + (count > 1)


def test_a_full_sketch_says_at_least_so_many() -> None:
    assert distinct((1 << FEW_BITS) - 1, FEW_BITS) == 1_420
    assert distinct((1 << MANY_BITS) - 1, MANY_BITS) == 7_098
