"""One visit to a server while it goes on, and the guard that every collector is asked under."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.errors import PollError, WrongShape
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.outcome import CollectorOutcome
from cpanel_mail_exporter.model.query import AnswerEnd
from cpanel_mail_exporter.polling.reading_state import ReadCounts

UNFORESEEN = "%s: %s failed in an unforeseen way"
"""What is logged, with the traceback, of a mistake of ours: server and collector."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Visit:
    """What a visit has come to so far.

    Attributes:
        begun_unix: exporter's clock when it began.
        begun: the same by the clock that nobody sets.
    """

    begun_unix: float
    begun: float
    outcomes: list[CollectorOutcome] = field(default_factory=list)
    skew: float | None = None
    facts: ServerFacts = field(default_factory=ServerFacts)
    email_logs: LogBlocks | None = None
    deliveries: DeliveriesState | None = None

    @property
    def errors(self) -> list[PollError | None]:
        """How those ended that were asked."""
        return [outcome.error for outcome in self.outcomes]

    @property
    def was_let_in(self) -> bool:
        """Whether one of those that were asked got a good answer, so that the login is good."""
        return None in self.errors


@dataclass(slots=True)
class Asked:
    """What one collector has been told so far.

    Attributes:
        was_let_in: another collector got a good answer in this visit, so the login is good.
        window_start_unix: first second of the window that it asks about, 0 without one.
        skew: server's clock minus the exporter's, None until an answer told.
    """

    was_let_in: bool = False
    counts: ReadCounts = field(default_factory=ReadCounts)
    window_start_unix: int = 0
    unreadable_flags: int = 0
    skew: float | None = None

    def note(self, end: AnswerEnd, rows: int) -> None:
        """An answer has been read to its end, *rows* of it well."""
        self.counts.rejected += end.rows_rejected
        self.counts.rows += rows + end.rows_rejected
        self.counts.incomplete += int(end.is_cut)
        self.skew = end.clock_skew_seconds


class Guard:
    """Times a collector, counts what it read, and keeps its failure from the others.

    Args:
        name: of the server.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock

    async def ask(
        self, collector: str, work: Callable[[Asked], Awaitable[ServerFacts]], visit: Visit
    ) -> None:
        """Let a collector do its *work*: its facts are known from then on if it succeeds."""
        begun = self._clock.elapsed()
        asked = Asked(visit.was_let_in)
        error: PollError | None = None
        try:
            facts = await work(asked)
            self.refuse_nothing_but_rejected(collector, asked.counts)
            visit.facts = visit.facts.after(facts)
        except PollError as failure:
            error = failure
        except Exception as bug:
            # The last guard: a mistake of ours with one server's answer must not end the others.
            logger.exception(UNFORESEEN, self._name, collector)
            error = self.unforeseen(collector, bug)
        visit.skew = asked.skew if visit.skew is None else visit.skew
        visit.outcomes.append(
            self.outcome(
                collector,
                begun,
                asked.window_start_unix,
                error,
                asked.counts,
                asked.unreadable_flags,
            )
        )

    def outcome(
        self,
        collector: str,
        begun: float,
        window_start_unix: int,
        error: PollError | None,
        counts: ReadCounts,
        unreadable_flags: int = 0,
    ) -> CollectorOutcome:
        """How a collector ended that began at *begun*, by the clock that nobody sets."""
        return CollectorOutcome(
            collector=collector,
            ended_unix=self._clock.now_unix(),
            duration_seconds=self._clock.elapsed() - begun,
            window_start_unix=window_start_unix,
            error=error,
            rows_read=counts.rows,
            rows_rejected=counts.rejected,
            rows_outside_range=counts.outside,
            unreadable_flags=unreadable_flags,
            repeated_pages=counts.repeated_pages,
            slices_incomplete=counts.incomplete,
        )

    def unforeseen(self, collector: str, bug: Exception) -> PollError:
        """A mistake of ours, as the failure of a collector."""
        return WrongShape(self._name, collector, f"unforeseen {type(bug).__name__} in the exporter")

    def refuse_nothing_but_rejected(self, collector: str, read: ReadCounts) -> None:
        """Rows of which none can be decoded are a changed API, and no server without mail."""
        if read.rejected == read.rows > 1:
            raise WrongShape(self._name, collector, f"none of {read.rows} rows could be decoded")
