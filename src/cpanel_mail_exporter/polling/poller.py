"""Polls one server: asks its collectors one after another, in time, and hands on what they got."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Protocol

from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.errors import (
    Denied,
    PollError,
    StorageDamaged,
    Unsupported,
    WrongShape,
)
from cpanel_mail_exporter.model.outcome import (
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    USER_STATS,
    CollectorOutcome,
    PollOutcome,
)
from cpanel_mail_exporter.model.records import UserStat
from cpanel_mail_exporter.model.window import Window
from cpanel_mail_exporter.polling.deliveries import DeliveriesReading
from cpanel_mail_exporter.polling.ports import Findings, MailServer, Token
from cpanel_mail_exporter.polling.reading_state import ReadCounts
from cpanel_mail_exporter.polling.reading_terms import Moment, PollReading
from cpanel_mail_exporter.polling.schedule import (
    LOGIN_RETRY_SECONDS,
    UNSUPPORTED_RETRY_SECONDS,
    due_collectors,
    may_ask_on,
    next_tick,
    offset_seconds,
    verdict,
)
from cpanel_mail_exporter.polling.spoken import without_people

_TOKEN_LOOK_SECONDS = 1.0
_SHARE_FOR_WHAT_CAN_WAIT = 0.5
_SMALLEST_SKEW_SECONDS = 2.0
_LARGEST_SKEW_SECONDS = 86_400.0

_UNFORESEEN = "%s: %s failed in an unforeseen way"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PollPlan:
    """What is asked of one server.

    Attributes:
        name: the operator's name for it.
        collectors: those that are switched on, in the order they are asked.
        windows: the window of each windowed collector.
        zone: the server's zone, for its local midnight.
        hides_people: what the server says of why it refuses is masked.
    """

    name: str
    collectors: tuple[str, ...]
    windows: Mapping[str, Window]
    zone: tzinfo
    interval_seconds: float
    hides_people: bool = False


@dataclass(slots=True)
class _Poll:
    """One visit while it goes on."""

    begun: float
    outcomes: list[CollectorOutcome] = field(default_factory=list)
    skew: float | None = None
    user_stats: Sequence[UserStat] | None = None
    email_logs: LogBlocks | None = None
    deliveries: DeliveriesState | None = None

    @property
    def errors(self) -> list[PollError | None]:
        """How those ended that were asked."""
        return [outcome.error for outcome in self.outcomes]


class Gate(Protocol):
    """Lets a number of servers make their first requests at a time."""

    async def __aenter__(self) -> object: ...
    async def __aexit__(self, *exc_info: object) -> object: ...


class Poller:
    """The visits to one server. One request at a time; never raises but for cancellation."""

    def __init__(
        self,
        plan: PollPlan,
        server: MailServer,
        token: Token,
        deliveries: DeliveriesReading | None,
        findings: Findings,
        clock: Clock,
    ) -> None:
        self.next_poll_unix: float | None = None
        self._plan = plan
        self._server = server
        self._token = token
        self._deliveries = deliveries
        self._findings = findings
        self._clock = clock
        self._skew = 0.0
        self._unsupported_until: dict[str, float] = {}
        self._said: dict[str, str] = {}
        self._login_retry_unix: float | None = None

    async def run(self, gate: Gate) -> None:
        """Poll at once, then at every tick, until cancelled."""
        plan = self._plan
        offset = offset_seconds(plan.name, plan.interval_seconds)
        async with gate:
            seconds = await self.poll()
        while True:
            tick = next_tick(
                now_unix=self._clock.now_unix(),
                poll_seconds=seconds,
                interval_seconds=plan.interval_seconds,
                offset=offset,
            )
            await self._wait_until(tick)
            seconds = await self.poll()

    async def poll(self) -> float:
        """One visit; gives how many seconds it took. Nothing is asked if nothing is due."""
        self._renew_token()
        begun = self._clock.elapsed()
        due = due_collectors(self._plan.collectors, self._unsupported_until, self._clock.now_unix())
        if not due:
            return 0.0
        poll = _Poll(begun)
        if USER_STATS in due:
            poll.outcomes.append(await self._ask_user_stats(poll))
        of_deliveries = [collector for collector in due if collector != USER_STATS]
        if self._deliveries is not None and of_deliveries and may_ask_on(poll.errors):
            poll.outcomes += await self._read_deliveries(self._deliveries, of_deliveries, poll)
        self._end(poll)
        return self._clock.elapsed() - begun

    def _end(self, poll: _Poll) -> None:
        now = self._clock.now_unix()
        outcomes = [_with_error(o, verdict(o.error, poll.errors)) for o in poll.outcomes]
        if self._plan.hides_people:
            outcomes = [_with_error(o, o.error and without_people(o.error)) for o in outcomes]
        login_refused = any(isinstance(outcome.error, Denied) for outcome in outcomes)
        self._login_retry_unix = now + LOGIN_RETRY_SECONDS if login_refused else None
        for outcome in outcomes:
            if isinstance(outcome.error, Unsupported):
                self._unsupported_until[outcome.collector] = now + UNSUPPORTED_RETRY_SECONDS
            else:
                self._unsupported_until.pop(outcome.collector, None)
        self._say_what_changed(outcomes)
        try:
            self._findings.poll_ended(
                PollOutcome(now, tuple(outcomes), poll.skew, self._login_retry_unix),
                poll.user_stats,
                poll.email_logs,
                poll.deliveries,
            )
        except Exception:
            # The last guard, as below: what is shown of this server stays as it was.
            logger.exception("%s: what this poll found could not be shown", self._plan.name)

    async def _ask_user_stats(self, poll: _Poll) -> CollectorOutcome:
        begun = self._clock.elapsed()
        now = self._server_unix(None)
        start = self._plan.windows[USER_STATS].start_unix(now, self._plan.zone)
        counts = ReadCounts()
        unreadable = 0
        error: PollError | None = None
        try:
            answer = await self._server.user_stats(start, now)
            counts.rejected = answer.end.rows_rejected
            counts.rows = len(answer.records) + counts.rejected
            counts.incomplete = int(answer.end.is_cut)
            unreadable = sum(record.unreadable_flags for record in answer.records)
            poll.skew = answer.end.clock_skew_seconds
            self._server_unix(poll.skew)
            self._refuse_nothing_but_rejected(USER_STATS, counts)
            poll.user_stats = answer.records
        except PollError as failure:
            error = failure
        except Exception as bug:
            # The last guard: a mistake of ours with one server's answer must not end the others.
            logger.exception(_UNFORESEEN, self._plan.name, USER_STATS)
            error = self._unforeseen(USER_STATS, bug)
        return self._outcome(USER_STATS, begun, start, error, counts, unreadable)

    async def _read_deliveries(
        self, deliveries: DeliveriesReading, collectors: Sequence[str], poll: _Poll
    ) -> list[CollectorOutcome]:
        """The collectors that one reading serves, each with an outcome of its own."""
        begun = self._clock.elapsed()
        reading = PollReading()
        failure: PollError | None = None
        try:
            reading = await deliveries.poll(self._moment(poll))
            poll.deliveries = reading.state
            self._refuse_nothing_but_rejected(collectors[0], reading.counts)
        except PollError as error:
            failure = error
        except Exception as bug:
            logger.exception(_UNFORESEEN, self._plan.name, collectors[0])  # the last guard again
            failure = self._unforeseen(collectors[0], bug)
        poll.skew = reading.skew if poll.skew is None else poll.skew
        if failure is None and reading.error is None:
            poll.email_logs = reading.lines
        failure = failure or reading.error
        deliveries.note_shape(failure or reading.later_error)
        if isinstance(reading.storage_error, StorageDamaged):
            logger.error("%s", reading.storage_error)
        outcomes = []
        for collector in collectors:
            why = failure
            counts = replace(reading.counts)
            if collector == DELIVERY_EVENTS:
                counts.incomplete, counts.outside = reading.state.slices_incomplete, 0
                why = why or reading.storage_error or reading.later_error
            else:
                counts.incomplete = reading.lines_incomplete
                if DELIVERY_EVENTS not in collectors:
                    why = why or reading.later_error
            start = reading.window_start_unix.get(collector, 0)
            outcomes.append(self._outcome(collector, begun, start, why, counts))
        return outcomes

    def _moment(self, poll: _Poll) -> Moment:
        plan = self._plan
        window = plan.windows.get(EMAIL_LOGS)
        longest = plan.interval_seconds * _SHARE_FOR_WHAT_CAN_WAIT
        refused = any(isinstance(error, Denied) for error in poll.errors)
        return Moment(
            exporter_unix=self._clock.now_unix,
            server_unix=self._server_unix,
            window_start=None
            if window is None
            else (lambda now: window.start_unix(now, plan.zone)),
            has_time=lambda: self._clock.elapsed() - poll.begun < longest,
            was_refused=refused and None not in poll.errors,
            line_share=self._findings.log_line_share,
        )

    def _outcome(
        self,
        collector: str,
        begun: float,
        window_start_unix: int,
        error: PollError | None,
        counts: ReadCounts,
        unreadable_flags: int = 0,
    ) -> CollectorOutcome:
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

    def _unforeseen(self, collector: str, bug: Exception) -> PollError:
        """A mistake of ours, as the failure of a collector."""
        return WrongShape(
            self._plan.name, collector, f"unforeseen {type(bug).__name__} in the exporter"
        )

    def _refuse_nothing_but_rejected(self, collector: str, read: ReadCounts) -> None:
        """Rows of which none can be decoded are a changed API, and no server without mail."""
        if read.rejected == read.rows > 1:
            raise WrongShape(
                self._plan.name, collector, f"none of {read.rows} rows could be decoded"
            )

    def _server_unix(self, skew: float | None) -> int:
        """The server's "now", where its clock is off; its Date is in whole seconds.

        Args:
            skew: what an answer just told, None to go by what is known.
        """
        if skew is not None:
            is_off = _SMALLEST_SKEW_SECONDS < abs(skew) <= _LARGEST_SKEW_SECONDS
            self._skew = skew if is_off else 0.0
        return int(self._clock.now_unix() + self._skew)

    def _renew_token(self) -> bool:
        """True if the token is a new one: then nothing that was refused to the old one counts."""
        if not self._token.renew():
            return False
        logger.info("%s: token file changed, the new token is used from now on", self._plan.name)
        self._unsupported_until.clear()
        if self._deliveries is not None:
            self._deliveries.forget_refusals()
        self._login_retry_unix = None
        return True

    async def _wait_until(self, tick_unix: float) -> None:
        """Wait for the tick; while a login is refused, longer, unless a new token turns up."""
        if self._login_retry_unix is None:
            self.next_poll_unix = tick_unix
            await self._clock.sleep(tick_unix - self._clock.now_unix())
            return
        self.next_poll_unix = self._login_retry_unix
        end = self._clock.elapsed() + self._login_retry_unix - self._clock.now_unix()
        # By the clock that nobody sets: a wall clock set back must not make this a day.
        while self._login_retry_unix is not None:
            left = end - self._clock.elapsed()
            if left <= 0 or self._renew_token():
                return
            await self._clock.sleep(min(left, _TOKEN_LOOK_SECONDS))

    def _say_what_changed(self, outcomes: Sequence[CollectorOutcome]) -> None:
        """One line for what fails in another way than before, or works again.

        Collectors that fail alike, as all do when a server is down, share a line.
        """
        alike: dict[tuple[str, str, str], list[str]] = {}
        recovered: list[str] = []
        for outcome in outcomes:
            error = outcome.error
            kind = error.kind if error else ""
            if kind == self._said.get(outcome.collector, ""):
                continue
            self._said[outcome.collector] = kind
            if error is None:
                recovered.append(outcome.collector)
            else:
                says = (error.kind, error.detail, error.advice)
                alike.setdefault(says, []).append(error.function)
        for (_, detail, advice), functions in alike.items():
            names = ", ".join(dict.fromkeys(functions))
            logger.warning("%s: %s: %s; %s", self._plan.name, names, detail, advice)
        if recovered:
            logger.info("%s: works again: %s", self._plan.name, ", ".join(recovered))


def _with_error(outcome: CollectorOutcome, error: PollError | None) -> CollectorOutcome:
    if error is outcome.error:
        return outcome
    return replace(outcome, error=error)
