"""How a series that is new to Prometheus is shown: first what it stood at, then what it has become.

`increase()` sees a difference of two samples and never the first one. So a new series is shown at
the value it had before its first event (0, or for one that comes back its old value) until a scrape
has had time to see that.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)


class Births(Generic[_Key]):
    """The series that are still shown at an earlier value.

    Args:
        delay_seconds: how long a first value stays at least; longer if nothing is published.
    """

    def __init__(self, delay_seconds: float) -> None:
        self._delay_seconds = delay_seconds
        self._baselines: dict[_Key, int] = {}
        self._shown_since: dict[_Key, float] = {}

    def born(self, key: _Key, baseline: int) -> None:
        """A series that isn't shown yet will be; it stood at *baseline*."""
        self._baselines.setdefault(key, baseline)

    def gone(self, key: _Key) -> None:
        """A series isn't shown any more."""
        self._baselines.pop(key, None)
        self._shown_since.pop(key, None)

    def published(self, now_unix: float) -> dict[_Key, int]:
        """What to show instead of their values, in a publication made at *now_unix*."""
        grown = [
            key
            for key, since in self._shown_since.items()
            # A clock that was set back must not hide a series for as long as that.
            if not since <= now_unix < since + self._delay_seconds
        ]
        for key in grown:
            self.gone(key)
        for key in self._baselines:
            self._shown_since.setdefault(key, now_unix)
        return dict(self._baselines)

    @property
    def next_unix(self) -> float | None:
        """When a publication will show more than the last one did."""
        first = min(self._shown_since.values(), default=None)
        return None if first is None else first + self._delay_seconds
