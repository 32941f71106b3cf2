"""Visits to one server in time: what is asked when, and what each answer changes."""

import asyncio
import itertools
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.model.errors import (
    BadStatus,
    Denied,
    PollError,
    TimedOut,
    Unsupported,
    WrongShape,
)
from cpanel_mail_exporter.model.outcome import (
    EMAIL_LOGS,
    USER_STATS,
    CollectorOutcome,
    PollOutcome,
)
from cpanel_mail_exporter.model.query import AnswerEnd, SearchQuery, UserStatsAnswer
from cpanel_mail_exporter.model.records import DeliveryRecord, UserStat
from cpanel_mail_exporter.model.window import Rolling, Slice, Today, Window
from cpanel_mail_exporter.polling import reading
from cpanel_mail_exporter.polling.poller import Poller, PollPlan
from cpanel_mail_exporter.polling.schedule import offset_seconds
from tests.fake_clock import FakeClock
from tests.unit.polling.model_server import row

NOW = 1_795_252_447.0
"""2026-11-21 09:14:07 UTC."""
INTERVAL = 60.0
OFFSET = offset_seconds("web1", INTERVAL)
STAT = UserStat("example.com", "user1", "root", "example.com", {"send_count": 3})
ODD_STAT = UserStat("example.net", "user2", "root", "example.net", {}, {}, unreadable_flags=2)


def denied(function: str = "emailtrack_user_stats") -> Denied:
    return Denied("web1", function, "access denied (HTTP 403)")


@dataclass
class FakeServer:
    """Answers what a test says, and remembers when it was asked what."""

    clock: FakeClock
    stats: list[UserStat] | Exception = field(default_factory=lambda: [STAT])
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

    async def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], None]
    ) -> AnswerEnd:
        self.note(EMAIL_LOGS, query.span)
        if isinstance(self.rows, Exception):
            raise self.rows
        receive(self.rows[query.first_row - 1 :])
        return AnswerEnd(0, False, self.skew)

    def note(self, collector: str, span: Slice) -> None:
        self.asked.append((self.clock.now_unix(), collector, span))
        self.clock.pass_by(self.takes_seconds)

    def times(self, collector: str = USER_STATS) -> list[float]:
        return [instant for instant, name, _ in self.asked if name == collector]

    def collectors(self) -> list[str]:
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
    error: Exception | None = None

    def poll_ended(
        self,
        outcome: PollOutcome,
        user_stats: Sequence[UserStat] | None,
        email_logs: LogBlocks | None,
    ) -> None:
        self.told.append((outcome, user_stats, email_logs))
        if self.error:
            raise self.error

    def parts(self) -> dict[str, CollectorOutcome]:
        return {part.collector: part for part in self.told[-1][0].collectors}

    def kinds(self) -> dict[str, str | None]:
        return {
            name: part.error.kind if part.error else None for name, part in self.parts().items()
        }


class World:
    """One server, its poller and all that they touch."""

    def __init__(
        self,
        *,
        windows: dict[str, Window] | None = None,
        zone: str = "UTC",
        interval: float = INTERVAL,
        now: float = NOW,
    ) -> None:
        self.clock = FakeClock(now)
        self.server = FakeServer(self.clock)
        self.token = FakeToken()
        self.findings = FakeFindings()
        self.poller = Poller(
            PollPlan(
                name="web1",
                windows=windows or {USER_STATS: Today(), EMAIL_LOGS: Today()},
                types=("success", "failure", "defer"),
                max_series=100,
                zone=UTC if zone == "UTC" else ZoneInfo(zone),
                interval_seconds=interval,
            ),
            self.server,
            self.token,
            LogLines("email_logs", ()),
            self.findings,
            self.clock,
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
    return World(windows={USER_STATS: Today()})


# What one poll asks, and what becomes of it


async def test_rows_of_which_none_can_be_decoded_are_a_failure_and_no_empty_answer(
    world: World,
) -> None:
    world.server.stats, world.server.rejected = [], 3
    await world.poller.poll()
    assert world.findings.kinds() == {USER_STATS: "shape", EMAIL_LOGS: None}
    part = world.findings.parts()[USER_STATS]
    assert (part.rows_read, part.rows_rejected) == (3, 3)
    assert world.findings.told[-1][1] is None


async def test_one_bad_row_beside_a_good_one_is_no_failure(world: World) -> None:
    world.server.rejected = 1
    await world.poller.poll()
    assert world.findings.kinds() == {USER_STATS: None, EMAIL_LOGS: None}
    assert world.findings.told[-1][1] == [STAT]


async def test_sums_that_whm_calls_cut_are_shown_as_incomplete(world: World) -> None:
    world.server.is_cut = True
    await world.poller.poll()
    assert world.findings.parts()[USER_STATS].slices_incomplete == 1


async def test_a_wall_clock_set_back_does_not_lengthen_the_wait_after_a_refused_login(
    world: World,
) -> None:
    world.server.stats = world.server.rows = denied()
    async with world.running():
        await world.clock.advance(100)
        world.clock.set_wall(NOW - 86_400)
        asked = len(world.server.asked)
        await world.clock.advance(900)
        assert len(world.server.asked) > asked


async def test_a_poll_asks_the_cheap_collector_first_and_hands_all_on_at_once(world: World) -> None:
    world.server.stats = [STAT, ODD_STAT]
    world.server.rows = [row(1, int(NOW) - 5), row(2, 17)]
    world.server.rejected = 3
    world.server.takes_seconds = 1.5
    world.server.skew = 0.25
    seconds = await world.poller.poll()
    midnight = 1_795_219_200
    assert seconds == 4.5
    assert world.server.asked == [
        (NOW, USER_STATS, Slice(midnight, 1_795_252_447)),
        (NOW + 1.5, EMAIL_LOGS, Slice(midnight, 1_795_252_449)),
        (NOW + 3.0, EMAIL_LOGS, Slice(midnight, 1_795_252_449)),
    ]
    (told,) = world.findings.told
    assert told[0] == PollOutcome(
        ended_unix=NOW + 4.5,
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
                ended_unix=NOW + 4.5,
                duration_seconds=3.0,
                window_start_unix=midnight,
                rows_read=2,
                rows_outside_range=1,
            ),
        ),
        clock_skew_seconds=0.25,
    )
    assert told[1] == [STAT, ODD_STAT]
    assert told[2] is not None
    assert (told[2].lines, told[2].wanted) == (2, 2)


