"""What publishing needs of a ledger: its numbers, at hand at any time."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from cpanel_mail_exporter.ledger.counters import Labels
from cpanel_mail_exporter.ledger.exemplars import BucketExemplars
from cpanel_mail_exporter.ledger.figures import Published
from cpanel_mail_exporter.model.accounts import LastHour
from cpanel_mail_exporter.spam_runs.signals import Signals


class Numbers(Protocol):
    """The numbers of one server, as `ledger.Ledger` gives them; none of these waits for a disk."""

    @property
    def version(self) -> int:
        """Rises whenever there is something new to publish."""

    @property
    def next_publication_unix(self) -> float | None:
        """When a publication would differ from the last one though nothing was learned."""

    def published(self, now_unix: float) -> Published | None:
        """What to show in a publication made now; None before the numbers were loaded."""

    def spam_runs(self) -> Sequence[Signals] | None:
        """Accounts that send much, the highest score first; None before they were looked at."""

    def last_hour(self, server_now_unix: int) -> Mapping[str, LastHour]:
        """The events of the hour before an instant, by user and time of action."""

    def exemplars(self) -> Mapping[tuple[str, Labels], BucketExemplars]:
        """The newest message of each bucket, by name and labels of the histogram."""
