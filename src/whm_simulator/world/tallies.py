"""Sums over whole minutes of send time, with the few attempts apart that came much later.

A tally says for any instant after its first attempts what ``sums_of`` its rows would, without them.
It also says in which minutes there are attempts of a given time.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from whm_simulator.mail.rows import DEFER, FAILURE, SUCCESS
from whm_simulator.mail.sums import Sender, Sums, sums_of
from whm_simulator.world.blocks import Block, acts_at

LENGTHS_MINUTES = (60, 10, 1)
"""How long tallies are, the longest first; each divides the one before."""

_TYPES = (SUCCESS, DEFER, FAILURE)
_TYPE_BITS, _LINE_BITS, _MINUTE_BITS = 2, 16, 6
_ACT_SHIFT = _TYPE_BITS + _LINE_BITS + _MINUTE_BITS


class Tally(NamedTuple):
    """A range of send time in numbers.

    Attributes:
        start_minute: its first minute of unix time.
        lines: sums of all its attempts by sender, as they will be in the end.
        retries: packed in one number each, by time: when a retry ended, in which minute it was
            sent, whose line it is in, and its type.
    """

    start_minute: int
    lines: tuple[tuple[Sender, Sums], ...]
    retries: "array[int]"

    @property
    def cost(self) -> int:
        """Its part of the cache's bound."""
        return 1 + len(self.lines) + len(self.retries) // 8

    def add_to(self, sums: dict[Sender, Sums], now_unix: float) -> None:
        """Add to *sums* what exists at *now_unix*, by when all first attempts have ended."""
        for sender, own in self.lines:
            known = sums.get(sender)
            if known is None:
                known = sums[sender] = Sums()
            known.add(own)
        for packed in self.retries[self._place_after(now_unix) :]:
            whose = sums[self.lines[packed >> _TYPE_BITS & (1 << _LINE_BITS) - 1][0]]
            kind = packed & (1 << _TYPE_BITS) - 1
            if kind == 0:
                whose.success -= 1
            elif kind == 1:
                whose.defer -= 1
            else:
                whose.failure -= 1

    def minutes_acting(self, first_unix: float, last_unix: float) -> set[int]:
        """Minutes of which a retry ended in a range, both ends included."""
        begin = bisect_left(self.retries, int(max(first_unix, 0)) << _ACT_SHIFT)
        return self._minutes(self.retries[begin : self._place_after(last_unix)])

    def minutes_acting_after(self, now_unix: float) -> set[int]:
        """Minutes of which a retry ends after *now_unix*, so that messages wait for it."""
        return self._minutes(self.retries[self._place_after(now_unix) :])

    def _place_after(self, now_unix: float) -> int:
        return bisect_right(self.retries, ((int(max(now_unix, -1)) + 1) << _ACT_SHIFT) - 1)

    def _minutes(self, retries: Iterable[int]) -> set[int]:
        shift, mask = _TYPE_BITS + _LINE_BITS, (1 << _MINUTE_BITS) - 1
        return {self.start_minute + (packed >> shift & mask) for packed in retries}


def tally_of_block(minute: int, block: Block) -> Tally:
    """The tally of one minute."""
    lines = tuple(sums_of(block.attempts).items())
    places = {sender: place for place, (sender, _) in enumerate(lines)}
    retries = array(
        "Q",
        sorted(
            acts_at(row) << _ACT_SHIFT
            | places[Sender(row.user, row.domain)] << _TYPE_BITS
            | _TYPES.index(row.type)
            for row in block.retries
        ),
    )
    return Tally(minute, lines, retries)


def tally_of_parts(parts: Iterable[Tally]) -> Tally:
    """The tally of a range that *parts* make up, in their order."""
    sums: dict[Sender, Sums] = {}
    places: dict[Sender, int] = {}
    retries: list[int] = []
    start_minute: int | None = None
    for part in parts:
        if start_minute is None:
            start_minute = part.start_minute
        for sender, own in part.lines:
            if sender not in sums:
                places[sender] = len(sums)
                sums[sender] = Sums()
            sums[sender].add(own)
        retries += _moved(part, part.start_minute - start_minute, places)
    return Tally(start_minute or 0, tuple(sums.items()), array("Q", sorted(retries)))


def _moved(part: Tally, minutes: int, places: dict[Sender, int]) -> Iterator[int]:
    """The retries of *part* as they stand in a tally that begins *minutes* before it."""
    mask = (1 << _LINE_BITS) - 1
    for packed in part.retries:
        line = packed >> _TYPE_BITS & mask
        place = places[part.lines[line][0]]
        minute = minutes << _TYPE_BITS + _LINE_BITS
        yield packed + minute + (place - line << _TYPE_BITS)


def pieces(first_minute: int, end_minute: int) -> Iterator[tuple[int, int]]:
    """The fewest tallies that make up a range, as length in minutes and number of that length.

    >>> list(pieces(58, 130))
    [(1, 58), (1, 59), (60, 1), (10, 12)]
    """
    minute = first_minute
    while minute < end_minute:
        length = next(
            length
            for length in LENGTHS_MINUTES
            if minute % length == 0 and minute + length <= end_minute
        )
        yield length, minute // length
        minute += length
