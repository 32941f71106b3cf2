"""Rows of emailtrack_search -> delivery records."""

from typing import Any

import msgspec

from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.whm.decode.outcome import Rows, UnexpectedShape
from cpanel_mail_exporter.whm.decode.rows import decode_rows
from cpanel_mail_exporter.whm.decode.scalars import text, whole_number
from cpanel_mail_exporter.whm.wire import OddDelivery, Scalar, WireDelivery

_NOTHING_KNOWN = "no field that is known"
_LATEST_UNIX = 100_000_000_000
_LABELS = 22
_ALIASED = (1, 2, 3, 8, 12, 13, 14, 17)  # places of the fields that the 8 aliases stand for

_KNOWN_FIELDS = frozenset((*WireDelivery.__struct_fields__, "email", "spamscore"))
_MOST_NAMES = 100

_deliveries = msgspec.json.Decoder(list[WireDelivery])
_odd_delivery = msgspec.json.Decoder(OddDelivery)
_raw_rows = msgspec.json.Decoder(list[msgspec.Raw])
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_new_tuple = tuple.__new__  # what DeliveryRecord._make calls, without its detour


def delivery_rows(array: bytes) -> Rows[DeliveryRecord]:
    """Decode a JSON array of emailtrack_search rows.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    return decode_rows(
        array, _deliveries.decode, _delivery_record, _odd_delivery.decode, _odd_record
    )


def unknown_fields(array: bytes) -> frozenset[str]:
    """Names in the first row that nobody has documented or seen; none if it can't be read."""
    try:
        rows = _raw_rows.decode(array)
        names = _members.decode(rows[0]).keys() if rows else ()
    except (ValueError, RecursionError):
        return frozenset()
    return frozenset(sorted(set(names) - _KNOWN_FIELDS)[:_MOST_NAMES])


def _delivery_record(row: WireDelivery) -> DeliveryRecord:
    """Convert a usual row, field by field in the order of the labels.

    Its texts are texts by the row's kinds, and nothing stands under a label's name: so only null
    and the four numbers have to be looked at. A loop over the fields costs twice as much.
    """
    sent, acted = row.sendunixtime, row.actionunixtime
    size, is_remote = row.size, row.transport_is_remote
    values = (
        "" if acted is None else f"{acted}",
        row.deliveredto or "",
        row.deliverydomain or "",
        row.deliveryuser or "",
        row.domain or "",
        row.host or "",
        row.ip or "",
        row.message or "",
        row.msgid or "",
        row.recipient or "",
        row.router or "",
        row.sender or "",
        row.senderauth or "",
        row.senderhost or "",
        row.senderip or "",
        "" if sent is None else f"{sent}",
        "" if size is None else f"{size}",
        row.actiontime or "",
        row.transport or "",
        "" if is_remote is None else f"{is_remote}",
        row.type or "",
        row.user or "",
        sent if type(sent) is int and 0 < sent < _LATEST_UNIX else _instant(sent),
        acted if type(acted) is int and 0 < acted < _LATEST_UNIX else _instant(acted),
    )
    if not any(values):
        raise UnexpectedShape(_NOTHING_KNOWN)
    return _new_tuple(DeliveryRecord, values)


def _odd_record(row: Any) -> DeliveryRecord:
    values = _by_either_name(msgspec.structs.astuple(row))
    labels = list(map(text, values))
    if not any(labels):
        raise UnexpectedShape(_NOTHING_KNOWN)
    return DeliveryRecord._make([*labels, _instant(values[15]), _instant(values[0])])


def _by_either_name(values: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
    """The 22 fields, each from WHM's name or else from the label's."""
    merged = list(values)
    for place, alias in zip(_ALIASED, values[_LABELS:], strict=True):
        if merged[place] is None:
            merged[place] = alias
    return tuple(merged[:_LABELS])


def _instant(value: Scalar) -> int | None:
    number = whole_number(value)
    return number if number is not None and 0 < number < _LATEST_UNIX else None
