"""TOML of the operator's own: its text -> a table, and what is told of mistakes in it."""

import tomllib
from collections.abc import Sequence
from typing import Any

_SHOWN_CHARACTERS = 60


class FileMistakes(ValueError):
    """A file can't be used; its text is one line for each mistake.

    Attributes:
        mistakes: where, what is wrong and what to do, in the file's order.
    """

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


def table_of(text: str) -> dict[str, Any]:
    """What a TOML text holds.

    Raises:
        ValueError: it isn't TOML, in one sentence.
    """
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ValueError(f"this isn't TOML: {why}; correct that place") from None


def placed(origin: str, path: str, sentence: str) -> str:
    """A mistake with its file and its place there, of which either may be empty."""
    return ": ".join(filter(None, (origin, path, sentence)))


def quoted(text: str) -> str:
    """*text* in quotes, cut, control characters escaped."""
    return repr(text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "...")
