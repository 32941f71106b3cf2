"""The text of a file of rules -> checked rules, or every mistake in it.

A rule is a table `[[rule]]` in TOML: a name, a reason, what must hold, and an example. All
conditions of a rule must hold. Within a file, and over files, the first rule that fits decides.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from cpanel_mail_exporter.bounces.classes import OTHER, SEVERITIES
from cpanel_mail_exporter.bounces.mistakes import FileMistakes, placed, quoted, table_of
from cpanel_mail_exporter.bounces.patterns import BadPattern, check, matches_whole

PACKAGE_FILES: tuple[str, ...] = (
    "data/cpanel.toml",
    "data/exim.toml",
    "data/receivers.toml",
    "data/general.toml",
    "data/codes.toml",
)
"""The package's own files in the order they are tried, from this module's folder."""

MOST_RULES = 1_000
"""The most rules that a file may hold."""

CONDITIONS: tuple[str, ...] = ("text", "code", "enhanced", "stage", "router", "type")
"""What a rule can ask for; one at least."""

_KEYS = ("name", "reason", *CONDITIONS, "example")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_NAME = 60
_ESCAPED = re.compile(r"\\[pP]\{[^}]*\}|\\.", re.DOTALL)


class RuleMistakes(FileMistakes):
    """A file of rules can't be used."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Conditions are patterns, None where anything will do.

    Attributes:
        origin: what its file is called, empty for the user's own.
        text: found anywhere in the reply, which is in lower case and without codes; the others
            must match as a whole.
        code: reply code, empty in a text that holds none.
        enhanced: enhanced status code, empty in a text that holds none.
        stage: what the reply answers, of `reply.STAGES`, or empty.
        router: Exim's router.
        type: WHM's word, `failure` or `defer`.
        example: a text that it decides.
    """

    origin: str
    name: str
    reason: str
    text: str | None = None
    code: str | None = None
    enhanced: str | None = None
    stage: str | None = None
    router: str | None = None
    type: str | None = None
    example: str = ""


def rules_from_toml(
    text: str, origin: str, *, patterns_are_checked: bool = False
) -> tuple[Rule, ...]:
    """Read a file of rules.

    Args:
        text: TOML that holds nothing but tables `[[rule]]`.
        origin: what the file is called, empty for the user's own.
        patterns_are_checked: they are known to be sound, and needn't be put together twice.

    Raises:
        RuleMistakes: with all mistakes; only one if it isn't TOML.
    """
    try:
        content = table_of(text)
    except ValueError as error:
        raise RuleMistakes([placed(origin, "", str(error))]) from None
    reading = _Reading(origin, patterns_are_checked=patterns_are_checked)
    tables = content.pop("rule", [])
    for key in content:
        reading.note("", f"{quoted(key)} is no rule; write each rule below a line [[rule]]")
    if not isinstance(tables, list):
        reading.note("", "a rule begins with [[rule]], in two brackets; write these")
        tables = []
    for number, table in enumerate(tables[:MOST_RULES], 1):
        reading.take(number, table)
    if len(tables) > MOST_RULES:
        reading.note("", f"holds {len(tables)} rules; keep {MOST_RULES} at most")
    if reading.mistakes:
        raise RuleMistakes(reading.mistakes)
    return tuple(reading.rules)


class _Reading:
    """What has been found in a file, and what is wrong with it."""

    def __init__(self, origin: str, *, patterns_are_checked: bool) -> None:
        self._origin = origin
        self._patterns_are_checked = patterns_are_checked
        self._names: set[str] = set()
        self.rules: list[Rule] = []
        self.mistakes: list[str] = []

    def note(self, rule: str, sentence: str) -> None:
        """Keep a mistake in *rule*, empty for the whole file."""
        self.mistakes.append(placed(self._origin, rule, sentence))

    def take(self, number: int, table: Any) -> None:
        """One rule, the *number*th of the file."""
        before = len(self.mistakes)
        if not isinstance(table, dict):
            self.note(f"rule {number}", "must be a table; write [[rule]] and below it name = ...")
            return
        where = self._where(number, table.get("name"))
        for key in table:
            if key not in _KEYS:
                near = get_close_matches(key, _KEYS, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(_KEYS)}"
                self.note(where, f"there is no key {quoted(key)}; {hint}")
        reason = self._reason(where, table.get("reason"))
        conditions = {
            key: self._condition(where, key, table[key]) for key in CONDITIONS if key in table
        }
        if not conditions:
            self.note(where, "fits every text; give it a condition such as text = '...'")
        example = table.get("example", "")
        if not isinstance(example, str):
            self.note(where, "example must be a text; write it in quotes")
        if len(self.mistakes) == before:
            name = str(table["name"])
            self.rules.append(Rule(self._origin, name, reason, example=example, **conditions))

    def _where(self, number: int, name: Any) -> str:
        if not (isinstance(name, str) and len(name) <= _LONGEST_NAME and _NAME.fullmatch(name)):
            self.note(
                f"rule {number}",
                'has no fit name; write name = "..." with a-z, 0-9 and dashes between them',
            )
            return f"rule {number}"
        if name in self._names:
            self.note(name, "two rules have this name; rename one")
        self._names.add(name)
        return name

    def _reason(self, where: str, reason: Any) -> str:
        if isinstance(reason, str) and reason in SEVERITIES and reason != OTHER:
            return reason
        known = [name for name in SEVERITIES if name != OTHER]
        near = get_close_matches(str(reason), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose of {', '.join(known)}"
        told = "has no reason" if reason is None else f"{quoted(str(reason))} is no reason"
        self.note(where, f"{told}; {hint}")
        return ""

    def _condition(self, where: str, key: str, written: Any) -> str:
        """One pattern out of a text or a list of alternatives."""
        alternatives = written if isinstance(written, list) and key == "text" else [written]
        if not alternatives or not all(isinstance(one, str) for one in alternatives):
            allowed = "a text in quotes, or a list of such" if key == "text" else "a text in quotes"
            self.note(where, f"{key} must be {allowed}")
            return ""
        pattern = "|".join(f"(?:{one})" for one in alternatives)
        if self._patterns_are_checked:
            return pattern
        for one in alternatives:
            if mistake := _mistake(key, one):
                self.note(where, f"{key}: {quoted(one)} {mistake}")
                return ""
        try:
            check(pattern)
        except BadPattern as error:
            self.note(where, f"{key} {error} once put together; make two rules of it")
        return pattern


def _mistake(key: str, pattern: str) -> str:
    """What is wrong with a pattern, empty if nothing is."""
    try:
        check(pattern)
    except BadPattern as error:
        return f"can't be used as a regular expression: {error}; RE2's syntax is meant"
    if key == "text" and matches_whole(pattern, ""):
        return "matches even the empty text, and so every one; write what must be there"
    plain = _ESCAPED.sub("", pattern)
    if key in {"text", "stage"} and plain != plain.lower():
        return "holds a capital letter, and texts are compared in lower case; write it small"
    return ""
