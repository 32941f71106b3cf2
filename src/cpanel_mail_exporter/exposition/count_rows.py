"""Rows that are counted, 24 bytes each: when each was sent, its series, and which row it is.

A multiset: equal rows stand as often as there are. Frozen; what changes it gives another one.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cpanel_mail_exporter.model.window import Slice

Entry = tuple[int, int, int]
"""When it was sent, hash of its series, hash of the row."""


def _none() -> "array[int]":
    return array("q")


@dataclass(frozen=True, slots=True)
class CountRows:
    """Rows in order of entries, in columns."""

    sent: "array[int]" = field(default_factory=_none)
    series: "array[int]" = field(default_factory=_none)
    rows: "array[int]" = field(default_factory=_none)

    def __len__(self) -> int:
        return len(self.sent)

    def entries(self) -> Iterator[Entry]:
        """One after another."""
        return zip(self.sent, self.series, self.rows, strict=True)

    def newest_first(self) -> Iterator[tuple[int, int]]:
        """When each was sent, and its series, from the last to the first."""
        return zip(reversed(self.sent), reversed(self.series), strict=True)

    def part(self, first: int, end: int) -> "CountRows":
        """Rows *first* to before *end*."""
        return CountRows(self.sent[first:end], self.series[first:end], self.rows[first:end])

    def cut(self, span: Slice) -> tuple["CountRows", "CountRows", "CountRows"]:
        """Those sent before *span*, in it, and after it."""
        first, end = bisect_left(self.sent, span.start), bisect_left(self.sent, span.end)
        return self.part(0, first), self.part(first, end), self.part(end, len(self))

    def since(self, start_unix: int) -> "CountRows":
        """Those sent from then on; the same object if that is all."""
        first = bisect_left(self.sent, start_unix)
        return self.part(first, len(self)) if first else self

    def has_second(self, second: int) -> bool:
        """Whether one was sent in that second."""
        at = bisect_left(self.sent, second)
        return at < len(self) and self.sent[at] == second

    def seconds(self) -> list[int]:
        """Those in which one was sent, each once, in order."""
        return list(dict.fromkeys(self.sent))

    def of_seconds(self, seconds: "set[int]") -> tuple["CountRows", "CountRows"]:
        """Those sent in *seconds*, and the others."""
        if not seconds:
            return CountRows(), self
        mine = [entry for entry in self.entries() if entry[0] in seconds]
        if len(mine) == len(self):
            return self, CountRows()
        return packed(mine), packed([e for e in self.entries() if e[0] not in seconds])

    def union(self, others: "CountRows") -> "CountRows":
        """Of each row as many as the one has that has more of it; the same object if that is all.

        Only seconds of *others* are looked at.
        """
        return self._with_seconds_of(others, lambda mine, theirs: mine | theirs)

    def without(self, others: "CountRows") -> "CountRows":
        """No row that stands in *others*, however often."""
        return self._with_seconds_of(
            others,
            lambda mine, theirs: Counter({e: n for e, n in mine.items() if e not in theirs}),
        )

    def _with_seconds_of(
        self,
        others: "CountRows",
        change: Callable[[Counter[Entry], Counter[Entry]], Counter[Entry]],
    ) -> "CountRows":
        if not self and not others:
            return self
        parts: list[CountRows] = []
        copied = at = 0
        while at < len(others):
            second = others.sent[at]
            end = bisect_right(others.sent, second, lo=at)
            theirs = Counter(others.part(at, end).entries())
            at = end
            low = bisect_left(self.sent, second, lo=copied)
            high = bisect_right(self.sent, second, lo=low)
            mine = Counter(self.part(low, high).entries())
            changed = change(mine, theirs)
            if changed != mine:
                parts += [self.part(copied, low), packed(changed.elements())]
                copied = high
        return joined([*parts, self.part(copied, len(self))]) if parts else self


def packed(entries: Iterable[Entry]) -> CountRows:
    """Entries in any order, in columns."""
    ordered = sorted(entries)
    if not ordered:
        return CountRows()
    sent, series, rows = zip(*ordered, strict=True)
    return CountRows(array("q", sent), array("q", series), array("q", rows))


def joined(parts: Sequence[CountRows]) -> CountRows:
    """Parts one after another, each later than the one before."""
    whole = CountRows()
    for part in parts:
        whole.sent.extend(part.sent)
        whole.series.extend(part.series)
        whole.rows.extend(part.rows)
    return whole


def merged(parts: Sequence[tuple[int, CountRows]]) -> CountRows:
    """Parts of multisets, each with its multiset's number -> all of their rows.

    Those of one multiset are added up. Different multisets may show the same row, so of each row
    there are as many as in the one that has most of it.
    """
    found: list[CountRows] = []
    group: list[tuple[int, CountRows]] = []
    for number, part in sorted(parts, key=lambda numbered: numbered[1].sent[:1].tolist()):
        if not part:
            continue
        if group and part.sent[0] > max(other.sent[-1] for _, other in group):
            found.append(_overlaid(group))
            group = []
        group.append((number, part))
    if group:
        found.append(_overlaid(group))
    return joined(found)


def _overlaid(parts: Sequence[tuple[int, CountRows]]) -> CountRows:
    if len(parts) == 1:
        return parts[0][1]
    of_multiset: dict[int, Counter[Entry]] = {}
    for number, part in parts:
        of_multiset.setdefault(number, Counter()).update(part.entries())
    most: Counter[Entry] = Counter()
    for counts in of_multiset.values():
        most |= counts
    return packed(most.elements())
