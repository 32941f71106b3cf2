"""Sets of seconds behave like sets of seconds."""

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.spans import Spans

slices = st.builds(Slice, st.integers(0, 30), st.integers(0, 30))
many = st.lists(slices, max_size=5)


def seconds(spans: Spans) -> set[int]:
    return {second for piece in spans.slices for second in range(piece.start, piece.end)}


def plain(some: list[Slice]) -> set[int]:
    return {second for piece in some for second in range(piece.start, piece.end)}


@given(many, slices)
def test_they_hold_what_sets_would(some: list[Slice], one: Slice) -> None:
    spans = Spans.of(*some)
    assert seconds(spans) == plain(some)
    assert seconds(spans.with_(one)) == plain([*some, one])
    assert seconds(spans.without(one)) == plain(some) - plain([one])
    assert seconds(spans.within(one)) == plain(some) & plain([one])
    assert spans.seconds == len(plain(some))
    assert bool(spans) == bool(plain(some))


@given(many)
def test_equal_sets_are_equal_and_survive_storing(some: list[Slice]) -> None:
    spans = Spans.of(*some)
    by_second = [Slice(second, second + 1) for second in sorted(plain(some))]
    assert Spans.of(*by_second) == spans
    pairs = [(start, end) for start, end in spans.as_pairs()]
    assert Spans.from_pairs(pairs) == spans
