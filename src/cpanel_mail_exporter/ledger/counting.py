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
    FiveFields,
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

_Outcome = tuple[int, str, str]
"""Kind, direction and provider of an event."""
_MessageAndWay = tuple[int, str, str]
"""Send second and id of a message, and a direction it went."""


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
        self._alike: Counter[tuple[tuple[str, str], _Outcome]] = Counter()
        self._troubles: Counter[tuple[_Outcome, Reason]] = Counter()
        self._pending: list[FiveFields] = []
        self._observed: dict[tuple[str, Labels], list[Observed]] = {}
        self._times: dict[_Outcome, list[Observed]] = {}
        self._sizes: dict[_MessageAndWay, int] = {}
        self._odd_sizes: list[_MessageAndWay] = []
        self._without_action_time = 0

    def take(self, events: Sequence[NewEvent]) -> None:
        """Add events that are to be counted, in the order of their rows."""
        if not events:
            return
        # Column by column, as in `apply`.
        records, seconds, recipients, whens, kinds, ways, reasons = zip(*events, strict=True)
        takers = providers(records, ways, self._meaning)
        outcomes = list(zip(kinds, ways, takers, strict=True))
        self._alike.update(zip(map(_whose, records), outcomes, strict=True))
        self._pending += [
            (when, second, recipient, _DIRECTION_NUMBER[way], 1)
            for when, second, recipient, way, kind in zip(
                whens, seconds, recipients, ways, kinds, strict=True
            )
            if kind in FINAL_KINDS
        ]
        for record, when, outcome, why in zip(records, whens, outcomes, reasons, strict=True):
            if why is not None:
                self._troubles[outcome, why] += 1
                if why.reason == names.OTHER_REASON:
                    self.unexplained.append(Unexplained(record, when, why.code, outcome[2]))
        self._take_times(records, outcomes)
        self._take_sizes(records, seconds, ways)

    def put_into(self, change: Change) -> None:
        """Add counters, pending outcomes and sizes to *change*; the attributes are whole then."""
        counters = change.counters
        change.pending = self._pending
        for ((user, domain), (kind, way, taker)), copies in self._alike.items():
            outcome = OUTCOME_OF_KIND[kind]
            _add(counters, (names.EVENTS, (outcome, way, taker)), copies)
            _add(self.to_place, (names.USER_EVENTS, (user, domain, outcome)), copies)
            if kind == KIND_OTHER:
                _add(counters, (names.DRIFT, (names.UNKNOWN_TYPE,)), copies)
        for ((kind, way, taker), why), copies in self._troubles.items():
            name = names.FAILURES if kind == KIND_FAILURE else names.DEFERRALS
            # Reasons that differ in their codes alone are counted together, and codes apart.
            _add(counters, (name, (why.reason, why.severity, taker, way)), copies)
            if why.code:
                _add(self.to_place, (names.SMTP_REPLIES, (why.code, why.enhanced_code)), copies)
        for way, sizes in self._sizes_to_observe(change).items():
            self._observed[names.MESSAGE_SIZE, (way,)] = sizes
        self._count_observed(counters)
        if self._without_action_time:
            counters[names.DRIFT, (names.NO_ACTION_TIME,)] = self._without_action_time

    def _take_times(self, records: Sequence[DeliveryRecord], outcomes: Sequence[_Outcome]) -> None:
        """Note the time that final outcomes took."""
        for record, outcome in zip(records, outcomes, strict=True):
            acted, sent = record.action_unix, record.send_unix
            if acted is None:
                self._without_action_time += 1
            elif sent is not None and outcome[0] in FINAL_KINDS:
                times = self._times.get(outcome)
                if times is None:
                    times = self._times[outcome] = self._times_of(*outcome)
                # A clock set back between the two must not make a sum fall.
                times.append((acted - sent if acted > sent else 0, acted, record.msg_id))

    def _times_of(self, kind: int, way: str, taker: str) -> list[Observed]:
        """Where the times of an outcome are noted; those of all failures of a direction are one."""
        if kind == KIND_SUCCESS:
            return self._observed.setdefault((names.TIME_TO_DELIVER, (way, taker)), [])
        return self._observed.setdefault((names.TIME_TO_FAIL, (way,)), [])

    def _take_sizes(
        self, records: Sequence[DeliveryRecord], seconds: Sequence[int], ways: Sequence[str]
    ) -> None:
        """Note a message's size once for each direction, from the first row that has it."""
        sizes = self._sizes
        for record, second, way in zip(records, seconds, ways, strict=True):
            of_message = second, record.msg_id, way
            if of_message in sizes:
                continue
            size_bytes = _size_bytes(record.size)
            if size_bytes is not None:
                sizes[of_message] = size_bytes
            elif record.size:
                self._odd_sizes.append(of_message)

    def _sizes_to_observe(self, change: Change) -> dict[str, list[Observed]]:
        """Those that have not been observed before, by direction; *change* notes them."""
        known = self._known_sizes
        observed: defaultdict[str, list[Observed]] = defaultdict(list)
        sized = []
        messages = message_identities([(second, msg_id) for second, msg_id, _ in self._sizes])
        for (of_message, size_bytes), message in zip(self._sizes.items(), messages, strict=True):
            second, msg_id, way = of_message
            number = _DIRECTION_NUMBER[way]
            if (message, number) not in known:
                sized.append((second, message, number))
                observed[way].append((size_bytes, second, msg_id))
        change.sized = sized
        odd_sizes = sum(
            (message_identity(second, msg_id), _DIRECTION_NUMBER[way]) not in known
            for second, msg_id, way in self._odd_sizes
        )
        if odd_sizes:
            change.counters[names.DRIFT, (names.ODD_SIZE,)] = odd_sizes
        return observed

    def _count_observed(self, counters: dict[CounterKey, int]) -> None:
        histograms = Histograms()
        for (name, labels), seen in self._observed.items():
            for value, copies in Counter([value for value, _, _ in seen]).items():
                histograms.observe(name, labels, value, copies)
            for value, latest in latest_of(seen).items():
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
