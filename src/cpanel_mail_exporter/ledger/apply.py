"""Records of one answer, and what is known of their seconds -> what they add.

The rules: an answer is a multiset, and as many events are new as it holds more equal rows than any
answer before it. So answers may overlap, repeat, come in any order or cut: in the end as many are
counted as the fullest answer held. What depends on other events of a recipient depends on which
there are, never on which came first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.activity import activity_of
from cpanel_mail_exporter.ledger.change import (
    FINAL_KINDS,
    KIND_DEFERRAL,
    KIND_FAILURE,
    KIND_OTHER,
    KIND_SUCCESS,
    Change,
    Deferral,
    Event,
    Known,
)
from cpanel_mail_exporter.ledger.counters import CounterKey
from cpanel_mail_exporter.ledger.counting import Counting
from cpanel_mail_exporter.ledger.direction import direction
from cpanel_mail_exporter.ledger.exemplars import Latest
from cpanel_mail_exporter.ledger.identity import (
    event_identity,
    recipient_identity,
)
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.ledger.new_event import NewEvent
from cpanel_mail_exporter.ledger.unclassified import Unexplained
from cpanel_mail_exporter.model.records import DeliveryRecord

IN_PROGRESS = "inprogress"

_KINDS = {
    names.SUCCESS: KIND_SUCCESS,
    names.FAILURE: KIND_FAILURE,
    names.DEFER: KIND_DEFERRAL,
}
_KINDS_WITH_A_REASON = (KIND_FAILURE, KIND_DEFERRAL)
# What a NamedTuple's constructor calls, without its detour.
_new_tuple = tuple.__new__
_NOTHING_SEEN: Mapping[int, int] = MappingProxyType({})


@dataclass(slots=True)
class Applied:
    """What an answer adds.

    Attributes:
        change: to be stored; numbers of families with a budget are still to be added to it.
        to_place: those numbers, under the labels they would have without a budget.
        unexplained: new failures and deferrals that nobody has a rule for, in the order of rows.
        latest: the newest message of each observation that can be an exemplar.
        new_events: how many were new, those that are only marked included.
        counted_events: how many of them are counted.
        rows_without_time: rows that have neither send nor action time, and are not counted.
        rows_too_old: rows sent before what the ledger remembers, which are not counted either.
        newest_event_unix: action time of the newest event of the answer, new or not.
        seen: how often each identity has stood in the answer, earlier batches of it included;
            only those of this batch.
    """

    change: Change = field(default_factory=Change)
    to_place: dict[CounterKey, int] = field(default_factory=dict)
    unexplained: list[Unexplained] = field(default_factory=list)
    latest: Latest = field(default_factory=dict)
    new_events: int = 0
    counted_events: int = 0
    rows_without_time: int = 0
    rows_too_old: int = 0
    newest_event_unix: int | None = None
    seen: dict[int, int] = field(default_factory=dict)


def apply(
    known: Known,
    records: Iterable[DeliveryRecord],
    meaning: Meaning,
    counting_since_unix: float,
    horizon_unix: float = float("-inf"),
    seen_before: Mapping[int, int] = _NOTHING_SEEN,
) -> Applied:
    """What *records*, one answer or a batch of it, add to what is *known* of their seconds.

    Args:
        known: is not changed.
        records: of any types, in any order; those in progress are passed over.
        meaning: says why events failed, and who takes the mail.
        counting_since_unix: events of an earlier action time (without one, send time) are marked
            as seen, and not counted.
        horizon_unix: rows sent before it are passed over: their identities have been forgotten.
        seen_before: how often each identity stood in earlier batches of the same answer.
    """
    result = Applied()
    facts = _Facts(known)
    known_copies = known.copies
    seen = result.seen
    new: list[NewEvent] = []
    counted: list[NewEvent] = []
    newest = 0
    for record in records:
        if record.type == IN_PROGRESS:
            continue
        # As `home_second` says.
        action_unix = record.action_unix
        second = action_unix if record.send_unix is None else record.send_unix
        if second is None:
            result.rows_without_time += 1
            continue
        if second < horizon_unix:
            result.rows_too_old += 1
            continue
        if action_unix is not None and action_unix > newest:
            newest = action_unix
        identity = event_identity(record)
        copies = seen.get(identity)
        if copies is None:
            copies = seen_before.get(identity, 0)
        copies += 1
        seen[identity] = copies
        if copies <= known_copies.get(identity, 0):
            continue
        when = second if action_unix is None else action_unix
        kind = _KINDS.get(record.type, KIND_OTHER)
        recipient = recipient_identity(second, record.msg_id, record.recipient)
        facts.events[identity] = _new_tuple(Event, (second, identity, recipient, kind, copies))
        if kind in FINAL_KINDS:
            facts.note_final(recipient)
        elif kind == KIND_DEFERRAL:
            facts.note_deferral(second, recipient, when)
        reason = meaning.reason(record) if kind in _KINDS_WITH_A_REASON else None
        event = record, second, recipient, when, kind, direction(record), reason
        new.append(event)
        if when >= counting_since_unix:
            counted.append(event)
    facts.put_into(result.change)
    result.change.activity = activity_of(new)
    counting = Counting(meaning, known.sized)
    counting.count(counted, result.change)
    result.to_place, result.unexplained = counting.to_place, counting.unexplained
    result.latest = counting.latest
    result.new_events = len(new)
    result.counted_events = len(counted)
    result.newest_event_unix = newest or None
    return result


class _Facts:
    """What the new events of an answer are to their recipients."""

    def __init__(self, known: Known) -> None:
        self.events: dict[int, Event] = {}
        self._known_final = known.final
        self._known_deferred = known.deferrals
        self._final: set[int] = set()
        self._deferred: set[int] = set()
        self._deferrals: dict[tuple[int, int, int], int] = {}
        self._deferred_change = 0

    def note_deferral(self, second: int, recipient: int, when: int) -> None:
        """A recipient was deferred; it is a deferred one as long as it has no final outcome."""
        key = second, recipient, when
        self._deferrals[key] = self._deferrals.get(key, 0) + 1
        if recipient in self._deferred or recipient in self._known_deferred:
            return
        self._deferred.add(recipient)
        if recipient not in self._final and recipient not in self._known_final:
            self._deferred_change += 1

    def note_final(self, recipient: int) -> None:
        """A recipient has a final outcome, perhaps one before which it was deferred."""
        if recipient in self._final or recipient in self._known_final:
            return
        self._final.add(recipient)
        if recipient in self._deferred or recipient in self._known_deferred:
            self._deferred_change -= 1

    def put_into(self, change: Change) -> None:
        """Add them to *change*."""
        change.events = list(self.events.values())
        change.deferrals = [Deferral(*key, copies) for key, copies in self._deferrals.items()]
        if self._deferred_change:
            change.counters[names.DEFERRED_RECIPIENTS, ()] = self._deferred_change
