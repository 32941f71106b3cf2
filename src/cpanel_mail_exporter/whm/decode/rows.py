"""A JSON array -> rows: many at once, and only where that fails one by one.

So one bad row loses one row.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from cpanel_mail_exporter.whm.decode.mending import mended
from cpanel_mail_exporter.whm.decode.outcome import NotJsonText, Record, Rows

_raw_rows = msgspec.json.Decoder(list[msgspec.Raw])


def decode_rows(
    array: bytes,
    decode_all: Callable[[bytes], list[Any]],
    convert: Callable[[Any], Record],
    decode_one: Callable[[Any], Any],
    convert_one: Callable[[Any], Record],
) -> Rows[Record]:
    """Decode *array* as a whole, or else row by row with the second pair of functions.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    try:
        return Rows([convert(row) for row in decode_all(array)], 0)
    except (ValueError, RecursionError):
        pass
    clean = array
    try:
        raw_rows = _raw_rows.decode(clean)
    except (ValueError, RecursionError):
        clean = mended(array)
        try:
            raw_rows = _raw_rows.decode(clean)
        except (ValueError, RecursionError) as error:
            raise NotJsonText("the rows are no JSON") from error
    records: list[Record] = []
    for raw in raw_rows:
        try:
            records.append(convert_one(_row(decode_one, raw)))
        except (ValueError, RecursionError):  # counted: the difference of the two lengths
            continue
    return Rows(records, len(raw_rows) - len(records))


def _row(decode_one: Callable[[Any], Any], raw: msgspec.Raw) -> Any:
    """Decode one row; invalid UTF-8 passes a scan for row ends and is found only here."""
    try:
        return decode_one(raw)
    except UnicodeDecodeError:
        return decode_one(mended(bytes(raw)))
