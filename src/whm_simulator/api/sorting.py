"""``api.sort.*``: in which order an answer lists its records.

Methods are those of WHM's page on sorting. Assumed: null sorts before everything, and what is no
number (or no IPv4 address) sorts before what is one.
"""

import ipaddress
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from whm_simulator.api.errors import FunctionError
from whm_simulator.api.filters import number_in, values_in
from whm_simulator.api.params import Params, is_on, lettered


class SortKey(NamedTuple):
    """One field to sort by; the first key of a request weighs most."""

    field: str
    method: str
    is_reversed: bool


def _lexicographic(value: object) -> str:
    return "" if value is None else str(value)


def _numeric(value: object) -> float:
    number = number_in(value)
    return -math.inf if number is None else number


def _numeric_zero_as_max(value: object) -> float:
    number = number_in(value)
    if number is None:
        return -math.inf
    return number or math.inf


def _ipv4(value: object) -> int:
    try:
        return int(ipaddress.IPv4Address(str(value)))
    except ValueError:
        return -1


METHODS: dict[str, Callable[[Any], Any]] = {
    "lexicographic": _lexicographic,
    "numeric": _numeric,
    "numeric_zero_as_max": _numeric_zero_as_max,
    "ipv4": _ipv4,
}


def sort_keys_of(params: Params) -> list[SortKey]:
    """The sort keys of a request, none unless ``api.sort.enable`` is on.

    Raises:
        FunctionError: a key without a field or with an unknown method.
    """
    if not is_on(params, "api.sort.enable"):
        return []
    keys = []
    for letter in lettered(params, "api.sort."):
        name = f"api.sort.{letter}"
        field = params.get(f"{name}.field", "")
        method = params.get(f"{name}.method", "") or "lexicographic"
        if not field:
            raise FunctionError(f'The sort key "{letter}" needs "{name}.field".')
        if method not in METHODS:
            raise FunctionError(f'The sort method "{method}" is unknown.')
        keys.append(SortKey(field, method, is_on(params, f"{name}.reverse")))
    return keys


def in_order(records: Sequence[Any], keys: Sequence[SortKey]) -> list[Any]:
    """*records* sorted by *keys*; those equal in all of them keep their order."""
    ordered = list(records)
    for key in reversed(keys):
        weights = _weights(values_in(ordered, key.field), key.method)
        places = sorted(range(len(ordered)), key=weights.__getitem__, reverse=key.is_reversed)
        ordered = [ordered[place] for place in places]
    return ordered


def _weights(values: list[Any], method: str) -> list[Any]:
    """What *values* are compared by; those that are of the right kind already, as they are."""
    if set(map(type, values)) <= {_KINDS.get(method)}:
        return values
    return list(map(METHODS[method], values))


_KINDS: dict[str, type] = {"numeric": int, "lexicographic": str}
