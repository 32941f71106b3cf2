"""Where the ledger of one server is kept: the port, of which there are several implementations."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from cpanel_mail_exporter.ledger.change import Change, Known, Pending, Seat
from cpanel_mail_exporter.ledger.counters import CounterKey
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.activity import Activity, HourActivity


class LedgerStore(Protocol):
    """Facts and numbers of one server. Any method may raise StorageFailed.

    After a StorageFailed nothing that was held in memory may be relied on: whether a commit that
    failed was stored is known only from what is then found (all of it, or nothing).
    """

    def load(self, spans: Sequence[Slice]) -> Known:
        """All that is known of the seconds in *spans*, which don't overlap."""

    def deferrals(self, spans: Sequence[Slice]) -> Known:
        """The same with nothing but deferrals."""

    def pending_until(self, action_unix: int, after: Pending | None, limit: int) -> list[Pending]:
        """Pending outcomes with an action time up to *action_unix*, in order, at most *limit*.

        They go on behind *after*, or begin with the first if that is None.
        """

    def pending_sent_before(self, before_unix: int) -> list[Pending]:
        """All pending outcomes of mail sent before *before_unix*."""

    def oldest_second(self) -> int | None:
        """The oldest second of which an event is known."""

    def outcomes(self, span: Slice) -> Mapping[int, int]:
        """How many events are known of the seconds in *span*, by kind."""

    def open_deferral_seconds(self, limit: int) -> list[int]:
        """Seconds with a recipient that was deferred and has no final outcome, newest first."""

    def counters(self) -> dict[CounterKey, int]:
        """Every counter."""

    def seats(self) -> dict[CounterKey, Seat]:
        """The places in budgets, by family and the labels that its places are about."""

    def cursors(self) -> dict[str, str]:
        """Every cursor value."""

    def slices(self, span: Slice) -> Mapping[int, str]:
        """What the reading knows of slices that begin in *span*."""

    def activity(self, first: int) -> dict[tuple[str, int], Activity]:
        """What users did in slots that begin from *first* on."""

    def activity_together(self, span: Slice) -> dict[str, HourActivity]:
        """What each user did in the slots that begin in *span*, an hour, together."""

    def oldest_activity(self) -> int | None:
        """First second of the oldest slot that isn't folded."""

    def hours(self, user: str) -> dict[int, HourActivity]:
        """What is known of the folded hours of *user*, by first second."""

    def oldest_hour(self) -> int | None:
        """First second of the oldest folded hour of anybody."""

    def commit(self, change: Change) -> None:
        """Store all of *change*, or nothing and raise."""

    def size_bytes(self) -> int:
        """Space taken on disk; 0 in memory."""

    def rest(self) -> None:
        """Give back what is only needed while working; the next call takes it again."""

    def close(self) -> None:
        """Rest, and let other processes have it."""
