"""Simulated time: one clock that all servers, schedules and the truth of a run share.

It takes a source of real seconds and gives simulated ones, which may run faster or stand still.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

Clock = Callable[[], float]
"""Gives the instant it is now, in unix seconds."""

EARLIEST_UNIX, LATEST_UNIX = 978_307_200, 4_291_747_200
INSTANTS = "an instant in unix seconds, from 2001 to 2105"
FASTEST = 3600.0
FACTORS = "0 (time stands still) or a number from 1 to 3600"


class Anchor(NamedTuple):
    """At the real instant *real_unix* it was *simulated_unix*, and time runs *factor* times."""

    real_unix: float
    simulated_unix: float
    factor: float


class SimulatedClock:
    """Simulated now, *factor* times as fast as *source*.

    Args:
        source: real time; tests hand in a clock that they set.
        start_unix: simulated now at the start; None for that of the source.
        factor: see `is_factor`.
        anchor: how an earlier run's clock went, to go on as if it had never stopped; the other
            two are ignored then.
    """

    def __init__(
        self,
        source: Clock = time.time,
        start_unix: float | None = None,
        factor: float = 1.0,
        anchor: Anchor | None = None,
    ) -> None:
        self._source = source
        if anchor is None:
            real_unix = source()
            anchor = Anchor(real_unix, real_unix if start_unix is None else start_unix, factor)
        self._anchor = anchor

    def __call__(self) -> float:
        """Simulated now, in unix seconds."""
        real_unix, simulated_unix, factor = self._anchor
        return simulated_unix + (self._source() - real_unix) * factor

    @property
    def anchor(self) -> Anchor:
        """What it takes to go on from here in another process."""
        return self._anchor

    @property
    def factor(self) -> float:
        """Simulated seconds that pass in a real one."""
        return self._anchor.factor

    def set(self, factor: float | None = None, now_unix: float | None = None) -> None:
        """Run at another speed from now on, jump to another instant, or both."""
        real_unix = self._source()
        self._anchor = Anchor(
            real_unix,
            self() if now_unix is None else now_unix,
            self.factor if factor is None else factor,
        )


def is_instant(unix: float) -> bool:
    """Whether it can be that late: servers have mail from years before, and dates have four digits.

    >>> [is_instant(unix) for unix in (1_795_252_447, 0, 1e12, float("nan"))]
    [True, False, False, False]
    """
    return EARLIEST_UNIX <= unix < LATEST_UNIX


def is_factor(factor: float) -> bool:
    """Whether time may run that fast.

    >>> [is_factor(factor) for factor in (0, 1, 3600, 0.5, 3601, float("nan"))]
    [True, True, True, False, False, False]
    """
    return factor == 0 or 1 <= factor <= FASTEST
