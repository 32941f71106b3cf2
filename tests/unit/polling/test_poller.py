"""Visits to one server in time: what is asked when, and what each answer changes."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.ledger.change import Change
from cpanel_mail_exporter.ledger.ledger import Ledger
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    BadStatus,
    Denied,
    PollError,
    StorageDamaged,
    StorageFailed,
    TimedOut,
    Unsupported,
    WrongShape,
)
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.outcome import (
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    USER_STATS,
    CollectorOutcome,
    PollOutcome,
)
from cpanel_mail_exporter.model.query import (
    EVENT_TYPES,
    AnswerEnd,
    SearchQuery,
    Totals,
    TotalsAnswer,
    UserStatsAnswer,
)
from cpanel_mail_exporter.model.records import DeliveryRecord, UserStat
from cpanel_mail_exporter.model.window import Rolling, Slice, Today, Window
from cpanel_mail_exporter.polling import reading
from cpanel_mail_exporter.polling.deliveries import DeliveriesReading
from cpanel_mail_exporter.polling.poller import Poller, PollPlan
from cpanel_mail_exporter.polling.reading_terms import ReadingTerms
from cpanel_mail_exporter.polling.schedule import offset_seconds
from cpanel_mail_exporter.polling.sinks import EventSink, LineSink
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.unit.ledger.mail import MEANING
from tests.unit.polling.model_server import row
from tests.unit.polling.silent_server import SilentServer

NOW = 1_795_252_447.0
"""2026-11-21 09:14:07 UTC."""
INTERVAL = 60.0
OFFSET = offset_seconds("web1", INTERVAL)
STAT = UserStat("example.com", "user1", "root", "example.com", {"send_count": 3})
TOTALS, SEARCH = "emailtrack_stats", "emailtrack_search"
OF_DELIVERIES = (DELIVERY_EVENTS, EMAIL_LOGS)
COLLECTORS = (USER_STATS, *OF_DELIVERIES)
"""Those that are asked at every poll; test_collectors.py is about the others."""
ODD_STAT = UserStat("example.net", "user2", "root", "example.net", {}, {}, unreadable_flags=2)


def denied(function: str = "emailtrack_user_stats") -> Denied:
    return Denied("web1", function, "access denied (HTTP 403)")


@dataclass
class FakeServer(SilentServer):
    """Answers what a test says, and remembers when it was asked what."""

    clock: FakeClock
    stats: list[UserStat] | Exception = field(default_factory=lambda: [STAT])
    sums: Totals | Exception = Totals()
    rows: list[DeliveryRecord] | Exception = field(default_factory=list)
    rejected: int = 0
    is_cut: bool = False
    skew: float | None = None
    takes_seconds: float = 0.0
    asked: list[tuple[float, str, Slice]] = field(default_factory=list)

    async def user_stats(self, start_unix: int, end_unix: int) -> UserStatsAnswer:
        self.note(USER_STATS, Slice(start_unix, end_unix))
        if isinstance(self.stats, Exception):
            raise self.stats
        return UserStatsAnswer(self.stats, AnswerEnd(self.rejected, self.is_cut, self.skew))

    async def totals(self, start_unix: int, end_unix: int) -> TotalsAnswer:
        self.note(TOTALS, Slice(start_unix, end_unix))
        if isinstance(self.sums, Exception):
            raise self.sums
        return TotalsAnswer(self.sums, AnswerEnd(0, False, self.skew))

    async def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], Awaitable[None]]
    ) -> AnswerEnd:
        """All rows sent in the span, and those whose send time can't be read."""
        self.note(SEARCH, query.span)
        if isinstance(self.rows, Exception):
            raise self.rows
        found = [r for r in self.rows if r.send_unix is None or r.send_unix in query.span]
        await receive(found[query.first_row - 1 :])
        return AnswerEnd(0, False, self.skew)

    def refuse(self) -> None:
        """Refuse every function."""
        self.stats = denied()
        self.refuse_deliveries()

    def refuse_deliveries(self) -> None:
        """Refuse what the delivery records are read by."""
        self.sums, self.rows = denied(TOTALS), denied(SEARCH)

    def let_in(self) -> None:
        """Answer again."""
        self.stats, self.sums, self.rows = [STAT], Totals(), []

    def note(self, function: str, span: Slice) -> None:
        self.asked.append((self.clock.now_unix(), function, span))
        self.clock.pass_by(self.takes_seconds)

    def times(self, function: str = USER_STATS) -> list[float]:
        return [instant for instant, name, _ in self.asked if name == function]

    def functions(self) -> list[str]:
        return [name for _, name, _ in self.asked]


