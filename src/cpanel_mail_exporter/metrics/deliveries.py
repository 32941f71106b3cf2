"""The ledger's numbers -> families of delivery events."""

from collections.abc import Mapping

from cpanel_mail_exporter.ledger import counters
from cpanel_mail_exporter.ledger.counters import CounterKey, Labels
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.family import Distribution, Family, FamilySamples, Sample

_NUMBERS: Mapping[str, Family] = {
    counters.EVENTS: catalogue.DELIVERY_EVENTS,
    counters.USER_EVENTS: catalogue.USER_DELIVERY_EVENTS,
    counters.DEFERRED_RECIPIENTS: catalogue.DEFERRED_RECIPIENTS,
    counters.DRIFT: catalogue.API_DRIFT,
}
_HISTOGRAMS: Mapping[str, Family] = {
    counters.TIME_TO_DELIVER: catalogue.TIME_TO_DELIVER,
    counters.TIME_TO_FAIL: catalogue.TIME_TO_FAIL,
    counters.ATTEMPTS: catalogue.DELIVERY_ATTEMPTS,
    counters.MESSAGE_SIZE: catalogue.MESSAGE_SIZE,
}


def deliveries(numbers: Mapping[CounterKey, int]) -> list[FamilySamples]:
    """Every family of the ledger's numbers that has samples, in a fixed order of series.

    Args:
        numbers: counters, and buckets and sums of histograms, under the ledger's names. An
            observation that was stored under a bound there is no more is in the next larger
            bucket; numbers of names that are not known any more are left out.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in (*_NUMBERS, *_HISTOGRAMS)}
    sums: dict[tuple[str, Labels], int] = {}
    buckets: dict[tuple[str, Labels], list[int]] = {}
    for (name, labels), value in sorted(numbers.items()):
        if name in _NUMBERS:
            samples[name].append((labels, value))
        elif name.endswith(counters.SUM):
            sums[name.removesuffix(counters.SUM), labels] = value
        elif name.endswith(counters.BUCKET):
            key = name.removesuffix(counters.BUCKET), labels[:-1]
            if key[0] in _HISTOGRAMS:
                counts = buckets.setdefault(key, _no_counts(key[0]))
                counts[_place(key[0], labels[-1])] += value
    for (name, labels), total in sums.items():
        if name in _HISTOGRAMS:
            counts = buckets.get((name, labels), _no_counts(name))
            samples[name].append((labels, Distribution(tuple(counts), total)))
    declared = {**_NUMBERS, **_HISTOGRAMS}
    return [FamilySamples(declared[name], found) for name, found in samples.items() if found]


def _no_counts(name: str) -> list[int]:
    return [0] * (len(counters.BOUNDS[name]) + 1)


def _place(name: str, stored_bound: str) -> int:
    """The bucket that holds observations stored under *stored_bound*."""
    bounds = counters.BOUNDS[name]
    if stored_bound == counters.ABOVE_ALL:
        return len(bounds)
    bound = int(stored_bound)
    return sum(known < bound for known in bounds)
