"""Rows of a reading are counted as totals count them, so that too few are noticed."""

import pytest

from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.tally import Tally, are_missing


def rows(*sent_and_types: tuple[int | None, str]) -> list[DeliveryRecord]:
    texts = ("",) * len(DELIVERY_LABELS)
    return [DeliveryRecord(*texts, sent, None)._replace(type=kind) for sent, kind in sent_and_types]


def test_a_row_counts_once_however_many_multisets_show_it() -> None:
    tally = Tally()
    tally.add(0, rows((5, "success"), (5, "success"), (9, "failure")))
    tally.add(0, rows((5, "success"), (5, "defer"), (None, "success")))
    tally.add(1, rows((5, "success"), (7, "success"), (9, "failure"), (9, "failure")))
    assert tally.of(Slice(5, 9)) == (4, 0)
    assert tally.of(Slice(0, 100)) == (4, 2)
    assert tally.total() == (5, 2)


@pytest.mark.parametrize(
    ("mine", "success", "failure", "missing"),
    [((2, 1), 2, 1, False), ((3, 2), 2, 1, False), ((1, 2), 2, 1, True), ((2, 0), 2, 1, True)],
)
def test_rows_are_missing_if_totals_had_more_of_a_type(
    mine: tuple[int, int], success: int, failure: int, missing: bool
) -> None:
    assert are_missing(mine, (9, success, failure, 99, 99, 99)) is missing