async def test_windows_are_those_of_the_server_s_zone_and_of_each_collector() -> None:
    world = World(windows={USER_STATS: Rolling(3_600), EMAIL_LOGS: Today()}, zone="Europe/Berlin")
    await world.poller.poll()
    assert [span for _, _, span in world.server.asked] == [
        Slice(1_795_248_847, 1_795_252_447),
        Slice(1_795_215_600, 1_795_252_448),
    ]


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
    ends = [span.end for _, _, span in world.server.asked]
    now = int(NOW)
    assert ends == [now, now + moved + 1, now + moved, now + moved + 1]
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
    ends = [span.end - int(NOW) for _, name, span in world.server.asked if name == EMAIL_LOGS]
    assert ends == [301, 1, 1]


@pytest.mark.parametrize("broken", [USER_STATS, EMAIL_LOGS])
async def test_a_collector_that_fails_leaves_the_other_and_hands_nothing_on(
    world: World, broken: str
) -> None:
    error = BadStatus("web1", "f", "HTTP status 500")
    if broken == USER_STATS:
        world.server.stats = error
    else:
        world.server.rows = error
    await world.poller.poll()
    outcome, user_stats, email_logs = world.findings.told[-1]
    assert [part.error for part in outcome.collectors] == [
        error if name == broken else None for name in (USER_STATS, EMAIL_LOGS)
    ]
    assert (user_stats is None) is (broken == USER_STATS)
    assert (email_logs is None) is (broken == EMAIL_LOGS)
    assert outcome.login_retry_unix is None


async def test_rows_of_a_reading_that_failed_later_are_not_handed_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PAGE_ROWS", 2)
    world.server.rows = [row(1, int(NOW) - 9), row(2, int(NOW) - 5)]
    ask = world.server.search

    async def fail_second(query: SearchQuery, receive: Callable[..., None]) -> AnswerEnd:
        if EMAIL_LOGS in world.server.collectors():
            raise TimedOut("web1", "emailtrack_search", "no whole answer within 30 s")
        return await ask(query, receive)

    world.server.search = fail_second  # type: ignore[method-assign]
    await world.poller.poll()
    assert world.findings.told[-1][2] is None
    assert world.findings.kinds() == {USER_STATS: None, EMAIL_LOGS: "timeout"}


async def test_pages_without_end_are_a_failure_that_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_MOST_PAGES", 5)

    async def endless(query: SearchQuery, receive: Callable[..., None]) -> AnswerEnd:
        world.clock.pass_by(1)
        number = int(world.clock.elapsed()) * 10
        receive([row(number, query.span.end - 1), row(number + 1, query.span.start)])
        return AnswerEnd()

    world.server.search = endless  # type: ignore[method-assign]
    await world.poller.poll()
    error = world.findings.parts()[EMAIL_LOGS].error
    assert str(error) == (
        "web1: emailtrack_search: the server sends new pages without end; "
        "report it together with the WHM version: its API may have changed"
    )


