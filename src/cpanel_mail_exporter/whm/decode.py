"""Wire -> records: the only place that knows WHM's quirks. Takes bytes, gives records, never I/O.

Rows are decoded many at once; only where that fails, row by row, so that one bad row loses one row.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from cpanel_mail_exporter.model.records import STAT_TYPES, DeliveryRecord, UserStat
from cpanel_mail_exporter.whm.wire import (
    OddDelivery,
    Scalar,
    WireDelivery,
    WireEnvelope,
    WireLegacy,
    WireMetadata,
    WireRecords,
)

Record = TypeVar("Record")

_LATEST_UNIX = 100_000_000_000
_LABELS = 22
_NO_ALIASES = (None,) * 8
_ALIASED = (1, 2, 3, 8, 12, 13, 14, 17)  # places of the fields that the 8 aliases stand for

_deliveries = msgspec.json.Decoder(list[WireDelivery])
_odd_delivery = msgspec.json.Decoder(OddDelivery)
_new_tuple = tuple.__new__  # what DeliveryRecord._make calls, without its detour
_mapping = msgspec.json.Decoder(dict[str, Any])
_mappings = msgspec.json.Decoder(list[dict[str, Any]])
_raw_rows = msgspec.json.Decoder(list[msgspec.Raw])
_envelope = msgspec.json.Decoder(WireEnvelope)
_metadata = msgspec.json.Decoder(WireMetadata)
_legacy = msgspec.json.Decoder(WireLegacy)
_records = msgspec.json.Decoder(WireRecords)
_anything = msgspec.json.Decoder(msgspec.Raw)


class NotJsonText(ValueError):
    """The bytes are not JSON."""


class UnexpectedShape(ValueError):
    """JSON, but not with the members that are expected; the text says which."""


@dataclass(frozen=True, slots=True)
class Rows(Generic[Record]):
    """Decoded rows, in the order they were sent, and how many could not be decoded."""

    records: list[Record]
    rejected: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer says of itself.

    Attributes:
        refusal: WHM's own error text, None if it answered.
        is_login_refusal: the refusal is the one that bad credentials get.
        rows: the members of `data.records`, not decoded yet; None after a refusal.
        is_cut: `metadata.overflowed` isn't 0.
    """

    refusal: str | None
    is_login_refusal: bool = False
    rows: list[msgspec.Raw] | None = None
    is_cut: bool = False


def judge(body: bytes) -> Verdict:
    """Read the envelope of an answer that came with HTTP 200.

    Both shapes are known: `{"data", "metadata"}` of WHM API 1 and `{"cpanelresult"}`, which refused
    logins get (documented nowhere, seen in public clients). An answer with `data.records` and no
    `metadata` is taken for good.

    Raises:
        NotJsonText: the body is no JSON.
        UnexpectedShape: it is neither of the two shapes.
    """
    envelope = _whole(_envelope.decode, body, "not an object")
    if bytes(envelope.cpanelresult):
        error = text(_whole(_legacy.decode, envelope.cpanelresult, "cpanelresult is odd").error)
        if error:
            return Verdict(error, is_login_refusal="access denied" in error.lower())
    is_cut = False
    if bytes(envelope.metadata) not in {b"", b"null"}:
        metadata = _whole(_metadata.decode, envelope.metadata, "metadata is odd")
        if metadata.result is not None and whole_number(metadata.result) != 1:
            return Verdict(text(metadata.reason) or "no reason given")
        is_cut = metadata.overflowed not in {None, 0, "0", ""}
    data = bytes(envelope.data)
    if not data:
        raise UnexpectedShape("the answer has no data")
    return Verdict(
        None,
        rows=_whole(_records.decode, data, "data holds no list of records").records,
        is_cut=is_cut,
    )


def delivery_rows(array: bytes) -> Rows[DeliveryRecord]:
    """Decode a JSON array of emailtrack_search rows.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    return _rows(array, _deliveries.decode, _delivery_record, _odd_delivery.decode, _odd_record)


def user_stat_rows(array: bytes) -> Rows[UserStat]:
    """Decode a JSON array of emailtrack_user_stats rows.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    return _rows(array, _mappings.decode, _user_stat, _mapping.decode, _user_stat)


def mended(body: bytes) -> bytes:
    """Make JSON readable that holds what JSON may not: such bytes become U+FFFD or a space.

    Invalid UTF-8 and lone surrogate escapes are replaced by U+FFFD, raw control characters by a
    space. Mail holds any bytes, and WHM hands them on.
    """
    clean = body.decode("utf-8", "replace").encode().translate(_CONTROLS_TO_SPACE)
    return _ESCAPES.sub(_without_lone_surrogate, clean)


def text(value: Scalar) -> str:
    """A scalar as a label value: null is empty, whole numbers have no point, true is 1, false 0.

    >>> text(None), text(7301.0), text(True), text("a")
    ('', '7301', '1', 'a')
    """
    if type(value) is str:
        return value
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e17:
        return str(int(value))
    return str(int(value)) if isinstance(value, bool) else str(value)


def whole_number(value: object) -> int | None:
    """A whole number that may have come as text, None where it can't be read as one.

    >>> whole_number(" 12 "), whole_number(12.0), whole_number("x"), whole_number(None)
    (12, 12, None, None)
    """
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str):
        stripped = value.strip()
        digits = stripped.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) < 40:
            return int(stripped)
    return None


