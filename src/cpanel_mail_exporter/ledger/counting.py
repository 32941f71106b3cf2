"""Events to be counted -> what they add to counters and histograms, and what explains them."""

from collections import Counter
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

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
from cpanel_mail_exporter.ledger.exemplars import Latest, Observed
from cpanel_mail_exporter.ledger.histograms import Histograms
from cpanel_mail_exporter.ledger.identity import message_identity
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.ledger.new_event import NewEvent
from cpanel_mail_exporter.ledger.provider import provider
from cpanel_mail_exporter.ledger.unclassified import Unexplained
from cpanel_mail_exporter.model.reason import Reason

LARGEST_SIZE_BYTES = 1 << 40
_LONGEST_SIZE_TEXT = 13
_DIRECTION_NUMBER = {name: number for number, name in enumerate(names.DIRECTIONS)}
# What a NamedTuple's constructor calls, without its detour.
_new_tuple = tuple.__new__


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
        self._observed: dict[tuple[str, Labels], Observed] = {}
        self._sizes: dict[str, Observed] = {}
        self._odd_sizes = 0

    def count(self, events: Iterable[NewEvent], change: Change) -> None:
        """Add counters, pending outcomes and sizes to *change*."""
        # Gathered in lists, and counted at the end: this runs for every event there is.
        outcomes: list[tuple[int, str, str]] = []
        by_user: list[tuple[str, str, int]] = []
        troubles: list[tuple[int, Reason, str, str]] = []
        pending: list[tuple[int, int, int, int]] = []
        durations: dict[tuple[int, str, str], Observed] = {}
        seen_sizes: set[tuple[int, str, str]] = set()
        without_action_time = 0
        meaning = self._meaning
        for record, second, recipient, when, kind, way, reason in events:
            taker = provider(record, way, meaning)
            outcome = kind, way, taker
            outcomes.append(outcome)
            by_user.append((record.user, record.domain, kind))
            action_unix, send_unix, msg_id = record.action_unix, record.send_unix, record.msg_id
            if kind in FINAL_KINDS:
                pending.append((when, second, recipient, _DIRECTION_NUMBER[way]))
                if action_unix is not None and send_unix is not None:
                    duration = durations.get(outcome)
                    if duration is None:
                        duration = durations[outcome] = self._duration(*outcome)
                    # A clock set back between the two must not make a sum fall.
                    took = action_unix - send_unix if action_unix > send_unix else 0
                    duration.note(took, when, msg_id)
            if reason is not None:
                troubles.append((kind, reason, taker, way))
                if reason.reason == names.OTHER_REASON:
                    self.unexplained.append(Unexplained(record, when, reason.code, taker))
            if action_unix is None:
                without_action_time += 1
            of_message = second, msg_id, way
            if of_message not in seen_sizes and self._size(record.size, *of_message):
                seen_sizes.add(of_message)
        self._count_outcomes(Counter(outcomes), change.counters)
        self._count_troubles(Counter(troubles), change.counters)
        self._count_observed(change.counters)
        for what, rows in (
            (names.NO_ACTION_TIME, without_action_time),
            (names.ODD_SIZE, self._odd_sizes),
        ):
            if rows:
                change.counters[names.DRIFT, (what,)] = rows
        self.to_place.update(
            ((names.USER_EVENTS, (user, domain, OUTCOME_OF_KIND[kind])), copies)
            for (user, domain, kind), copies in Counter(by_user).items()
        )
        change.sized = self._sized
        change.pending = [
            _new_tuple(Pending, (*key, copies)) for key, copies in Counter(pending).items()
        ]

    def _duration(self, kind: int, way: str, taker: str) -> Observed:
        """Where the time is noted that final outcomes took."""
        if kind == KIND_SUCCESS:
            return self._histogram(names.TIME_TO_DELIVER, (way, taker))
        return self._histogram(names.TIME_TO_FAIL, (way,))

    def _histogram(self, name: str, labels: Labels) -> Observed:
        found = self._observed.get((name, labels))
        if found is None:
            found = self._observed[name, labels] = Observed()
        return found

    def _size(self, size: str, second: int, msg_id: str, way: str) -> bool:
        """Observe a message's size once for each direction; whether that is done."""
        message = message_identity(second, msg_id)
        number = _DIRECTION_NUMBER[way]
        if (message, number) in self._known_sizes:
            return True
        size_bytes = _size_bytes(size)
        if size_bytes is None:
            self._odd_sizes += size != ""
            return False
        self._sized.append(_new_tuple(Sized, (second, message, number)))
        sizes = self._sizes.get(way)
        if sizes is None:
            sizes = self._sizes[way] = self._histogram(names.MESSAGE_SIZE, (way,))
        sizes.note(size_bytes, second, msg_id)
        return True

    @staticmethod
    def _count_outcomes(
        outcomes: Counter[tuple[int, str, str]], counters: dict[CounterKey, int]
    ) -> None:
        for (kind, way, taker), copies in outcomes.items():
            counters[names.EVENTS, (OUTCOME_OF_KIND[kind], way, taker)] = copies
            if kind == KIND_OTHER:
                drift = names.DRIFT, (names.UNKNOWN_TYPE,)
                counters[drift] = counters.get(drift, 0) + copies

    def _count_troubles(
        self, troubles: Counter[tuple[int, Reason, str, str]], counters: dict[CounterKey, int]
    ) -> None:
        """Why events were no success."""
        for (kind, why, taker, way), copies in troubles.items():
            name = names.FAILURES if kind == KIND_FAILURE else names.DEFERRALS
            # Reasons that differ in their codes alone are counted together, and codes apart.
            key = name, (why.reason, why.severity, taker, way)
            counters[key] = counters.get(key, 0) + copies
            if why.code:
                reply = names.SMTP_REPLIES, (why.code, why.enhanced_code)
                self.to_place[reply] = self.to_place.get(reply, 0) + copies

    def _count_observed(self, counters: dict[CounterKey, int]) -> None:
        histograms = Histograms()
        for (name, labels), observed in self._observed.items():
            for value, copies in Counter(observed.values).items():
                histograms.observe(name, labels, value, copies)
            for value, latest in observed.latest.items():
                self.latest[name, labels, value] = latest
        counters.update(histograms.counters())


def _size_bytes(text: str) -> int | None:
    """A size that can be one; None for texts, fractions and what no message can have."""
    if not (text.isdecimal() and text.isascii() and len(text) <= _LONGEST_SIZE_TEXT):
        return None
    size_bytes = int(text)
    return size_bytes if size_bytes <= LARGEST_SIZE_BYTES else None
