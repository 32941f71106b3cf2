"""What one poll of one server came to."""

from dataclasses import dataclass

from cpanel_mail_exporter.model.errors import PollError

USER_STATS = "user_stats"
DELIVERY_EVENTS = "delivery_events"
EMAIL_LOGS = "email_logs"
SERVER_INFO = "server_info"
SERVICES = "services"
MAIL_QUEUE = "mail_queue"
ACCOUNTS = "accounts"
UNIQUE_RECIPIENTS = "unique_recipients"
COLLECTORS: tuple[str, ...] = (
    USER_STATS,
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    SERVER_INFO,
    SERVICES,
    MAIL_QUEUE,
    ACCOUNTS,
    UNIQUE_RECIPIENTS,
)
"""Names of the collectors, in the order they are asked.

The cheap one first, then delivery events, which mustn't wait for what may be slow.
"""

OPTIONAL: frozenset[str] = frozenset(COLLECTORS) - {USER_STATS, DELIVERY_EVENTS, EMAIL_LOGS}
"""Those that many tokens lack the privilege for: that WHM refuses them alone is no failure."""


@dataclass(frozen=True, slots=True)
class CollectorOutcome:
    """One collector's part in a poll.

    Attributes:
        collector: one of COLLECTORS.
        ended_unix: when its last answer had been read, exporter's clock.
        duration_seconds: from the first request to the last answer.
        window_start_unix: first second of the window that was asked for, 0 without one.
        error: None if everything that was asked for came whole.
        rows_read: rows received, rejected ones included.
        rows_rejected: rows that could not be decoded.
        rows_outside_range: rows outside the range that was asked for, or without a readable time.
        unreadable_flags: limit flags that were absent or not understood.
        repeated_pages: pages equal to the one before.
        slices_incomplete: slices of send time that WHM cut and that can't be made smaller.
        rest_seconds: how much later than at the next poll it may be asked again.
    """

    collector: str
    ended_unix: float
    duration_seconds: float
    window_start_unix: int
    error: PollError | None = None
    rows_read: int = 0
    rows_rejected: int = 0
    rows_outside_range: int = 0
    unreadable_flags: int = 0
    repeated_pages: int = 0
    slices_incomplete: int = 0
    rest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """One visit to one server.

    Attributes:
        ended_unix: end of the visit, exporter's clock.
        collectors: those that were asked, in order.
        clock_skew_seconds: server's clock minus the exporter's, None if the server gave no Date.
        login_retry_unix: when a refused login is tried again, None if it wasn't refused.
    """

    ended_unix: float
    collectors: tuple[CollectorOutcome, ...]
    clock_skew_seconds: float | None = None
    login_retry_unix: float | None = None
