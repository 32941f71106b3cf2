"""Mistakes in flags, variables and files, gathered so that all are told at once."""

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SHOWN_CHARACTERS = 60
"""The most of a wrong value that a message repeats."""

# WHM makes tokens of 32 capitals and digits; a run like that isn't shown, wherever it was written.
_TOKEN_LIKE = re.compile(r"[A-Z0-9]{20,}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written.

    Attributes:
        source: a file's path, a flag (`--endpoint`) or a variable's name.
        line: line in the file, from 1; 0 where there is none.
        column: column in the file, from 1; only used to keep the file's order.
        path: keys that lead there, such as `servers[1].tls_config.ca_file`.
    """

    source: str
    line: int = 0
    column: int = 0
    path: str = ""

    def __str__(self) -> str:
        line = f":{self.line}" if self.line else ""
        path = f": {self.path}" if self.path else ""
        return f"{self.source}{line}{path}"


@dataclass(frozen=True, slots=True, repr=False)
class Problem:
    """One mistake; shown as one line, in which nothing stands that looks like a token.

    Attributes:
        sentence: what is wrong and what to do; never a password or a hash.
    """

    place: Place
    sentence: str

    def __str__(self) -> str:
        return _one_line(_TOKEN_LIKE.sub("<hidden>", f"{self.place}: {self.sentence}"))

    __repr__ = __str__


class ConfigError(Exception):
    """The configuration can't be used; its text is one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class Problems:
    """Gathers problems; those of a file are told in the file's order, sources as they came."""

    def __init__(self, known: Iterable[Problem] = ()) -> None:
        self._found = dict.fromkeys(known)

    def add(self, place: Place, sentence: str) -> None:
        """Note one problem; noting the same one again changes nothing."""
        self._found.setdefault(Problem(place, sentence))

    def __iter__(self) -> Iterator[Problem]:
        """Those noted so far, as they came."""
        return iter(self._found)

    def raise_any(self) -> None:
        """Raise ConfigError if there is a problem."""
        ranks: dict[str, int] = {}
        for problem in self._found:
            ranks.setdefault(problem.place.source, len(ranks))
        if self._found:
            raise ConfigError(sorted(self._found, key=lambda problem: _order(problem, ranks)))


def _order(problem: Problem, ranks: dict[str, int]) -> tuple[int, int, int]:
    place = problem.place
    return ranks[place.source], place.line, place.column


def looks_like_token(text: str) -> bool:
    """Whether *text* is such a word as WHM makes for a token."""
    return _TOKEN_LIKE.fullmatch(text) is not None


def quoted(text: str) -> str:
    """*text* as a message shows it: in quotes, cut, and without control characters.

    >>> quoted("5x")
    "'5x'"
    """
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "...")


def suggestion(word: str, known: Iterable[str]) -> str:
    """`; did you mean ...?` with the nearest of *known*, or nothing if none is near.

    >>> suggestion("poll_intervall", ["poll_interval", "stale_after"])
    "; did you mean 'poll_interval'?"
    """
    near = difflib.get_close_matches(word[:SHOWN_CHARACTERS], list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _one_line(text: str) -> str:
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in text
    )