def limit_reached(value: object) -> bool | None:
    """Whether a REACHED_* field says that a limit is reached; None where it isn't understood.

    Documented as 0 or 1; public clients show 0 or texts such as "150/150" and "5/5 (100%)",
    and forum posts n > m and negative limits.

    >>> [limit_reached(v) for v in (0, "1", "150/150", "125/100 (125%)", "3/-1 (-300%)", "many")]
    [False, True, True, True, False, None]
    """
    number = whole_number(value)
    if number is not None:
        return number != 0
    match = _USE_OF_LIMIT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    used, limit = int(match["used"]), int(match["limit"])
    return limit > 0 and used >= limit


_USE_OF_LIMIT = re.compile(
    r"\s*(?P<used>-?[0-9]{1,18})\s*/\s*(?P<limit>-?[0-9]{1,18})\s*(\(\s*-?[0-9.]{1,20}\s*%?\s*\))?\s*"
)
_CONTROLS_TO_SPACE = bytes(max(byte, 32) for byte in range(256))
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
    rb"|\\.",
    re.DOTALL,
)


def _without_lone_surrogate(match: re.Match[bytes]) -> bytes:
    escape = match[0]
    return b"\\ufffd" if len(escape) == len(b"\\ud800") else escape


def _whole(decode: Callable[[Any], Record], body: Any, oddity: str) -> Record:
    """Decode one member of an answer; tell JSON of another shape from what is no JSON."""
    try:
        return decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        clean = mended(bytes(body))
        _anything.decode(clean)
    except (ValueError, RecursionError) as error:
        raise NotJsonText("the answer is no JSON") from error
    try:
        return decode(clean)
    except ValueError as error:
        raise UnexpectedShape(oddity) from error


def _rows(
    array: bytes,
    decode_all: Callable[[bytes], list[Any]],
    convert: Callable[[Any], Record],
    decode_one: Callable[[Any], Any],
    convert_one: Callable[[Any], Record],
) -> Rows[Record]:
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


def _delivery_record(row: WireDelivery) -> DeliveryRecord:
    """Convert a usual row; a call for each field would cost more than all the rest."""
    values = msgspec.structs.astuple(row)
    values = values[:_LABELS] if values[_LABELS:] == _NO_ALIASES else _by_either_name(values)
    labels: list[Any] = ["" if value is None else f"{value}" for value in values]
    sent, acted = values[15], values[0]
    labels.append(sent if type(sent) is int and 0 < sent < _LATEST_UNIX else _instant(sent))
    labels.append(acted if type(acted) is int and 0 < acted < _LATEST_UNIX else _instant(acted))
    return _new_tuple(DeliveryRecord, labels)


def _odd_record(row: Any) -> DeliveryRecord:
    values = _by_either_name(msgspec.structs.astuple(row))
    return DeliveryRecord._make(
        [*map(text, values), _instant(values[15]), _instant(values[0])],
    )


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


def _user_stat(row: dict[str, Any]) -> UserStat:
    """Convert one row of emailtrack_user_stats; keys match whatever their case and underscores."""
    fields = {key.replace("_", "").lower(): value for key, value in row.items()}
    counts: dict[str, int | float] = {}
    for stat_type in STAT_TYPES:
        counts[stat_type] = _count(fields.pop(stat_type.replace("_", ""), None))
    domain, user, owner, primary_domain = (
        _label(fields.pop(key, None)) for key in ("domain", "user", "owner", "primarydomain")
    )
    flags: dict[str, bool] = {}
    unreadable = 0
    for flag in ("reached_maxemails", "reached_maxdeferfail"):
        value = fields.pop(flag.replace("_", ""), _ABSENT)
        reached = False if value is None else limit_reached(value)
        if reached is None:
            unreadable += 1
        else:
            flags[flag] = reached
    for key, value in fields.items():
        stem, ending = (key[:-5], "_count") if key.endswith("count") else (key[:-4], "_size")
        if key.endswith(("count", "size")) and stem and (number := _number(value)) is not None:
            counts[stem + ending] = number
    return UserStat(domain, user, owner, primary_domain, counts, flags, unreadable)


_ABSENT = object()


def _label(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise UnexpectedShape("a text was expected")
    return text(value)


def _count(value: Any) -> int | float:
    """One of the six counters: null and empty are 0, anything unreadable rejects the row."""
    if value is None or value == "":
        return 0
    number = _number(value)
    if number is None:
        raise UnexpectedShape("a number was expected")
    return number


def _number(value: Any) -> int | float | None:
    """A finite number; a larger one would make a whole scrape unreadable to Prometheus."""
    number: int | float | None = whole_number(value)
    if number is None and isinstance(value, float):
        number = value
    if number is None and isinstance(value, str) and _DECIMAL.fullmatch(value):
        parsed = float(value)
        number = int(parsed) if parsed.is_integer() and abs(parsed) < 1e17 else parsed
    return number if number is not None and abs(number) < _TOO_LARGE else None


_TOO_LARGE = 1e300
_DECIMAL = re.compile(r"\s*-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?\s*")
