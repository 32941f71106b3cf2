"""What each server of a run must come to, and why not all of them come to the exact figures.

A law is a list of readings of the server's rows. Each number must lie between the smallest and the
largest that these readings give; where there is but one reading, it must be that number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tests.soak.expected import (
    ATTEMPTS,
    SETTLE_SECONDS,
    Numbers,
    Row,
    activity,
    attempts,
    numbers,
)

EXACT, REPLACED, CAPPED, DOUBLED = "exact", "replaced", "capped", "doubled"


class Law(NamedTuple):
    """Which readings bound the numbers, and the reason."""

    readings: tuple[str, ...]
    reason: str


LAWS: dict[str, Law] = {
    EXACT: Law(
        ("shown",),
        "Each row that the server ever shows stays, or comes back, as long as its message is"
        " remembered: the counters must be those of all rows that it shows at the end.",
    ),
    REPLACED: Law(
        ("shown", "shown with all deferrals"),
        "A deferral that is replaced before any poll saw it leaves no trace, so deferrals lie"
        " between those left at the end and all there were; outcomes are exact, under the words"
        " that the server shows them with.",
    ),
    CAPPED: Law(
        ("nothing", "real", "shown", "shown without deferrals"),
        "Where WHM's cap comes before the filters (or filters have no effect), older rows can't be"
        " reached: nothing may be counted that didn't happen, and incompleteness must show.",
    ),
    DOUBLED: Law(
        ("shown", "shown twice", "deferrals twice", "outcomes twice"),
        "Two equal rows in one answer are two events, and stay counted when WHM shows them once"
        " again: numbers lie between all rows once and all rows twice.",
    ),
}

QUIRKS: dict[str, str] = {
    "numbers=strings": EXACT,
    "empty=absent": EXACT,
    "empty=text": EXACT,
    "cap=40": EXACT,
    "hide-overflow": EXACT,  # with a cap of 100 rows: one that isn't round is not noticed at once
    "cap-comes=before": CAPPED,  # with a cap
    "time-filters=send": EXACT,
    "totals-go-by=action": EXACT,
    "range-ends=excluded": EXACT,
    "chunk-limit=25": EXACT,
    "ignored=filter": EXACT,  # CAPPED with a cap
    "ignored=sort": EXACT,
    "ignored=chunk": EXACT,
    "ignored=columns": EXACT,
    "late=45m": EXACT,
    "retries=replaced": REPLACED,
    "accepted=Zugestellt": EXACT,
    "type-words=more": EXACT,
    "without-types=everything": EXACT,
    "clock-offset=7m": EXACT,
    "clock-offset=-7m": EXACT,
    "no-gzip": EXACT,
    "remote-user=null": EXACT,
    "remote-user=empty": EXACT,
}
"""Quirks that touch what the ledger reads, with the law they bring alone."""

FAULTS: dict[str, dict[str, object]] = {
    "latency": {"seconds": 0.4},
    "hang": {},
    "drop": {},
    "drop_midway": {},
    "slow_drip": {"bytes_per_second": 4000},
    "endless_body": {},
    "gzip_bomb": {"megabytes": 64},
    "truncated_json": {},
    "403": {},
    "401_html": {},
    "500": {},
    "502": {},
    "503": {},
    "504": {},
    "html_200": {},
    "redirect": {},
    "empty_body": {},
    "empty_object": {},
    "list": {},
    "result_0": {},
    "ignore_filters": {},
    "ignore_chunks": {},
    "missing_rows": {"rows": 0.3},
    "purge": {"seconds": 1200},
    "eximstats_off": {},
    "refuse": {},
    "restart": {"seconds": 120},
    "certificate_authority": {},
    "certificate_expired": {},
    "certificate_name": {},
}
"""Faults that may come and go on every server: all of them leave the law as it is.

What vanishes (`missing_rows`, `purge`, `eximstats_off`) is back when the fault is over, at the
latest ten minutes of the server's time later, so that no deferral is found later than 65 minutes
after its outcome. `duplicated_rows` isn't among them: where it comes and goes the law is `doubled`;
where it is there all the time, its rows are shown twice at the end too, and the law is `exact`.
"""

NOT_WHERE_THE_PAST_IS_COUNTED = frozenset({"missing_rows"})
"""An outcome of hours ago is settled as soon as it is read; were its deferral missing just then, it
would come hours late, and rows that late are none of those that attempts are right for."""


@dataclass(frozen=True)
class Readings:
    """The rows of one server at the end.

    Attributes:
        real: all that happened.
        shown: what its API shows.
        since_unix: events since then are counted.
        end_unix: the server's own time.
    """

    real: Sequence[Row]
    shown: Sequence[Row]
    since_unix: int
    end_unix: int

    def rows(self, reading: str) -> Sequence[Row]:
        """The rows of one of the readings that laws speak of."""
        if reading == "nothing":
            return []
        if reading == "shown twice":
            return [*self.shown, *self.shown]
        if reading.endswith(" twice"):
            is_deferral = reading == "deferrals twice"
            again = [row for row in self.shown if (row["type"] == "defer") == is_deferral]
            return [*self.shown, *again]
        outcomes = [row for row in self.shown if row["type"] != "defer"]
        if reading == "shown without deferrals":
            return outcomes
        if reading == "shown with all deferrals":
            return [*outcomes, *(row for row in self.real if row["type"] == "defer")]
        return self.real if reading == "real" else self.shown


class Difference(NamedTuple):
    """A number that breaks its law."""

    server: str
    number: str
    at_least: int
    at_most: int
    found: int


def differences(
    server: str, law: str, readings: Readings, found: Numbers, acted: Numbers | None = None
) -> list[Difference]:
    """The numbers of *found* that break the law; none is what a run is for.

    Attempts are those of outcomes up to a certain second 65 minutes before the end. Which second
    that is depends on when the last poll was, so they may be those up to any one of a few. What
    accounts did, *acted*, is compared if it is given.
    """
    chosen = [readings.rows(name) for name in LAWS[law].readings]
    begins = ATTEMPTS + "_"
    others = {key: value for key, value in found.items() if not key[0].startswith(begins)}
    broken = _outside([numbers(rows, readings.since_unix) for rows in chosen], others)
    if acted is not None:
        broken += _outside([activity(rows, readings.since_unix) for rows in chosen], acted)
    own = {key: value for key, value in found.items() if key[0].startswith(begins)}
    settled_unix = readings.end_unix - SETTLE_SECONDS
    broken += min(
        (
            _outside([attempts(rows, readings.since_unix, until) for rows in chosen], own)
            for until in range(settled_unix - 3, settled_unix + 4)
        ),
        key=len,
    )
    return [Difference(server, *one) for one in broken]


def _outside(bounds: Sequence[Numbers], found: Numbers) -> list[tuple[str, int, int, int]]:
    broken = []
    for name, labels in sorted(set(found).union(*bounds)):
        values = [numbers.get((name, labels), 0) for numbers in bounds]
        value = found.get((name, labels), 0)
        if not min(values) <= value <= max(values):
            text = ",".join(f'{label}="{of}"' for label, of in labels)
            broken.append((f"{name}{{{text}}}", min(values), max(values), value))
    return broken
