"""How far rules carry to texts that nobody looked at: cross-validation for rules made by hand.

Rules can't be learned anew without a fold, but they can be forgotten: every pattern that decides
texts of the fold and no other text is taken out, as if the fold had never been seen. Patterns are
taken alternative by alternative, since one rule may hold a dozen. Texts with the same skeleton
always lie in the same fold.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import cache
from importlib.resources import files
from zlib import crc32

from cpanel_mail_exporter import bounces
from cpanel_mail_exporter.bounces.classifier import Classifier
from cpanel_mail_exporter.bounces.rules import PACKAGE_FILES, Rule
from cpanel_mail_exporter.bounces.skeleton import Skeletons
from cpanel_mail_exporter.config.bounce_files import package_rules
from tests.bounces.cases import Case, Score, score

_WORDS = re.compile(r"[^\W\d_]{3,}")


@cache
def single_patterns() -> tuple[Rule, ...]:
    """The package's rules, one for each alternative of a text, named `rule/number`."""
    tables = [
        table
        for name in PACKAGE_FILES
        for table in tomllib.loads(files(bounces).joinpath(name).read_text("utf-8"))["rule"]
    ]
    found = []
    for rule, table in zip(package_rules(), tables, strict=True):
        texts = table.get("text")
        if not isinstance(texts, list):
            found.append(rule)
            continue
        found += [
            replace(rule, name=f"{rule.name}/{number}", text=text)
            for number, text in enumerate(texts, 1)
        ]
    return tuple(found)


def without_fold(cases: list[Case], others: list[Case], folds: int) -> Score:
    """Each fold of *cases* judged by the patterns that aren't owed to it alone."""
    fold_of = [_fold(case.text, folds) for case in cases]
    whole = Classifier(single_patterns())
    deciders = [_decider(whole, case.text) for case in cases]
    elsewhere = {_decider(whole, case.text) for case in others}
    right = texts = 0
    for fold in range(folds):
        held_out = [case for case, number in zip(cases, fold_of, strict=True) if number == fold]
        inside = {d for d, number in zip(deciders, fold_of, strict=True) if number == fold}
        outside = {d for d, number in zip(deciders, fold_of, strict=True) if number != fold}
        classifier = _without(inside - outside - elsewhere)
        found = score(classifier, held_out)
        right, texts = right + found.right, texts + found.texts
    return Score(right, texts)


def known_from(teachers: list[Case], cases: list[Case]) -> Score:
    """*cases* judged by nothing but patterns that decide a text of *teachers*, and codes."""
    whole = Classifier(single_patterns())
    known = {_decider(whole, case.text) for case in teachers}
    kept = [rule for rule in single_patterns() if rule.name in known or rule.text is None]
    return score(Classifier(kept), cases)


def by_codes_alone(cases: list[Case]) -> Score:
    """*cases* judged by their codes."""
    return score(Classifier([rule for rule in package_rules() if rule.text is None]), cases)


def spread(cases: Iterable[Case]) -> dict[str, int]:
    """How many of *cases* each pattern decides."""
    whole = Classifier(single_patterns())
    found: dict[str, int] = defaultdict(int)
    for case in cases:
        found[_decider(whole, case.text)] += 1
    return dict(found)


def _without(names: Collection[str]) -> Classifier:
    return Classifier([rule for rule in single_patterns() if rule.name not in names])


def _decider(classifier: Classifier, text: str) -> str:
    rule = classifier.classify(text).rule
    return rule.name if rule else ""


def _fold(text: str, folds: int) -> int:
    """By the words alone, so that texts that differ in numbers and names lie together."""
    words = " ".join(_WORDS.findall(Skeletons().of(text)))
    return crc32(words.encode()) % folds
