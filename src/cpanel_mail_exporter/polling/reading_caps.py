"""Which numbers of rows look like a cap, and what comes of looking into them; pure.

A server may hold back rows of one type beyond a number it doesn't tell (`max_results_by_type` is
sent as 0, for no bound, but may be clipped), and say nothing. A cap is taken to be round, or to
have shown itself as the most rows of a type that any answer held, about another time: where that
time is read again the same rows are there. A cap that isn't round stays unnoticed in the first
answer it cuts, and is noticed in the second. A cap of more rows than a page shows in the sum of
pages, unless it parts the rows of the second where the first page ends.

Rows of words that nobody has documented are asked for by the flag of success or of failure, and
count towards its cap: which word goes with which flag isn't known, so all sums are looked at.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations

from cpanel_mail_exporter.model.query import DELIVERY_TYPES
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading_state import ReadingMemory

LEAST_CAP_ROWS = 100
CAP_STEP_ROWS = 50
LARGE_STEP_ROWS = 1_000
LARGE_ROWS = 5_000
_TRUSTED_ANSWERS = 50
_PASSING = "inprogress"  # rows of this type vanish by themselves
_WITH_OTHER_WORDS = ("success", "failure")
_MOST_OTHER_WORDS = 4


class Verdict(Enum):
    """What the numbers of an answer say of it."""

    WHOLE = "whole"
    SUSPECT = "suspect"
    CUT = "cut"


class Outcome(Enum):
    """What came of reading an answer's slice in pieces."""

    FINE = "fine"
    LESS = "less"
    HONEST = "honest"


@dataclass(slots=True)
class Caps:
    """What is known and suspected of one server's caps during one reading.

    Attributes:
        under_check: numbers whose answers are being read in pieces. As long as it lasts no answer
            with that many rows is believed, so in the end each piece holds fewer.
        trusted_now: numbers found honest in this reading. They are believed from the next one on:
            a slice may truly hold as many rows as the cap that cuts another one.
    """

    memory: ReadingMemory
    under_check: Counter[int] = field(default_factory=Counter)
    trusted_now: set[int] = field(default_factory=set)

    def verdict(self, raw: Counter[str], span: Slice, *, is_sum: bool = False) -> Verdict:
        """Judge an answer about *span* by how many rows of each type it holds, all included.

        *is_sum*: they come from several answers, which together may hold more than one could.
        """
        memory = self.memory
        raw = by_flag(raw)
        most = max(raw.values(), default=0)
        if memory.cap_rows is not None and most > memory.cap_rows and not is_sum:
            memory.cap_rows = None  # it was mail that went on meanwhile, or WHM has been changed
        verdict = Verdict.WHOLE
        if any(self._is_suspect(rows, span) for rows in set(raw.values())):
            verdict = Verdict.SUSPECT
        if memory.cap_rows is not None and most >= memory.cap_rows:
            verdict = Verdict.CUT
        if most > memory.most_of_type or (most == memory.most_of_type and self._narrows(span)):
            memory.most_of_type, memory.most_in = most, span
        return verdict

    def _narrows(self, span: Slice) -> bool:
        most_in = self.memory.most_in
        return most_in is None or (most_in.start <= span.start and span.end <= most_in.end)

    def begin_check(self, raw: Counter[str], span: Slice) -> set[int]:
        """The numbers of a suspect answer that are looked into from now on."""
        numbers = {rows for rows in by_flag(raw).values() if self._looks_like_cap(rows, span)}
        self.under_check.update(numbers)
        return numbers

    def end_check(
        self, numbers: set[int], raw: Counter[str], own: Counter[str], pieces: Counter[str]
    ) -> Outcome:
        """Compare what an answer held with what its pieces hold together.

        Args:
            numbers: what begin_check gave.
            raw: rows of the answer by type.
            own: those of its own slice, without seconds next to it.
            pieces: rows that the pieces hold together.
        """
        self.under_check.subtract(numbers)
        self.under_check += Counter()  # keeps only what is above 0
        memory = self.memory
        refuted = set(numbers)
        all_own, all_pieces = by_flag(own), by_flag(pieces)
        for kind, rows in by_flag(raw).items():
            if rows in numbers and all_pieces[kind] > all_own[kind]:
                memory.cap_rows = max(rows, memory.cap_rows or 0)
                memory.honest_rows.pop(rows, None)
                refuted.discard(rows)
        if any(pieces[kind] < rows for kind, rows in own.items() if kind != _PASSING):
            return Outcome.LESS
        still_checked = {rows for rows in refuted if self.under_check[rows]}
        if not numbers or refuted != numbers or still_checked:
            return Outcome.FINE
        return Outcome.HONEST

    def trust(self, numbers: set[int]) -> None:
        """Answers of so many rows have been found to be whole."""
        for rows in numbers:
            self.memory.honest_rows[rows] = _TRUSTED_ANSWERS
            self.trusted_now.add(rows)

    def _is_suspect(self, rows: int, span: Slice) -> bool:
        if not self._looks_like_cap(rows, span):
            return False
        honest = self.memory.honest_rows
        if self.under_check[rows] or rows in self.trusted_now or rows not in honest:
            return True
        honest[rows] -= 1
        if honest[rows] <= 0:
            del honest[rows]
        return False

    def _looks_like_cap(self, rows: int, span: Slice) -> bool:
        if rows < LEAST_CAP_ROWS:
            return False
        memory = self.memory
        most_in = memory.most_in
        is_elsewhere = most_in is not None and not (
            span.start <= most_in.start and most_in.end <= span.end
        )
        is_met_again = rows == memory.most_of_type and is_elsewhere
        return is_round(rows) or is_met_again or self.under_check[rows] > 0


def by_flag(rows: Counter[str]) -> Counter[str]:
    """Rows by type, and by what else a flag may have brought together.

    >>> sorted(by_flag(Counter({"success": 9, "archive": 1})).items())
    [('archive', 1), ('failure+archive', 1), ('success', 9), ('success+archive', 10)]
    """
    others = [word for word in rows if word not in DELIVERY_TYPES]
    if not 0 < len(others) <= _MOST_OTHER_WORDS:
        return rows
    sums = {
        "+".join((flag, *words)): rows[flag] + sum(rows[word] for word in words)
        for flag in _WITH_OTHER_WORDS
        for words in _some_of(sorted(others))
    }
    return Counter({**rows, **sums})


def _some_of(words: list[str]) -> Iterator[tuple[str, ...]]:
    for count in range(1, len(words) + 1):
        yield from combinations(words, count)


def is_round(rows: int) -> bool:
    """Whether somebody may have chosen this number."""
    return rows % (CAP_STEP_ROWS if rows < LARGE_ROWS else LARGE_STEP_ROWS) == 0
