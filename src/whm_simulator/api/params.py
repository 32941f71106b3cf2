"""Request parameters, read into typed values or refused with a sentence."""

import re
from collections.abc import Iterable, Mapping

from whm_simulator.api.errors import FunctionError

Params = Mapping[str, str]
"""Parameters by name, of a query string or a form; each name once (see ``params_of``)."""

_WHOLE_NUMBER = re.compile(r"\s*[+-]?\d{1,18}\s*", re.ASCII)


def params_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Parameters from names and values as they came.

    Of a repeated name the last value keeps it; those before become ``name-1``, ``name-2`` and so
    on, the other way in which WHM takes several values.

    >>> params_of([("want", "user"), ("want", "domain"), ("search", "x")])
    {'want': 'domain', 'want-1': 'user', 'search': 'x'}
    """
    params: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for name, value in pairs:
        if name in params:
            numbers[name] = numbers.get(name, 0) + 1
            params[f"{name}-{numbers[name]}"] = params[name]
        params[name] = value
    return params


def values_of(params: Params, name: str) -> list[str]:
    """All values of a parameter that may have several: of *name* and *name*-1, *name*-2, ...

    Each may be a comma-separated list as well; empty ones don't count.
    """
    pattern = re.compile(re.escape(name) + r"(?:-\d+)*", re.ASCII)
    texts = [text for key, text in params.items() if pattern.fullmatch(key)]
    return [value for text in texts for value in map(str.strip, text.split(",")) if value]


def required(params: Params, name: str) -> str:
    """The parameter *name*.

    Raises:
        FunctionError: it is absent or empty; the text is the one that clients have seen.
    """
    text = params.get(name, "")
    if not text:
        raise FunctionError(f'Provide the "{name}" argument.')
    return text


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
    if text not in (default, *choices):
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
