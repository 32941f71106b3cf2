"""Rows of emailtrack_user_stats -> the sums of one user."""

import re
from typing import Any

import msgspec

from cpanel_mail_exporter.model.records import FLAGS, STAT_TYPES, LimitUse, UserStat
from cpanel_mail_exporter.whm.decode.outcome import Rows, UnexpectedShape
from cpanel_mail_exporter.whm.decode.rows import decode_rows
from cpanel_mail_exporter.whm.decode.scalars import (
    limit_reached,
    limit_use,
    text,
    whole_number,
)

_ABSENT = object()
_MOST_FIELDS = 100

_TOO_LARGE = 1e300
_DECIMAL = re.compile(r"\s*-?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?\s*")

_mapping = msgspec.json.Decoder(dict[str, Any])
_mappings = msgspec.json.Decoder(list[dict[str, Any]])


def user_stat_rows(array: bytes) -> Rows[UserStat]:
    """Decode a JSON array of emailtrack_user_stats rows.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    return decode_rows(array, _mappings.decode, _user_stat, _mapping.decode, _user_stat)


def _user_stat(row: dict[str, Any]) -> UserStat:
    """Convert one row of emailtrack_user_stats; keys match whatever their case and underscores."""
    fields = {key.replace("_", "").lower(): value for key, value in row.items()}
    if not fields.keys() & {"user", "domain"} or len(fields) > _MOST_FIELDS:
        raise UnexpectedShape("no row of emailtrack_user_stats")
    counts: dict[str, int | float] = {}
    for stat_type in STAT_TYPES:
        counts[stat_type] = _count(fields.pop(stat_type.replace("_", ""), None))
    domain, user, owner, primary_domain = (
        _label(fields.pop(key, None)) for key in ("domain", "user", "owner", "primarydomain")
    )
    flags: dict[str, bool] = {}
    uses: dict[str, LimitUse] = {}
    unreadable = 0
    for flag in FLAGS:
        value = fields.pop(flag.replace("_", ""), _ABSENT)
        reached = False if value is None else limit_reached(value)
        if reached is None:
            unreadable += 1
        else:
            flags[flag] = reached
        if (use := limit_use(value)) is not None:
            uses[flag] = use
    for key, value in fields.items():
        stem, ending = (key[:-5], "_count") if key.endswith("count") else (key[:-4], "_size")
        if key.endswith(("count", "size")) and stem and (number := _number(value)) is not None:
            counts[stem + ending] = number
    return UserStat(domain, user, owner, primary_domain, counts, flags, unreadable, uses)


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
