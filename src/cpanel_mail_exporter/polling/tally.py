"""Rows of one reading by second and type, to be compared with what totals say of the same time."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter

from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.ranges import Fingerprint

_TYPES = ("success", "failure")
"""Deferrals are left out: a server may replace one by its next attempt between two answers."""

_sent = attrgetter("send_unix")
_type = attrgetter("type")


class Tally:
    """Takes the rows of multisets one after another; of each second and type the most count."""

    def __init__(self) -> None:
        self._most: dict[tuple[int | None, str], int] = {}
        self._own: Counter[tuple[int | None, str]] = Counter()
        self._multiset: int | None = None

    def add(self, multiset: int, rows: Sequence[DeliveryRecord]) -> None:
        """Take rows of a multiset; its batches come one after another."""
        if multiset != self._multiset:
            self._take_own()
            self._own = Counter()
            self._multiset = multiset
        self._own.update(zip(map(_sent, rows), map(_type, rows), strict=True))

    def of(self, span: Slice) -> tuple[int, ...]:
        """Rows sent in *span*: successes and failures, as fingerprints have them."""
        self._take_own()
        start, end = span.start, span.end
        found = dict.fromkeys(_TYPES, 0)
        for (second, kind), count in self._most.items():
            if second is not None and start <= second < end and kind in found:
                found[kind] += count
        return tuple(found.values())

    def total(self) -> tuple[int, ...]:
        """The same of all rows, whenever they were sent."""
        self._take_own()
        found = dict.fromkeys(_TYPES, 0)
        for (_, kind), count in self._most.items():
            if kind in found:
                found[kind] += count
        return tuple(found.values())

    def _take_own(self) -> None:
        """See where this multiset has more than those before; `|` would go through those, too."""
        most = self._most
        for key, count in self._own.items():
            if count > most.get(key, 0):
                most[key] = count


def are_missing(rows: tuple[int, ...], reported: Fingerprint) -> bool:
    """Whether totals that were asked before rows were read have more of a type than came.

    Args:
        rows: successes and failures.
        reported: as `ranges.fingerprint` gives it.
    """
    return any(mine < theirs for mine, theirs in zip(rows, reported[1:3], strict=True))
