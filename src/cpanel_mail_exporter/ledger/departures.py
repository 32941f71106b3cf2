"""How a label set that loses its series leaves: its last values stay until they could be scraped.

Events may have been added to it since the last publication. Would it vanish at once, no scrape
would ever see them, and `sum(rate())` would lack them.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)


class Departures(Generic[_Key]):
    """The label sets that are still shown though they have no series of their own any more.

    Args:
        delay_seconds: how long last values stay at least; longer if nothing is published.
        limit: how many stay at most, 0 for any number; then the first to leave vanish at once.
    """

    def __init__(self, delay_seconds: float, limit: int) -> None:
        self._delay_seconds = delay_seconds
        self._limit = limit
        self._shown_since: dict[_Key, float | None] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._shown_since

    def __len__(self) -> int:
        return len(self._shown_since)

    def leave(self, key: _Key) -> list[_Key]:
        """A set has lost its series; gives those that vanish at once for it."""
        self._shown_since[key] = None
        vanished = []
        while self._limit and len(self._shown_since) > self._limit:
            first = next(iter(self._shown_since))
            del self._shown_since[first]
            vanished.append(first)
        return vanished

    def stay(self, key: _Key) -> None:
        """A set has series again."""
        self._shown_since.pop(key, None)

    def published(self, now_unix: float, is_at_its_last: Callable[[_Key], bool]) -> list[_Key]:
        """Note a publication made at *now_unix*; gives those that it doesn't show any more.

        Args:
            now_unix: when what is shown is put together.
            is_at_its_last: whether the publication shows a set's last values.
        """
        gone = []
        for key, since in list(self._shown_since.items()):
            if since is None:
                if is_at_its_last(key):
                    self._shown_since[key] = now_unix
            # A clock that was set back must not keep a series for as long as that.
            elif not since <= now_unix < since + self._delay_seconds:
                del self._shown_since[key]
                gone.append(key)
        return gone

    @property
    def next_unix(self) -> float | None:
        """When a publication will show fewer than the last one did."""
        shown = [since for since in self._shown_since.values() if since is not None]
        return min(shown) + self._delay_seconds if shown else None
