"""What is known of one server and how it is shown: takes its polls, gives its rendered lines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.publication import Rendered
from cpanel_mail_exporter.exposition.text import LabelPairs, sample_lines
from cpanel_mail_exporter.ledger.history import ServerHistory
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.metrics.health import health, series, windows
from cpanel_mail_exporter.metrics.user_stats import user_stats
from cpanel_mail_exporter.model.family import Family, FamilySamples
from cpanel_mail_exporter.model.outcome import EMAIL_LOGS, USER_STATS, PollOutcome
from cpanel_mail_exporter.model.records import UserStat


@dataclass(frozen=True, slots=True)
class ServerTerms:
    """How one server is shown.

    Attributes:
        name: the operator's name for it.
        labels: label pairs that every series about it begins with.
        collectors: names of the collectors that are switched on.
        stale_after_seconds: how long a collector's gauges outlive its last success.
        user_stats_labels: of `owner` and `primary_domain`, those that are labels.
        max_series: the most lines of email_logs, 0 for all.
    """

    name: str
    labels: LabelPairs
    collectors: tuple[str, ...]
    poll_interval_seconds: float
    stale_after_seconds: float
    user_stats_labels: tuple[str, ...]
    max_series: int


class ServerBoard:
    """The state of one server; implements polling's `Findings`."""

    def __init__(self, terms: ServerTerms, changed: Callable[[], None]) -> None:
        self.terms = terms
        self.history = ServerHistory.empty(terms.collectors)
        self._changed = changed
        self._user_stats: Sequence[UserStat] = ()
        self._logs = LogBlocks()
        self._shown: tuple[object, ...] = ()
        self._rendered = Rendered({})

    def poll_ended(
        self,
        outcome: PollOutcome,
        user_stats: Sequence[UserStat] | None,
        email_logs: LogBlocks | None,
    ) -> None:
        """Take what a poll came to; what it failed to get stays as it was."""
        self.history = self.history.after(outcome)
        if user_stats is not None:
            self._user_stats = user_stats
        if email_logs is not None:
            self._logs = email_logs
        self._changed()

    def fresh(self, now_unix: float) -> tuple[str, ...]:
        """The collectors whose last success is recent enough to be shown."""
        return tuple(name for name, end in self._expiries() if now_unix < end)

    def next_expiry_unix(self, now_unix: float) -> float | None:
        """When the next collector becomes stale, unless it succeeds before."""
        return min((end for _, end in self._expiries() if end > now_unix), default=None)

    def log_lines(self, now_unix: float) -> int:
        """How many lines of email_logs it would show if it were alone."""
        if EMAIL_LOGS not in self.fresh(now_unix):
            return 0
        return self._log_lines_alone()

    def _log_lines_alone(self) -> int:
        # What is wanted, not what is kept: otherwise a share that was cut would stay small.
        return min(self._logs.wanted, self.terms.max_series or self._logs.wanted)

    def rendered(self, now_unix: float, log_lines: int) -> Rendered:
        """Its lines, at most *log_lines* of email_logs; the same object while nothing changed."""
        fresh = self.fresh(now_unix)
        shown = (self.history, fresh, log_lines)
        if shown != self._shown:
            self._rendered = self._render(fresh, log_lines)
            self._shown = shown
        return self._rendered

    def _expiries(self) -> list[tuple[str, float]]:
        return [
            (name, past.last_success.ended_unix + self.terms.stale_after_seconds)
            for name, past in self.history.collectors.items()
            if past.last_success is not None
        ]

    def _render(self, fresh: tuple[str, ...], log_lines: int) -> Rendered:
        terms = self.terms
        families: list[FamilySamples] = []
        published: dict[str, int] = {}
        wanted: dict[str, int] = {}
        limits: dict[str, int] = {}
        if USER_STATS in fresh:
            for part in user_stats(self._user_stats, terms.user_stats_labels):
                families.append(part)
                published[part.family.name] = wanted[part.family.name] = len(part.samples)
        logs = LogBlocks()
        name = catalogue.EMAIL_LOGS.name
        if EMAIL_LOGS in fresh:
            if self._logs.lines > log_lines:
                # Kept no longer than shown: over thousands of servers the bound is one on memory.
                self._logs = self._logs.newest(log_lines)
            logs = self._logs
            published[name] = logs.lines
            wanted[name] = logs.wanted
            if log_lines < self._log_lines_alone():
                limits[name] = log_lines
            elif terms.max_series:
                limits[name] = terms.max_series
        families += health(self.history, poll_interval_seconds=terms.poll_interval_seconds)
        families += windows(self.history, fresh)
        families += series(published, wanted, limits)
        return Rendered(rendered_families(families, terms.labels), logs)


def rendered_families(
    families: Sequence[FamilySamples], labels: LabelPairs = ()
) -> dict[str, tuple[Family, bytes]]:
    """Families with their sample lines, those without samples left out."""
    return {
        part.family.name: (part.family, sample_lines(part, labels))
        for part in families
        if part.samples
    }
