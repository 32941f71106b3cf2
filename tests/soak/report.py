"""What a run prints, and what is kept of a long one."""

import os
import platform
import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from tests.soak.round import Result

SHOWN_DIFFERENCES = 20


def text_of(results: Sequence[Result]) -> str:
    """Kills, faults, events and the difference of a run, and what broke a law, as Markdown."""
    faults: Counter[str] = sum((result.faults for result in results), Counter())
    differences = [one for result in results for one in result.differences]
    unreached = [f"{result.terms.seed}: {one}" for result in results for one in result.unreached]
    lines = [
        f"- kills of the exporter: {sum(result.kills for result in results)}",
        f"- of these just at a commit: {sum(result.kills_at_commits for result in results)}",
        f"- kills of WHM: {sum(result.whm_kills for result in results)}",
        f"- faults: {faults.total()} of {len(faults)} kinds",
        f"- events: {sum(result.events for result in results)}",
        f"- numbers compared: {sum(result.numbers for result in results)}",
        f"- difference: {len(differences)}",
        f"- servers that did not come to rest as they must: {len(unreached)}",
        f"- time: {sum(result.seconds for result in results):.0f} s",
    ]
    if differences:
        lines += ["", "| round | server | number | at least | at most | found |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [
            f"| {result.terms.seed} | {one.server} | `{one.number}`"
            f" | {one.at_least} | {one.at_most} | {one.found} |"
            for result in results
            for one in result.differences
        ][:SHOWN_DIFFERENCES]
    lines += ["", *(f"- {sentence}" for sentence in unreached[:SHOWN_DIFFERENCES])]
    return "\n".join(lines).rstrip() + "\n"


def page_of(results: Sequence[Result], seed: str) -> str:
    """The page that is kept of a long run."""
    rounds = [
        f"| {result.terms.seed} | {'together' if result.terms.is_together else 'in turn'}"
        f" | {result.kills}"
        f" | {result.whm_kills} | {result.faults.total()} | {result.events}"
        f" | {len(result.differences)} |"
        for result in results
    ]
    return "\n".join(
        (
            "# Soak run",
            "",
            "Written by `make soak`; what it proves stands in [README.md](../README.md).",
            "",
            f"- date: {datetime.now(UTC):%Y-%m-%d}",
            f"- machine: {os.cpu_count()} cores, {platform.machine()}, {platform.platform()}",
            f"- Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
            f"- exporter {version('cpanel-mail-exporter')}",
            f"- seed: {seed}",
            text_of(results),
            "| round | quirks | kills | of WHM | faults | events | difference |",
            "|---|---|---|---|---|---|---|",
            *rounds,
            "",
        )
    )
