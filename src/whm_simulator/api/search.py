"""``emailtrack_search``: rows of deliveries.

Assumed where cPanel says nothing: filters come before the cap (else the quirk ``cap-comes``), the
cap keeps the newest rows by send time, the unsorted order is newest first, and a row without a
transport (refused by cPanel, in progress) is neither a local nor a remote delivery.
"""

from typing import Any

from whm_simulator.api.answer import Answer
from whm_simulator.api.errors import FunctionError
from whm_simulator.api.filters import Bounds, bounds_of
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params, is_on, one_of, whole_number
from whm_simulator.api.quirks import Quirks
from whm_simulator.api.quirky_mail import FLAG_OF
from whm_simulator.api.visit import Visit
from whm_simulator.mail.rows import TYPES, Row

_DELIVERY_TYPES = ("all", "remote", "local")


def goes_by(delivery_type: str, row: Row) -> bool:
    """Whether *row* belongs to a delivery type: all, remote, local or remote-or-faildefer."""
    if delivery_type == "all":
        return True
    if delivery_type == "remote-or-faildefer" and row.type in ("failure", "defer"):
        return True
    if delivery_type == "local":
        return row.transport is not None and not row.transport_is_remote
    return row.transport_is_remote == 1


def emailtrack_search(visit: Visit, params: Params) -> Answer:
    """Rows that exist now, as *params* want them."""
    quirks = visit.quirks
    output = Output.of(params, quirks)
    flags = _flags(params, quirks)
    delivery_type = one_of(params, "deliverytype", _DELIVERY_TYPES, "all")
    most = _most_of_a_type(params, quirks)
    filters = output.filters
    if quirks.time_filters == "send":
        filters = [
            one._replace(field="sendunixtime") if one.field == "actionunixtime" else one
            for one in filters
        ]
    cuts_first = bool(most) and quirks.cap_comes == "before"
    bounds = Bounds(None, None, filters) if cuts_first else bounds_of(filters)
    rows = visit.mail.rows(visit.now_unix, bounds.span, bounds.acted) if flags else []
    if len(flags) < len(TYPES):
        words = flags | {word for word, flag in FLAG_OF.items() if flag in flags}
        rows = [row for row in rows if row.type in words]
    if delivery_type != "all":
        rows = [row for row in rows if goes_by(delivery_type, row)]
    rows.reverse()
    metadata: dict[str, Any] = {"overflowed": 0}

    def cap(found: list[Row]) -> list[Row]:
        kept = newest_of_each_type(found, most)
        metadata["overflowed"] = int(len(kept) < len(found))
        return kept

    if cuts_first:
        rows = cap(rows)
    records = output.apply(
        rows, metadata, filters=bounds.rest, cut=cap if most and not cuts_first else None
    )
    return Answer("emailtrack_search", records, metadata=metadata)


def newest_of_each_type(found: list[Row], most: int) -> list[Row]:
    """The first *most* rows of each type in *found*, which has the newest first."""
    left = dict.fromkeys(TYPES, most)
    kept = []
    for row in found:
        flag = FLAG_OF.get(row.type, row.type)
        if left[flag]:
            left[flag] -= 1
            kept.append(row)
    return kept


def _flags(params: Params, quirks: Quirks) -> set[str]:
    """The types that are asked for."""
    if quirks.without_types == "everything" and not any(name in params for name in TYPES):
        return set(TYPES)
    return {name for name in TYPES if is_on(params, name)}


def _most_of_a_type(params: Params, quirks: Quirks) -> int:
    """The cap that applies, 0 for none."""
    asked = whole_number(params, "max_results_by_type", 0)
    if asked < 0:
        raise FunctionError('The "max_results_by_type" argument must not be negative.')
    return min((cap for cap in (asked, quirks.cap) if cap), default=0)
