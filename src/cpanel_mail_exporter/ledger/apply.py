"""Records of one answer, and what is known of their seconds -> what they add.

The rules: an answer is a multiset, and as many events are new as it holds more equal rows than any
answer before it. So answers may overlap, repeat, come in any order or cut: in the end as many are
counted as the fullest answer held. What depends on other events of a recipient depends on which
there are, never on which came first.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.change import (
    KIND_DEFERRAL,
    KIND_FINAL,
    KIND_OTHER,
    Change,
    Deferral,
    Event,
    Known,
    Pending,
    Sized,
)
from cpanel_mail_exporter.ledger.counters import Labels
from cpanel_mail_exporter.ledger.direction import direction
from cpanel_mail_exporter.ledger.histograms import Histograms
from cpanel_mail_exporter.ledger.identity import (
    event_identity,
    home_second,
    message_identity,
    recipient_identity,
)
from cpanel_mail_exporter.ledger.provider import provider
from cpanel_mail_exporter.model.records import DeliveryRecord

_Key = TypeVar("_Key", bound=Hashable)

IN_PROGRESS = "inprogress"
LARGEST_SIZE_BYTES = 1 << 40
_LONGEST_SIZE_TEXT = 13

_KINDS = {
    names.SUCCESS: KIND_FINAL,
    names.FAILURE: KIND_FINAL,
    names.DEFER: KIND_DEFERRAL,
}
_DIRECTION_NUMBER = {name: number for number, name in enumerate(names.DIRECTIONS)}
_new_tuple = tuple.__new__  # what a NamedTuple's constructor calls, without its detour


@dataclass(slots=True)
class Applied:
    """What an answer adds.

    Attributes:
        change: to be stored; the events by user are still to be added to its counters.
        by_user: new events by user, domain and outcome.
        new_events: how many were new, those that are only marked included.
        counted_events: how many of them are counted.
        rows_without_time: rows that have neither send nor action time, and are not counted.
        rows_too_old: rows sent before what the ledger remembers, which are not counted either.
        newest_event_unix: action time of the newest event of the answer, new or not.
    """

    change: Change = field(default_factory=Change)
    by_user: dict[Labels, int] = field(default_factory=dict)
    new_events: int = 0
    counted_events: int = 0
    rows_without_time: int = 0
    rows_too_old: int = 0
    newest_event_unix: int | None = None


def apply(
    known: Known,
    records: Iterable[DeliveryRecord],
    counting_since_unix: float,
    horizon_unix: float = float("-inf"),
) -> Applied:
    """What *records*, one whole answer, add to what is *known* of the seconds they were sent in.

    Args:
        known: is not changed.
        records: of any types, in any order; those in progress are passed over.
        counting_since_unix: events of an earlier action time (without one, send time) are marked
            as seen, and not counted.
        horizon_unix: rows sent before it are passed over: their identities have been forgotten.
    """
    step = _Step(known, counting_since_unix)
    result = step.result
    known_copies = known.copies
    seen: dict[int, int] = {}
    newest = 0
    for record in records:
        if record.type == IN_PROGRESS:
            continue
        second = home_second(record)
        if second is None:
            result.rows_without_time += 1
            continue
        if second < horizon_unix:
            result.rows_too_old += 1
            continue
        if record.action_unix is not None and record.action_unix > newest:
            newest = record.action_unix
        identity = event_identity(record)
        copies = seen[identity] = seen.get(identity, 0) + 1
        if copies > known_copies.get(identity, 0):
            step.add(record, second, identity, copies)
    result.newest_event_unix = newest or None
    step.finish()
    return result


class _Step:
    """The working of one `apply`; gathers under short keys, since this runs for every event."""

    def __init__(self, known: Known, counting_since_unix: float) -> None:
        self.result = Applied()
        self._known = known
        self._since = counting_since_unix
        self._events: dict[int, Event] = {}
        self._final: set[int] = set()
        self._deferred: set[int] = set()
        self._deferred_change = 0
        self._deferrals: dict[tuple[int, int, int], int] = {}
        self._pending: dict[tuple[int, int, int, int], int] = {}
        self._sized: list[Sized] = []
        self._looked_at: set[tuple[str, str]] = set()
        self._outcomes: dict[Labels, int] = {}
        self._drift: dict[str, int] = {}
        self._histograms = Histograms()

    def add(self, record: DeliveryRecord, second: int, identity: int, copies: int) -> None:
        """Take one event that wasn't known."""
        kind = _KINDS.get(record.type, KIND_OTHER)
        recipient = recipient_identity(record.msg_id, record.recipient)
        self._events[identity] = _new_tuple(Event, (second, identity, recipient, kind, copies))
        when = second if record.action_unix is None else record.action_unix
        if kind == KIND_FINAL:
            self._note_final(recipient)
        elif kind == KIND_DEFERRAL:
            _add(self._deferrals, (second, recipient, when))
            self._note_deferral(recipient)
        self.result.new_events += 1
        if when >= self._since:
            self.result.counted_events += 1
            self._count(record, second, recipient, when, kind)

    def _note_deferral(self, recipient: int) -> None:
        if recipient in self._deferred or recipient in self._known.deferrals:
            return
        self._deferred.add(recipient)
        if recipient not in self._final and recipient not in self._known.final:
            self._deferred_change += 1

    def _note_final(self, recipient: int) -> None:
        if recipient in self._final or recipient in self._known.final:
            return
        self._final.add(recipient)
        if recipient in self._deferred or recipient in self._known.deferrals:
            self._deferred_change -= 1

    def _count(
        self, record: DeliveryRecord, second: int, recipient: int, when: int, kind: int
    ) -> None:
        outcome = record.type
        if kind == KIND_OTHER:
            outcome = names.OTHER
            _add(self._drift, names.UNKNOWN_TYPE)
        way = direction(record)
        taker = provider(record, way)
        _add(self._outcomes, (outcome, way, taker))
        _add(self.result.by_user, (record.user, record.domain, outcome))
        if record.action_unix is None:
            _add(self._drift, names.NO_ACTION_TIME)
        elif kind == KIND_FINAL and record.send_unix is not None:
            # A clock set back between the two must not make a sum fall.
            took = max(0, record.action_unix - record.send_unix)
            if outcome == names.SUCCESS:
                self._histograms.observe(names.TIME_TO_DELIVER, (way, taker), took)
            else:
                self._histograms.observe(names.TIME_TO_FAIL, (way,), took)
        if kind == KIND_FINAL:
            _add(self._pending, (when, second, recipient, _DIRECTION_NUMBER[way]))
        if (record.msg_id, way) not in self._looked_at:
            self._size(record, second, way)

    def _size(self, record: DeliveryRecord, second: int, way: str) -> None:
        """Observe a message's size once for each direction in which it has events."""
        key = message_identity(record.msg_id), _DIRECTION_NUMBER[way]
        if key not in self._known.sized:
            size_bytes = _size_bytes(record.size)
            if size_bytes is None:
                if record.size:
                    _add(self._drift, names.ODD_SIZE)
                return
            self._sized.append(Sized(second, *key))
            self._histograms.observe(names.MESSAGE_SIZE, (way,), size_bytes)
        self._looked_at.add((record.msg_id, way))

    def finish(self) -> None:
        """Put the result together."""
        change = self.result.change
        change.events = list(self._events.values())
        change.sized = self._sized
        change.pending = [Pending(*key, copies) for key, copies in self._pending.items()]
        change.deferrals = [Deferral(*key, copies) for key, copies in self._deferrals.items()]
        change.counters = self._histograms.counters()
        change.counters.update(((names.EVENTS, key), n) for key, n in self._outcomes.items())
        change.counters.update(((names.DRIFT, (what,)), n) for what, n in self._drift.items())
        if self._deferred_change:
            change.counters[names.DEFERRED_RECIPIENTS, ()] = self._deferred_change


def _add(counts: dict[_Key, int], key: _Key) -> None:
    counts[key] = counts.get(key, 0) + 1


def _size_bytes(text: str) -> int | None:
    """A size that can be one; None for texts, fractions and what no message can have."""
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_SIZE_TEXT):
        return None
    size_bytes = int(text)
    return size_bytes if size_bytes <= LARGEST_SIZE_BYTES else None
