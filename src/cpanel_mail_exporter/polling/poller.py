"""Polls one server: asks its collectors one after another, in time, and hands on what they got."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Protocol

from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.model.errors import Denied, PollError, Unsupported, WrongShape
from cpanel_mail_exporter.model.outcome import (
    EMAIL_LOGS,
    USER_STATS,
    CollectorOutcome,
    PollOutcome,
)
from cpanel_mail_exporter.model.records import UserStat
from cpanel_mail_exporter.model.window import Slice, Window
from cpanel_mail_exporter.polling.ports import Findings, MailServer, Token
from cpanel_mail_exporter.polling.reading_state import ReadCounts, ReadingMemory
from cpanel_mail_exporter.polling.schedule import (
    LOGIN_RETRY_SECONDS,
    UNSUPPORTED_RETRY_SECONDS,
    due_collectors,
    may_ask_on,
    next_tick,
    offset_seconds,
    verdict,
)
from cpanel_mail_exporter.polling.search import read_log_blocks

_TOKEN_LOOK_SECONDS = 1.0
_SMALLEST_SKEW_SECONDS = 2.0
_LARGEST_SKEW_SECONDS = 86_400.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PollPlan:
    """What is asked of one server.

    Attributes:
        name: the operator's name for it.
        windows: the window by collector, in the order they are asked.
        types: WHM's words for the delivery records wanted.
        max_series: the most lines of email_logs to keep, 0 for all.
        zone: the server's zone, for its local midnight.
    """

    name: str
    windows: Mapping[str, Window]
    types: tuple[str, ...]
    max_series: int
    zone: tzinfo
    interval_seconds: float


@dataclass(slots=True)
class _Poll:
    """One visit while it goes on."""

    outcomes: list[CollectorOutcome] = field(default_factory=list)
    skew: float | None = None
    user_stats: Sequence[UserStat] | None = None
    email_logs: LogBlocks | None = None

    def forget(self, collector: str) -> None:
        """Drop what a collector brought that failed in the end."""
        if collector == USER_STATS:
            self.user_stats = None
        else:
            self.email_logs = None


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
        lines: LogLines,
        findings: Findings,
        clock: Clock,
    ) -> None:
        self.next_poll_unix: float | None = None
        self._plan = plan
        self._server = server
        self._token = token
        self._lines = lines
        self._findings = findings
        self._clock = clock
        self._memory = ReadingMemory()
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
        due = due_collectors(
            tuple(self._plan.windows), self._unsupported_until, self._clock.now_unix()
        )
        if not due:
            return 0.0
        poll = _Poll()
        for collector in due:
            if may_ask_on([outcome.error for outcome in poll.outcomes]):
                poll.outcomes.append(await self._ask(collector, poll))
        self._end(poll)
        return self._clock.elapsed() - begun

    def _end(self, poll: _Poll) -> None:
        now = self._clock.now_unix()
        errors = [outcome.error for outcome in poll.outcomes]
        outcomes = [_with_error(o, verdict(o.error, errors)) for o in poll.outcomes]
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
            )
        except Exception:
            # The last guard, as below: what is shown of this server stays as it was.
            logger.exception("%s: what this poll found could not be shown", self._plan.name)

    async def _ask(self, collector: str, poll: _Poll) -> CollectorOutcome:
        asked = _ASK[collector]
        begun = self._clock.elapsed()
        now = int(self._clock.now_unix() + self._skew)
        start = self._plan.windows[collector].start_unix(now, self._plan.zone)
        error: PollError | None = None
        counts = _Counts()
        try:
            counts = await asked(self, Slice(start, now), poll)
            self._refuse_nothing_but_rejected(collector, counts.read)
        except PollError as failure:
            error = failure
            poll.forget(collector)
        except Exception as bug:
            # The last guard: a mistake of ours with one server's answer must not end the others.
            logger.exception("%s: %s failed in an unforeseen way", self._plan.name, collector)
            error = WrongShape(
                self._plan.name, collector, f"unforeseen {type(bug).__name__} in the exporter"
            )
        self._learn_skew(poll.skew)
        read = counts.read
        return CollectorOutcome(
            collector=collector,
            ended_unix=self._clock.now_unix(),
            duration_seconds=self._clock.elapsed() - begun,
            window_start_unix=start,
            error=error,
            rows_read=read.rows,
            rows_rejected=read.rejected,
            rows_outside_range=read.outside,
            unreadable_flags=counts.unreadable_flags,
            repeated_pages=read.repeated_pages,
            slices_incomplete=read.incomplete,
        )

    def _refuse_nothing_but_rejected(self, collector: str, read: ReadCounts) -> None:
        """Rows of which none can be decoded are a changed API, and no server without mail."""
        if read.rejected == read.rows > 1:
            raise WrongShape(
                self._plan.name, collector, f"none of {read.rows} rows could be decoded"
            )

    def _learn_skew(self, skew: float | None) -> None:
        """Windows end at the server's "now" where its clock is off; a Date is whole seconds."""
        if skew is not None:
            is_off = _SMALLEST_SKEW_SECONDS < abs(skew) <= _LARGEST_SKEW_SECONDS
            self._skew = skew if is_off else 0.0

    async def _ask_user_stats(self, window: Slice, poll: _Poll) -> "_Counts":
        answer = await self._server.user_stats(window.start, window.end)
        poll.skew = answer.end.clock_skew_seconds
        poll.user_stats = answer.records
        rejected = answer.end.rows_rejected
        return _Counts(
            ReadCounts(
                rows=len(answer.records) + rejected,
                rejected=rejected,
                incomplete=int(answer.end.is_cut),
            ),
            sum(record.unreadable_flags for record in answer.records),
        )

    async def _ask_email_logs(self, window: Slice, poll: _Poll) -> "_Counts":
        # The second that is going on belongs to the window: slices are half-open.
        blocks, read, skew = await read_log_blocks(
            self._server,
            Slice(window.start, window.end + 1),
            self._plan.types,
            self._memory,
            self._lines,
            self._plan.max_series,
            self._plan.name,
        )
        poll.skew = skew if poll.skew is None else poll.skew
        poll.email_logs = blocks
        return _Counts(read)

    def _renew_token(self) -> bool:
        """True if the token is a new one: then nothing that was refused to the old one counts."""
        if not self._token.renew():
            return False
        logger.info("%s: token file changed, the new token is used from now on", self._plan.name)
        self._unsupported_until.clear()
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
            names = ", ".join(functions)
            logger.warning("%s: %s: %s; %s", self._plan.name, names, detail, advice)
        if recovered:
            logger.info("%s: works again: %s", self._plan.name, ", ".join(recovered))


@dataclass(frozen=True, slots=True)
class _Counts:
    """What one collector came across."""

    read: ReadCounts = field(default_factory=ReadCounts)
    unreadable_flags: int = 0


_ASK: Mapping[str, Callable[[Poller, Slice, _Poll], Awaitable[_Counts]]] = {
    USER_STATS: Poller._ask_user_stats,  # noqa: SLF001 - the table belongs to the class
    EMAIL_LOGS: Poller._ask_email_logs,  # noqa: SLF001
}


def _with_error(outcome: CollectorOutcome, error: PollError | None) -> CollectorOutcome:
    if error is outcome.error:
        return outcome
    return replace(outcome, error=error)
