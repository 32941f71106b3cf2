"""Sets of seconds: which send times are still to be read, or to be shown."""

from collections.abc import Iterable
from dataclasses import dataclass

from cpanel_mail_exporter.model.window import Slice


@dataclass(frozen=True, slots=True)
class Spans:
    """Seconds, as slices that are in order and neither overlap nor touch.

    >>> Spans.of(Slice(0, 10), Slice(5, 20)).without(Slice(8, 12))
    Spans(slices=(Slice(start=0, end=8), Slice(start=12, end=20)))
    """

    slices: tuple[Slice, ...] = ()

    @classmethod
    def of(cls, *slices: Slice) -> "Spans":
        """The seconds of all *slices*; those that are empty or reversed have none."""
        joined: list[Slice] = []
        for piece in sorted(slices, key=lambda each: each.start):
            if piece.seconds <= 0:
                continue
            if joined and piece.start <= joined[-1].end:
                joined[-1] = Slice(joined[-1].start, max(joined[-1].end, piece.end))
            else:
                joined.append(piece)
        return cls(tuple(joined))

    def with_(self, span: Slice) -> "Spans":
        """These and those of *span*."""
        return Spans.of(*self.slices, span)

    def without(self, span: Slice) -> "Spans":
        """These but for those of *span*."""
        left = [Slice(piece.start, min(piece.end, span.start)) for piece in self.slices]
        right = [Slice(max(piece.start, span.end), piece.end) for piece in self.slices]
        return Spans.of(*left, *right) if span.seconds > 0 else self

    def within(self, span: Slice) -> "Spans":
        """Those that are in *span* too."""
        return Spans.of(
            *(
                Slice(max(piece.start, span.start), min(piece.end, span.end))
                for piece in self.slices
            )
        )

    @property
    def seconds(self) -> int:
        """How many there are."""
        return sum(piece.seconds for piece in self.slices)

    def __bool__(self) -> bool:
        return bool(self.slices)

    def as_pairs(self) -> list[list[int]]:
        """Start and end of each slice, to be stored."""
        return [[piece.start, piece.end] for piece in self.slices]

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[int, int]]) -> "Spans":
        """What `as_pairs` gave."""
        return cls.of(*(Slice(int(start), int(end)) for start, end in pairs))
