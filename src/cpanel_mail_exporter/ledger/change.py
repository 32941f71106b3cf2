"""What the store knows of some seconds, and what a step adds to it.

Everything is kept under the second its message was sent in: all rows of one message share it, and
mail of one age is forgotten together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.counters import CounterKey
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.activity import Activity, HourActivity

KIND_OTHER, KIND_DEFERRAL, KIND_SUCCESS, KIND_FAILURE = range(4)
"""What an event is to its recipient, as stored."""
FINAL_KINDS: tuple[int, ...] = (KIND_SUCCESS, KIND_FAILURE)
"""Kinds that end a recipient's deferrals."""
OUTCOME_OF_KIND: tuple[str, ...] = (names.OTHER, names.DEFER, names.SUCCESS, names.FAILURE)
"""Label value of each kind, in the order of their numbers."""


FiveFields = tuple[int, int, int, int, int]
"""Those of an `Event` or `Pending` without their names, since there are so many."""


class Event(NamedTuple):
    """One identity that has been seen.

    Attributes:
        second: send second it is kept under.
        identity: see `ledger.identity`.
        recipient: identity of message and recipient in this second.
        kind: KIND_OTHER, KIND_DEFERRAL, KIND_SUCCESS or KIND_FAILURE.
        copies: how many equal rows have stood in one answer, at most.
    """

    second: int
    identity: int
    recipient: int
    kind: int
    copies: int


class Deferral(NamedTuple):
    """When a recipient was deferred; *copies* of it are added."""

    second: int
    recipient: int
    action_unix: int
    copies: int


class Sized(NamedTuple):
    """A message whose size has been observed for a direction (its place in DIRECTIONS)."""

    second: int
    message: int
    direction: int


class Pending(NamedTuple):
    """Final outcomes of a recipient, *copies* of them, whose attempts are not observed yet."""

    action_unix: int
    second: int
    recipient: int
    direction: int
    copies: int


class Seat(NamedTuple):
    """The place of a label set in a budget of series.

    Attributes:
        has_series: it has a series of its own; otherwise its events go to `_other`.
        volume: its events, those of earlier days weighing less; in 1024ths of an event.
        day: the day for which *volume* holds, days since 1970.
    """

    has_series: bool
    volume: int
    day: int


@dataclass(slots=True)
class Known:
    """What is stored of the seconds that some records were sent in.

    Attributes:
        copies: by identity of an event.
        final: recipients with a final outcome.
        deferrals: by recipient, action time -> copies.
        sized: (message, direction) pairs whose size has been observed.
    """

    copies: dict[int, int] = field(default_factory=dict)
    final: set[int] = field(default_factory=set)
    deferrals: dict[int, dict[int, int]] = field(default_factory=dict)
    sized: set[tuple[int, int]] = field(default_factory=set)


@dataclass(slots=True)
class Change:
    """What one step adds; stored in one transaction or not at all.

    Attributes:
        events: identities that are new or have more copies than before.
        deferrals, sized, pending: further facts about them.
        settled: what is pending no more.
        counters: what is added to each counter; DEFERRED_RECIPIENTS may also fall.
        seats: new state of label sets in budgets, by family and the labels that its places are
            about; None where one is forgotten.
        cursors: values by key, None to delete; opaque here but for those beginning with `ledger.`.
        slices: what the reading knows of a slice of send time, by its first second; opaque.
        activity: what users did, added by user and first second of a slot of action time.
        hours: the same by hour, added.
        folded: slots of these seconds are deleted; their hours take their place.
        forget_hours_before_unix: earlier hours are deleted.
        forget_before_unix: events, deferrals, sizes and slices of earlier seconds are deleted.
    """

    events: Sequence[FiveFields] = field(default_factory=list)
    deferrals: list[Deferral] = field(default_factory=list)
    sized: Sequence[tuple[int, int, int]] = field(default_factory=list)
    pending: Sequence[FiveFields] = field(default_factory=list)
    settled: list[Pending] = field(default_factory=list)
    counters: dict[CounterKey, int] = field(default_factory=dict)
    seats: dict[CounterKey, Seat | None] = field(default_factory=dict)
    cursors: Mapping[str, str | None] = field(default_factory=dict)
    slices: Mapping[int, str | None] = field(default_factory=dict)
    activity: Mapping[tuple[str, int], Activity] = field(default_factory=dict)
    hours: Mapping[tuple[str, int], HourActivity] = field(default_factory=dict)
    folded: Slice | None = None
    forget_hours_before_unix: int | None = None
    forget_before_unix: int | None = None

    @property
    def is_empty(self) -> bool:
        """Nothing is to be stored."""
        return self.forget_before_unix is None and not (
            self.events
            or self.settled
            or self.counters
            or self.seats
            or self.cursors
            or self.slices
            or self.activity
            or self.folded
        )
