"""The quick way to render a delivery record gives what the slow and obvious way gives."""

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord
from tests.unit.exposition.records import delivery, obvious_line

AWKWARD = st.text(st.sampled_from('a"\\\n\r%s{},=\x00\u2028\U0001f600'), max_size=6)
VALUES = st.one_of(AWKWARD, st.text(max_size=12))
SERVER = st.lists(st.tuples(st.sampled_from(["server", "region", "_x1"]), VALUES), max_size=3)


@st.composite
def records(draw: st.DrawFn) -> DeliveryRecord:
    changed = draw(st.dictionaries(st.sampled_from(DELIVERY_LABELS), VALUES, max_size=5))
    return delivery(**changed)


@given(st.lists(records(), max_size=4), SERVER.map(tuple))
def test_quick_and_obvious_rendering_agree(
    batch: list[DeliveryRecord], server: tuple[tuple[str, str], ...]
) -> None:
    lines = LogLines("email_logs", server)
    assert [line.text for line in lines.render(batch)] == [
        obvious_line(record, server) for record in batch
    ]


def test_a_quote_in_one_value_does_not_hide_behind_another() -> None:
    """All 22 values are looked at: alone, beside an awkward message, and all together."""
    server = (("server", 'a"%s\\'),)
    batch = [
        delivery(**labels)
        for awkward in ('"', "\\", "\n", '"\\\n')
        for label in DELIVERY_LABELS
        for labels in (
            {label: awkward},
            {label: awkward, "message": '550 "no"'},
            dict.fromkeys(DELIVERY_LABELS, awkward),
        )
    ]
    expected = [obvious_line(record, server) for record in batch]
    assert [line.text for line in LogLines("email_logs", server).render(batch)] == expected
