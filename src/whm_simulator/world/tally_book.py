"""The sums of one server's minutes: looked up where they are kept, added up where they aren't."""

from collections.abc import Callable, Iterator

from whm_simulator.world.blocks import Block
from whm_simulator.world.cache import Bounded
from whm_simulator.world.tallies import (
    LENGTHS_MINUTES,
    Tally,
    pieces,
    tally_of_block,
    tally_of_parts,
)


class TallyBook:
    """Tallies of the server called *name*, made of the blocks that *block_of* gives."""

    def __init__(self, name: str, kept: Bounded[Tally], block_of: Callable[[int], Block]) -> None:
        self._name = name
        self._kept = kept
        self._block_of = block_of

    def tallies(self, first_minute: int, end_minute: int) -> Iterator[Tally]:
        """Tallies that make up the minutes from *first_minute* to before *end_minute*."""
        for length, number in pieces(first_minute, end_minute):
            yield self._tally(length, number)

    def _tally(self, length: int, number: int) -> Tally:
        key = self._name, length, number
        tally = self._kept.get(key)
        if tally is None:
            first = length * number
            if length == 1:
                tally = tally_of_block(first, self._block_of(first))
            else:
                tally = tally_of_parts(self._parts(first, first + length))
            self._kept.put(key, tally, tally.cost)
        return tally

    def _parts(self, first_minute: int, end_minute: int) -> Iterator[Tally]:
        """Tallies that make up a range; those of minutes that aren't known aren't kept either."""
        minute = first_minute
        while minute < end_minute:
            for length in LENGTHS_MINUTES[1:]:
                fits = minute % length == 0 and minute + length <= end_minute
                known = self._kept.get((self._name, length, minute // length))
                if fits and known is not None:
                    yield known
                    minute += length
                    break
            else:
                yield tally_of_block(minute, self._block_of(minute))
                minute += 1
