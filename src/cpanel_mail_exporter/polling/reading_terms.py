"""What a reading of deliveries is told, and what one poll of it comes to."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.errors import PollError
from cpanel_mail_exporter.polling.reading_state import ReadCounts


@dataclass(frozen=True, slots=True)
class ReadingTerms:
    """What is read of one server.

    Attributes:
        name: the operator's name for it.
        types: WHM's words for the rows that are asked for.
        look_back_seconds: how old mail may be whose events are still noticed.
        interval_seconds: time between polls.
        is_single: there is one poll only (`once`): what serves later polls isn't asked.
    """

    name: str
    types: tuple[str, ...]
    look_back_seconds: int
    interval_seconds: float = 60.0
    is_single: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """When a visit is made.

    Attributes:
        exporter_unix: exporter's time.
        server_unix: server's time, given the clock skew that an answer told (None: as known);
            exporter's time where the two are so far apart that either may be wrong.
        window_start: first second of email_logs' window at a time; None without email_logs.
        has_time: whether there is time left for what can wait.
        was_refused: a login was refused in this visit, and none was accepted.
        line_share: lines of email_logs that are shown of this server while all servers together
            have too many; 0 while they don't.
    """

    exporter_unix: Callable[[], float]
    server_unix: Callable[[float | None], int]
    window_start: Callable[[int], int] | None
    has_time: Callable[[], bool]
    was_refused: bool = False
    line_share: int = 0


@dataclass(slots=True)
class PollReading:
    """What one poll's reading came to.

    Attributes:
        error: why it broke off before all was read that every poll reads.
        later_error: why it broke off after that.
        storage_error: why what was read could not be counted.
        window_start_unix: first second of what each collector reads, by collector.
        lines: what email_logs shows, None if it isn't whole.
        lines_incomplete: pieces of email_logs' window that could not be read whole.
    """

    counts: ReadCounts = field(default_factory=ReadCounts)
    skew: float | None = None
    error: PollError | None = None
    later_error: PollError | None = None
    storage_error: PollError | None = None
    window_start_unix: dict[str, int] = field(default_factory=dict)
    lines: LogBlocks | None = None
    lines_incomplete: int = 0
    state: DeliveriesState = DeliveriesState()