@pytest.mark.parametrize("bug", [KeyError("MARKER"), TimeoutError("MARKER"), RecursionError("M")])
async def test_a_mistake_of_ours_with_one_answer_is_a_failed_collector(
    world: World, bug: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world.server.stats = bug
    await world.poller.poll()
    error = world.findings.parts()[USER_STATS].error
    assert type(error) is WrongShape
    assert error.detail == f"unforeseen {type(bug).__name__} in the exporter"
    assert world.findings.kinds()[EMAIL_LOGS] is None
    assert "MARKER" not in str(error) + "".join(r.getMessage() for r in caplog.records)


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
    world.server.stats = denied()
    world.server.rows = denied("emailtrack_search")
    async with world.running():
        assert world.server.collectors() == [USER_STATS, EMAIL_LOGS]
        assert world.findings.kinds() == {USER_STATS: "denied", EMAIL_LOGS: "denied"}
        assert world.findings.told[-1][0].login_retry_unix == NOW + 900
        assert world.poller.next_poll_unix == NOW + 900
        await world.clock.advance(899)
        assert len(world.server.asked) == 2
        await world.clock.advance(2)
        assert world.server.times() == [NOW, NOW + 900]


async def test_a_login_that_is_let_in_again_goes_back_to_aligned_ticks(world: World) -> None:
    world.server.stats = denied()
    world.server.rows = denied("emailtrack_search")
    async with world.running():
        world.server.stats, world.server.rows = [STAT], []
        await world.clock.advance(900)
        assert world.findings.kinds() == {USER_STATS: None, EMAIL_LOGS: None}
        assert world.findings.told[-1][0].login_retry_unix is None
        await world.clock.advance(2 * INTERVAL)
        last = world.server.times()[-1]
        assert (last - OFFSET) % INTERVAL == pytest.approx(0, abs=1e-5)


async def test_a_changed_token_file_ends_the_wait_at_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world.server.stats = denied()
    world.server.rows = denied("emailtrack_search")
    async with world.running():
        await world.clock.advance(300)
        world.token.is_new = True
        world.server.stats, world.server.rows = [STAT], []
        await world.clock.advance(1.5)
        assert world.server.times()[1:] == [pytest.approx(NOW + 301, abs=1.01)]
        assert world.findings.kinds() == {USER_STATS: None, EMAIL_LOGS: None}
    assert [record.getMessage() for record in caplog.records] == [
        "web1: emailtrack_user_stats, emailtrack_search: access denied (HTTP 403); "
        + Denied.advice,
        "web1: token file changed, the new token is used from now on",
        "web1: works again: user_stats, email_logs",
    ]


async def test_a_refusal_beside_another_failure_still_makes_all_wait(world: World) -> None:
    world.server.stats = TimedOut("web1", "emailtrack_user_stats", "slow")
    world.server.rows = denied("emailtrack_search")
    async with world.running():
        await world.clock.advance(899)
        assert world.server.collectors() == [USER_STATS, EMAIL_LOGS]


async def test_a_single_collector_that_is_refused_waits_too() -> None:
    world = only_stats()
    world.server.stats = denied()
    async with world.running():
        await world.clock.advance(899)
        assert world.server.times() == [NOW]
        assert world.findings.kinds() == {USER_STATS: "denied"}


# Functions that are refused alone


async def test_a_function_that_is_refused_alone_is_asked_again_hourly(world: World) -> None:
    world.server.rows = denied("emailtrack_search")
    async with world.running():
        assert world.findings.kinds() == {USER_STATS: None, EMAIL_LOGS: "unsupported"}
        assert world.findings.told[-1][0].login_retry_unix is None
        await world.clock.advance(3_600)
        assert len(world.server.times(USER_STATS)) in {60, 61}
        assert world.server.times(EMAIL_LOGS) == [NOW]
        assert world.findings.parts().keys() == {USER_STATS}
        await world.clock.advance(INTERVAL)
        assert len(world.server.times(EMAIL_LOGS)) == 2
        await world.clock.advance(3_500)
        assert len(world.server.times(EMAIL_LOGS)) == 2


async def test_the_first_function_refused_alone_does_not_stop_the_second(world: World) -> None:
    world.server.stats = denied()
    async with world.running():
        await world.clock.advance(1_800)
        assert world.server.times(USER_STATS) == [NOW]
        assert len(world.server.times(EMAIL_LOGS)) > 25
        first = world.findings.told[0][0].collectors[0].error
        assert type(first) is Unsupported


async def test_a_changed_token_file_ends_the_hour_too(world: World) -> None:
    world.server.rows = denied("emailtrack_search")
    async with world.running():
        await world.clock.advance(300)
        world.token.is_new = True
        world.server.rows = []
        await world.clock.advance(INTERVAL)
        assert len(world.server.times(EMAIL_LOGS)) == 2
        assert world.findings.kinds() == {USER_STATS: None, EMAIL_LOGS: None}


async def test_a_login_refused_later_makes_what_was_left_wait(world: World) -> None:
    world.server.rows = denied("emailtrack_search")
    async with world.running():
        world.server.stats = denied()
        await world.clock.advance(2 * INTERVAL)
        assert world.findings.kinds() == {USER_STATS: "denied"}
        asked = len(world.server.asked)
        await world.clock.advance(800)
        assert len(world.server.asked) == asked


async def test_what_works_after_an_hour_is_asked_at_every_tick_again(world: World) -> None:
    world.server.rows = denied("emailtrack_search")
    async with world.running():
        world.server.rows = []
        await world.clock.advance(3_600 + 10 * INTERVAL)
        assert len(world.server.times(EMAIL_LOGS)[1:]) in {9, 10, 11}


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
        ("INFO", "web1: works again: email_logs"),
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
