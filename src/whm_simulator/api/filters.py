"""``api.filter.*``: which records an answer keeps.

Operators and the default are those of WHM's page on filters. Not documented there and assumed:
several filters must all hold; ``contains`` and ``begins`` ignore case (as UAPI documents of its
own); null holds in no numeric comparison and is an empty string to the others; a list (the
recipients of a queued message) holds if one of its members does.
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

        def test_text(value: object) -> bool:
            if isinstance(value, list):
                return any(map(test_text, value))
            return holds("" if value is None else str(value), text)

        return test_text
    compare, wanted = _NUMERIC[kind], _limit(condition.wanted, kind)
    if wanted is None:
        return lambda _value: False

    def test_number(value: object) -> bool:
        if type(value) is int:
            return compare(value, wanted)
        number = _limit(value, kind)
        return number is not None and compare(number, wanted)

    return test_number


def values_in(records: Sequence[Any], field: str) -> list[Any]:
    """*field* of each of *records*, which are all of one kind; null where they have none."""
    if not records:
        return []
    if not isinstance(records[0], Row):
        return [record.get(field) for record in records]
    if field not in FIELDS:
        return [None] * len(records)
    return list(map(operator.attrgetter(field), records))


def keep(records: Sequence[Any], filters: Sequence[Filter]) -> list[Any]:
    """Those of *records* for which every filter holds, in their order."""
    kept = list(records)
    for condition in filters:
        test = value_test(condition)
        if condition.field == "*":
            kept = [record for record in kept if any(map(test, _all_values(record)))]
        else:
            values = values_in(kept, condition.field)
            kept = [record for record, value in zip(kept, values, strict=True) if test(value)]
    return kept


def _all_values(record: Record) -> Sequence[Any]:
    if isinstance(record, Row):
        return msgspec.structs.astuple(record)
    return list(record.values())


class Bounds(NamedTuple):
    """What numeric filters on times bound.

    Attributes:
        span: the range of send time, None if it isn't bounded.
        acted: the range of action time, None if it isn't bounded.
        rest: the filters that are left to apply.
    """

    span: Span | None
    acted: Span | None
    rest: list[Filter]


def bounds_of(filters: Sequence[Filter]) -> Bounds:
    """The ranges of send and of action time that *filters* bound, and what they don't say.

    Null holds in no numeric comparison, so that a range of action time leaves out what is in
    progress, as ``Mail.rows`` does. An attempt never comes before its message, so an upper bound
    on action time is one on send time as well.
    """
    send, action, rest = _Bound(), _Bound(), []
    for condition in filters:
        wanted = number_in(condition.wanted)
        bound = {"sendunixtime": send, "actionunixtime": action}.get(condition.field)
        if bound is None or wanted is None or condition.operator not in _SIMPLE:
            rest.append(condition)
        else:
            bound.narrow(condition.operator, wanted)
    acted = action.span
    if acted is not None and acted.last_unix < _FAR:
        send.narrow("lt_equal", acted.last_unix)
    return Bounds(send.span, acted, rest)


_SIMPLE = ("==", "lt", "lt_equal", "gt", "gt_equal")
_FAR = 2**53


class _Bound:
    """A range of whole seconds that gets narrower."""

    def __init__(self) -> None:
        self._first, self._last = -_FAR, _FAR
        self._is_bounded = False

    def narrow(self, kind: str, wanted: float) -> None:
        self._is_bounded = True
        if not kind.startswith("gt"):
            self._last = min(
                self._last, math.ceil(wanted) - 1 if kind == "lt" else math.floor(wanted)
            )
        if not kind.startswith("lt"):
            self._first = max(
                self._first, math.floor(wanted) + 1 if kind == "gt" else math.ceil(wanted)
            )

    @property
    def span(self) -> Span | None:
        return Span(self._first, self._last) if self._is_bounded else None
