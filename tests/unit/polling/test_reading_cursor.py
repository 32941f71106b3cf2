"""How far a reading has come survives being stored, and says what is missing."""

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.model.deliveries import ActionFilter, GoesBy
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.learning import Facts
from cpanel_mail_exporter.polling.reading_cursor import ReadingCursor
from cpanel_mail_exporter.polling.spans import Spans

slices = st.builds(lambda a, n: Slice(a, a + n), st.integers(0, 50), st.integers(1, 20))


@given(
    st.integers(0, 99),
    st.lists(slices, max_size=3),
    st.dictionaries(slices, st.integers(1, 3), max_size=2),
    st.builds(
        Facts,
        st.sampled_from(GoesBy),
        st.sampled_from(ActionFilter),
        st.sampled_from((None, True, False)),
        learned_unix=st.integers(0, 9),
    ),
)
def test_it_survives_storing(
    until: int, unread: list[Slice], incomplete: dict[Slice, int], facts: Facts
) -> None:
    cursor = ReadingCursor(until, Spans.of(*unread), incomplete, facts)
    assert ReadingCursor.parsed(cursor.text()) == cursor


def test_texts_of_another_form_are_no_cursor() -> None:
    whole = ReadingCursor(5).text()
    assert ReadingCursor.parsed(whole) == ReadingCursor(5)
    odd = ("", "x", "{}", "[]", whole[:-9], whole.replace("5", "null"), ReadingCursor().text())
    assert [ReadingCursor.parsed(text) for text in odd] == [None] * len(odd)


def test_a_whole_reading_of_a_part_leaves_the_rest_incomplete() -> None:
    cursor = ReadingCursor(until=100, unread=Spans.of(Slice(0, 100)))
    cursor.was_read(Slice(20, 60), 3)
    assert (cursor.incomplete, cursor.unread.as_pairs()) == (
        {Slice(20, 60): 3},
        [[0, 20], [60, 100]],
    )
    cursor.was_read(Slice(10, 30), 0)
    assert cursor.incomplete == {Slice(30, 60): 3}
    assert [cursor.incomplete_within(Slice(0, 30)), cursor.incomplete_within(Slice(59, 99))] == [
        0,
        3,
    ]
    cursor.was_read(Slice(30, 60), 1)
    assert cursor.incomplete == {Slice(30, 60): 1}
    cursor.forget_before(60)
    assert (cursor.incomplete, cursor.unread.as_pairs()) == ({}, [[60, 100]])
