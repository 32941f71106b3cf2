"""How far the reading of one server's delivery events has come."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class GoesBy(Enum):
    """What is known of the instant that ranges of emailtrack_stats are about."""

    UNKNOWN = "unknown"
    SENT = "send"
    ACTED = "action"
    NOTHING = "unavailable"


class ActionFilter(Enum):
    """What is known of a filter on `actionunixtime`."""

    UNKNOWN = "unknown"
    WORKS = "works"
    FAILS = "fails"


@dataclass(frozen=True, slots=True)
class LastDay:
    """The newest full UTC day, by send time.

    Attributes:
        start_unix: its first second.
        reported: rows by outcome (success, failure, defer), as emailtrack_stats says.
        known: events by outcome that have been read, those that aren't counted included.
    """

    start_unix: int
    reported: Mapping[str, int]
    known: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class DeliveriesState:
    """What is shown of the reading, beside the ledger's numbers.

    Attributes:
        newest_event_unix: action time of the newest event that was read, None before the first.
        backlog_slices: slices of send time that are still to be read.
        slices_incomplete: slices that can't be read whole.
        messages_in_progress: of the last day, from emailtrack_stats; None where it isn't known.
        last_day: None until it has been compared.
        totals_go_by: learned from a real deferral.
        action_filter: learned from a real deferral.
        size_bytes: space that the ledger takes on disk.
    """

    newest_event_unix: int | None = None
    backlog_slices: int = 0
    slices_incomplete: int = 0
    messages_in_progress: int | None = None
    last_day: LastDay | None = None
    totals_go_by: GoesBy = GoesBy.UNKNOWN
    action_filter: ActionFilter = ActionFilter.UNKNOWN
    size_bytes: int = 0
