"""Patterns of families as they are written -> checked ones: each fits a family there is."""

import fnmatch
from collections.abc import Iterable, Sequence

from cpanel_mail_exporter.bounces.patterns import BadPattern, check
from cpanel_mail_exporter.config.problems import quoted, suggestion
from cpanel_mail_exporter.config.values import holds_control
from cpanel_mail_exporter.metrics.selection import NAMES, fitting


def parse_family_patterns(words: Sequence[str]) -> tuple[str, ...]:
    """Regular expressions for whole names of families, each of which fits one at least."""
    if not words:
        raise ValueError("names no family; write one or more, or leave it out")
    for word in words:
        if holds_control(word):
            raise ValueError(f"{quoted(word)} holds a control character; leave it out")
        try:
            check(word)
        except BadPattern as error:
            near = _meant(word) or "; write one such as cpanel_mail_queue_.*"
            raise ValueError(f"{quoted(word)} isn't a regular expression: {error}{near}") from None
        if not fitting(word):
            near = _meant(word) or suggestion(word, NAMES)
            near = near or "; docs/reference/families.md lists those there are"
            raise ValueError(f"{quoted(word)} fits no family{near}")
    return tuple(dict.fromkeys(words))


def parse_family_patterns_text(text: str) -> tuple[str, ...]:
    """The same, separated by commas."""
    return parse_family_patterns([word.strip() for word in text.split(",") if word.strip()])


def _meant(word: str) -> str:
    """What a pattern of a shell, the beginning of a name, or a part of one is as an expression."""
    glob = word.replace(".*", "*")
    if "*" in glob and _any_like(glob):
        return f"; did you mean {glob.replace('*', '.*')!r}?"
    for like, expression in ((f"{word}*", f"{word}.*"), (f"*{word}*", f".*{word}.*")):
        if word.isidentifier() and _any_like(like):
            return f"; did you mean {expression!r}?"
    return ""


def _any_like(glob: str, names: Iterable[str] = NAMES) -> bool:
    return any(fnmatch.fnmatchcase(name, glob) for name in names)
