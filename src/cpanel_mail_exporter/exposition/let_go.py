"""How many lines were let go, by the second in which they were sent; nothing else is left."""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from cpanel_mail_exporter.model.window import Slice


@dataclass(frozen=True, slots=True)
class LetGo:
    """Frozen; its methods give another one.

    Attributes:
        seconds: those of which lines were let go, in order.
        counts: how many lines of each.
        lines: how many lines together.
    """

    seconds: "array[int]" = field(default_factory=lambda: array("q"))
    counts: "array[int]" = field(default_factory=lambda: array("q"))
    lines: int = 0

    def __contains__(self, second: object) -> bool:
        if not isinstance(second, int):
            return False
        at = bisect_left(self.seconds, second)
        return at < len(self.seconds) and self.seconds[at] == second

    def with_lines(self, send_times: Iterable[int]) -> "LetGo":
        """Lines sent in these seconds were let go too."""
        return self._changed(Counter(send_times))

    def with_all(self, other: "LetGo") -> "LetGo":
        """Those of both."""
        return self._changed(Counter(dict(zip(other.seconds, other.counts, strict=True))))

    def taken_back(self, send_times: Iterable[int]) -> "LetGo":
        """A line for each of these is kept again, if one sent in that second had been let go."""
        back: Counter[int] = Counter()
        back.subtract(second for second in send_times if second in self)
        return self._changed(back)

    def without(self, span: Slice) -> "LetGo":
        """Those sent in *span* are no longer counted."""
        return self._replaced(
            bisect_left(self.seconds, span.start), bisect_left(self.seconds, span.end), {}
        )

    def since(self, start_unix: int) -> "LetGo":
        """Only those sent from then on are counted."""
        return self._replaced(0, bisect_left(self.seconds, start_unix), {})

    def _changed(self, changes: Counter[int]) -> "LetGo":
        if not changes:
            return self
        # What is let go at one time lies close together: only that stretch is written anew.
        first = bisect_left(self.seconds, min(changes))
        after = bisect_left(self.seconds, max(changes) + 1)
        stretch = dict(zip(self.seconds[first:after], self.counts[first:after], strict=True))
        for second, change in changes.items():
            stretch[second] = stretch.get(second, 0) + change
        return self._replaced(first, after, stretch)

    def _replaced(self, first: int, after: int, stretch: dict[int, int]) -> "LetGo":
        inside = sorted(second for second, count in stretch.items() if count > 0)
        if first >= after and not inside:
            return self
        lines = self.lines - sum(self.counts[first:after]) + sum(stretch[s] for s in inside)
        seconds, counts = self.seconds[:], self.counts[:]
        seconds[first:after] = array("q", inside)
        counts[first:after] = array("q", [stretch[second] for second in inside])
        return LetGo(seconds, counts, lines)
