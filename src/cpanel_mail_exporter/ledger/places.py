"""The budgets of one server's families: numbers of a step -> the series they are added to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cpanel_mail_exporter.ledger.budget import Budget, Seating
from cpanel_mail_exporter.ledger.change import Seat
from cpanel_mail_exporter.ledger.counters import BUDGETED, CounterKey, Labels

_NO_SEATS: Mapping[CounterKey, Seat] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Placed:
    """What a step's numbers come to.

    Attributes:
        counters: what is added to each counter, `_other` included.
        seatings: what changes in each family's budget.
    """

    counters: Mapping[CounterKey, int] = field(default_factory=dict)
    seatings: Mapping[str, Seating] = field(default_factory=dict)

    def seats(self) -> dict[CounterKey, Seat | None]:
        """The new state of label sets, to be stored."""
        return {
            (name, labels): seat
            for name, seating in self.seatings.items()
            for labels, seat in seating.changes.items()
        }


class Places:
    """Which label sets have series of their own, in every family with a budget.

    Args:
        limits: most sets with series of their own by family, 0 for all; each of BUDGETED.
        seats: places as they were stored.
    """

    def __init__(
        self, limits: Mapping[str, int], seats: Mapping[CounterKey, Seat] = _NO_SEATS
    ) -> None:
        own: dict[str, dict[Labels, Seat]] = {name: {} for name in BUDGETED}
        for (name, labels), seat in seats.items():
            if name in own:
                own[name][labels] = seat
        self._budgets = {
            name: Budget(limits[name], BUDGETED[name].width, found) for name, found in own.items()
        }

    def __iter__(self) -> Iterator[tuple[str, Budget]]:
        return iter(self._budgets.items())

    def __getitem__(self, name: str) -> Budget:
        return self._budgets[name]

    def placed(self, numbers: Mapping[CounterKey, int], day: int) -> Placed:
        """Where the numbers of a step go; nothing changes until it is accepted.

        Args:
            numbers: new events by family and label set.
            day: days since 1970.
        """
        demands: dict[str, dict[Labels, int]] = {}
        for (name, labels), events in numbers.items():
            demand = demands.setdefault(name, {})
            place = labels[: BUDGETED[name].width]
            demand[place] = demand.get(place, 0) + events
        seatings = {
            name: self._budgets[name].seating(demand, day) for name, demand in demands.items()
        }
        counters: dict[CounterKey, int] = {}
        for (name, labels), events in numbers.items():
            width = BUDGETED[name].width
            key = name, seatings[name].routes[labels[:width]] + labels[width:]
            counters[key] = counters.get(key, 0) + events
        return Placed(counters, seatings)


def place_of(key: CounterKey) -> CounterKey | None:
    """The place that a counter stands under, None for families without a budget.

    >>> place_of(("user_events", ("acc1", "example.com", "success")))
    ('user_events', ('acc1', 'example.com'))
    >>> place_of(("events", ("success", "outbound", "other")))
    """
    name, labels = key
    family = BUDGETED.get(name)
    return None if family is None else (name, labels[: family.width])


def counters_of(place: CounterKey) -> list[CounterKey]:
    """The counters that stand under a place.

    >>> counters_of(("smtp_replies", ("550", "5.1.1")))
    [('smtp_replies', ('550', '5.1.1'))]
    """
    name, labels = place
    return [(name, labels + ending) for ending in BUDGETED[name].endings]
