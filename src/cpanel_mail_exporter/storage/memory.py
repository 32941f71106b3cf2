"""A ledger's store in memory: for `once`, and where nothing can be written."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TypeVar

from cpanel_mail_exporter.ledger.change import (
    FINAL_KINDS,
    Change,
    Event,
    Known,
    Pending,
    Seat,
)
from cpanel_mail_exporter.ledger.counters import CounterKey
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.activity import Activity, HourActivity, folded

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


class MemoryStore:
    """Implements `LedgerStore`; what it holds ends with the process."""

    def __init__(self) -> None:
        self._events: dict[int, dict[int, Event]] = {}
        self._deferrals: dict[int, dict[int, dict[int, int]]] = {}
        self._sized: dict[int, set[tuple[int, int]]] = {}
        self._pending: dict[tuple[int, int, int, int], int] = {}
        self._counters: dict[CounterKey, int] = {}
        self._seats: dict[CounterKey, Seat] = {}
        self._cursors: dict[str, str] = {}
        self._slices: dict[int, str] = {}
        self._activity: dict[int, dict[str, Activity]] = {}
        self._hours: dict[str, dict[int, HourActivity]] = {}

    def load(self, spans: Sequence[Slice]) -> Known:
        """All that is known of the seconds in *spans*."""
        known = self.deferrals(spans)
        for second in _within(self._events, spans):
            for event in self._events[second].values():
                known.copies[event.identity] = event.copies
                if event.kind in FINAL_KINDS:
                    known.final.add(event.recipient)
        for second in _within(self._sized, spans):
            known.sized |= self._sized[second]
        return known

    def deferrals(self, spans: Sequence[Slice]) -> Known:
        """The deferrals of the seconds in *spans*."""
        known = Known()
        for second in _within(self._deferrals, spans):
            for recipient, times in self._deferrals[second].items():
                known.deferrals[recipient] = dict(times)
        return known

    def pending_until(self, action_unix: int, after: Pending | None, limit: int) -> list[Pending]:
        """Pending outcomes up to an action time, in order."""
        first = None if after is None else after[:4]
        keys = sorted(
            key for key in self._pending if key[0] <= action_unix and (first is None or key > first)
        )
        return [Pending(*key, self._pending[key]) for key in keys[:limit]]

    def pending_sent_before(self, before_unix: int) -> list[Pending]:
        """Pending outcomes of mail sent before an instant."""
        return [
            Pending(*key, copies)
            for key, copies in sorted(self._pending.items())
            if key[1] < before_unix
        ]

    def oldest_second(self) -> int | None:
        """The oldest second of which an event is known."""
        return min(self._events, default=None)

    def outcomes(self, span: Slice) -> Mapping[int, int]:
        """How many events are known of the seconds in *span*, by kind."""
        found: Counter[int] = Counter()
        for second in _within(self._events, [span]):
            for event in self._events[second].values():
                found[event.kind] += event.copies
        return dict(found)

    def open_deferral_seconds(self, limit: int) -> list[int]:
        """Seconds with a recipient that was deferred and has no final outcome, newest first."""
        found = (
            second
            for second in sorted(self._deferrals, reverse=True)
            if self._deferrals[second].keys() - self._final(second)
        )
        return list(islice(found, limit))

    def _final(self, second: int) -> set[int]:
        events = self._events.get(second, {}).values()
        return {event.recipient for event in events if event.kind in FINAL_KINDS}

    def counters(self) -> dict[CounterKey, int]:
        """Every counter."""
        return dict(self._counters)

    def seats(self) -> dict[CounterKey, Seat]:
        """The places in budgets."""
        return dict(self._seats)

    def cursors(self) -> dict[str, str]:
        """Every cursor value."""
        return dict(self._cursors)

    def slices(self, span: Slice) -> Mapping[int, str]:
        """What the reading knows of slices that begin in *span*."""
        return {start: self._slices[start] for start in sorted(self._slices) if start in span}

    def activity(self, first: int) -> dict[tuple[str, int], Activity]:
        """What users did in slots from *first* on."""
        return {
            (user, slot): found
            for slot, users in self._activity.items()
            if first <= slot
            for user, found in users.items()
        }

    def activity_together(self, span: Slice) -> dict[str, HourActivity]:
        """What each user did in the slots that begin in *span*."""
        slots: defaultdict[str, list[Activity]] = defaultdict(list)
        for slot in _within(self._activity, [span]):
            for user, found in self._activity[slot].items():
                slots[user].append(found)
        return {user: folded(found) for user, found in slots.items()}

    def oldest_activity(self) -> int | None:
        """First second of the oldest slot that isn't folded."""
        return min(self._activity, default=None)

    def hours(self, user: str) -> dict[int, HourActivity]:
        """What is known of the folded hours of *user*."""
        return dict(self._hours.get(user, {}))

    def oldest_hour(self) -> int | None:
        """First second of the oldest folded hour of anybody."""
        return min((hour for hours in self._hours.values() for hour in hours), default=None)

    def commit(self, change: Change) -> None:
        """Take *change* over; nothing in here can fail."""
        self._add_facts(change)
        self._add_activity(change)
        for key, added in change.counters.items():
            self._counters[key] = self._counters.get(key, 0) + added
        _update(self._seats, change.seats)
        _update(self._cursors, change.cursors)
        _update(self._slices, change.slices)
        if change.forget_before_unix is not None:
            _forget(self._events, change.forget_before_unix)
            _forget(self._deferrals, change.forget_before_unix)
            _forget(self._sized, change.forget_before_unix)
            _forget(self._slices, change.forget_before_unix)

    def _add_facts(self, change: Change) -> None:
        for event in change.events:
            self._events.setdefault(event[0], {})[event[1]] = Event(*event)
        for deferral in change.deferrals:
            recipients = self._deferrals.setdefault(deferral.second, {})
            times = recipients.setdefault(deferral.recipient, {})
            times[deferral.action_unix] = times.get(deferral.action_unix, 0) + deferral.copies
        for second, message, direction in change.sized:
            self._sized.setdefault(second, set()).add((message, direction))
        for action_unix, second, recipient, direction, copies in change.pending:
            key = action_unix, second, recipient, direction
            self._pending[key] = self._pending.get(key, 0) + copies
        for outcome in change.settled:
            self._pending.pop(outcome[:4], None)

    def _add_activity(self, change: Change) -> None:
        for (user, slot), found in change.activity.items():
            users = self._activity.setdefault(slot, {})
            users[user] = users.get(user, Activity()).with_(found)
        for (user, hour), added in change.hours.items():
            hours = self._hours.setdefault(user, {})
            hours[hour] = hours.get(hour, HourActivity()).with_(added)
        if change.folded is not None:
            for slot in [slot for slot in self._activity if slot in change.folded]:
                del self._activity[slot]
        if change.forget_hours_before_unix is not None:
            for user, hours in list(self._hours.items()):
                _forget(hours, change.forget_hours_before_unix)
                if not hours:
                    del self._hours[user]

    def size_bytes(self) -> int:
        """Nothing on disk."""
        return 0

    def rest(self) -> None:
        """Nothing to give back."""

    def close(self) -> None:
        """Nothing to give back."""


def _within(seconds: Mapping[int, object], spans: Sequence[Slice]) -> list[int]:
    """The keys in *spans*, found by whichever is shorter."""
    found: list[int] = []
    for span in spans:
        if span.seconds <= len(seconds):
            found += [second for second in range(span.start, span.end) if second in seconds]
        else:
            found += [second for second in seconds if second in span]
    return found


def _update(held: dict[_Key, _Value], change: Mapping[_Key, _Value | None]) -> None:
    for key, value in change.items():
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value


def _forget(held: dict[int, _Value], before_unix: int) -> None:
    for second in [second for second in held if second < before_unix]:
        del held[second]
