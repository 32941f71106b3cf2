"""What a reading keeps: facts about the server, counts, the answer it is at, its progress."""

from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field

from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice

PAGE_ROWS = 5_000
_TARGET_ROWS = 4_000
_MOST_BOUNDARIES = 10_000


@dataclass(slots=True)
class ReadingMemory:
    """What a server's earlier answers taught about how to ask it.

    Attributes:
        longest_page: most rows that a page held. It never shrinks: a server that clips pages to
            fewer rows than it once did has its short pages taken for the last ones, unless
            `full_page` knows better. Such a change comes with an update, and a restart forgets.
        full_page: rows of a page after which there is more: the size asked for, or a clipped one.
        boundaries: where the slices of complete readings touched, in order of time.
        ignores_size: an answer held more rows than its query asked for.
        ignores_start: the page after a short one was the same page.
        ignores_sort: rows of a full page weren't sorted; then none that looks so is believed.
        ignores_filters: a slice was answered with rows that lie elsewhere.
        always_says_cut: an answer without rows was called cut.
        cap_rows: most rows of one type that any answer holds, None where no cap is proven.
        most_of_type: most rows of one type that any answer held.
        most_in: the time that this answer was about.
        honest_rows: numbers that looked like a cap and weren't, and how many answers of that
            length are still let pass before it is looked into again.
        action_filter_works: a filter on the other instant does what it says. Set by whoever has
            found it out; unset here where rows prove the contrary.
        begins_works: a filter on the beginning of the recipient does what it says.
        begins_ignores_case: such a filter has found capitals by small letters, or the reverse.
    """

    longest_page: int = 0
    full_page: int = PAGE_ROWS
    boundaries: list[int] = field(default_factory=list)
    ignores_size: bool = False
    ignores_start: bool = False
    ignores_sort: bool = False
    ignores_filters: bool = False
    always_says_cut: bool = False
    cap_rows: int | None = None
    most_of_type: int = 0
    most_in: Slice | None = None
    honest_rows: dict[int, int] = field(default_factory=dict)
    action_filter_works: bool = False
    begins_works: bool = True
    begins_ignores_case: bool = False

    def known_boundaries(self, span: Slice) -> list[int]:
        """Those that lie within *span*, its ends left out."""
        low = bisect_right(self.boundaries, span.start)
        return self.boundaries[low : bisect_left(self.boundaries, span.end)]

    def learn_boundaries(self, span: Slice, found: list[int]) -> None:
        """Put *found*, of a complete reading of *span*, in the place of what was known there."""
        low = bisect_right(self.boundaries, span.start)
        self.boundaries[low : bisect_left(self.boundaries, span.end)] = found
        del self.boundaries[:-_MOST_BOUNDARIES]


@dataclass(slots=True)
class ReadCounts:
    """What a reading came across.

    Attributes:
        rows: rows received, rejected ones and those of overlapping slices included; a page that
            only repeats the one before isn't counted.
        rejected: rows that could not be decoded.
        outside: rows accepted although outside the span, or without a readable instant.
        repeated_pages: pages equal to the one before.
        incomplete: slices that WHM cut and that can't be made smaller, and slices of which two
            readings don't agree.
    """

    rows: int = 0
    rejected: int = 0
    outside: int = 0
    repeated_pages: int = 0
    incomplete: int = 0


@dataclass(frozen=True, slots=True)
class Accepted:
    """Rows that may be used.

    Attributes:
        rows: in the order they came.
        multiset: rows of one number are one multiset: together they show no row twice. Different
            numbers may show the same row again.
        is_inside: False where they lie outside the span, or have no readable instant.
    """

    rows: list[DeliveryRecord]
    multiset: int
    is_inside: bool


@dataclass(slots=True)
class Page:
    """One answer.

    Attributes:
        length: rows it holds, rejected ones included.
        rejected: rows that could not be decoded.
        rows: those decoded; of an answer longer than a page only the first; none once they have
            been let go.
        of_type: rows decoded, by type.
        own_of_type: those of them that are the query's own.
        multiset: number of the multiset that its rows are.
        is_cut: WHM says so.
        has_strays: rows are among it that the filter on time can't have let through.
        has_untimed: rows are among it whose instant can't be read.
        is_passed_on: it is longer than a page, and its rows were accepted as they came.
        is_accepted: its rows have been handed over.
        is_repeat: it is the page before once more.
        ends: number of rows that were let go, and the first and the last of them.
    """

    length: int = 0
    rejected: int = 0
    rows: list[DeliveryRecord] = field(default_factory=list)
    of_type: Counter[str] = field(default_factory=Counter)
    own_of_type: Counter[str] = field(default_factory=Counter)
    multiset: int = 0
    is_cut: bool = False
    has_strays: bool = False
    has_untimed: bool = False
    is_passed_on: bool = False
    is_accepted: bool = False
    is_repeat: bool = False
    ends: tuple[int, DeliveryRecord, DeliveryRecord] | None = None

    @property
    def is_unreadable(self) -> bool:
        """Whether it has rows, of which none could be decoded."""
        return 0 < self.length == self.rejected

    @property
    def is_of_one_row(self) -> bool:
        """Whether all its rows are equal, so that an honest page after it may look the same."""
        return len(self.rows) > 1 and self.rows.count(self.rows[0]) == len(self.rows)

    def let_rows_go(self) -> None:
        """They take much memory, and nobody will look into them again."""
        self.ends = self.ends or _ends(self.rows)
        self.rows = []

    def repeats(self, before: "Page | None", *, may_overlap: bool) -> bool:
        """Whether this is the page *before* again.

        Where pages may not overlap, it is so as well if all but a few rows are the same: mail may
        have gone on meanwhile. Of a page whose rows were let go the number and the ends tell: what
        is asked for after it begins where it ended.
        """
        if before is None or self.length == self.rejected:
            return False
        if before.ends is not None:
            return _ends(self.rows) == before.ends
        if self.rows == before.rows or may_overlap:
            return self.rows == before.rows
        own = set(self.rows)
        return 10 * len(own.intersection(before.rows)) > 9 * len(own) > 90


def _ends(
    rows: list[DeliveryRecord],
) -> tuple[int, DeliveryRecord, DeliveryRecord] | None:
    return (len(rows), rows[0], rows[-1]) if rows else None


@dataclass(slots=True)
class Progress:
    """Slices read so far: how many rows each held, by where it began."""

    rows: dict[int, int] = field(default_factory=dict)

    def add(self, start: int, rows: int) -> None:
        """A slice that begins at *start* has been read."""
        self.rows[start] = rows

    def boundaries(self, target_rows: int) -> list[int]:
        """Where slices touch, neighbours put together as long as they don't exceed a target."""
        kept: list[int] = []
        together = 0
        for start, rows in sorted(self.rows.items()):
            if kept and together + rows <= target_rows:
                together += rows
            else:
                kept.append(start)
                together = rows
        return kept[1:]


def target_rows(memory: ReadingMemory) -> int:
    """How many rows a slice should hold: what fits an answer, with room for some more."""
    cap = memory.cap_rows
    return _TARGET_ROWS if cap is None else max(1, min(_TARGET_ROWS, cap * 4 // 5))


def next_width(seconds: int, rows: int, target: int) -> int:
    """How many seconds the next slice should span, from how many rows the last one held."""
    wished = seconds * target // max(rows, 1)
    return max(1, min(wished, seconds * 8))
