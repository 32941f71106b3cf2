"""Labelled texts: what a mail server reported, and the classes that are right for it."""

import csv
from pathlib import Path
from typing import NamedTuple

from cpanel_mail_exporter.bounces.classifier import Classifier, Verdict

PUBLISHED = Path(__file__).parent / "published.tsv"
"""Replies that receivers and makers of mail servers publish, each with where it was found."""

COLLECTED = Path(__file__).parents[2].parent / "shared" / "bounces" / "dev.tsv"
"""Texts of real bounce mails, beside the checkout and no part of it; may be absent."""


class Case(NamedTuple):
    """One text.

    Attributes:
        accepted: classes of which any is right, the likeliest first.
        holds_code: whether it holds an SMTP reply code, or the mail it was in did.
    """

    text: str
    accepted: tuple[str, ...]
    holds_code: bool


def read_cases(path: Path) -> list[Case]:
    """All rows of a file with columns `text`, `accepted_classes` and perhaps `reply_code`."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    finder = Classifier([])
    return [
        Case(
            row["text"],
            tuple(row["accepted_classes"].split()),
            bool(row.get("reply_code") or finder.classify(row["text"]).reason.code),
        )
        for row in rows
    ]


class Score(NamedTuple):
    """How many texts were put into a right class."""

    right: int
    texts: int

    @property
    def share(self) -> float:
        return self.right / self.texts if self.texts else 0.0


def is_right(case: Case, verdict: Verdict) -> bool:
    return verdict.reason.reason in case.accepted


def score(classifier: Classifier, cases: list[Case]) -> Score:
    right = sum(is_right(case, classifier.classify(case.text)) for case in cases)
    return Score(right, len(cases))
