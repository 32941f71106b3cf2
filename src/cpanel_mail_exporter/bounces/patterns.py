"""Regular expressions that can't be made slow: RE2, whose time grows with the text and no faster.

Takes patterns in their order and gives, for a text, those that match, in that order. A first pass
over the text finds the literal pieces that patterns need (`FilteredRE2`), so that of hundreds only
a dozen are tried.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import re2

LONGEST_PATTERN = 4_000
"""Characters; longer ones are refused."""

_MEMORY_BYTES = 1 << 18
"""Bound for each pattern's program, and for its cache of states, which RE2 drops when it's full."""
_ANSWERS_KEPT = 512


class BadPattern(ValueError):
    """A pattern can't be used; its text says why."""


class Patterns:
    """Patterns that are looked for together.

    Args:
        patterns: where each is found anywhere in a text. They must have passed `check`.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        self._filter = re2.Filter()
        for pattern in patterns:
            self._filter.Add(pattern, _options())
        if patterns:
            self._filter.Compile()
        self._single = [self._filter.re(index) for index in range(len(patterns))]

    def found_in(self, text: str) -> Iterator[int]:
        """Numbers of the patterns that match, ascending, each looked for when it is asked for."""
        encoded = text.encode()
        if not self._single:
            return
        for index in sorted(self._filter.Match(encoded, potential=True) or ()):
            if self._single[index].search(encoded) is not None:
                yield index


def check(pattern: str) -> None:
    """Make sure that *pattern* can be used.

    Raises:
        BadPattern: RE2 doesn't take it, or it is too long.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise BadPattern(f"is longer than {LONGEST_PATTERN} characters")
    try:
        re2.compile(pattern, _options())
    except re2.error as error:
        told = error.args[0] if error.args else "RE2 refuses it"
        raise BadPattern(
            told.decode(errors="replace") if isinstance(told, bytes) else told
        ) from None


def whole(pattern: str) -> Callable[[str], bool]:
    """A question that can be put often: whether a short text is what *pattern* describes.

    Answers are kept: codes and stages are few.
    """
    compiled = re2.compile(pattern, _options())

    @lru_cache(_ANSWERS_KEPT)
    def is_whole(text: str) -> bool:
        return compiled.fullmatch(text) is not None

    return is_whole


def matches_whole(pattern: str, text: str) -> bool:
    """Whether *text* from its first to its last character is what *pattern* describes."""
    return re2.fullmatch(pattern, text, _options()) is not None


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.never_capture = True
    options.dot_nl = True
    options.log_errors = False
    return options
