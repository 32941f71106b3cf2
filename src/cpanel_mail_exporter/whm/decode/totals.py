"""The row of emailtrack_stats -> totals."""

from typing import Any

import msgspec

from cpanel_mail_exporter.model.query import Totals
from cpanel_mail_exporter.whm.decode.outcome import Rows, UnexpectedShape
from cpanel_mail_exporter.whm.decode.rows import decode_rows
from cpanel_mail_exporter.whm.decode.scalars import whole_number

_FIELDS = {
    "sent": "SENDCOUNT",
    "success": "SUCCESSCOUNT",
    "failure": "FAILCOUNT",
    "defer": "DEFERCOUNT",
    "defer_fail": "DEFERFAILCOUNT",
    "in_progress": "INPROGRESSCOUNT",
    "size_bytes": "TOTALSIZE",
}
_mapping = msgspec.json.Decoder(dict[str, Any])
_mappings = msgspec.json.Decoder(list[dict[str, Any]])


def totals_rows(array: bytes) -> Rows[Totals]:
    """Decode a JSON array of emailtrack_stats records, of which one is documented.

    Numbers may be texts; null, which cPanel's sample without mail shows, and what is absent are 0.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    return decode_rows(array, _mappings.decode, _totals, _mapping.decode, _totals)


def _totals(row: dict[str, Any]) -> Totals:
    if not row.keys() & set(_FIELDS.values()):
        raise UnexpectedShape("no row of emailtrack_stats")
    return Totals(**{name: _count(row.get(field)) for name, field in _FIELDS.items()})


def _count(value: Any) -> int:
    if value is None or value == "":
        return 0
    number = whole_number(value)
    if number is None:
        raise UnexpectedShape("a whole number was expected")
    return number
