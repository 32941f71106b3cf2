"""What all servers keep in memory: bounded, the least recently used thrown out."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

from whm_simulator.world.blocks import Block
from whm_simulator.world.lingering import Lingering
from whm_simulator.world.tallies import Tally

V = TypeVar("V")

_MOST_TALLY_LINES = 500_000
_MOST_LINGERING = 500_000


class Bounded(Generic[V]):
    """Values by key, each with a cost, up to *most* in all. Safe across threads."""

    def __init__(self, most: int) -> None:
        self.cost = 0
        self._most = most
        self._known: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, key: Hashable) -> V | None:
        """The value of *key*, None if it must be made."""
        with self._lock:
            found = self._known.get(key)
            if found is None:
                return None
            self._known.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: V, cost: int) -> None:
        """Keep *value*, and throw out others until the bound holds; the newest is always kept."""
        with self._lock:
            if key in self._known:
                return
            self._known[key] = value, cost
            self.cost += cost
            while self.cost > self._most and len(self._known) > 1:
                _, (_, freed) = self._known.popitem(last=False)
                self.cost -= freed


class BlockCache:
    """Written minutes of all servers, their sums, and what lingers in their queues.

    Rows take most of the memory, so their number is the user's choice; the sums of an hour take
    about as much as ten rows, and stay when its rows are gone.

    Attributes:
        blocks: by server and minute.
        tallies: by server, length in minutes and number of the range.
        lingering: by server and hour.
    """

    def __init__(self, max_rows: int) -> None:
        self.blocks: Bounded[Block] = Bounded(max_rows)
        self.tallies: Bounded[Tally] = Bounded(_MOST_TALLY_LINES)
        self.lingering: Bounded[tuple[Lingering, ...]] = Bounded(_MOST_LINGERING)
