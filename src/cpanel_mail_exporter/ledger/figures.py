"""The numbers of one ledger as they are shown: takes what has been stored, gives publications.

One thread takes over what it stored, another publishes; a lock keeps them apart, and is never held
while anything is read or written.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.births import Births
from cpanel_mail_exporter.ledger.change import Seat
from cpanel_mail_exporter.ledger.counters import CounterKey, Labels
from cpanel_mail_exporter.ledger.departures import Departures
from cpanel_mail_exporter.ledger.places import Placed, Places, counters_of, place_of


@dataclass(frozen=True, slots=True)
class PlacesTaken:
    """How far the budget of a family goes.

    Attributes:
        shown: label sets that have series, those that are just leaving included.
        wanted: sets that would have series without a limit; exact up to five times that.
        limit: most sets with series of their own, 0 for all.
    """

    shown: int
    wanted: int
    limit: int


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication shows of a ledger.

    Attributes:
        version: rises whenever there is something new to show.
        numbers: every number that is shown, under the names of `ledger.counters`; those known
            beforehand are there from the start, those of label sets without series are left out,
            and new series stand at the value they had before their first event.
        counting_since_unix: events that happened earlier aren't counted, 0 if all are; None before
            the first poll.
        places: by family with a budget.
    """

    version: int
    numbers: Mapping[CounterKey, int]
    counting_since_unix: int | None
    places: Mapping[str, PlacesTaken]


class Figures:
    """The numbers of one ledger.

    Args:
        limits: most label sets with series of their own by family, 0 for all.
        birth_delay_seconds: how long a new series is shown at its first value, and one that leaves
            at its last; None shows all at their values at once.
        lock: keeps apart the thread that stores and the one that publishes.
    """

    def __init__(
        self,
        limits: Mapping[str, int],
        birth_delay_seconds: float | None,
        lock: AbstractContextManager[object],
    ) -> None:
        self._limits = limits
        self._delays = birth_delay_seconds is not None
        delay_seconds = birth_delay_seconds or 0.0
        self._lock = lock
        self._is_loaded = False
        self._version = 0
        self._counters: dict[CounterKey, int] = {}
        self._drift: dict[str, int] = {}
        self._counting_since_unix: int | None = None
        self._places = Places(limits)
        self._births: Births[CounterKey] = Births(delay_seconds)
        self._leaving: dict[str, Departures[Labels]] = {
            name: Departures(delay_seconds, limit) for name, limit in limits.items()
        }

    @property
    def places(self) -> Places:
        """The places of all budgets; for the thread that stores alone."""
        return self._places

    def load(
        self,
        counters: dict[CounterKey, int],
        seats: Mapping[CounterKey, Seat],
        counting_since_unix: int | None,
    ) -> None:
        """Take what the store holds, which is shown at its values.

        If it was loaded before, a commit may have been stored though it seemed to fail; what that
        brought is new to Prometheus.
        """
        places = Places(self._limits, seats)
        with self._lock:
            before = self._counters
            were_shown = {names.series_of(key) for key in before if self._is_shown(key)}
            self._counters = counters
            self._places = places
            self._counting_since_unix = counting_since_unix
            if self._is_loaded and self._delays:
                for key in counters.keys() - names.KNOWN_BEFOREHAND:
                    series = names.series_of(key)
                    if series not in were_shown and self._is_shown(key):
                        self._births.born(series, before.get(key, 0))
            self._is_loaded = True
            self._version += 1

    def take_over(
        self,
        added: Mapping[CounterKey, int],
        placed: Placed | None,
        counting_since_unix: int | None,
    ) -> None:
        """Take what has been stored; what becomes visible is shown at its earlier value first."""
        with self._lock:
            if placed is not None:
                self._move(placed)
            for key in added:
                series = names.series_of(key)
                is_new = not self._has(series) and key not in names.KNOWN_BEFOREHAND
                if self._delays and is_new and self._is_shown(key):
                    self._births.born(series, 0)
            for key, number in added.items():
                self._counters[key] = self._counters.get(key, 0) + number
            self._counting_since_unix = counting_since_unix
            self._version += 1

    def note_drift(self, what: str, rows: int) -> None:
        """Count *rows* that were other than documented."""
        with self._lock:
            self._drift[what] = self._drift.get(what, 0) + rows
            self._version += 1

    @property
    def version(self) -> int:
        """Rises whenever there is something new to show."""
        return self._version

    @property
    def next_publication_unix(self) -> float | None:
        """When a publication would differ from the last one though nothing was learned."""
        with self._lock:
            leaving = [departures.next_unix for departures in self._leaving.values()]
            instants = (self._births.next_unix, *leaving)
            return min((at for at in instants if at is not None), default=None)

    def published(self, now_unix: float) -> Published | None:
        """What to show in a publication made at *now_unix*; None before anything was loaded."""
        with self._lock:
            if not self._is_loaded:
                return None
            baselines = self._births.published(now_unix)
            self._see_off(now_unix, baselines)
            shown = dict.fromkeys(names.KNOWN_BEFOREHAND, 0)
            for key, value in self._counters.items():
                if self._is_shown(key):
                    before = baselines.get(names.series_of(key)) if baselines else None
                    shown[key] = value if before is None else min(before, value)
            for what, rows in self._drift.items():
                shown[names.DRIFT, (what,)] = rows
            return Published(
                version=self._version,
                numbers=shown,
                counting_since_unix=self._counting_since_unix,
                places={
                    name: PlacesTaken(
                        budget.seated + len(self._leaving[name]), budget.wanted, budget.limit
                    )
                    for name, budget in self._places
                },
            )

    def _see_off(self, now_unix: float, baselines: Mapping[CounterKey, int]) -> None:
        """Let those go that have been shown at their last values for long enough."""
        rising = {place_of(key) for key in baselines}
        for name, leaving in self._leaving.items():

            def is_at_its_last(labels: Labels, name: str = name) -> bool:
                return (name, labels) not in rising

            for labels in leaving.published(now_unix, is_at_its_last):
                self._forget_births((name, labels))

    def _move(self, placed: Placed) -> None:
        """Take over the places of the families."""
        for name, seating in placed.seatings.items():
            budget = self._places[name]
            had_series = {labels: budget.is_shown(labels) for labels in seating.changes}
            budget.accept(seating)
            if not self._delays:
                continue
            for labels, had in had_series.items():
                has = budget.is_shown(labels)
                if has and not had:
                    self._comes((name, labels))
                elif had and not has:
                    for vanished in self._leaving[name].leave(labels):
                        self._forget_births((name, vanished))

    def _comes(self, place: CounterKey) -> None:
        """A set that was shown before stands at its old values first, unless it still does."""
        name, labels = place
        if labels in self._leaving[name]:
            self._leaving[name].stay(labels)
            return
        for key in counters_of(place):
            if key in self._counters:
                self._births.born(key, self._counters[key])

    def _forget_births(self, place: CounterKey) -> None:
        for key in counters_of(place):
            self._births.gone(key)

    def _has(self, series: CounterKey) -> bool:
        name, labels = series
        return series in self._counters or (name + names.SUM, labels) in self._counters

    def _is_shown(self, key: CounterKey) -> bool:
        place = place_of(key)
        if place is None:
            return True
        name, labels = place
        return self._places[name].is_shown(labels) or labels in self._leaving[name]
