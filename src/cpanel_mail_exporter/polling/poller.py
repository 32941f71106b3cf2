"""Polls one server: asks its collectors one after another, in time, and hands on what they got."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Protocol

from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.model.errors import Denied, PollError, StorageDamaged, Unsupported
from cpanel_mail_exporter.model.outcome import (
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    USER_STATS,
    CollectorOutcome,
    PollOutcome,
)
from cpanel_mail_exporter.model.window import Window
from cpanel_mail_exporter.polling.collectors import SimpleCollectors
from cpanel_mail_exporter.polling.deliveries import DeliveriesReading
from cpanel_mail_exporter.polling.ports import Findings, MailServer, Token
from cpanel_mail_exporter.polling.reading_terms import Moment, PollReading
from cpanel_mail_exporter.polling.said import Said
from cpanel_mail_exporter.polling.schedule import (
    LOGIN_RETRY_SECONDS,
    UNSUPPORTED_RETRY_SECONDS,
    Turn,
    by_waiting,
    due_collectors,
    is_turn_of,
    may_ask_on,
    next_tick,
    offset_seconds,
    rest_seconds,
    verdict,
)
from cpanel_mail_exporter.polling.server_clock import ServerClock
from cpanel_mail_exporter.polling.spoken import without_people
from cpanel_mail_exporter.polling.visit import UNFORESEEN, Guard, Visit

_TOKEN_LOOK_SECONDS = 1.0
_SHARE_FOR_WHAT_CAN_WAIT = 0.5
_OF_DELIVERIES = frozenset((DELIVERY_EVENTS, EMAIL_LOGS))
_AT_EVERY_POLL = _OF_DELIVERIES | {USER_STATS}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PollPlan:
    """What is asked of one server.

    Attributes:
        name: the operator's name for it.
        collectors: those that are switched on, in the order they are asked.
        windows: the window of each windowed collector.
        zone: the server's zone, for its local midnight.
        is_single: there is one poll only (`once`), so nothing can wait for another.
        hides_people: what the server says of why it refuses is masked.
    """

    name: str
    collectors: tuple[str, ...]
    windows: Mapping[str, Window]
    zone: tzinfo
    interval_seconds: float
    is_single: bool = False
    hides_people: bool = False


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
        provider: Callable[[str, str], str],
    ) -> None:
        self.next_poll_unix: float | None = None
        self._plan = plan
        self._token = token
        self._deliveries = deliveries
        self._findings = findings
        self._clock = clock
        self._server_clock = ServerClock(clock)
        self._guard = Guard(plan.name, clock)
        self._simple = SimpleCollectors(
            server,
            self._server_clock,
            self._guard,
            plan.windows.get(USER_STATS),
            plan.zone,
            provider,
        )
        self._turns: dict[str, Turn] = {}
        self._unsupported_until: dict[str, float] = {}
        self._said = Said(plan.name)
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
        plan = self._plan
        now = self._clock.now_unix()
        visit = Visit(now, self._clock.elapsed())
        due = [
            name
            for name in due_collectors(plan.collectors, self._unsupported_until, now)
            if name in _AT_EVERY_POLL or self._is_turn_of(name, now)
        ]
        if not due:
            return 0.0
        if USER_STATS in due:
            await self._simple.ask(USER_STATS, visit)
        of_deliveries = [name for name in due if name in _OF_DELIVERIES]
        if self._deliveries is not None and of_deliveries and may_ask_on(visit.errors):
            visit.outcomes += await self._read_deliveries(self._deliveries, of_deliveries, visit)
        await self._ask_others([name for name in due if name not in _AT_EVERY_POLL], visit)
        self._end(visit)
        return self._clock.elapsed() - visit.begun

    def _is_turn_of(self, collector: str, now: float) -> bool:
        plan = self._plan
        return is_turn_of(
            collector,
            self._turns.get(collector),
            server=plan.name,
            now_unix=now,
            interval_seconds=plan.interval_seconds,
        )

    async def _ask_others(self, collectors: Sequence[str], visit: Visit) -> None:
        """The collectors that may wait for another poll, one of them at least.

        Also while nothing has answered: the reports on mail may hang, and the queue not.
        """
        has_asked = False
        for collector in by_waiting(collectors, self._turns):
            if not may_ask_on(visit.errors):
                return
            is_first = collector not in self._turns and visit.was_let_in
            may_wait = has_asked and not is_first and not self._plan.is_single
            if may_wait and not self._has_time(visit):
                return
            if collector in self._unsupported_until and visit.errors and not visit.was_let_in:
                continue  # refused again, it would look as if the login were
            await self._simple.ask(collector, visit)
            has_asked = True

    def _has_time(self, visit: Visit) -> bool:
        """Whether there is time left in the interval for what can wait."""
        longest = self._plan.interval_seconds * _SHARE_FOR_WHAT_CAN_WAIT
        return self._clock.elapsed() - visit.begun < longest

    def _end(self, visit: Visit) -> None:
        now = self._clock.now_unix()
        outcomes = [self._judged(outcome, visit) for outcome in visit.outcomes]
        login_refused = any(isinstance(outcome.error, Denied) for outcome in outcomes)
        self._login_retry_unix = now + LOGIN_RETRY_SECONDS if login_refused else None
        for outcome in outcomes:
            name, is_good = outcome.collector, outcome.error is None
            seconds = outcome.duration_seconds if visit.was_let_in else 0.0
            self._turns[name] = Turn(visit.begun_unix, seconds, is_good)
            if isinstance(outcome.error, Unsupported):
                self._unsupported_until[name] = now + UNSUPPORTED_RETRY_SECONDS
            else:
                self._unsupported_until.pop(name, None)
        self._said.note(outcomes)
        try:
            self._findings.poll_ended(
                PollOutcome(now, tuple(outcomes), visit.skew, self._login_retry_unix),
                visit.facts,
                visit.email_logs,
                visit.deliveries,
            )
        except Exception:
            # The last guard, as below: what is shown of this server stays as it was.
            logger.exception("%s: what this poll found could not be shown", self._plan.name)

    def _judged(self, outcome: CollectorOutcome, visit: Visit) -> CollectorOutcome:
        """An outcome, now that the whole visit is known."""
        error = verdict(outcome.error, visit.errors, outcome.collector)
        if error is not None and self._plan.hides_people:
            error = without_people(error)
        rest = 0.0
        if outcome.collector not in _AT_EVERY_POLL:
            interval = self._plan.interval_seconds
            rest = rest_seconds(outcome.collector, outcome.duration_seconds, interval)
        if error is outcome.error and rest == outcome.rest_seconds:
            return outcome
        return replace(outcome, error=error, rest_seconds=rest)

    async def _read_deliveries(
        self, deliveries: DeliveriesReading, collectors: Sequence[str], visit: Visit
    ) -> list[CollectorOutcome]:
        """The collectors that one reading serves, each with an outcome of its own."""
        begun = self._clock.elapsed()
        reading = PollReading()
        failure: PollError | None = None
        try:
            reading = await deliveries.poll(self._moment(visit))
            visit.deliveries = reading.state
            self._guard.refuse_nothing_but_rejected(collectors[0], reading.counts)
        except PollError as error:
            failure = error
        except Exception as bug:
            logger.exception(UNFORESEEN, self._plan.name, collectors[0])  # the last guard again
            failure = self._guard.unforeseen(collectors[0], bug)
        visit.skew = reading.skew if visit.skew is None else visit.skew
        if failure is None and reading.error is None:
            visit.email_logs = reading.lines
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
            outcomes.append(self._guard.outcome(collector, begun, start, why, counts))
        return outcomes

    def _moment(self, visit: Visit) -> Moment:
        plan = self._plan
        window = plan.windows.get(EMAIL_LOGS)
        refused = any(isinstance(error, Denied) for error in visit.errors)
        return Moment(
            exporter_unix=self._clock.now_unix,
            server_unix=self._server_clock.now_unix,
            window_start=None
            if window is None
            else (lambda now: window.start_unix(now, plan.zone)),
            has_time=lambda: self._has_time(visit),
            was_refused=refused and not visit.was_let_in,
            line_share=self._findings.log_line_share,
        )

    def _renew_token(self) -> bool:
        """True if the token is a new one: then nothing that was refused to the old one counts."""
        if not self._token.renew():
            return False
        logger.info("%s: token file changed, the new token is used from now on", self._plan.name)
        self._unsupported_until.clear()
        self._turns.clear()
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
