"""Rows and sums of a range of time, as totals and unique counts select them.

Assumed where cPanel says nothing: a range is one of send time with both ends included. By the
quirk ``totals-go-by=action`` it is one of action time; what is in progress has none and is then
selected by its send time.
"""

import math

from whm_simulator.api.params import Params, whole_number
from whm_simulator.api.visit import Visit
from whm_simulator.mail.rows import INPROGRESS, Row
from whm_simulator.mail.source import Span
from whm_simulator.mail.sums import Sender, Sums, sums_of


def range_of(visit: Visit, params: Params, starts: tuple[str, ...], ends: tuple[str, ...]) -> Span:
    """The range asked for: from 0 to now unless the parameters say otherwise.

    Args:
        visit: for the present time, and whether ends belong to a range.
        params: of the request.
        starts: names of the parameter for its start; the first one that is given counts.
        ends: likewise for its end.

    Raises:
        FunctionError: a parameter is no whole number.
    """
    start, end = 0, math.floor(visit.now_unix)
    for name in reversed(starts):
        start = whole_number(params, name, start)
    for name in reversed(ends):
        end = whole_number(params, name, end)
    excluded = int(visit.quirks.range_ends == "excluded")
    return Span(start + excluded, end - excluded)


def rows_in(visit: Visit, span: Span) -> list[Row]:
    """Rows that exist now and belong to *span*."""
    if visit.quirks.totals_go_by == "send":
        return visit.mail.rows(visit.now_unix, span)
    waiting = [row for row in visit.mail.rows(visit.now_unix, span) if row.type == INPROGRESS]
    return visit.mail.rows(visit.now_unix, acted=span) + waiting


def sums_in(visit: Visit, span: Span) -> dict[Sender, Sums]:
    """Sums over the rows of *span* by sender."""
    if visit.quirks.totals_go_by == "send":
        return visit.mail.sums(visit.now_unix, span)
    return sums_of(rows_in(visit, span))
