"""``api.filter.*``: which records an answer keeps.

Operators and the default are those of WHM's page on filters. Not documented there and assumed:
several filters must all hold; ``contains`` and ``begins`` ignore case (as UAPI documents of its
own); null holds in no numeric comparison and is an empty string to the others.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from whm_simulator.api.errors import FunctionError
from whm_simulator.api.params import Params, is_on, lettered
from whm_simulator.mail.rows import FIELDS, Row
from whm_simulator.mail.source import Span

Record = Row | Mapping[str, Any]
Test = Callable[[Any], bool]

_UNLIMITED = "unlimited"
_NUMERIC: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "lt": operator.lt,
    "lt_equal": operator.le,
    "gt": operator.gt,
    "gt_equal": operator.ge,
    "lt_handle_unlimited": operator.lt,
    "gt_handle_unlimited": operator.gt,
}
_TEXT: dict[str, Callable[[str, str], bool]] = {
    "eq": operator.eq,
    "begins": lambda value, wanted: value.lower().startswith(wanted),
    "contains": lambda value, wanted: wanted in value.lower(),
}
OPERATORS: tuple[str, ...] = (*_NUMERIC, *_TEXT)


class Filter(NamedTuple):
    """One filter: *field* ``*`` means any of them."""

    field: str
    operator: str
    wanted: str


def filters_of(params: Params) -> list[Filter]:
    """The filters of a request, none unless ``api.filter.enable`` is on.

    Raises:
        FunctionError: a filter without a field, with an unknown operator, or a numeric one that is
            given no number.
    """
    if not is_on(params, "api.filter.enable"):
        return []
    filters = []
    for letter in lettered(params, "api.filter."):
        name = f"api.filter.{letter}"
        field = params.get(f"{name}.field", "")
        kind = params.get(f"{name}.type", "") or "contains"
        wanted = params.get(f"{name}.arg0", "")
        if not field:
            raise FunctionError(f'The filter "{letter}" needs "{name}.field".')
        if kind not in OPERATORS:
            raise FunctionError(f'The filter type "{kind}" is unknown.')
        if kind in _NUMERIC and _limit(wanted, kind) is None:
            raise FunctionError(f'The filter "{letter}" compares numbers; "{wanted}" is none.')
        filters.append(Filter(field, kind, wanted))
    return filters


def number_in(value: object) -> float | None:
    """*value* as a finite number, None if it is none."""
    if isinstance(value, int):
        return value
    try:
        number = float(str(value)) if value is not None else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _limit(value: object, kind: str) -> float | None:
    if value == _UNLIMITED and kind.endswith("_handle_unlimited"):
        return math.inf
    return number_in(value)


def value_test(condition: Filter) -> Test:
    """Whether a single value satisfies *condition*."""
    kind = condition.operator
    if kind in _TEXT:
        holds = _TEXT[kind]
        text = condition.wanted if kind == "eq" else condition.wanted.lower()
        return lambda value: holds("" if value is None else str(value), text)
    compare, wanted = _NUMERIC[kind], _limit(condition.wanted, kind)
    if wanted is None:
        return lambda _value: False

    def test(value: object) -> bool:
        number = value if type(value) is int else _limit(value, kind)
        return number is not None and compare(number, wanted)

    return test


def getter(field: str) -> Callable[[Any], Any]:
    """What reads *field* of a record; null where the record has no such field."""
    reads_row = operator.attrgetter(field) if field in FIELDS else None

    def read(record: Record) -> Any:
        if isinstance(record, Row):
            return reads_row(record) if reads_row else None
        return record.get(field)

    return read


def keep(records: Sequence[Any], filters: Sequence[Filter]) -> list[Any]:
    """Those of *records* for which every filter holds, in their order."""
    kept = list(records)
    for condition in filters:
        test = value_test(condition)
        if condition.field == "*":
            kept = [record for record in kept if any(map(test, _values(record)))]
        else:
            read = getter(condition.field)
            kept = [record for record in kept if test(read(record))]
    return kept


def _values(record: Record) -> Sequence[Any]:
    if isinstance(record, Row):
        return msgspec.structs.astuple(record)
    return list(record.values())


def span_of(filters: Sequence[Filter]) -> tuple[Span | None, list[Filter]]:
    """The range of send time that numeric filters bound, and the filters left to apply.

    An attempt never comes before its message, so an upper bound on ``actionunixtime`` bounds the
    send time as well; such a filter stays, since it says more than the range does.
    """
    first, last = -(2**53), 2**53
    is_bounded = False
    rest = []
    for condition in filters:
        kind, wanted = condition.operator, number_in(condition.wanted)
        is_send = condition.field == "sendunixtime"
        is_upper = kind in ("lt", "lt_equal", "==")
        if wanted is None or kind not in ("==", "lt", "lt_equal", "gt", "gt_equal"):
            rest.append(condition)
            continue
        if is_upper and condition.field in ("sendunixtime", "actionunixtime"):
            last = min(last, math.ceil(wanted) - 1 if kind == "lt" else math.floor(wanted))
            is_bounded = True
        if is_send and not kind.startswith("lt"):
            first = max(first, math.floor(wanted) + 1 if kind == "gt" else math.ceil(wanted))
            is_bounded = True
        if not is_send:
            rest.append(condition)
    return (Span(first, last) if is_bounded else None), rest
