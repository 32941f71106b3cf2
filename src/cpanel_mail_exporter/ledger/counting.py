"""Events to be counted -> what they add to counters and histograms, and what explains them."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from operator import itemgetter

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.change import (
    FINAL_KINDS,
    KIND_FAILURE,
    KIND_OTHER,
    KIND_SUCCESS,
    OUTCOME_OF_KIND,
    Change,
)
from cpanel_mail_exporter.ledger.counters import CounterKey, Labels
from cpanel_mail_exporter.ledger.exemplars import Latest, Observed, latest_of
from cpanel_mail_exporter.ledger.histograms import Histograms
from cpanel_mail_exporter.ledger.identity import message_identities, message_identity
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.ledger.new_event import NewEvent
from cpanel_mail_exporter.ledger.provider import providers
from cpanel_mail_exporter.ledger.unclassified import Unexplained
from cpanel_mail_exporter.model.reason import Reason
from cpanel_mail_exporter.model.records import DeliveryRecord

LARGEST_SIZE_BYTES = 1 << 40
_LONGEST_SIZE_TEXT = 13
_DIRECTION_NUMBER = {name: number for number, name in enumerate(names.DIRECTIONS)}
_FIELDS = DeliveryRecord._fields
_whose = itemgetter(_FIELDS.index("user"), _FIELDS.index("domain"))
_id_and_size = itemgetter(_FIELDS.index("msg_id"), _FIELDS.index("size"))
_times = itemgetter(*map(_FIELDS.index, ("send_unix", "action_unix", "msg_id")))

_Outcome = tuple[int, str, str]
"""Kind, direction and provider of an event."""


class Counting:
    """Takes the events of one answer.

    Args:
        meaning: says who takes the mail.
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
        self._observed: defaultdict[tuple[str, Labels], list[Observed]] = defaultdict(list)

    def count(self, events: Sequence[NewEvent], change: Change) -> None:
        """Add counters, pending outcomes and sizes to *change*."""
        if not events:
            return
        # Column by column, as in `apply`.
        records, seconds, recipients, whens, kinds, ways, reasons = zip(*events, strict=True)
        takers = providers(records, ways, self._meaning)
        outcomes = list(zip(kinds, ways, takers, strict=True))
        change.pending = [
            (when, second, recipient, _DIRECTION_NUMBER[way], 1)
            for when, second, recipient, way, kind in zip(
                whens, seconds, recipients, ways, kinds, strict=True
            )
            if kind in FINAL_KINDS
        ]
        self._count_outcomes(records, outcomes, change.counters)
        self._count_troubles(records, whens, outcomes, reasons, change.counters)
        self._time(records, outcomes)
        self._count_sizes(records, seconds, ways, change)
        self._count_observed(change.counters)
        without_action_time = sum(record.action_unix is None for record in records)
        if without_action_time:
            change.counters[names.DRIFT, (names.NO_ACTION_TIME,)] = without_action_time

    def _count_outcomes(
        self,
        records: Sequence[DeliveryRecord],
        outcomes: Sequence[_Outcome],
        counters: dict[CounterKey, int],
    ) -> None:
        alike = Counter(zip(map(_whose, records), outcomes, strict=True))
        for ((user, domain), (kind, way, taker)), copies in alike.items():
            outcome = OUTCOME_OF_KIND[kind]
            _add(counters, (names.EVENTS, (outcome, way, taker)), copies)
            _add(self.to_place, (names.USER_EVENTS, (user, domain, outcome)), copies)
            if kind == KIND_OTHER:
                _add(counters, (names.DRIFT, (names.UNKNOWN_TYPE,)), copies)

    def _count_troubles(
        self,
        records: Sequence[DeliveryRecord],
        whens: Sequence[int],
        outcomes: Sequence[_Outcome],
        reasons: Sequence[Reason | None],
        counters: dict[CounterKey, int],
    ) -> None:
        """Why events were no success."""
        troubles: list[tuple[_Outcome, Reason]] = []
        for record, when, outcome, why in zip(records, whens, outcomes, reasons, strict=True):
            if why is not None:
                troubles.append((outcome, why))
                if why.reason == names.OTHER_REASON:
                    self.unexplained.append(Unexplained(record, when, why.code, outcome[2]))
        for ((kind, way, taker), why), copies in Counter(troubles).items():
            name = names.FAILURES if kind == KIND_FAILURE else names.DEFERRALS
            # Reasons that differ in their codes alone are counted together, and codes apart.
            _add(counters, (name, (why.reason, why.severity, taker, way)), copies)
            if why.code:
                _add(self.to_place, (names.SMTP_REPLIES, (why.code, why.enhanced_code)), copies)

    def _time(self, records: Sequence[DeliveryRecord], outcomes: Sequence[_Outcome]) -> None:
        """Observe the time that final outcomes took."""
        timed: defaultdict[_Outcome, list[Observed]] = defaultdict(list)
        for (sent, acted, msg_id), outcome in zip(map(_times, records), outcomes, strict=True):
            if outcome[0] in FINAL_KINDS and acted is not None and sent is not None:
                # A clock set back between the two must not make a sum fall.
                timed[outcome].append((acted - sent if acted > sent else 0, acted, msg_id))
        for (kind, way, taker), observed in timed.items():
            is_delivered = kind == KIND_SUCCESS
            series = (
                (names.TIME_TO_DELIVER, (way, taker))
                if is_delivered
                else (names.TIME_TO_FAIL, (way,))
            )
            self._observed[series] += observed

    def _count_sizes(
        self,
        records: Sequence[DeliveryRecord],
        seconds: Sequence[int],
        ways: Sequence[str],
        change: Change,
    ) -> None:
        """Observe a message's size once for each direction, by the first row that has it."""
        sizes: dict[tuple[int, str, str], int] = {}
        odd: list[tuple[int, str, str]] = []
        ids_and_sizes = map(_id_and_size, records)
        for second, (msg_id, text), way in zip(seconds, ids_and_sizes, ways, strict=True):
            of_message = second, msg_id, way
            if of_message in sizes:
                continue
            size_bytes = _size_bytes(text)
            if size_bytes is not None:
                sizes[of_message] = size_bytes
            elif text:
                odd.append(of_message)
        known = self._known_sizes
        observed: defaultdict[str, list[Observed]] = defaultdict(list)
        sized = []
        identities = message_identities([(second, msg_id) for second, msg_id, _ in sizes])
        for (of_message, size_bytes), message in zip(sizes.items(), identities, strict=True):
            second, msg_id, way = of_message
            number = _DIRECTION_NUMBER[way]
            if (message, number) not in known:
                sized.append((second, message, number))
                observed[way].append((size_bytes, second, msg_id))
        change.sized = sized
        self._observed.update(
            ((names.MESSAGE_SIZE, (way,)), sizes_seen) for way, sizes_seen in observed.items()
        )
        odd_sizes = sum(
            (message_identity(second, msg_id), _DIRECTION_NUMBER[way]) not in known
            for second, msg_id, way in odd
        )
        if odd_sizes:
            change.counters[names.DRIFT, (names.ODD_SIZE,)] = odd_sizes

    def _count_observed(self, counters: dict[CounterKey, int]) -> None:
        histograms = Histograms()
        for (name, labels), observed in self._observed.items():
            for value, copies in Counter([value for value, _, _ in observed]).items():
                histograms.observe(name, labels, value, copies)
            for value, latest in latest_of(observed).items():
                self.latest[name, labels, value] = latest
        counters.update(histograms.counters())


def _add(counters: dict[CounterKey, int], key: CounterKey, copies: int) -> None:
    counters[key] = counters.get(key, 0) + copies


def _size_bytes(text: str) -> int | None:
    """A size that can be one; None for texts, fractions and what no message can have."""
    if not (text.isdecimal() and text.isascii() and len(text) <= _LONGEST_SIZE_TEXT):
        return None
    size_bytes = int(text)
    return size_bytes if size_bytes <= LARGEST_SIZE_BYTES else None
