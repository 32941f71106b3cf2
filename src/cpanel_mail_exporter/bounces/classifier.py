"""Texts of failures and deferrals -> why: the rule that fits first, its class, and the codes.

Knows nothing but rules and texts; success is never asked about. May be used by several threads at
once. Answers come from caches that are bounded in entries and in the length of what they keep.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from cpanel_mail_exporter.bounces.classes import OTHER, SEVERITIES
from cpanel_mail_exporter.bounces.patterns import Patterns, matches_whole, whole
from cpanel_mail_exporter.bounces.reply import read_reply
from cpanel_mail_exporter.bounces.rules import Rule
from cpanel_mail_exporter.bounces.skeleton import Skeletons
from cpanel_mail_exporter.bounces.stand_in import with_stand_in
from cpanel_mail_exporter.model.reason import Reason

_TEXTS_KEPT, _SKELETONS_KEPT = 8_192, 8_192
_VALUES_KEPT = 1_024
_LONGEST_KEPT = 600


_Values = tuple[str, str, str, str, str]
"""Code, enhanced code, stage, router and type, as conditions are about them."""


class Verdict(NamedTuple):
    """What is known about one text.

    Attributes:
        rule: the one that decided, None for `other`.
    """

    reason: Reason
    rule: Rule | None


class Classifier:
    """Says why.

    Args:
        rules: the user's before the package's.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._with_text = [number for number, rule in enumerate(rules) if rule.text is not None]
        self._without_text = [number for number, rule in enumerate(rules) if rule.text is None]
        self._conditions = [_conditions(rule) for rule in rules]
        self._patterns = Patterns([rules[n].text or "" for n in self._with_text])
        self._skeletons = Skeletons()
        self._looked_at = 0
        self._known_routers = [whole(r.router) for r in rules if r.router is not None]
        self._needs_type = any(rule.type is not None for rule in rules)
        self._router = lru_cache(256)(self._telling_router)
        self._of_text = lru_cache(_TEXTS_KEPT)(self._classified)
        self._of_values = lru_cache(_VALUES_KEPT)(self._first_without_text)
        self._of_skeleton = lru_cache(_SKELETONS_KEPT)(self._decide)

    def classify(
        self,
        text: str,
        router: str = "",
        type: str = "",  # noqa: A002
        recipient: str = "",
    ) -> Verdict:
        """Why an event wasn't a success.

        Args:
            text: `message` of its row, of which the first `LONGEST_READ` characters are looked at.
            router: Exim's router, may be empty.
            type: WHM's word for it, `failure` or `defer`, may be empty.
            recipient: whom it is about, may be empty. It changes nothing, but answers come sooner.
        """
        # What no rule asks for must not fill the caches with equal answers.
        router = self._router(router) if router else ""
        kind = type if self._needs_type else ""
        if len(text) <= _LONGEST_KEPT:
            if recipient:
                text = with_stand_in(text, recipient)
            return self._of_text(text, router, kind)
        return self._classified(text, router, kind)

    @property
    def looked_at(self) -> int:
        """How many texts rules had to look at, because no cache knew their kind."""
        return self._looked_at

    def _classified(self, text: str, router: str, kind: str) -> Verdict:
        skeleton = self._skeletons.of(text)
        decide = self._of_skeleton if len(skeleton) <= _LONGEST_KEPT else self._decide
        return decide(skeleton, router, kind)

    def _decide(self, skeleton: str, router: str, kind: str) -> Verdict:
        self._looked_at += 1
        reply = read_reply(skeleton)
        values = (reply.code, reply.enhanced, reply.stage, router, kind)
        last = self._of_values(values)
        for index in self._patterns.found_in(reply.text):
            number = self._with_text[index]
            if number > last:
                break
            if self._holds(number, values):
                last = number
                break
        rule = self._rules[last] if last < len(self._rules) else None
        name = rule.reason if rule is not None else OTHER
        return Verdict(Reason(name, SEVERITIES[name], reply.code, reply.enhanced), rule)

    def _first_without_text(self, values: _Values) -> int:
        """The first rule that asks for no words and fits, the number of all rules if none does."""
        fits = (number for number in self._without_text if self._holds(number, values))
        return next(fits, len(self._rules))

    def _holds(self, number: int, values: _Values) -> bool:
        """Whether all conditions of a rule but that on the text hold."""
        return all(is_met(values[place]) for place, is_met in self._conditions[number])

    def _telling_router(self, router: str) -> str:
        return router if any(is_met(router) for is_met in self._known_routers) else ""


def mistaken_examples(rules: Sequence[Rule], classifier: Classifier) -> list[str]:
    """A line for each of *rules* whose example another rule decides, or none.

    Rules that ask for a router are left out, since an example is a text alone.
    """
    mistakes = []
    for rule in rules:
        if not rule.example or rule.router is not None:
            continue
        kinds = [k for k in ("failure", "defer") if rule.type and matches_whole(rule.type, k)]
        found = classifier.classify(rule.example, type=kinds[0] if kinds else "").rule
        if found is not rule:
            by = f"by the rule {found.name}" if found else "by no rule"
            mistakes.append(
                f"{rule.name}: its example is decided {by}; "
                "correct the pattern or the example, or move the rule up"
            )
    return mistakes


def _conditions(rule: Rule) -> tuple[tuple[int, Callable[[str], bool]], ...]:
    """Those on values, each with the place of its value."""
    patterns = (rule.code, rule.enhanced, rule.stage, rule.router, rule.type)
    return tuple(
        (place, whole(pattern)) for place, pattern in enumerate(patterns) if pattern is not None
    )
