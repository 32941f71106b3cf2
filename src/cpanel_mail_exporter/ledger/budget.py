"""Which label sets have series of their own, and which share the series `_other`.

Every event is added once, to the series its label set has at that moment, and never moved: so no
counter falls, and the series together hold every event. Sets get places as they come; when all are
taken, one that isn't seated takes the place of the weakest that is once its volume is more than
twice as large. Volumes halve every day. All of it depends on the events of a step and the day
alone, not on the order of either.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cpanel_mail_exporter.ledger.change import Seat
from cpanel_mail_exporter.ledger.counters import Labels

OTHER_LABEL = "_other"
_UNIT = 1_024
_AHEAD = 2
_WAITING_FOR_EACH_PLACE = 4
_LARGEST_VOLUME = 1 << 62


@dataclass(frozen=True, slots=True)
class Seating:
    """What a step's events come to.

    Attributes:
        routes: for each label set of the step, the one its events are added to.
        changes: new state of label sets, None for those forgotten.
    """

    routes: Mapping[Labels, Labels]
    changes: Mapping[Labels, Seat | None] = field(default_factory=dict)


class Budget:
    """The places of one family of one server.

    Args:
        limit: how many label sets have series of their own at most; 0 for all.
        width: number of labels of a set.
        seats: places as they were stored.
    """

    def __init__(self, limit: int, width: int, seats: Mapping[Labels, Seat] | None = None) -> None:
        self.limit = limit
        self._other: Labels = (OTHER_LABEL,) * width
        self._seats = dict(seats or {})

    @property
    def seats(self) -> Mapping[Labels, Seat]:
        """Every label set it knows of."""
        return self._seats

    @property
    def wanted(self) -> int:
        """Label sets that would have series without a limit; exact up to five times the limit."""
        return len(self._seats)

    @property
    def seated(self) -> int:
        """Label sets that have series of their own."""
        return sum(seat.has_series for seat in self._seats.values())

    def is_shown(self, labels: Labels) -> bool:
        """Whether *labels* have series at present, `_other` included."""
        seat = self._seats.get(labels)
        return labels == self._other or (seat is not None and seat.has_series)

    def seating(self, demand: Mapping[Labels, int], day: int) -> Seating:
        """Where the events of a step go; nothing changes until it is accepted.

        Args:
            demand: number of events by label set.
            day: days since 1970.
        """
        after = dict(self._seats)
        for labels, events in demand.items():
            old = after.get(labels, Seat(has_series=False, volume=0, day=day))
            volume = min(_volume(old, day) + events * _UNIT, _LARGEST_VOLUME)
            after[labels] = Seat(old.has_series, volume, max(day, old.day))
        if self._is_roomy(after):
            for labels in demand:
                after[labels] = after[labels]._replace(has_series=True)
            routes: dict[Labels, Labels] = {labels: labels for labels in demand}
        else:
            self._fit(after, day)
            routes = {
                labels: labels if after[labels].has_series else self._other for labels in demand
            }
            self._swap(after, day)
            self._thin_out(after, day)
        touched = [labels for labels in after if after[labels] is not self._seats.get(labels)]
        changes: dict[Labels, Seat | None] = {labels: after[labels] for labels in touched}
        changes.update((labels, None) for labels in self._seats if labels not in after)
        return Seating(routes, changes)

    def accept(self, seating: Seating) -> None:
        """Take over what has been stored."""
        for labels, seat in seating.changes.items():
            if seat is None:
                self._seats.pop(labels, None)
            else:
                self._seats[labels] = seat

    def _is_roomy(self, after: Mapping[Labels, Seat]) -> bool:
        """All that are known fit, and none but newcomers lack a place."""
        if not self.limit:
            return True
        return len(after) <= self.limit and all(
            seat.has_series or labels not in self._seats for labels, seat in after.items()
        )

    def _fit(self, after: dict[Labels, Seat], day: int) -> None:
        """Empty or fill places until as many are taken as there are, the strongest first."""
        seated, waiting = _ranked(after, day)
        for labels in seated[self.limit :]:
            after[labels] = after[labels]._replace(has_series=False)
        for labels in waiting[: max(0, self.limit - len(seated))]:
            after[labels] = after[labels]._replace(has_series=True)

    def _swap(self, after: dict[Labels, Seat], day: int) -> None:
        """Give places to those that are far ahead of the weakest, from the next step on."""
        seated, waiting = _ranked(after, day)
        for strong, weak in zip(waiting, reversed(seated), strict=False):
            if _volume(after[strong], day) <= _AHEAD * _volume(after[weak], day):
                break
            after[strong] = after[strong]._replace(has_series=True)
            after[weak] = after[weak]._replace(has_series=False)

    def _thin_out(self, after: dict[Labels, Seat], day: int) -> None:
        """Forget those that wait with nothing, and the weakest where too many wait."""
        _, waiting = _ranked(after, day)
        for place, labels in enumerate(waiting):
            if place >= _WAITING_FOR_EACH_PLACE * self.limit or not _volume(after[labels], day):
                del after[labels]


def _volume(seat: Seat, day: int) -> int:
    return seat.volume >> max(0, day - seat.day)


def _ranked(seats: Mapping[Labels, Seat], day: int) -> tuple[list[Labels], list[Labels]]:
    """Label sets with a place and those without, each the strongest first."""
    order = sorted(seats, key=lambda labels: (-_volume(seats[labels], day), labels))
    return (
        [labels for labels in order if seats[labels].has_series],
        [labels for labels in order if not seats[labels].has_series],
    )
