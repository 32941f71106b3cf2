"""Names of mail exchangers and domains -> who takes the mail; the names are data, in TOML.

Takes the texts of the files, the user's and then the package's, and answers for a host and a
domain. Never looks anything up in DNS.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from cpanel_mail_exporter.bounces.mistakes import FileMistakes, placed, quoted, table_of

LOCAL = "local"
"""For mail that stays on the server; said by those who know, never found by name."""
OTHER = "other"
"""For all that isn't known."""

MOST_PROVIDERS = 60
"""The most providers that a file may name: each is a value of a label."""

PACKAGE_FILE = "data/providers.toml"
"""Where the package's own file lies, from this module's folder."""

_KINDS = ("mx", "domains")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+")
_LONGEST_NAME = 255
_CACHED_PLACES = 4_096


class ProviderMistakes(FileMistakes):
    """A file of providers can't be used."""


@dataclass(frozen=True, slots=True)
class ProviderTable:
    """What one file says: the provider of each end of a name, lower case and in ASCII.

    Attributes:
        mx: by ends of the names of exchangers.
        domains: by ends of recipients' domains.
    """

    mx: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, str] = field(default_factory=dict)


class Providers:
    """Who takes the mail; may be asked by several threads at once.

    Args:
        tables: the user's before the package's; the first that knows a place is believed.
    """

    def __init__(self, tables: Sequence[ProviderTable]) -> None:
        self._tables = tuple(tables)
        self._cached = lru_cache(_CACHED_PLACES)(self._find)

    @property
    def names(self) -> tuple[str, ...]:
        """Every value that `of` can give, sorted, and `local`."""
        named = {
            name
            for table in self._tables
            for names in (table.mx, table.domains)
            for name in names.values()
        }
        return tuple(sorted(named | {LOCAL, OTHER}))

    def of(self, host: str, domain: str) -> str:
        """The provider behind an exchanger or a recipient's domain.

        In each table the exchanger is looked for first, so that a customer's domain counts as the
        provider that hosts it, and then the domain.

        Args:
            host: name of the mail exchanger that was spoken to, may be empty.
            domain: the recipient's, may be empty.
        """
        # What is too long to be a name isn't kept: the cache is bounded in entries alone.
        return self._cached(
            host if len(host) <= _LONGEST_NAME else "",
            domain if len(domain) <= _LONGEST_NAME else "",
        )

    def _find(self, host: str, domain: str) -> str:
        host, domain = _plain(host), _plain(domain)
        for table in self._tables:
            found = _longest(table.mx, host) or _longest(table.domains, domain)
            if found:
                return found
        return OTHER


def providers_from_toml(text: str, origin: str) -> ProviderTable:
    """Read a file of providers.

    Args:
        text: TOML with a table for each provider, its key the label's value, with lists of names
            `mx` and `domains`, of which one may be missing.
        origin: what the file is called in mistakes.

    Raises:
        ProviderMistakes: with all mistakes; only one if it isn't TOML.
    """
    try:
        content = table_of(text)
    except ValueError as error:
        raise ProviderMistakes([placed(origin, "", str(error))]) from None
    reading = _Reading(origin)
    for word, entry in content.items():
        reading.take(word, entry)
    if len(content) > MOST_PROVIDERS:
        reading.note(
            "",
            f"{len(content)} providers, each of them a label value; keep {MOST_PROVIDERS} at most",
        )
    if reading.mistakes:
        raise ProviderMistakes(reading.mistakes)
    return ProviderTable(reading.found["mx"], reading.found["domains"])


class _Reading:
    """What has been found in a file, and what is wrong with it."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self.found: dict[str, dict[str, str]] = {kind: {} for kind in _KINDS}
        self.mistakes: list[str] = []

    def note(self, path: str, sentence: str) -> None:
        """Keep a mistake at *path*, empty for the whole file."""
        self.mistakes.append(placed(self._origin, path, sentence))

    def take(self, word: str, entry: Any) -> None:
        """One provider."""
        if not _WORD.fullmatch(word):
            self.note(quoted(word), "can't be a label; use up to 40 of a-z, 0-9 and _, a-z first")
            return
        if word in {LOCAL, OTHER}:
            self.note(word, "this word has a meaning of its own; choose another")
            return
        if not isinstance(entry, dict):
            self.note(word, f"must be a table; write [{word}] and below it mx = [...]")
            return
        for key, names in entry.items():
            if key not in _KINDS:
                near = get_close_matches(key, _KINDS, n=1)
                hint = f"did you mean {near[0]!r}?" if near else "known are 'mx' and 'domains'"
                self.note(f"{word}: {quoted(key)}", f"there is no such key; {hint}")
            elif isinstance(names, list):
                for number, name in enumerate(names):
                    self._take_name(word, key, number, name)
            else:
                self.note(f"{word}.{key}", 'must be a list; write ["example.com"]')
        if not any(entry.get(kind) for kind in _KINDS):
            self.note(word, "has no names; give it mx = [...] or domains = [...], or take it out")

    def _take_name(self, word: str, kind: str, number: int, name: Any) -> None:
        path = f"{word}.{kind}[{number}]"
        if not isinstance(name, str):
            self.note(path, 'must be a text; write "example.com"')
            return
        plain = _plain(name) if len(name) <= _LONGEST_NAME else ""
        if not _NAME.fullmatch(plain):
            self.note(
                path,
                f"{quoted(name)} isn't the end of a name of two parts or more; write "
                '"example.com", which stands for all names below it as well',
            )
            return
        owner = self.found[kind].setdefault(plain, word)
        if owner != word:
            self.note(path, f"{quoted(name)} belongs to {owner} already; take it out of one")


def _longest(names: Mapping[str, str], name: str) -> str | None:
    """What *names* has for *name* or, failing that, for the longest name above it."""
    while name:
        found = names.get(name)
        if found:
            return found
        name = name.partition(".")[2]
    return None


def _plain(name: str) -> str:
    """Lower case, without white space and dots around it, and in the ASCII form of DNS.

    What has no such form stays as it is: it is no name, and so it isn't found.
    """
    name = name.strip().lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii").lower()
        except UnicodeError:
            return name
    return name.rstrip(".")