@dataclass
class FakeToken:
    """A token file that a test changes."""

    is_new: bool = False
    looks: int = 0

    def renew(self) -> bool:
        self.looks += 1
        is_new, self.is_new = self.is_new, False
        return is_new


@dataclass
class FakeFindings:
    """Keeps what it is told."""

    told: list[tuple[PollOutcome, Sequence[UserStat] | None, LogBlocks | None]] = field(
        default_factory=list
    )
    states: list[DeliveriesState | None] = field(default_factory=list)
    error: Exception | None = None
    log_line_share: int = 0

    def poll_ended(
        self,
        outcome: PollOutcome,
        facts: ServerFacts,
        email_logs: LogBlocks | None,
        deliveries: DeliveriesState | None,
    ) -> None:
        self.told.append((outcome, facts.user_stats, email_logs))
        self.states.append(deliveries)
        if self.error:
            raise self.error

    def parts(self) -> dict[str, CollectorOutcome]:
        return {part.collector: part for part in self.told[-1][0].collectors}

    def kinds(self) -> dict[str, str | None]:
        return {
            name: part.error.kind if part.error else None for name, part in self.parts().items()
        }


def all_of(kind: str | None, **others: str | None) -> dict[str, str | None]:
    """What kinds of failures a poll of all collectors came to."""
    return dict.fromkeys(COLLECTORS, kind) | others


class FailingStore(MemoryStore):
    """A disk that is full, or worse, while a test says so."""

    error: StorageFailed | None = None

    def commit(self, change: Change) -> None:
        if self.error is not None:
            raise self.error
        super().commit(change)


