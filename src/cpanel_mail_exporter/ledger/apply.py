"""Records of one answer, and what is known of their seconds -> what they add.

The rules: an answer is a multiset, and as many events are new as it holds more equal rows than any
answer before it. So answers may overlap, repeat, come in any order or cut: in the end as many are
counted as the fullest answer held. What depends on other events of a recipient depends on which
there are, never on which came first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from types import MappingProxyType

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.activity import Activities
from cpanel_mail_exporter.ledger.change import (
    FINAL_KINDS,
    KIND_DEFERRAL,
    KIND_FAILURE,
    KIND_OTHER,
    KIND_SUCCESS,
    Change,
    Deferral,
    FiveFields,
    Known,
)
from cpanel_mail_exporter.ledger.counters import CounterKey
from cpanel_mail_exporter.ledger.counting import Counting
from cpanel_mail_exporter.ledger.direction import directions
from cpanel_mail_exporter.ledger.exemplars import Latest
from cpanel_mail_exporter.ledger.identity import event_identities, recipient_identities
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.ledger.new_event import NewEvent
from cpanel_mail_exporter.ledger.unclassified import Unexplained
from cpanel_mail_exporter.model.records import DeliveryRecord

IN_PROGRESS = "inprogress"

# A step over many rows in one go takes much less than all steps row by row; but what is looked at
# again should still be in the processor's cache.
_ROWS_AT_ONCE = 250

_KINDS = {
    names.SUCCESS: KIND_SUCCESS,
    names.FAILURE: KIND_FAILURE,
    names.DEFER: KIND_DEFERRAL,
}
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
    records: Sequence[DeliveryRecord],
    meaning: Meaning,
    counting_since_unix: float,
    horizon_unix: float = float("-inf"),
    seen_before: Mapping[int, int] = _NOTHING_SEEN,
    sketched_since_unix: float = float("-inf"),
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
        sketched_since_unix: what happened earlier isn't asked for its different recipients.
    """
    result = Applied()
    change = result.change
    activities = Activities(sketched_since_unix)
    counting = Counting(meaning, known.sized)
    deferrals: Counter[tuple[int, int, int]] = Counter()
    events: list[FiveFields] = []
    for start in range(0, len(records), _ROWS_AT_ONCE):
        rows, seconds = _within_reach(records[start : start + _ROWS_AT_ONCE], horizon_unix, result)
        identities: Sequence[int] = event_identities(rows)
        are_new = _are_new(identities, known.copies, seen_before, result.seen)
        if not all(are_new):
            rows = list(compress(rows, are_new))
            seconds = list(compress(seconds, are_new))
            identities = list(compress(identities, are_new))
        if not rows:
            continue
        part = _new_events(rows, seconds, meaning, counting_since_unix)
        activities.take(part)
        counted = [event for event in part if event[3] >= counting_since_unix]
        counting.take(counted)
        result.new_events += len(part)
        result.counted_events += len(counted)
        deferrals.update(
            (second, recipient, when)
            for _, second, recipient, when, kind, _, _ in part
            if kind == KIND_DEFERRAL
        )
        events += [
            (second, identity, recipient, kind, result.seen[identity])
            for (_, second, recipient, _, kind, _, _), identity in zip(
                part, identities, strict=True
            )
        ]
    if len({event[1] for event in events}) < len(events):
        # Equal rows that are new together: the last of them says how many there are.
        events = list({event[1]: event for event in events}.values())
    change.events = events
    _note_deferrals(known, deferrals, change)
    change.activity = activities.found()
    counting.put_into(change)
    result.to_place, result.unexplained = counting.to_place, counting.unexplained
    result.latest = counting.latest
    return result


def _new_events(
    rows: Sequence[DeliveryRecord],
    seconds: Sequence[int],
    meaning: Meaning,
    counting_since_unix: float,
) -> list[NewEvent]:
    """New rows with what is worked out of each."""
    kinds = [_KINDS.get(record.type, KIND_OTHER) for record in rows]
    whens = [
        second if record.action_unix is None else record.action_unix
        for second, record in zip(seconds, rows, strict=True)
    ]
    reasons = [
        # Of a deferral that is only marked nobody wants to know why.
        meaning.reason(record)
        if kind == KIND_FAILURE or (kind == KIND_DEFERRAL and when >= counting_since_unix)
        else None
        for record, kind, when in zip(rows, kinds, whens, strict=True)
    ]
    recipients = recipient_identities(
        [
            (second, record.msg_id, record.recipient)
            for second, record in zip(seconds, rows, strict=True)
        ]
    )
    ways = directions(rows)
    return list(zip(rows, seconds, recipients, whens, kinds, ways, reasons, strict=True))


def _within_reach(
    records: Iterable[DeliveryRecord], horizon_unix: float, result: Applied
) -> tuple[list[DeliveryRecord], list[int]]:
    """The rows that can be known again, with the second each is kept under; *result* notes others.

    It also notes the newest action time.
    """
    rows: list[DeliveryRecord] = []
    seconds: list[int] = []
    newest = result.newest_event_unix or 0
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
        rows.append(record)
        seconds.append(second)
    result.newest_event_unix = newest or None
    return rows, seconds


def _are_new(
    identities: Sequence[int],
    known_copies: Mapping[int, int],
    seen_before: Mapping[int, int],
    seen: dict[int, int],
) -> list[bool]:
    """Which rows of a batch are new; *seen* becomes how often each identity has stood in it."""
    if all(met.keys().isdisjoint(identities) for met in (known_copies, seen_before, seen)):
        once = dict.fromkeys(identities, 1)
        if len(once) == len(identities):
            # As at a first poll: nothing is known, and nothing stands there twice.
            seen.update(once)
            return [True] * len(identities)
    are_new: list[bool] = []
    for identity in identities:
        copies = seen.get(identity)
        if copies is None:
            copies = seen_before.get(identity, 0)
        copies += 1
        seen[identity] = copies
        are_new.append(copies > known_copies.get(identity, 0))
    return are_new


def _note_deferrals(
    known: Known, deferrals: Mapping[tuple[int, int, int], int], change: Change
) -> None:
    """What new events are to their recipients: deferred, and no more so after a final outcome.

    Args:
        known: what is known of them.
        deferrals: how many are new, by second, recipient and action time.
        change: has the events, and takes the rest.
    """
    if not deferrals and not known.deferrals:
        return
    change.deferrals = [Deferral(*key, copies) for key, copies in deferrals.items()]
    ended = {recipient for _, _, recipient, kind, _ in change.events if kind in FINAL_KINDS}
    final = ended - known.final
    begun = {recipient for _, recipient, _ in deferrals} - known.deferrals.keys()
    added = len(begun - known.final - final) - len(final & known.deferrals.keys())
    if added:
        change.counters[names.DEFERRED_RECIPIENTS, ()] = added
