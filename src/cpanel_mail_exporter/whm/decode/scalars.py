"""Single values of WHM's answers, which come as text, number, true, false or null."""

import re

from cpanel_mail_exporter.model.records import LimitUse
from cpanel_mail_exporter.whm.wire import Scalar

_USE_OF_LIMIT = re.compile(
    r"\s*(?P<used>-?[0-9]{1,18})\s*/\s*(?P<limit>-?[0-9]{1,18})\s*"
    r"(\(\s*(?P<percent>-?[0-9]{1,18}(\.[0-9]{1,18})?)\s*%?\s*\))?\s*"
)


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


def flag(value: object) -> bool | None:
    """A 0 or 1 that may have come as text, true or false; None where it is neither.

    >>> flag(1), flag("0"), flag(False), flag(None), flag("no")
    (True, False, False, None, None)
    """
    number = whole_number(value)
    return None if number is None else number != 0


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
    use = limit_use(value)
    return None if use is None else 0 < use.limit <= use.used


def limit_use(value: object) -> LimitUse | None:
    """The numbers of a REACHED_* field, None where it is a plain number or isn't understood.

    >>> limit_use("5/5 (100%)"), limit_use("150/150"), limit_use(1)
    (LimitUse(used=5, limit=5, percent=100.0), LimitUse(used=150, limit=150, percent=None), None)
    """
    match = _USE_OF_LIMIT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return None
    percent = None if match["percent"] is None else float(match["percent"])
    return LimitUse(int(match["used"]), int(match["limit"]), percent)
