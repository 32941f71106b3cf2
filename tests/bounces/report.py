"""`make bounces`: how well texts are put into classes, where they aren't, and how far that carries.

Prints all of it. What is kept in results/ leaves out the collected texts themselves, which aren't
part of this project.
"""

import argparse
from collections import Counter
from pathlib import Path

from cpanel_mail_exporter.bounces.classes import CLASSES
from cpanel_mail_exporter.bounces.classifier import Classifier
from cpanel_mail_exporter.config.bounce_files import package_rules
from tests.bounces.cases import COLLECTED, PUBLISHED, Case, Score, is_right, read_cases, score
from tests.bounces.support import by_codes_alone, known_from, single_patterns, without_fold

RESULTS = Path(__file__).parent / "results"
FOLDS = 10
GOAL_OF_ALL, GOAL_WITH_CODE = 0.85, 0.92
_ORDER = [one.name for one in CLASSES]
_SHOWN_CHARACTERS = 160
_WHAT_FOLDS_SAY = """\
Rules written by hand can't be learned anew for each fold. They can be forgotten: a pattern that
decides texts of the held-out fold and none elsewhere is taken out, as if nobody had seen the fold;
texts of the same words share a fold. That shows how much hangs on patterns made for single texts.
It doesn't show that the order of rules was chosen with all texts in view, nor how far a pattern was
widened for one text while others hold it in place. The fourth line knows nothing of these texts:
its patterns are those that published replies need.
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--collected", type=Path, default=COLLECTED)
    options = parser.parse_args()
    classifier, rules = Classifier(package_rules()), len(package_rules())
    published = read_cases(PUBLISHED)
    kept = [
        "# How replies are classified",
        "",
        f"Written by `make bounces`: {rules} rules, {len(single_patterns())} patterns.",
        "A text counts as right if its class is one of those that its label accepts.",
    ]
    told: list[str] = []
    collections = [("Published replies (`published.tsv`)", published)]
    if options.collected.exists():
        collected = read_cases(options.collected)
        collections.insert(0, ("Texts of real bounce mails (`dev.tsv`)", collected))
    else:
        collected = []
        kept += [
            "",
            f"There is no {options.collected.name} beside the checkout, so it isn't judged.",
        ]
    for title, cases in collections:
        kept += ["", f"## {title}", "", *_scores(classifier, cases)]
        if cases is collected:
            kept += [
                "",
                "### On texts that weren't seen",
                "",
                *_generalisation(collected, published),
            ]
        kept += ["", "### By class", "", *_by_class(classifier, cases)]
        kept += ["", "### Confusion", "", *_confusion(classifier, cases)]
        kept += ["", "### Misses", "", *_misses(classifier, cases, shows_text=cases is published)]
        told += ["", f"## Missed texts: {title}", "", *_misses(classifier, cases, shows_text=True)]
    text = "\n".join(kept) + "\n"
    print(text + "\n".join(told))  # noqa: T201
    if collected:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "report.md").write_text(text, encoding="utf-8")


def _scores(classifier: Classifier, cases: list[Case]) -> list[str]:
    with_code = [case for case in cases if case.holds_code]
    return [
        "| texts | right | share | goal |",
        "|---|---|---|---|",
        _row("all", score(classifier, cases), GOAL_OF_ALL),
        _row("with an SMTP reply code", score(classifier, with_code), GOAL_WITH_CODE),
        _row("without", score(classifier, [case for case in cases if not case.holds_code])),
    ]


def _row(title: str, found: Score, goal: float | None = None) -> str:
    wanted = f"{goal:.0%}" if goal else ""
    return f"| {title} | {found.right} of {found.texts} | {found.share:.1%} | {wanted} |"


def _generalisation(collected: list[Case], published: list[Case]) -> list[str]:
    with_code = [case for case in collected if case.holds_code]
    lines = ["| judged by | all | with a code |", "|---|---|---|"]
    for title, measured in (
        ("all rules (the fit)", lambda cases: score(Classifier(package_rules()), cases)),
        (
            f"{FOLDS} folds: without patterns that decide texts of the fold alone",
            lambda cases: without_fold(cases, published, FOLDS),
        ),
        (
            f"{FOLDS} folds, published replies left out as well",
            lambda cases: without_fold(cases, [], FOLDS),
        ),
        (
            "patterns that decide a published reply, and codes; nothing else",
            lambda cases: known_from(published, cases),
        ),
        ("codes alone", by_codes_alone),
    ):
        lines.append(
            f"| {title} | {measured(collected).share:.1%} | {measured(with_code).share:.1%} |"
        )
    return [
        *lines,
        "",
        *_WHAT_FOLDS_SAY.splitlines(),
    ]


def _by_class(classifier: Classifier, cases: list[Case]) -> list[str]:
    wanted: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrongly: Counter[str] = Counter()
    for case in cases:
        verdict = classifier.classify(case.text)
        wanted[case.accepted[0]] += 1
        if is_right(case, verdict):
            right[case.accepted[0]] += 1
        else:
            wrongly[verdict.reason.reason] += 1
    return [
        "| class | texts | right | others taken for it |",
        "|---|---|---|---|",
        *(
            f"| `{name}` | {wanted[name]} | {right[name]} | {wrongly[name]} |"
            for name in _ORDER
            if wanted[name] or wrongly[name]
        ),
    ]


def _confusion(classifier: Classifier, cases: list[Case]) -> list[str]:
    """Rows: the likeliest of the accepted classes. Columns: what was found, if it isn't right."""
    pairs: Counter[tuple[str, str]] = Counter()
    for case in cases:
        verdict = classifier.classify(case.text)
        found = case.accepted[0] if is_right(case, verdict) else verdict.reason.reason
        pairs[case.accepted[0], found] += 1
    rows = [name for name in _ORDER if any(pair[0] == name for pair in pairs)]
    columns = [name for name in _ORDER if any(pair[1] == name for pair in pairs)]
    head = "| wanted \\ found | " + " | ".join(f"`{name}`" for name in columns) + " |"
    lines = [head, "|---" * (len(columns) + 1) + "|"]
    for row in rows:
        cells = " | ".join(str(pairs[row, column] or "") for column in columns)
        lines.append(f"| `{row}` | {cells} |")
    return lines


def _misses(classifier: Classifier, cases: list[Case], *, shows_text: bool) -> list[str]:
    lines = ["| row | wanted | found | by | text |", "|---|---|---|---|---|"]
    for number, case in enumerate(cases, 2):
        verdict = classifier.classify(case.text)
        if is_right(case, verdict):
            continue
        rule = verdict.rule.name if verdict.rule else "no rule"
        text = case.text[:_SHOWN_CHARACTERS].replace("|", "\\|") if shows_text else ""
        lines.append(
            f"| {number} | {' '.join(case.accepted)} | {verdict.reason.reason} | {rule} | {text} |"
        )
    return lines


if __name__ == "__main__":
    main()
