"""What a reading keeps: facts about the server, counts, the page it is at, the slices behind it."""

from collections.abc import Hashable
from dataclasses import dataclass, field

PAGE_ROWS = 5_000
_TARGET_ROWS = 4_000


@dataclass(slots=True)
class ReadingMemory:
    """What a server's earlier answers taught about how to ask it.

    Attributes:
        longest_page: most rows that a page held.
        full_page: rows of a page after which there is more: the size asked for, or a clipped one.
        boundaries: where the slices of the last complete reading touched; None before the first.
        ignores_size: an answer held more rows than its query asked for.
        ignores_start: the page after a short one was the same page.
        ignores_filters: a slice was answered with the rows of another one.
        always_says_cut: an answer without rows was called cut.
    """

    longest_page: int = 0
    full_page: int = PAGE_ROWS
    boundaries: list[int] | None = None
    ignores_size: bool = False
    ignores_start: bool = False
    ignores_filters: bool = False
    always_says_cut: bool = False


@dataclass(slots=True)
class ReadCounts:
    """What a reading came across.

    Attributes:
        rows: rows received, rejected ones and those of overlapping slices included; a page that
            only repeats the one before isn't counted.
        rejected: rows that could not be decoded.
        outside: rows accepted although outside the window, or without a readable send time.
        repeated_pages: pages equal to the one before.
        incomplete: slices that WHM cut and that can't be made smaller.
    """

    rows: int = 0
    rejected: int = 0
    outside: int = 0
    repeated_pages: int = 0
    incomplete: int = 0


@dataclass(slots=True)
class Page:
    """The answer that is being received."""

    length: int = 0
    rows: list[Hashable] = field(default_factory=list)  # of no more than a page
    strays: bool = False  # holds rows of another slice
    confirms: bool = False  # asked for only to see whether the page before was the last

    def repeats(self, before: "Page | None", *, may_not_overlap: bool) -> bool:
        """Whether this is the page *before* again.

        Where pages may not overlap, it is so as well if all but a few rows are the same: mail may
        have gone on meanwhile.
        """
        if before is None:
            return False
        if self.rows == before.rows or not may_not_overlap:
            return self.rows == before.rows
        own = set(self.rows)
        return 10 * len(own.intersection(before.rows)) > 9 * len(own) > 90


@dataclass(slots=True)
class Progress:
    """Slices read so far: where each began, and how many rows it held."""

    starts: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def boundaries(self) -> list[int]:
        """Where slices touch, neighbours put together as long as they fit one page."""
        kept: list[int] = []
        together = 0
        for start, rows in zip(self.starts, self.rows, strict=True):
            if kept and together + rows <= _TARGET_ROWS:
                together += rows
            else:
                kept.append(start)
                together = rows
        return kept[1:]


def next_width(seconds: int, rows: int) -> int:
    """How many seconds the next slice should span, from how many rows the last one held."""
    wished = seconds * _TARGET_ROWS // max(rows, 1)
    return max(1, min(wished, seconds * 8))
