"""``emailtrack_search``: rows of deliveries.

Assumed where cPanel says nothing: filters come before the cap, the cap keeps the newest rows by
send time, the unsorted order is newest first, and a row without a transport (refused by cPanel, in
progress) is neither a local nor a remote delivery.
"""

from collections import Counter
from typing import Any

from whm_simulator.api.answer import Answer
from whm_simulator.api.errors import FunctionError
from whm_simulator.api.filters import span_of
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params, is_on, one_of, whole_number
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
    output = Output.of(params)
    types = {name for name in TYPES if is_on(params, name)}
    delivery_type = one_of(params, "deliverytype", _DELIVERY_TYPES, "all")
    most_of_a_type = whole_number(params, "max_results_by_type", 0)
    if most_of_a_type < 0:
        raise FunctionError('The "max_results_by_type" argument must not be negative.')
    span, filters = span_of(output.filters)
    rows = visit.mail.rows(visit.now_unix, span)
    if len(types) < len(TYPES):
        rows = [row for row in rows if row.type in types]
    if delivery_type != "all":
        rows = [row for row in rows if goes_by(delivery_type, row)]
    rows.reverse()
    metadata: dict[str, Any] = {"overflowed": 0}

    def cap(found: list[Row]) -> list[Row]:
        counts: Counter[str] = Counter()
        kept = []
        for row in found:
            counts[row.type] += 1
            if counts[row.type] <= most_of_a_type:
                kept.append(row)
        metadata["overflowed"] = int(len(kept) < len(found))
        return kept

    records = output.apply(rows, metadata, filters=filters, cut=cap if most_of_a_type else None)
    return Answer("emailtrack_search", records, metadata=metadata)
