"""Events to be counted -> what they add to counters and histograms, and what explains them."""

from collections import Counter
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.change import (
    FINAL_KINDS,
    KIND_FAILURE,
    KIND_OTHER,
    KIND_SUCCESS,
    OUTCOME_OF_KIND,
    Change,
    Pending,
    Sized,
)
from cpanel_mail_exporter.ledger.counters import CounterKey, Labels
from cpanel_mail_exporter.ledger.direction import direction
from cpanel_mail_exporter.ledger.exemplars import Latest, Observation, note_latest
from cpanel_mail_exporter.ledger.histograms import Histograms
from cpanel_mail_exporter.ledger.identity import message_identity
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.ledger.provider import provider
from cpanel_mail_exporter.ledger.unclassified import Unexplained
from cpanel_mail_exporter.model.records import DeliveryRecord

LARGEST_SIZE_BYTES = 1 << 40
_LONGEST_SIZE_TEXT = 13
_DIRECTION_NUMBER = {name: number for number, name in enumerate(names.DIRECTIONS)}


class Counted(NamedTuple):
    """A new event that is to be counted.

    Attributes:
        second: send second it is kept under.
        recipient: identity of message and recipient in that second.
        when: its action time, or else *second*.
        kind: as in `Event`.
    """

    record: DeliveryRecord
    second: int
    recipient: int
    when: int
    kind: int


class Counting:
    """Takes the events of one answer.

    Args:
        meaning: says why events failed, and who takes the mail.
        known_sizes: (message, direction) pairs whose size has been observed before.

    Attributes:
        to_place: new numbers of families with a budget, under the labels they would have without.
        unexplained: failures and deferrals that nobody has a rule for.
        latest: the newest message of each observation that can be an exemplar.
    """

    def __init__(self, meaning: Meaning, known_sizes: AbstractSet[tuple[int, int]]) -> None:
        self.to_place: dict[CounterKey, int] = {}
        self.unexplained: list[Unexplained] = []
        self.latest: Latest = {}
        self._meaning = meaning
        self._known_sizes = known_sizes
        self._sized: list[Sized] = []
        self._seen_sizes: set[tuple[int, str, str]] = set()
        self._histograms = Histograms()
        self._drift: Counter[str] = Counter()
        self._troubles: Counter[CounterKey] = Counter()
        self._replies: Counter[CounterKey] = Counter()

    def count(self, events: list[Counted], change: Change) -> None:
        """Add counters, pending outcomes and sizes to *change*."""
        # Gathered in lists, and counted at the end: this runs for every event there is.
        outcomes: list[Labels] = []
        by_user: list[Labels] = []
        durations: list[Observation] = []
        pending: list[tuple[int, int, int, int]] = []
        seen_sizes = self._seen_sizes
        meaning = self._meaning
        for record, second, recipient, when, kind in events:
            outcome = OUTCOME_OF_KIND[kind]
            way = direction(record)
            taker = provider(record, way, meaning)
            outcomes.append((outcome, way, taker))
            by_user.append((record.user, record.domain, outcome))
            if kind in FINAL_KINDS:
                pending.append((when, second, recipient, _DIRECTION_NUMBER[way]))
                if record.action_unix is not None and record.send_unix is not None:
                    # A clock set back between the two must not make a sum fall.
                    took = max(0, record.action_unix - record.send_unix)
                    duration: Observation
                    if kind == KIND_SUCCESS:
                        duration = names.TIME_TO_DELIVER, (way, taker), took
                    else:
                        duration = names.TIME_TO_FAIL, (way,), took
                    durations.append(duration)
                    note_latest(self.latest, duration, when, record.msg_id)
            if kind != KIND_SUCCESS:
                self._trouble(record, when, kind, taker, way)
            if record.action_unix is None:
                self._drift[names.NO_ACTION_TIME] += 1
            if (second, record.msg_id, way) not in seen_sizes:
                self._size(record, second, way)
        for (name, labels, took), copies in Counter(durations).items():
            self._histograms.observe(name, labels, took, copies)
        change.sized = self._sized
        change.pending = [Pending(*key, copies) for key, copies in Counter(pending).items()]
        change.counters.update(self._histograms.counters())
        change.counters.update(((names.EVENTS, key), n) for key, n in Counter(outcomes).items())
        change.counters.update(self._troubles)
        change.counters.update(((names.DRIFT, (what,)), n) for what, n in self._drift.items())
        self.to_place.update(((names.USER_EVENTS, key), n) for key, n in Counter(by_user).items())
        self.to_place.update(self._replies)

    def _trouble(self, record: DeliveryRecord, when: int, kind: int, taker: str, way: str) -> None:
        """Count why an event is no success."""
        if kind == KIND_OTHER:
            self._drift[names.UNKNOWN_TYPE] += 1
            return
        reason, severity, code, enhanced_code = self._meaning.reason(record)
        name = names.FAILURES if kind == KIND_FAILURE else names.DEFERRALS
        self._troubles[name, (reason, severity, taker, way)] += 1
        if code:
            self._replies[names.SMTP_REPLIES, (code, enhanced_code)] += 1
        if reason == names.OTHER_REASON:
            self.unexplained.append(Unexplained(record, when, code, taker))

    def _size(self, record: DeliveryRecord, second: int, way: str) -> None:
        """Observe a message's size once for each direction in which it has events."""
        message = message_identity(second, record.msg_id)
        number = _DIRECTION_NUMBER[way]
        if (message, number) not in self._known_sizes:
            size_bytes = _size_bytes(record.size)
            if size_bytes is None:
                if record.size:
                    self._drift[names.ODD_SIZE] += 1
                return
            self._sized.append(Sized(second, message, number))
            self._histograms.observe(names.MESSAGE_SIZE, (way,), size_bytes)
            size = names.MESSAGE_SIZE, (way,), size_bytes
            note_latest(self.latest, size, second, record.msg_id)
        self._seen_sizes.add((second, record.msg_id, way))


def _size_bytes(text: str) -> int | None:
    """A size that can be one; None for texts, fractions and what no message can have."""
    if not (text.isdecimal() and text.isascii() and len(text) <= _LONGEST_SIZE_TEXT):
        return None
    size_bytes = int(text)
    return size_bytes if size_bytes <= LARGEST_SIZE_BYTES else None
