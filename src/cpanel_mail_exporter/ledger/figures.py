"""The numbers of one ledger as they are shown: takes what has been stored, gives publications.

One thread takes over what it stored, another publishes; a lock keeps them apart, and is never held
while anything is read or written.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.births import Births
from cpanel_mail_exporter.ledger.budget import Budget, Seating
from cpanel_mail_exporter.ledger.change import Seat
from cpanel_mail_exporter.ledger.counters import CounterKey, Labels
from cpanel_mail_exporter.ledger.departures import Departures

USER_LABELS = 2
"""Labels of the user family that its budget is about: user and domain."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication shows of a ledger.

    Attributes:
        version: rises whenever there is something new to show.
        numbers: every number that is shown, under the names of `ledger.counters`; those known
            beforehand are there from the start, those of users without series are left out, and
            new series stand at the value they had before their first event.
        counting_since_unix: events that happened earlier aren't counted, 0 if all are; None before
            the first poll.
        users_shown: (user, domain) pairs that have series, those that are just leaving included.
        users_wanted: pairs that would have series without a limit; exact up to five times that.
        users_limit: most pairs with series of their own, 0 for all.
    """

    version: int
    numbers: Mapping[CounterKey, int]
    counting_since_unix: int | None
    users_shown: int
    users_wanted: int
    users_limit: int


class Figures:
    """The numbers of one ledger.

    Args:
        user_limit: most (user, domain) pairs with series of their own, 0 for all.
        birth_delay_seconds: how long a new series is shown at its first value, and one that leaves
            at its last; None shows all at their values at once.
        lock: keeps apart the thread that stores and the one that publishes.
    """

    def __init__(
        self,
        user_limit: int,
        birth_delay_seconds: float | None,
        lock: AbstractContextManager[object],
    ) -> None:
        self._limit = user_limit
        self._delays = birth_delay_seconds is not None
        delay_seconds = birth_delay_seconds or 0.0
        self._lock = lock
        self._is_loaded = False
        self._version = 0
        self._counters: dict[CounterKey, int] = {}
        self._drift: dict[str, int] = {}
        self._counting_since_unix: int | None = None
        self._budget = Budget(user_limit, USER_LABELS)
        self._births: Births[CounterKey] = Births(delay_seconds)
        self._leaving: Departures[Labels] = Departures(delay_seconds, user_limit)

    @property
    def budget(self) -> Budget:
        """The places of users; for the thread that stores alone."""
        return self._budget

    def load(
        self,
        counters: dict[CounterKey, int],
        seats: Mapping[Labels, Seat],
        counting_since_unix: int | None,
    ) -> None:
        """Take what the store holds, which is shown at its values.

        If it was loaded before, a commit may have been stored though it seemed to fail; what that
        brought is new to Prometheus.
        """
        budget = Budget(self._limit, USER_LABELS, seats)
        with self._lock:
            before = self._counters
            were_shown = {names.series_of(key) for key in before if self._is_shown(key)}
            self._counters = counters
            self._budget = budget
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
        seating: Seating | None,
        counting_since_unix: int | None,
    ) -> None:
        """Take what has been stored; what becomes visible is shown at its earlier value first."""
        with self._lock:
            if seating is not None:
                self._move(seating)
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
            instants = (self._births.next_unix, self._leaving.next_unix)
            return min((at for at in instants if at is not None), default=None)

    def published(self, now_unix: float) -> Published | None:
        """What to show in a publication made at *now_unix*; None before anything was loaded."""
        with self._lock:
            if not self._is_loaded:
                return None
            baselines = self._births.published(now_unix)
            for pair in self._leaving.published(
                now_unix, lambda pair: not any(key in baselines for key in _series_of_pair(pair))
            ):
                self._forget_births(pair)
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
                users_shown=self._budget.seated + len(self._leaving),
                users_wanted=self._budget.wanted,
                users_limit=self._limit,
            )

    def _move(self, seating: Seating) -> None:
        """Take over the places of users."""
        had_series = {pair: self._budget.is_shown(pair) for pair in seating.changes}
        self._budget.accept(seating)
        if not self._delays:
            return
        for pair, had in had_series.items():
            has = self._budget.is_shown(pair)
            if has and not had:
                self._comes(pair)
            elif had and not has:
                for vanished in self._leaving.leave(pair):
                    self._forget_births(vanished)

    def _comes(self, pair: Labels) -> None:
        """A pair that was shown before stands at its old values first, unless it still does."""
        if pair in self._leaving:
            self._leaving.stay(pair)
            return
        for key in _series_of_pair(pair):
            if key in self._counters:
                self._births.born(key, self._counters[key])

    def _forget_births(self, pair: Labels) -> None:
        for key in _series_of_pair(pair):
            self._births.gone(key)

    def _has(self, series: CounterKey) -> bool:
        name, labels = series
        return series in self._counters or (name + names.SUM, labels) in self._counters

    def _is_shown(self, key: CounterKey) -> bool:
        name, labels = key
        if name != names.USER_EVENTS:
            return True
        pair = labels[:USER_LABELS]
        return self._budget.is_shown(pair) or pair in self._leaving


def _series_of_pair(pair: Labels) -> list[CounterKey]:
    return [(names.USER_EVENTS, (*pair, outcome)) for outcome in names.OUTCOMES]
