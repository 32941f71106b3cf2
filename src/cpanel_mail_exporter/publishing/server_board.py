"""What is known of one server and how it is shown: takes its polls, gives its rendered lines."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.publication import Rendered
from cpanel_mail_exporter.exposition.text import FamilyLines, LabelPairs, family_lines
from cpanel_mail_exporter.ledger.counters import DEFERRED_RECIPIENTS
from cpanel_mail_exporter.ledger.figures import Published
from cpanel_mail_exporter.ledger.history import ServerHistory
from cpanel_mail_exporter.metrics import catalogue, selection
from cpanel_mail_exporter.metrics.deliveries import budgets, deliveries, ledger_state, reading
from cpanel_mail_exporter.metrics.health import health, series, windows
from cpanel_mail_exporter.metrics.spam_runs import spam_runs
from cpanel_mail_exporter.model.accounts import LastHour
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.model.outcome import DELIVERY_EVENTS, EMAIL_LOGS, PollOutcome
from cpanel_mail_exporter.publishing.ports import Numbers
from cpanel_mail_exporter.publishing.whole_answers import AnswerTerms, fresh_facts, whole_answers


@dataclass(frozen=True, slots=True)
class ServerTerms:
    """How one server is shown.

    Attributes:
        name: the operator's name for it.
        labels: label pairs that every series about it begins with.
        collectors: names of the collectors that are switched on.
        stale_after_seconds: how long a collector's gauges outlive its last success.
        max_series: the most lines of email_logs, 0 for all.
        answers: how whole answers are shown.
        max_spam_run_accounts: the most accounts with a spam-run score, 0 for all.
        exemplars: buckets show the id of a message; only where nothing of a message is kept back.
        hidden_families: names of families that are not shown.
    """

    name: str
    labels: LabelPairs
    collectors: tuple[str, ...]
    poll_interval_seconds: float
    stale_after_seconds: float
    max_series: int
    answers: AnswerTerms = AnswerTerms()
    max_spam_run_accounts: int = 0
    exemplars: bool = False
    hidden_families: frozenset[str] = frozenset()


class ServerBoard:
    """The state of one server; implements polling's `Findings`.

    Args:
        terms: how it is shown.
        changed: called when there is news.
        ledger: its counted events; None where they aren't counted.
    """

    def __init__(
        self,
        terms: ServerTerms,
        changed: Callable[[], None],
        ledger: Numbers | None = None,
    ) -> None:
        self.terms = terms
        self.history = ServerHistory.empty(terms.collectors)
        self._changed = changed
        self._facts = ServerFacts()
        self._logs = LogBlocks()
        self._ledger = ledger
        self.deliveries: DeliveriesState | None = None
        self.log_line_share = 0
        self._numbers: Published | None = None
        # Lines of the ledger's numbers: kept apart, since they are many and change seldom.
        self._counted: dict[str, FamilyLines] = {}
        self._counted_of: tuple[object, ...] = ()
        self._shown: tuple[object, ...] = ()
        self._rendered = Rendered({})

    def poll_ended(
        self,
        outcome: PollOutcome,
        facts: ServerFacts,
        email_logs: LogBlocks | None,
        deliveries: DeliveriesState | None,
    ) -> None:
        """Take what a poll came to; what it failed to get stays as it was."""
        self.history = self.history.after(outcome)
        self._facts = self._facts.after(facts)
        if email_logs is not None:
            self._logs = email_logs
        if deliveries is not None:
            self.deliveries = deliveries
        self._changed()

    def fresh(self, now_unix: float) -> tuple[str, ...]:
        """The collectors whose last success is recent enough to be shown."""
        return tuple(name for name, end in self._expiries() if now_unix < end)

    def next_expiry_unix(self, now_unix: float) -> float | None:
        """When its lines change next though no poll ends.

        A collector becomes stale unless it succeeds before, or a new series grows to its value.
        """
        ends = [end for _, end in self._expiries() if end > now_unix]
        due = self._ledger.next_publication_unix if self._ledger else None
        return min(ends if due is None else [*ends, due], default=None)

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
        is_cut = EMAIL_LOGS in fresh and log_lines < self._log_lines_alone()
        self.log_line_share = log_lines if is_cut else 0
        counted = self._of_ledger(now_unix, DELIVERY_EVENTS in fresh)
        shown = (self.history, fresh, log_lines, self.deliveries)
        if shown != self._shown or counted is not self._counted:
            self._counted = counted
            self._rendered = self._render(now_unix, fresh, log_lines)
            self._shown = shown
        return self._rendered

    def _of_ledger(self, now_unix: float, is_fresh: bool) -> dict[str, FamilyLines]:
        """Lines of the ledger's numbers; the same object while they haven't changed.

        Counters stay whatever fails; the collector's gauge goes when it is stale.
        """
        ledger = self._ledger
        if ledger is None:
            return self._counted
        # Asked before the numbers: what comes in between is then shown once more, not missed.
        counted_of = (ledger.version, is_fresh)
        due = ledger.next_publication_unix
        if counted_of == self._counted_of and (due is None or due > now_unix):
            return self._counted
        self._counted_of = counted_of
        self._numbers = ledger.published(now_unix)
        if self._numbers is None:
            return {}
        shown = dict(self._numbers.numbers)
        if not is_fresh:
            shown.pop((DEFERRED_RECIPIENTS, ()), None)
        exemplars = ledger.exemplars() if self.terms.exemplars else {}
        return self._lines(deliveries(shown, exemplars))

    def _expiries(self) -> list[tuple[str, float]]:
        return [
            (
                name,
                past.last_success.ended_unix
                + past.last_success.rest_seconds
                + self.terms.stale_after_seconds,
            )
            for name, past in self.history.collectors.items()
            if past.last_success is not None
        ]

    def _last_hour(self, now_unix: float, fresh: tuple[str, ...]) -> Mapping[str, LastHour] | None:
        if self._ledger is None or DELIVERY_EVENTS not in fresh:
            return None
        return self._ledger.last_hour(int(now_unix + (self.history.clock_skew_seconds or 0.0)))

    def _render(self, now_unix: float, fresh: tuple[str, ...], log_lines: int) -> Rendered:
        terms = self.terms
        answers = whole_answers(
            fresh_facts(self._facts, fresh),
            lambda: self._last_hour(now_unix, fresh),
            terms.answers,
            terms.collectors,
        )
        families = answers.families
        published, wanted, limits = answers.published, answers.wanted, answers.limits
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
        numbers = self._numbers
        if numbers is not None:
            for name, taken in budgets(numbers.places).items():
                published[name], wanted[name] = taken.shown, taken.wanted
                if taken.limit:
                    limits[name] = taken.limit
            size_bytes = self.deliveries.size_bytes if self.deliveries else None
            families += ledger_state(numbers.counting_since_unix, size_bytes)
        if self.deliveries is not None:
            families += reading(self.deliveries, is_fresh=DELIVERY_EVENTS in fresh)
        runs = self._ledger.spam_runs() if self._ledger and DELIVERY_EVENTS in fresh else None
        if runs is not None:
            most = terms.max_spam_run_accounts
            families += spam_runs(runs[: most or None])
            name = catalogue.SPAM_RUN_SCORE.name
            published[name], wanted[name] = len(runs[: most or None]), len(runs)
            limits.update({name: most} if most else {})
        families += health(self.history, poll_interval_seconds=terms.poll_interval_seconds)
        families += windows(self.history, fresh)
        families += series(published, wanted, limits)
        return Rendered({**self._lines(families), **self._counted}, logs)

    def _lines(self, families: Sequence[FamilySamples]) -> dict[str, FamilyLines]:
        """Families that are to be shown, with their sample lines."""
        chosen = selection.shown(families, self.terms.hidden_families)
        return rendered_families(chosen, self.terms.labels)


def rendered_families(
    families: Sequence[FamilySamples], labels: LabelPairs = ()
) -> dict[str, FamilyLines]:
    """Families with their sample lines, those without samples left out."""
    return {part.family.name: family_lines(part, labels) for part in families if part.samples}
