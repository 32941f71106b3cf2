"""Observations of one step, gathered as counters."""

from bisect import bisect_left

from cpanel_mail_exporter.ledger.counters import (
    ABOVE_ALL,
    BOUNDS,
    BUCKET,
    SUM,
    CounterKey,
    Labels,
)


class Histograms:
    """Takes observations, gives what they add to the counters of their buckets and sums."""

    def __init__(self) -> None:
        # By name and labels: observations by bucket, and behind them the sum.
        self._seen: dict[tuple[str, Labels], list[int]] = {}

    def observe(self, name: str, labels: Labels, value: int, copies: int = 1) -> None:
        """Add *value*, *copies* times."""
        bounds = BOUNDS[name]
        seen = self._seen.get((name, labels))
        if seen is None:
            seen = self._seen[name, labels] = [0] * (len(bounds) + 2)
        seen[bisect_left(bounds, value)] += copies
        seen[-1] += value * copies

    def counters(self) -> dict[CounterKey, int]:
        """What all observations add up to; a sum stands even where it is 0.

        >>> seen = Histograms()
        >>> seen.observe("attempts", ("outbound",), 4, copies=2)
        >>> seen.counters()
        {('attempts_bucket', ('outbound', '5')): 2, ('attempts_sum', ('outbound',)): 8}
        """
        found: dict[CounterKey, int] = {}
        for (name, labels), (*counts, total) in self._seen.items():
            bounds = (*map(str, BOUNDS[name]), ABOVE_ALL)
            for bound, count in zip(bounds, counts, strict=True):
                if count:
                    found[name + BUCKET, (*labels, bound)] = count
            found[name + SUM, labels] = total
        return found
