"""Rows of one reading by second and type, to be compared with what totals say of the same time."""

from collections import Counter
from collections.abc import Sequence

from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.ranges import Fingerprint

_TYPES = ("success", "failure")
"""Deferrals are left out: a server may replace one by its next attempt between two answers."""


class Tally:
    """Takes the rows of multisets one after another; of each second and type the most count."""

    def __init__(self) -> None:
        self._most: dict[str, dict[int | None, int]] = {kind: {} for kind in _TYPES}
        self._own: dict[str, Counter[int | None]] = {kind: Counter() for kind in _TYPES}
        self._multiset: int | None = None

    def add(self, multiset: int, rows: Sequence[DeliveryRecord]) -> None:
        """Take rows of a multiset; its batches come one after another."""
        if multiset != self._multiset:
            self._take_own()
            self._own = {kind: Counter() for kind in _TYPES}
            self._multiset = multiset
        for kind, own in self._own.items():
            own.update([row.send_unix for row in rows if row.type == kind])

    def of(self, span: Slice) -> tuple[int, ...]:
        """Rows sent in *span*: successes and failures, as fingerprints have them."""
        self._take_own()
        start, end = span.start, span.end
        return tuple(
            sum(
                count
                for second, count in most.items()
                if second is not None and start <= second < end
            )
            for most in self._most.values()
        )

    def total(self) -> tuple[int, ...]:
        """The same of all rows, whenever they were sent."""
        self._take_own()
        return tuple(sum(most.values()) for most in self._most.values())

    def _take_own(self) -> None:
        """See where this multiset has more than those before; `|` would go through those, too."""
        for kind, own in self._own.items():
            most = self._most[kind]
            for second, count in own.items():
                if count > most.get(second, 0):
                    most[second] = count


def are_missing(rows: tuple[int, ...], reported: Fingerprint) -> bool:
    """Whether totals that were asked before rows were read have more of a type than came.

    Args:
        rows: successes and failures.
        reported: as `ranges.fingerprint` gives it.
    """
    return any(mine < theirs for mine, theirs in zip(rows, reported[1:3], strict=True))
