"""What the ledger counts: names, label values, bounds of buckets.

The names and labels here are those under which counts are stored, so they stay as they are; how
families are called in an exposition is another matter. A histogram is stored as counters too: one
for each bucket, each observation in one bucket only, and one for the sum. Buckets can therefore be
changed later; old observations stay below the bound they were counted under.
"""

from collections.abc import Mapping
from typing import NamedTuple

Labels = tuple[str, ...]
CounterKey = tuple[str, Labels]
"""Name and label values of one number in the store."""

EVENTS = "events"
"""Labels outcome, direction, provider."""
USER_EVENTS = "user_events"
"""Labels user, domain, outcome."""
FAILURES = "failures"
"""Labels reason, severity, provider, direction; one for each event of outcome failure."""
DEFERRALS = "deferrals"
"""The same labels; one for each event of outcome defer, so attempts rather than recipients."""
SMTP_REPLIES = "smtp_replies"
"""Labels code, enhanced_code; failures and deferrals whose text holds a reply code."""
TIME_TO_DELIVER = "time_to_deliver_seconds"
"""Histogram, labels direction, provider."""
TIME_TO_FAIL = "time_to_fail_seconds"
"""Histogram, label direction."""
ATTEMPTS = "attempts"
"""Histogram, label direction."""
MESSAGE_SIZE = "message_size_bytes"
"""Histogram, label direction."""
DRIFT = "drift"
"""Label what."""
DEFERRED_RECIPIENTS = "deferred_recipients"
"""No counter: the number of recipients that have been deferred and have no final outcome yet."""

SUCCESS, FAILURE, DEFER, OTHER = "success", "failure", "defer", "other"
OUTCOMES: tuple[str, ...] = (SUCCESS, FAILURE, DEFER, OTHER)

INBOUND, OUTBOUND, INTERNAL, FORWARDED, UNKNOWN = (
    "inbound",
    "outbound",
    "internal",
    "forwarded",
    "unknown",
)
DIRECTIONS: tuple[str, ...] = (INBOUND, OUTBOUND, INTERNAL, FORWARDED, UNKNOWN)
"""In the order of the numbers that are stored for them; new ones go to the end."""

LOCAL_PROVIDER, OTHER_PROVIDER = "local", "other"
OTHER_REASON, SEVERITY_OF_OTHER = "other", "soft"
"""The reason of texts that nobody has a rule for."""


class Budgeted(NamedTuple):
    """A family of which only so many label sets have series of their own.

    Attributes:
        width: how many labels, the first ones, a place in the budget is about.
        endings: values that the other labels can have.
    """

    width: int
    endings: tuple[Labels, ...] = ((),)


BUDGETED: Mapping[str, Budgeted] = {
    USER_EVENTS: Budgeted(2, tuple((outcome,) for outcome in OUTCOMES)),
    SMTP_REPLIES: Budgeted(2),
}
"""Families with label values that anybody's mail can bring."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_TIMES: tuple[int, ...] = (
    *(1, 5, 15, 30),
    *(1 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE),
    *(1 * _HOUR, 4 * _HOUR, 12 * _HOUR),
    *(1 * _DAY, 2 * _DAY, 4 * _DAY),
)
_KIB, _MIB = 1_024, 1_048_576
BOUNDS: Mapping[str, tuple[int, ...]] = {
    TIME_TO_DELIVER: _TIMES,
    TIME_TO_FAIL: _TIMES,
    ATTEMPTS: (1, 2, 3, 5, 10, 20, 50),
    MESSAGE_SIZE: (
        *(1 * _KIB, 4 * _KIB, 16 * _KIB, 64 * _KIB, 256 * _KIB),
        *(1 * _MIB, 4 * _MIB, 10 * _MIB, 25 * _MIB, 50 * _MIB),
    ),
}
"""Upper bounds of each histogram's buckets, inclusive."""

BUCKET, SUM = "_bucket", "_sum"
ABOVE_ALL = "inf"

UNKNOWN_TYPE = "unknown_type"
NO_TIME = "no_time"
NO_ACTION_TIME = "no_action_time"
ODD_SIZE = "odd_size"
UNKNOWN_FIELD = "unknown_field"
CHANGED_SHAPE = "changed_shape"
DRIFTS_OF_EVENTS: tuple[str, ...] = (UNKNOWN_TYPE, NO_ACTION_TIME, ODD_SIZE)
"""What events can show that the documentation of emailtrack_search doesn't foresee; stored."""
DRIFTS_OF_ROWS: tuple[str, ...] = (NO_TIME, UNKNOWN_FIELD, CHANGED_SHAPE)
"""The same of rows that can't be known again: counted at every reading, and only in memory."""
DRIFTS: tuple[str, ...] = (*DRIFTS_OF_EVENTS, *DRIFTS_OF_ROWS)

_USUAL_PROVIDER: Mapping[str, str] = {
    INBOUND: LOCAL_PROVIDER,
    INTERNAL: LOCAL_PROVIDER,
    OUTBOUND: OTHER_PROVIDER,
    FORWARDED: OTHER_PROVIDER,
    UNKNOWN: OTHER_PROVIDER,
}
KNOWN_BEFOREHAND: frozenset[CounterKey] = frozenset(
    (EVENTS, (outcome, direction, _USUAL_PROVIDER[direction]))
    for outcome in OUTCOMES
    for direction in DIRECTIONS
) | {
    *(
        (name, (OTHER_REASON, SEVERITY_OF_OTHER, OTHER_PROVIDER, OUTBOUND))
        for name in (FAILURES, DEFERRALS)
    ),
    (DEFERRED_RECIPIENTS, ()),
    *((DRIFT, (what,)) for what in DRIFTS),
}
"""Numbers that are shown at 0 before anything was counted.

Each outcome and direction of events once. Of failures and deferrals one each, so that a sum over
them is 0 and not nothing; the others come by themselves, at 0 first.
"""


def series_of(key: CounterKey) -> CounterKey:
    """The series that a stored number belongs to: a histogram's numbers belong together.

    >>> series_of(("attempts_bucket", ("outbound", "5"))), series_of(("events", ("success",)))
    (('attempts', ('outbound',)), ('events', ('success',)))
    """
    name, labels = key
    if name.endswith(BUCKET):
        return name.removesuffix(BUCKET), labels[:-1]
    return name.removesuffix(SUM), labels
