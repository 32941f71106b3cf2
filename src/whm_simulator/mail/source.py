"""What the API asks of a server's mail, whoever makes it: a seed, or the log of a real Exim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import NamedTuple, Protocol

from whm_simulator.mail.rows import Row
from whm_simulator.mail.sums import Sender, Sums


class Interrupted(Exception):
    """The simulator is being stopped; the answer that was being built is not wanted any more."""


@dataclass(frozen=True, slots=True)
class Span:
    """Instants from *first_unix* to *last_unix*, both included; empty if the last is earlier."""

    first_unix: int
    last_unix: int


class AccountCard(NamedTuple):
    """What WHM's account list says of a cPanel account.

    Attributes:
        user: its name.
        domain: its primary domain.
        owner: ``root`` or the reseller that it belongs to.
        domains: all its domains, the primary one first.
        max_email_per_hour: 0 means unlimited.
        max_defer_fail_percentage: 0 means unlimited.
        is_suspended: the whole account is suspended.
        is_outgoing_suspended: its outgoing mail is refused.
        is_outgoing_held: its outgoing mail is kept in the queue.
    """

    user: str
    domain: str
    owner: str = "root"
    domains: tuple[str, ...] = ()
    max_email_per_hour: int = 0
    max_defer_fail_percentage: int = 0
    is_suspended: bool = False
    is_outgoing_suspended: bool = False
    is_outgoing_held: bool = False


class Queued(NamedTuple):
    """A message in Exim's queue: *recipients* are those without a final outcome.

    ``sender`` is empty for a bounce; ``user`` is None where the facts leave it open.
    """

    msgid: str
    sender: str
    recipients: tuple[str, ...]
    size: int
    time_unix: int
    is_frozen: bool
    user: str | None


class Mail(Protocol):
    """All mail of one server, at any instant that is asked about. Safe across threads."""

    @property
    def hostname(self) -> str:
        """The server's own name."""

    @property
    def zone(self) -> tzinfo:
        """The server's own time zone."""

    def accounts(self, now_unix: float) -> Sequence[AccountCard]:
        """Its accounts as they are at *now_unix*, by user name."""

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """Rows that exist at *now_unix*, oldest send time first; the list is the caller's own.

        Args:
            now_unix: the instant that is asked about.
            span: only mail sent in this range.
            acted: only rows whose attempt ended in this range; leaves out what is in progress.

        Raises:
            Interrupted: the simulator is being stopped.
        """

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        """``sums_of(self.rows(now_unix, span))``, and often cheaper."""

    def queue(self, now_unix: float) -> list[Queued]:
        """What Exim still holds at *now_unix*, oldest first."""

    def reason(self, row: Row) -> str | None:
        """Why *row* failed or was deferred, as one of the classes; None if that is not known."""
