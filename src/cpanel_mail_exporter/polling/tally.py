"""Rows of one reading by second and type, to be compared with what totals say of the same time."""

from collections import Counter
from collections.abc import Iterable

from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.ranges import Fingerprint

_TYPES = ("success", "failure")
"""Deferrals are left out: a server may replace one by its next attempt between two answers."""


class Tally:
    """Takes the rows of multisets one after another; of each second and type the most count."""

    def __init__(self) -> None:
        self._most: Counter[tuple[int | None, str]] = Counter()
        self._own: Counter[tuple[int | None, str]] = Counter()
        self._multiset: int | None = None

    def add(self, multiset: int, rows: Iterable[DeliveryRecord]) -> None:
        """Take rows of a multiset; its batches come one after another."""
        if multiset != self._multiset:
            self._most |= self._own
            self._own = Counter()
            self._multiset = multiset
        self._own.update((row.send_unix, row.type) for row in rows)

    def of(self, span: Slice) -> tuple[int, ...]:
        """Rows sent in *span*: successes and failures, as fingerprints have them."""
        found = dict.fromkeys(_TYPES, 0)
        for (second, kind), count in (self._most | self._own).items():
            if second in span and kind in found:
                found[kind] += count
        return tuple(found.values())

    def total(self) -> tuple[int, ...]:
        """The same of all rows, whenever they were sent."""
        rows = self._most | self._own
        return tuple(
            sum(count for (_, known), count in rows.items() if known == kind) for kind in _TYPES
        )


def are_missing(rows: tuple[int, ...], reported: Fingerprint) -> bool:
    """Whether totals that were asked before rows were read have more of a type than came.

    Args:
        rows: successes and failures.
        reported: as `ranges.fingerprint` gives it.
    """
    return any(mine < theirs for mine, theirs in zip(rows, reported[1:3], strict=True))
