"""The ledger's numbers, and how far the reading has come -> families of delivery events."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from cpanel_mail_exporter.ledger import counters
from cpanel_mail_exporter.ledger.counters import CounterKey, Labels
from cpanel_mail_exporter.ledger.exemplars import BucketExemplars
from cpanel_mail_exporter.ledger.figures import PlacesTaken
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.family import Distribution, Family, FamilySamples, Sample

_NUMBERS: Mapping[str, Family] = {
    counters.EVENTS: catalogue.DELIVERY_EVENTS,
    counters.USER_EVENTS: catalogue.USER_DELIVERY_EVENTS,
    counters.FAILURES: catalogue.DELIVERY_FAILURES,
    counters.DEFERRALS: catalogue.DELIVERY_DEFERRALS,
    counters.SMTP_REPLIES: catalogue.SMTP_REPLIES,
    counters.DEFERRED_RECIPIENTS: catalogue.DEFERRED_RECIPIENTS,
    counters.DRIFT: catalogue.API_DRIFT,
}
_HISTOGRAMS: Mapping[str, Family] = {
    counters.TIME_TO_DELIVER: catalogue.TIME_TO_DELIVER,
    counters.TIME_TO_FAIL: catalogue.TIME_TO_FAIL,
    counters.ATTEMPTS: catalogue.DELIVERY_ATTEMPTS,
    counters.MESSAGE_SIZE: catalogue.MESSAGE_SIZE,
}

_NO_EXEMPLARS: Mapping[tuple[str, Labels], BucketExemplars] = MappingProxyType({})


def deliveries(
    numbers: Mapping[CounterKey, int],
    exemplars: Mapping[tuple[str, Labels], BucketExemplars] = _NO_EXEMPLARS,
) -> list[FamilySamples]:
    """Every family of the ledger's numbers that has samples, in a fixed order of series.

    Args:
        numbers: counters, and buckets and sums of histograms, under the ledger's names. An
            observation that was stored under a bound there is no more is in the next larger
            bucket; numbers of names that are not known any more are left out.
        exemplars: by name and labels of a histogram.
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
            shown = Distribution(tuple(counts), total, exemplars.get((name, labels), ()))
            samples[name].append((labels, shown))
    declared = {**_NUMBERS, **_HISTOGRAMS}
    return [FamilySamples(declared[name], found) for name, found in samples.items() if found]


def budgets(places: Mapping[str, PlacesTaken]) -> dict[str, PlacesTaken]:
    """How far the ledger's budgets go, by the names of families as they are shown."""
    return {_NUMBERS[name].name: taken for name, taken in places.items()}


def ledger_state(counting_since_unix: int | None, size_bytes: int | None) -> list[FamilySamples]:
    """Since when the ledger counts, and the space it takes; None where that isn't known."""
    return [
        _one(catalogue.COUNTING_SINCE, counting_since_unix),
        _one(catalogue.LEDGER_SIZE, size_bytes),
    ]


def reading(state: DeliveriesState, *, is_fresh: bool) -> list[FamilySamples]:
    """How far the reading has come.

    Args:
        state: as the newest poll that told left it.
        is_fresh: whether its gauges are recent enough to be shown; what says how far behind the
            reading is stays.
    """
    behaviour: Sample = ((state.totals_go_by.value, state.action_filter.value), 1)
    families = [
        _one(catalogue.NEWEST_EVENT, state.newest_event_unix),
        _one(catalogue.BACKLOG_SLICES, state.backlog_slices),
        FamilySamples(catalogue.SERVER_BEHAVIOUR, [behaviour]),
    ]
    if is_fresh:
        day = state.last_day
        families += [
            _one(catalogue.MESSAGES_IN_PROGRESS, state.messages_in_progress),
            _by_outcome(catalogue.LAST_DAY_REPORTED, day.reported if day else {}),
            _by_outcome(catalogue.LAST_DAY_COUNTED, day.known if day else {}),
        ]
    return families


def _one(family: Family, value: int | None) -> FamilySamples:
    return FamilySamples(family, [] if value is None else [((), value)])


def _by_outcome(family: Family, events: Mapping[str, int]) -> FamilySamples:
    order: Sequence[str] = [outcome for outcome in counters.OUTCOMES if outcome in events]
    return FamilySamples(family, [((outcome,), events[outcome]) for outcome in order])


def _no_counts(name: str) -> list[int]:
    return [0] * (len(counters.BOUNDS[name]) + 1)


def _place(name: str, stored_bound: str) -> int:
    """The bucket that holds observations stored under *stored_bound*."""
    bounds = counters.BOUNDS[name]
    if stored_bound == counters.ABOVE_ALL:
        return len(bounds)
    bound = int(stored_bound)
    return sum(known < bound for known in bounds)
