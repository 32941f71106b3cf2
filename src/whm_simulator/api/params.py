"""Request parameters, read into typed values or refused with a sentence."""

import re
from collections.abc import Mapping

from whm_simulator.api.errors import FunctionError

Params = Mapping[str, str]
"""Parameters by name, of a query string or a form; each name once."""

_WHOLE_NUMBER = re.compile(r"\s*[+-]?\d{1,18}\s*", re.ASCII)


def whole_number(params: Params, name: str, default: int) -> int:
    """The integer parameter *name*, *default* if it is absent or empty.

    Raises:
        FunctionError: it is something else than a whole number.
    """
    text = params.get(name, "")
    if not text:
        return default
    if not _WHOLE_NUMBER.fullmatch(text):
        raise FunctionError(f'The "{name}" argument must be a whole number, not "{text}".')
    return int(text)


def is_on(params: Params, name: str) -> bool:
    """Whether a 0/1 parameter is on; absent is off.

    Raises:
        FunctionError: it is no whole number.
    """
    return whole_number(params, name, 0) != 0


def one_of(params: Params, name: str, choices: tuple[str, ...], default: str) -> str:
    """The parameter *name*, which must be one of *choices*; *default* if absent or empty.

    Raises:
        FunctionError: it is another word.
    """
    text = params.get(name, "") or default
    if text not in choices:
        raise FunctionError(f'The "{name}" argument must be one of {", ".join(choices)}.')
    return text


def lettered(params: Params, prefix: str) -> list[str]:
    """The letters used after *prefix*, in WHM's order: a to z, then za, zb and so on.

    >>> lettered({"api.sort.b.field": "x", "api.sort.za.field": "y", "api.sort.a.field": "z"},
    ...          "api.sort.")
    ['a', 'b', 'za']
    """
    pattern = re.compile(re.escape(prefix) + r"([a-z]{1,4})(?:\.\w+)?")
    letters = set()
    for name in params:
        match = pattern.fullmatch(name)
        if match and match[1] not in ("enable", "verbose", "size", "start"):
            letters.add(match[1])
    return sorted(letters)
