"""A server's mail passed on as it is, for whoever shows it with something changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import AccountCard, Mail, Queued, Span
from whm_simulator.mail.sums import Sender, Sums


@dataclass(frozen=True, slots=True)
class Overlay:
    """``Mail`` that is *mail* itself; a subclass says what it changes.

    Who changes rows must change sums as well, so that they go on to agree.
    """

    mail: Mail

    @property
    def hostname(self) -> str:
        """The server's own name."""
        return self.mail.hostname

    @property
    def zone(self) -> tzinfo:
        """The server's own time zone."""
        return self.mail.zone

    def accounts(self, now_unix: float) -> Sequence[AccountCard]:
        """Its accounts."""
        return self.mail.accounts(now_unix)

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """Its rows."""
        return self.mail.rows(now_unix, span, acted)

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        """Sums over its rows."""
        return self.mail.sums(now_unix, span)

    def queue(self, now_unix: float) -> list[Queued]:
        """What Exim still holds."""
        return self.mail.queue(now_unix)

    def reason(self, row: Row) -> str | None:
        """Why *row* failed or was deferred."""
        return self.mail.reason(row)