class World:
    """One server, its poller and all that they touch."""

    def __init__(
        self,
        *,
        collectors: tuple[str, ...] = COLLECTORS,
        windows: dict[str, Window] | None = None,
        zone: str = "UTC",
        interval: float = INTERVAL,
        now: float = NOW,
    ) -> None:
        self.clock = FakeClock(now)
        self.server = FakeServer(self.clock)
        self.token = FakeToken()
        self.findings = FakeFindings()
        self.store = FailingStore()
        self.ledger = Ledger("web1", self.store, MEANING)
        windows = windows or {USER_STATS: Today(), EMAIL_LOGS: Today()}
        plan = PollPlan(
            name="web1",
            collectors=collectors,
            windows={name: window for name, window in windows.items() if name in collectors},
            zone=UTC if zone == "UTC" else ZoneInfo(zone),
            interval_seconds=interval,
        )
        counted = DELIVERY_EVENTS in collectors
        shown = EMAIL_LOGS in collectors
        deliveries = DeliveriesReading(
            ReadingTerms("web1", EVENT_TYPES, 5 * 86_400),
            self.server,
            EventSink(self.ledger, counts_past=True) if counted else None,
            LineSink(LogLines("email_logs", ()), EVENT_TYPES, 100) if shown else None,
        )
        self.poller = Poller(
            plan,
            self.server,
            self.token,
            deliveries if counted or shown else None,
            self.findings,
            self.clock,
            MEANING.provider,
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The poller at work, its first poll done."""
        task = asyncio.create_task(self.poller.run(nullcontext()))
        await self.clock.parked()
        yield
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.fixture
def world() -> World:
    return World()


def only_stats() -> World:
    return World(collectors=(USER_STATS,))


# What one poll asks, and what becomes of it


async def test_rows_of_which_none_can_be_decoded_are_a_failure_and_no_empty_answer(
    world: World,
) -> None:
    world.server.stats, world.server.rejected = [], 3
    await world.poller.poll()
    assert world.findings.kinds() == all_of(None, user_stats="shape")
    part = world.findings.parts()[USER_STATS]
    assert (part.rows_read, part.rows_rejected) == (3, 3)
    assert world.findings.told[-1][1] is None


async def test_one_bad_row_beside_a_good_one_is_no_failure(world: World) -> None:
    world.server.rejected = 1
    await world.poller.poll()
    assert world.findings.kinds() == all_of(None)
    assert world.findings.told[-1][1] == [STAT]


async def test_sums_that_whm_calls_cut_are_shown_as_incomplete(world: World) -> None:
    world.server.is_cut = True
    await world.poller.poll()
    assert world.findings.parts()[USER_STATS].slices_incomplete == 1


async def test_a_wall_clock_set_back_does_not_lengthen_the_wait_after_a_refused_login(
    world: World,
) -> None:
    world.server.refuse()
    async with world.running():
        await world.clock.advance(100)
        world.clock.set_wall(NOW - 86_400)
        asked = len(world.server.asked)
        await world.clock.advance(900)
        assert len(world.server.asked) > asked


async def test_a_poll_asks_the_cheap_collector_first_and_hands_all_on_at_once() -> None:
    world = World(collectors=(USER_STATS, EMAIL_LOGS))
    world.server.stats = [STAT, ODD_STAT]
    world.server.sums = Totals(in_progress=4)
    world.server.rows = [row(1, int(NOW) - 5), row(2, None), row(3, int(NOW) - 4_000)]
    world.server.rejected = 3
    world.server.takes_seconds = 1.5
    world.server.skew = 0.25
    seconds = await world.poller.poll()
    midnight, now = 1_795_219_200, 1_795_252_447
    begun, functions, spans = zip(*world.server.asked, strict=True)
    assert seconds == 1.5 * len(begun)
    assert functions[:3] == (USER_STATS, TOTALS, SEARCH)
    assert spans[:3] == (
        Slice(midnight, now),
        Slice(now + 1 - 86_400, now + 1),
        Slice(now // 300 * 300 - 300, now + 4),
    ), "sums by user, what is in progress, and what is new"
    assert begun == tuple(NOW + 1.5 * number for number in range(len(begun)))
    (told,) = world.findings.told
    logs = told[0].collectors[1]
    assert told[0] == PollOutcome(
        ended_unix=NOW + seconds,
        collectors=(
            CollectorOutcome(
                USER_STATS,
                ended_unix=NOW + 1.5,
                duration_seconds=1.5,
                window_start_unix=midnight,
                rows_read=5,
                rows_rejected=3,
                unreadable_flags=2,
            ),
            CollectorOutcome(
                EMAIL_LOGS,
                ended_unix=NOW + seconds,
                duration_seconds=seconds - 1.5,
                window_start_unix=midnight,
                rows_read=logs.rows_read,
                rows_outside_range=logs.rows_outside_range,
            ),
        ),
        clock_skew_seconds=0.25,
    )
    assert logs.rows_read - 2 >= logs.rows_outside_range > 0
    assert told[1] == [STAT, ODD_STAT]
    assert told[2] is not None
    assert (told[2].lines, told[2].wanted) == (3, 3)
    assert world.findings.states[0] is not None
    assert world.findings.states[0].messages_in_progress == 4


async def test_windows_are_those_of_the_server_s_zone_and_of_each_collector() -> None:
    world = World(windows={USER_STATS: Rolling(3_600), EMAIL_LOGS: Today()}, zone="Europe/Berlin")
    await world.poller.poll()
    assert world.server.asked[0][2] == Slice(1_795_248_847, 1_795_252_447)
    assert {name: part.window_start_unix for name, part in world.findings.parts().items()} == {
        USER_STATS: 1_795_248_847,
        EMAIL_LOGS: 1_795_215_600,
        DELIVERY_EVENTS: (1_795_252_447 - 5 * 86_400) // 4_800 * 4_800,
    }


@pytest.mark.parametrize(
    ("skew", "moved"),
    [(None, 0), (0.0, 0), (1.9, 0), (-2.0, 0), (2.1, 2), (-300.0, -300), (86_400.0, 86_400),
     (86_401.0, 0), (-1e9, 0)],
)  # fmt: skip
async def test_windows_end_at_the_server_s_own_now(
    world: World, skew: float | None, moved: int
) -> None:
    """What the first answer tells moves the second question already; wild clocks are left alone."""
    world.server.skew = skew
    await world.poller.poll()
    await world.poller.poll()
    now = int(NOW)
    assert [span.end for _, name, span in world.server.asked if name == USER_STATS] == [
        now,
        now + moved,
    ]
    searched = [span.end for _, name, span in world.server.asked if name == SEARCH]
    assert max(searched) == now + moved + 1
    assert world.findings.told[-1][0].clock_skew_seconds == skew


async def test_a_server_that_set_its_clock_right_is_asked_for_the_right_window_again(
    world: World,
) -> None:
    world.server.skew = 300.0
    await world.poller.poll()
    world.server.skew = 0.5
    await world.poller.poll()
    world.server.stats = TimedOut("web1", "emailtrack_user_stats", "slow")
    world.server.skew = None
    await world.poller.poll()
    ends = [span.end - int(NOW) for _, name, span in world.server.asked if name == SEARCH]
    assert list(dict.fromkeys(end for end in ends if end > 0)) == [301, 1]
    assert ends[-1] < 301


@pytest.mark.parametrize("broken", [USER_STATS, SEARCH])
async def test_a_collector_that_fails_leaves_the_others_and_hands_nothing_on(
    world: World, broken: str
) -> None:
    """Both that are read from delivery records fail together."""
    error = BadStatus("web1", "f", "HTTP status 500")
    if broken == USER_STATS:
        world.server.stats = error
    else:
        world.server.rows = error
    await world.poller.poll()
    outcome, user_stats, email_logs = world.findings.told[-1]
    failed = {USER_STATS} if broken == USER_STATS else {*OF_DELIVERIES}
    assert {part.collector: part.error for part in outcome.collectors} == {
        name: error if name in failed else None for name in COLLECTORS
    }
    assert (user_stats is None) is (broken == USER_STATS)
    assert (email_logs is None) is (broken == SEARCH)
    assert outcome.login_retry_unix is None


@pytest.mark.parametrize(
    "error",
    [denied(TOTALS), ApiRefused("web1", TOTALS, "no such function"), TimedOut("web1", TOTALS, "")],
    ids=lambda error: error.kind,
)
async def test_totals_that_are_refused_alone_are_no_failure(world: World, error: PollError) -> None:
    """All can be read without them; they are asked for again after an hour."""
    world.server.sums = error
    async with world.running():
        await world.clock.advance(3_000)
        assert world.findings.kinds() == all_of(None)
        assert len(world.server.times(TOTALS)) == 1
        assert len(world.server.times()) > 45
        await world.clock.advance(3_000)
        assert len(world.server.times(TOTALS)) == 2


async def test_a_full_disk_fails_the_counting_alone(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.server.rows = [row(number, int(NOW) - 5 * number) for number in range(20)]
    world.store.error = StorageFailed("web1", "storage", "disk full")
    for _ in range(3):
        await world.poller.poll()
        assert world.findings.kinds() == all_of(None, delivery_events="storage")
        _, user_stats, email_logs = world.findings.told[-1]
        assert user_stats == [STAT]
        assert email_logs is not None
        assert email_logs.lines == 20
    world.store.error = None
    await world.poller.poll()
    assert world.findings.kinds() == all_of(None)
    published = world.ledger.published(NOW)
    assert published is not None
    counted = sum(n for (name, _), n in published.numbers.items() if name == "events")
    assert counted == 20
    assert [record.getMessage() for record in caplog.records] == [
        "web1: storage: disk full; check space and permissions of the storage path"
    ]


async def test_a_damaged_store_is_said_loudly(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.store.error = StorageDamaged("web1", "storage", "moved to web1.sqlite.damaged-1")
    await world.poller.poll()
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == [
        str(world.store.error)
    ]


async def test_what_can_wait_and_fails_is_the_failure_of_the_counting(world: World) -> None:
    """The lines are whole, and shown."""
    search = world.server.search
    slow = TimedOut("web1", SEARCH, "no whole answer within 30 s")

    async def fail_of_old(query: SearchQuery, receive: Callable[..., Awaitable[None]]) -> AnswerEnd:
        if query.span.end < NOW - 86_400:
            raise slow
        return await search(query, receive)

    world.server.search = fail_of_old  # type: ignore[method-assign]
    await world.poller.poll()
    while world.findings.parts()[DELIVERY_EVENTS].error is None:
        assert len(world.findings.told) < 40
        await world.poller.poll()
    assert world.findings.kinds() == all_of(None, delivery_events="timeout")
    assert world.findings.told[-1][2] is not None


async def test_rows_of_a_reading_that_failed_later_are_not_handed_on(world: World) -> None:
    world.server.rows = [row(1, int(NOW) - 9), row(2, int(NOW) - 5)]
    ask = world.server.search

    async def fail_second(query: SearchQuery, receive: Callable[..., Awaitable[None]]) -> AnswerEnd:
        if SEARCH in world.server.functions():
            raise TimedOut("web1", SEARCH, "no whole answer within 30 s")
        return await ask(query, receive)

    world.server.search = fail_second  # type: ignore[method-assign]
    await world.poller.poll()
    assert world.findings.told[-1][2] is None
    assert world.findings.kinds() == all_of("timeout", user_stats=None)


async def test_pages_without_end_are_a_failure_that_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_MOST_QUERIES", 5)
    numbers = itertools.count()

    async def endless(query: SearchQuery, receive: Callable[..., Awaitable[None]]) -> AnswerEnd:
        rows = [row(next(numbers), query.span.start) for _ in range(query.page_rows)]
        await receive(rows)
        return AnswerEnd()

    world.server.search = endless  # type: ignore[method-assign]
    await world.poller.poll()
    error = world.findings.parts()[EMAIL_LOGS].error
    assert str(error) == (
        "web1: emailtrack_search: the server sends new pages without end; "
        "report it together with the WHM version: its API may have changed"
    )


async def test_only_so_much_of_an_interval_is_spent_on_what_can_wait(world: World) -> None:
    world.server.takes_seconds = 4.0
    await world.poller.poll()
    seconds = await world.poller.poll()
    assert seconds < INTERVAL / 2 + 3 * 4.0


async def test_one_request_is_made_at_a_time(world: World) -> None:
    """Whichever collector it is of, and though rows are stored meanwhile."""
    in_flight: list[int] = []
    world.server.rows = [row(number, int(NOW) - 5 * number) for number in range(50)]

    def alone(ask: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def asked(*arguments: object) -> object:
            in_flight.append(1)
            assert len(in_flight) == 1
            await asyncio.sleep(0)
            answer = await ask(*arguments)
            in_flight.pop()
            return answer

        return asked

    for name in ("user_stats", "totals", "search"):
        setattr(world.server, name, alone(getattr(world.server, name)))
    for _ in range(5):
        await world.poller.poll()
    assert len(world.server.asked) > 30
    assert world.findings.kinds() == all_of(None)


@pytest.mark.parametrize("bug", [KeyError("MARKER"), TimeoutError("MARKER"), RecursionError("M")])
async def test_a_mistake_of_ours_with_one_answer_is_a_failed_collector(
    world: World, bug: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world.server.stats = bug
    await world.poller.poll()
    error = world.findings.parts()[USER_STATS].error
    assert type(error) is WrongShape
    assert error.detail == f"unforeseen {type(bug).__name__} in the exporter"
    assert world.findings.kinds() == all_of(None, user_stats="shape")
    assert "MARKER" not in str(error) + "".join(r.getMessage() for r in caplog.records)


async def test_a_mistake_of_ours_with_delivery_records_says_nothing_of_their_state(
    world: World,
) -> None:
    world.server.rows = KeyError("MARKER")
    await world.poller.poll()
    assert world.findings.kinds() == all_of("shape", user_stats=None)
    assert world.findings.states == [None]
    assert world.findings.told[-1][1] == [STAT]


async def test_findings_that_cannot_be_shown_do_not_end_the_polling(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.findings.error = ValueError("MARKER")
    async with world.running():
        await world.clock.advance(2 * INTERVAL)
        assert len(world.findings.told) >= 2
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "web1: what this poll found could not be shown"


async def test_cancelling_is_not_swallowed(world: World) -> None:
    async def hang(start_unix: int, end_unix: int) -> UserStatsAnswer:
        await world.clock.sleep(1e9)
        raise AssertionError

    world.server.user_stats = hang  # type: ignore[method-assign]
    async with world.running():
        assert world.findings.told == []
    assert world.findings.told == [], "an interrupted poll says nothing"


# When it polls


async def test_it_polls_at_once_and_then_at_aligned_ticks(world: World) -> None:
    async with world.running():
        assert world.server.times() == [NOW]
        await world.clock.advance(10 * INTERVAL)
        later = world.server.times()[1:]
        assert len(later) in {9, 10}
        assert all((time - OFFSET) % INTERVAL == pytest.approx(0, abs=1e-5) for time in later)
        gaps = [after - before for before, after in itertools.pairwise(later)]
        assert gaps == pytest.approx([INTERVAL] * len(gaps), abs=1e-5)
        next_poll = world.poller.next_poll_unix
        assert next_poll == pytest.approx(later[-1] + INTERVAL, abs=1e-5)


@pytest.mark.parametrize("takes", [5.0, 25.0, 31.0, 70.0, 200.0])
async def test_it_rests_at_least_as_long_as_its_poll_took(takes: float) -> None:
    world = only_stats()
    world.server.takes_seconds = takes
    async with world.running():
        await world.clock.advance(3_600)
    begun = world.server.times()
    rests = [after - before - takes for before, after in itertools.pairwise(begun)]
    assert min(rests) >= takes - 1e-5
    assert max(rests) <= takes + INTERVAL + 1e-5


async def test_a_clock_that_was_set_back_while_it_waited_costs_no_poll_twice(world: World) -> None:
    async with world.running():
        for _ in range(20):
            asked = len(world.server.times())
            world.clock.set_wall(world.clock.now_unix() - 0.05)
            await world.clock.advance(INTERVAL)
            assert len(world.server.times()) - asked <= 1


# Refused logins


async def test_after_a_refused_login_nothing_is_asked_for_15_minutes(world: World) -> None:
    world.server.refuse()
    async with world.running():
        assert world.server.functions() == [USER_STATS, TOTALS]
        assert world.findings.kinds() == all_of("denied")
        assert world.findings.told[-1][0].login_retry_unix == NOW + 900
        assert world.poller.next_poll_unix == NOW + 900
        await world.clock.advance(899)
        assert len(world.server.asked) == 2
        await world.clock.advance(2)
        assert world.server.times() == [NOW, NOW + 900]


async def test_a_login_that_is_let_in_again_goes_back_to_aligned_ticks(world: World) -> None:
    world.server.refuse()
    async with world.running():
        world.server.let_in()
        await world.clock.advance(900)
        assert world.findings.kinds() == all_of(None)
        assert world.findings.told[-1][0].login_retry_unix is None
        await world.clock.advance(2 * INTERVAL)
        last = world.server.times()[-1]
        assert (last - OFFSET) % INTERVAL == pytest.approx(0, abs=1e-5)


async def test_a_changed_token_file_ends_the_wait_at_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.server.refuse()
    async with world.running():
        await world.clock.advance(300)
        world.token.is_new = True
        world.server.let_in()
        await world.clock.advance(1.5)
        assert world.server.times()[1:] == [pytest.approx(NOW + 301, abs=1.01)]
        assert world.findings.kinds() == all_of(None)
    assert [record.getMessage() for record in caplog.records] == [
        "web1: emailtrack_user_stats, emailtrack_stats: access denied (HTTP 403); " + Denied.advice,
        "web1: token file changed, the new token is used from now on",
        "web1: works again: user_stats, delivery_events, email_logs",
    ]


async def test_a_refusal_beside_another_failure_still_makes_all_wait(world: World) -> None:
    world.server.stats = TimedOut("web1", "emailtrack_user_stats", "slow")
    world.server.refuse_deliveries()
    async with world.running():
        await world.clock.advance(899)
        assert world.server.functions() == [USER_STATS, TOTALS, SEARCH]


@pytest.mark.parametrize("collectors", [COLLECTORS, OF_DELIVERIES, (DELIVERY_EVENTS,)])
async def test_at_most_two_functions_are_tried_with_a_login_that_is_refused(
    collectors: tuple[str, ...],
) -> None:
    world = World(collectors=collectors)
    world.server.refuse()
    async with world.running():
        assert len(world.server.asked) == 2
        await world.clock.advance(899)
        assert len(world.server.asked) == 2
        await world.clock.advance(2)
        assert len(world.server.asked) <= 4


async def test_a_single_collector_that_is_refused_waits_too() -> None:
    world = only_stats()
    world.server.stats = denied()
    async with world.running():
        await world.clock.advance(899)
        assert world.server.times() == [NOW]
        assert world.findings.kinds() == {USER_STATS: "denied"}


# Functions that are refused alone


async def test_a_function_that_is_refused_alone_is_asked_again_hourly(world: World) -> None:
    world.server.refuse_deliveries()
    async with world.running():
        assert world.findings.kinds() == all_of("unsupported", user_stats=None)
        assert world.findings.told[-1][0].login_retry_unix is None
        await world.clock.advance(3_600)
        assert len(world.server.times(USER_STATS)) in {60, 61}
        assert world.server.times(SEARCH) == [NOW]
        assert world.findings.parts().keys() == {USER_STATS}
        await world.clock.advance(INTERVAL)
        assert len(world.server.times(SEARCH)) == 2
        await world.clock.advance(3_500)
        assert len(world.server.times(SEARCH)) == 2


async def test_the_first_function_refused_alone_does_not_stop_the_second(world: World) -> None:
    world.server.stats = denied()
    async with world.running():
        await world.clock.advance(1_800)
        assert world.server.times(USER_STATS) == [NOW]
        assert len(set(world.server.times(SEARCH))) > 25
        first = world.findings.told[0][0].collectors[0].error
        assert type(first) is Unsupported


async def test_a_changed_token_file_ends_the_hour_too(world: World) -> None:
    world.server.refuse_deliveries()
    async with world.running():
        await world.clock.advance(300)
        world.token.is_new = True
        world.server.let_in()
        await world.clock.advance(INTERVAL)
        assert len(set(world.server.times(SEARCH))) == 2
        assert len(set(world.server.times(TOTALS))) == 2
        assert world.findings.kinds() == all_of(None)


async def test_a_login_refused_later_makes_what_was_left_wait(world: World) -> None:
    world.server.refuse_deliveries()
    async with world.running():
        world.server.stats = denied()
        await world.clock.advance(2 * INTERVAL)
        assert world.findings.kinds() == {USER_STATS: "denied"}
        asked = len(world.server.asked)
        await world.clock.advance(800)
        assert len(world.server.asked) == asked


async def test_what_works_after_an_hour_is_asked_at_every_tick_again(world: World) -> None:
    world.server.refuse_deliveries()
    async with world.running():
        world.server.let_in()
        await world.clock.advance(3_600 + 10 * INTERVAL)
        assert len(set(world.server.times(SEARCH)[1:])) in {9, 10, 11}


# What it says


async def test_a_lasting_failure_is_said_once_and_its_end_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    slow = TimedOut("web1", "emailtrack_search", "no whole answer within 30 s")
    bad = BadStatus("web1", "emailtrack_search", "HTTP status 500")
    answers: list[list[DeliveryRecord] | PollError] = [[], slow, slow, slow, bad, bad, [], [], slow]
    for answer in answers:
        world.server.rows = answer
        await world.poller.poll()
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", str(slow)),
        ("WARNING", str(bad)),
        ("INFO", "web1: works again: delivery_events, email_logs"),
        ("WARNING", str(slow)),
    ]


async def test_collectors_that_fail_alike_share_one_line(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.server.stats = BadStatus("web1", "emailtrack_user_stats", "HTTP status 500")
    world.server.rows = BadStatus("web1", "emailtrack_search", "HTTP status 500")
    for _ in range(3):
        await world.poller.poll()
    assert [record.getMessage() for record in caplog.records] == [
        "web1: emailtrack_user_stats, emailtrack_search: HTTP status 500; " + BadStatus.advice
    ]


async def test_a_poll_that_works_says_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "cpanel_mail_exporter")
    for _ in range(3):
        await world.poller.poll()
    assert [r for r in caplog.records if r.name.startswith("cpanel_mail_exporter")] == []
