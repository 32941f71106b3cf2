"""Collectors that ask a function or two: what each asks and when, and how each fails alone."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import pytest

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.model.accounts import Account, UniqueRecipients
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    BadStatus,
    Denied,
    FunctionMissing,
    FunctionRefused,
    PollError,
    TimedOut,
    Unsupported,
)
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.outcome import (
    ACCOUNTS,
    MAIL_QUEUE,
    SERVER_INFO,
    SERVICES,
    UNIQUE_RECIPIENTS,
    USER_STATS,
    CollectorOutcome,
    PollOutcome,
)
from cpanel_mail_exporter.model.query import (
    AnswerEnd,
    RecordsAnswer,
    SearchQuery,
    TextAnswer,
    TotalsAnswer,
    UserStatsAnswer,
)
from cpanel_mail_exporter.model.queue import QueuedMessage, QueueSummary
from cpanel_mail_exporter.model.records import DeliveryRecord, UserStat
from cpanel_mail_exporter.model.services import ServerInfo, Service
from cpanel_mail_exporter.model.window import Rolling
from cpanel_mail_exporter.polling.poller import Poller, PollPlan
from tests.fake_clock import FakeClock

NOW = 1_795_252_447.0
INTERVAL = 60.0
STAT = UserStat("example.com", "user1", "root", "example.com", {"send_count": 3})
QUEUED = QueuedMessage(True, False, 900, int(NOW) - 400, ("a@gmail.com", "b@example.com"), "shop")
ACCOUNT = Account("shop", "example.com", "root", 200)
SIMPLE = (SERVER_INFO, SERVICES, MAIL_QUEUE, ACCOUNTS, UNIQUE_RECIPIENTS)
ALL = (USER_STATS, *SIMPLE)
FUNCTIONS = {
    USER_STATS: "emailtrack_user_stats",
    SERVER_INFO: "gethostname",
    SERVICES: "servicestatus",
    MAIL_QUEUE: "fetch_mail_queue",
    ACCOUNTS: "listaccts",
    UNIQUE_RECIPIENTS: "get_unique_sender_recipient_count_per_user",
}
FIRST_POLL = [
    "emailtrack_user_stats",
    "gethostname",
    "version",
    "servicestatus exim",
    "servicestatus tailwatchd",
    "fetch_mail_queue",
    "listaccts",
    "get_unique_sender_recipient_count_per_user",
]
FACTS = ServerFacts(
    user_stats=[STAT],
    mail_queue=QueueSummary(
        messages=1,
        bounces=1,
        size_bytes=900,
        oldest_unix=int(NOW) - 400,
        older={"5m": 1, "30m": 0, "1h": 0, "4h": 0, "1d": 0, "4d": 0},
        recipients={"google": 1, "other": 1},
        users={"shop": 1},
    ),
    accounts=[ACCOUNT],
    unique_recipients=[UniqueRecipients("shop", 7)],
    services=[Service("exim", True), Service("tailwatchd", True)],
    server_info=ServerInfo("web1.example.net", "11.138.0.6"),
)
FACT_OF = {name: name for name in ALL}


def denied(function: str) -> Denied:
    return Denied("web1", function, "access denied (HTTP 403)")


def lacking(function: str) -> FunctionRefused:
    return FunctionRefused("web1", function, 'WHM says "Permission denied"')


def missing(function: str) -> FunctionMissing:
    return FunctionMissing("web1", function, "HTTP status 404")


def broken(function: str) -> BadStatus:
    return BadStatus("web1", function, "HTTP status 500")


@dataclass
class FakeServer:
    """Answers as it should, but for the functions that a test lets fail or be slow.

    Attributes:
        errors: what a function fails with, by its name and, for servicestatus, the service.
        seconds: how long a function takes.
        asked: when which function was asked.
    """

    clock: FakeClock
    errors: dict[str, Exception] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[float, str]] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)
    rejected: int = 0
    skew: float | None = None

    def note(self, call: str) -> AnswerEnd:
        self.asked.append((self.clock.now_unix(), call))
        function = call.split(maxsplit=1)[0]
        self.clock.pass_by(self.seconds.get(function, 0.0))
        error = self.errors.get(call) or self.errors.get(function)
        if error is not None:
            raise error
        return AnswerEnd(self.rejected, False, self.skew)

    async def user_stats(self, start_unix: int, end_unix: int) -> UserStatsAnswer:
        return UserStatsAnswer([STAT], self.note("emailtrack_user_stats"))

    async def totals(self, start_unix: int, end_unix: int) -> TotalsAnswer:
        raise AssertionError

    async def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], Awaitable[None]]
    ) -> AnswerEnd:
        raise AssertionError

    async def mail_queue(
        self, receive: Callable[[list[QueuedMessage]], Awaitable[None]]
    ) -> AnswerEnd:
        await receive([QUEUED])
        return self.note("fetch_mail_queue")

    async def accounts(self) -> RecordsAnswer[Account]:
        return RecordsAnswer([ACCOUNT], self.note("listaccts"))

    async def unique_recipients(
        self, start_unix: int, end_unix: int
    ) -> RecordsAnswer[UniqueRecipients]:
        self.windows.append((start_unix, end_unix))
        end = self.note("get_unique_sender_recipient_count_per_user")
        return RecordsAnswer([UniqueRecipients("shop", 7)], end)

    async def service(self, name: str) -> RecordsAnswer[Service]:
        return RecordsAnswer([Service(name, True)], self.note(f"servicestatus {name}"))

    async def version(self) -> TextAnswer:
        return TextAnswer("11.138.0.6", self.note("version"))

    async def hostname(self) -> TextAnswer:
        return TextAnswer("web1.example.net", self.note("gethostname"))

    def times(self, call: str) -> list[float]:
        return [instant for instant, name in self.asked if name == call]

    def calls(self, since: int = 0) -> list[str]:
        return [name for _, name in self.asked[since:]]


@dataclass
class FakeFindings:
    """Keeps what it is told."""

    outcomes: list[PollOutcome] = field(default_factory=list)
    facts: list[ServerFacts] = field(default_factory=list)
    log_line_share: int = 0

    def poll_ended(
        self,
        outcome: PollOutcome,
        facts: ServerFacts,
        email_logs: LogBlocks | None,
        deliveries: DeliveriesState | None,
    ) -> None:
        assert (email_logs, deliveries) == (None, None)
        self.outcomes.append(outcome)
        self.facts.append(facts)

    def parts(self) -> dict[str, CollectorOutcome]:
        return {part.collector: part for part in self.outcomes[-1].collectors}

    def kinds(self) -> dict[str, str | None]:
        return {
            name: part.error.kind if part.error else None for name, part in self.parts().items()
        }


class FakeToken:
    """A token file that a test changes."""

    is_new = False

    def renew(self) -> bool:
        is_new, self.is_new = self.is_new, False
        return is_new


def provider(_host: str, domain: str) -> str:
    return "google" if domain == "gmail.com" else "other"


class World:
    """One server, its poller and all that they touch."""

    def __init__(self, collectors: tuple[str, ...] = ALL, *, is_single: bool = False) -> None:
        self.clock = FakeClock(NOW)
        self.server = FakeServer(self.clock)
        self.findings = FakeFindings()
        self.token = FakeToken()
        windows = {USER_STATS: Rolling(3_600)} if USER_STATS in collectors else {}
        plan = PollPlan("web1", collectors, windows, UTC, INTERVAL, is_single)
        self.poller = Poller(
            plan, self.server, self.token, None, self.findings, self.clock, provider
        )

    async def polls(self, count: int) -> None:
        """So many of them, an interval from one's begin to the next's."""
        for _ in range(count):
            begun = self.clock.now_unix()
            await self.poller.poll()
            self.clock.pass_by(max(0.0, begun + INTERVAL - self.clock.now_unix()))


@pytest.fixture
def world() -> World:
    return World()


# What is asked, and what comes of it


async def test_the_first_poll_asks_every_function_and_hands_all_on_at_once(world: World) -> None:
    await world.poller.poll()
    assert world.server.calls() == FIRST_POLL
    assert world.findings.facts == [FACTS]
    assert world.findings.kinds() == dict.fromkeys(ALL)
    rows = {name: part.rows_read for name, part in world.findings.parts().items()}
    assert rows == dict.fromkeys(ALL, 1) | {SERVICES: 2, SERVER_INFO: 2}


@pytest.mark.parametrize("collector", ALL)
@pytest.mark.parametrize("error", [broken, KeyError])
async def test_one_that_fails_leaves_the_others_and_hands_nothing_on(
    world: World, collector: str, error: Callable[[str], Exception]
) -> None:
    world.server.errors[FUNCTIONS[collector]] = error(FUNCTIONS[collector])
    await world.poller.poll()
    kind = "http_status" if error is broken else "shape"
    assert world.findings.kinds() == dict.fromkeys(ALL) | {collector: kind}
    (facts,) = world.findings.facts
    for name, fact in FACT_OF.items():
        expected = None if name == collector else getattr(FACTS, fact)
        assert getattr(facts, fact) == expected, name


async def test_rows_of_which_none_can_be_read_are_a_failure(world: World) -> None:
    """One bad row beside a good one is none."""
    world.server.rejected = 1
    await world.poller.poll()
    assert set(world.findings.kinds().values()) == {None}
    assert world.findings.parts()[MAIL_QUEUE].rows_rejected == 1


async def test_a_lonely_collector_is_asked_without_the_others() -> None:
    for collector in SIMPLE:
        world = World((collector,))
        await world.poller.poll()
        assert world.findings.kinds() == {collector: None}


@pytest.mark.parametrize("refusal", [lacking, denied])
@pytest.mark.parametrize(
    ("function", "known"),
    [
        ("version", ServerInfo("web1.example.net", "")),
        ("gethostname", ServerInfo("", "11.138.0.6")),
    ],
)
async def test_of_name_and_version_the_one_is_shown_if_the_other_is_refused(
    world: World, refusal: Callable[[str], PollError], function: str, known: ServerInfo
) -> None:
    world.server.errors[function] = refusal(function)
    await world.poller.poll()
    assert world.findings.facts[0].server_info == known
    assert world.findings.kinds()[SERVER_INFO] is None


async def test_a_service_that_whm_does_not_tell_of_hides_no_other(world: World) -> None:
    world.server.errors["servicestatus tailwatchd"] = ApiRefused("web1", "f", "no such service")
    await world.poller.poll()
    assert world.findings.facts[0].services == [Service("exim", True)]
    world = World()
    world.server.errors["servicestatus"] = ApiRefused("web1", "f", "no such service")
    await world.poller.poll()
    assert world.findings.kinds()[SERVICES] == "api_error"


@pytest.mark.parametrize(("skew", "moved"), [(None, 0), (-300.0, -300)])
async def test_recipients_are_asked_of_the_hour_that_ended_by_the_server_s_clock(
    world: World, skew: float | None, moved: int
) -> None:
    """A little earlier than now: WHM refuses an end that its own clock hasn't reached."""
    world.server.skew = skew
    await world.poller.poll()
    end = int(NOW) + moved - 3
    assert world.server.windows == [(end - 3_600, end)]
    assert world.findings.parts()[UNIQUE_RECIPIENTS].window_start_unix == end - 3_600


async def test_ages_in_the_queue_go_by_the_server_s_clock(world: World) -> None:
    world.server.skew = 3_300.0
    await world.poller.poll()
    queue = world.findings.facts[0].mail_queue
    assert queue is not None
    assert queue.older == {"5m": 1, "30m": 1, "1h": 1, "4h": 0, "1d": 0, "4d": 0}


# When each is asked


async def test_each_is_asked_as_often_as_it_is_worth(world: World) -> None:
    await world.polls(120)
    times = {call: len(world.server.times(call)) for call in FIRST_POLL}
    assert times["emailtrack_user_stats"] == times["fetch_mail_queue"] == 120
    assert times["servicestatus exim"] in {60, 61}
    assert times["listaccts"] in {24, 25}
    assert times["get_unique_sender_recipient_count_per_user"] in {24, 25}
    assert times["version"] in {2, 3}


async def test_what_failed_is_asked_again_at_the_next_poll(world: World) -> None:
    world.server.errors["listaccts"] = broken("listaccts")
    await world.polls(3)
    assert len(world.server.times("listaccts")) == 3


async def test_a_slow_queue_rests_ten_times_as_long_and_is_stale_no_sooner(world: World) -> None:
    world.server.seconds["fetch_mail_queue"] = 25.0
    await world.polls(13)
    begun = world.server.times("fetch_mail_queue")
    assert [after - NOW for after in begun] == [0.0, 240.0, 480.0, 720.0]
    assert len(world.server.times("emailtrack_user_stats")) == 13
    rests = [o.rest_seconds for p in world.findings.outcomes for o in p.collectors]
    assert max(rests) == 3_600.0, "that of the name"
    queue = [o for p in world.findings.outcomes for o in p.collectors if o.collector == MAIL_QUEUE]
    assert {o.rest_seconds for o in queue} == {250.0}


async def test_when_time_is_short_those_go_first_that_have_waited_longest(world: World) -> None:
    await world.polls(1)
    for function in ("servicestatus", "listaccts"):
        world.server.errors[function] = broken(function)
    world.server.seconds["emailtrack_user_stats"] = 40.0
    world.server.rejected = 0
    seen = []
    for _ in range(8):
        before = len(world.server.asked)
        await world.polls(1)
        seen.append([call for call in world.server.calls(before) if "user_stats" not in call])
    assert all(len(calls) in {1, 2} for calls in seen), "one collector a poll"
    flat = [call for calls in seen for call in calls]
    assert {"fetch_mail_queue", "listaccts", "servicestatus exim"} <= {*flat}


async def test_a_single_poll_asks_all_however_slow() -> None:
    world = World(is_single=True)
    world.server.seconds["emailtrack_user_stats"] = 40.0
    world.server.errors["emailtrack_user_stats"] = broken("emailtrack_user_stats")
    await world.poller.poll()
    assert world.server.calls() == FIRST_POLL


async def test_a_server_that_is_down_is_not_asked_for_everything_at_each_poll(world: World) -> None:
    for function in {call.split()[0] for call in FIRST_POLL}:
        world.server.errors[function] = TimedOut("web1", function, "no whole answer within 30 s")
        world.server.seconds[function] = 30.0
    await world.poller.poll()
    assert world.server.calls() == ["emailtrack_user_stats", "gethostname"]
    world.server.errors, world.server.seconds = {}, {}
    await world.poller.poll()
    assert world.findings.kinds() == dict.fromkeys(ALL), "nothing of it is owed to a collector"


async def test_a_queue_is_read_though_the_reports_on_mail_hang(world: World) -> None:
    world.server.errors["emailtrack_user_stats"] = TimedOut("web1", "f", "no whole answer")
    world.server.seconds["emailtrack_user_stats"] = 40.0
    await world.polls(6)
    assert any(facts.mail_queue for facts in world.findings.facts)


async def test_a_server_that_hangs_is_said_once_however_many_functions_are_tried(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await world.polls(1)
    for function in {call.split()[0] for call in FIRST_POLL}:
        world.server.errors[function] = TimedOut("web1", function, "no whole answer within 30 s")
        world.server.seconds[function] = 30.0
    await world.polls(10)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("web1: emailtrack_user_stats, fetch_mail_queue: no whole answer")
    caplog.set_level(logging.INFO)
    caplog.clear()
    world.server.errors, world.server.seconds = {}, {}
    await world.polls(6)
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "works again: user_stats" in said
    assert world.findings.kinds()[USER_STATS] is None


# Refusals


@pytest.mark.parametrize("refusal", [denied, lacking, missing])
async def test_what_the_token_may_not_ask_is_switched_off_visibly_and_all_else_goes_on(
    world: World, refusal: Callable[[str], PollError], caplog: pytest.LogCaptureFixture
) -> None:
    """As with a token that has no privilege but track-email; WHM refuses in one of two ways."""
    caplog.set_level(logging.INFO)
    off = (MAIL_QUEUE, ACCOUNTS, UNIQUE_RECIPIENTS, SERVICES)
    for name in off:
        world.server.errors[FUNCTIONS[name]] = refusal(FUNCTIONS[name])
    await world.polls(59)
    first = world.findings.outcomes[0]
    assert first.login_retry_unix is None
    assert {part.collector for part in first.collectors if part.error is None} == {
        USER_STATS,
        SERVER_INFO,
    }
    assert all(type(p.error) is Unsupported for p in first.collectors if p.collector in off)
    assert len(world.server.times("emailtrack_user_stats")) == 59
    assert all(len(world.server.times(FUNCTIONS[name])) <= 1 for name in off)
    said = refusal("f").detail
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == (
        "web1: switched off: services (servicestatus), mail_queue (fetch_mail_queue), "
        "accounts (listaccts), unique_recipients (get_unique_sender_recipient_count_per_user): "
        f"{said}; {Unsupported.advice}"
    )
    await world.polls(3)
    assert [len(world.server.times(FUNCTIONS[n])) for n in off if n != SERVICES] == [2, 2, 2]
    assert len(world.server.times("servicestatus exim")) == 2
    assert len(caplog.records) == 1, "refused again, which is no news"
    world.server.errors.clear()
    await world.polls(61)
    assert caplog.records[-1].getMessage() == (
        "web1: works again: services, mail_queue, accounts, unique_recipients"
    )


async def test_a_refusal_is_no_lacking_privilege_while_nothing_else_answers(world: World) -> None:
    """WHM said no, but not to the login: there is nothing to wait for."""
    for function in {call.split()[0] for call in FIRST_POLL}:
        world.server.errors[function] = lacking(function)
    await world.poller.poll()
    assert set(world.findings.kinds().values()) == {"api_error"}
    assert world.findings.outcomes[-1].login_retry_unix is None


async def test_an_error_that_is_about_nothing_of_the_kind_stays_one(world: World) -> None:
    world.server.errors["fetch_mail_queue"] = ApiRefused("web1", "fetch_mail_queue", "exim hangs")
    await world.polls(3)
    assert world.findings.kinds()[MAIL_QUEUE] == "api_error"
    assert len(world.server.times("fetch_mail_queue")) == 3


async def test_with_a_login_that_is_refused_two_functions_are_tried_and_no_more(
    world: World,
) -> None:
    for function in {call.split()[0] for call in FIRST_POLL}:
        world.server.errors[function] = denied(function)
    await world.poller.poll()
    assert world.server.calls() == ["emailtrack_user_stats", "gethostname"]
    assert set(world.findings.kinds().values()) == {"denied"}
    assert world.findings.outcomes[-1].login_retry_unix is not None


async def test_what_is_switched_off_is_not_tried_while_nothing_else_answers(world: World) -> None:
    """Refused again, it would look as if the login were refused, and all would wait."""
    world.server.errors["fetch_mail_queue"] = denied("fetch_mail_queue")
    await world.polls(60)
    assert len(world.server.times("fetch_mail_queue")) == 1
    for function in {call.split()[0] for call in FIRST_POLL} - {"fetch_mail_queue"}:
        world.server.errors[function] = broken(function)
    await world.polls(5)
    assert len(world.server.times("fetch_mail_queue")) == 1
    assert world.findings.outcomes[-1].login_retry_unix is None
    del world.server.errors["emailtrack_user_stats"]
    await world.polls(1)
    assert len(world.server.times("fetch_mail_queue")) == 2


async def test_a_new_token_is_tried_with_everything_at_once(world: World) -> None:
    for name in (MAIL_QUEUE, ACCOUNTS):
        world.server.errors[FUNCTIONS[name]] = denied(FUNCTIONS[name])
    await world.polls(2)
    world.token.is_new = True
    world.server.errors.clear()
    before = len(world.server.asked)
    await world.polls(1)
    assert world.server.calls(before) == FIRST_POLL
    assert world.findings.facts[-1].accounts == [ACCOUNT]


async def test_a_queue_that_breaks_off_is_not_shown_as_a_shorter_one(world: World) -> None:
    async def break_off(receive: Callable[[list[QueuedMessage]], Awaitable[None]]) -> Any:
        await receive([QUEUED])
        raise TimedOut("web1", "fetch_mail_queue", "no whole answer within 30 s")

    world.server.mail_queue = break_off  # type: ignore[method-assign]
    await world.poller.poll()
    assert world.findings.facts[0].mail_queue is None
    assert world.findings.kinds()[MAIL_QUEUE] == "timeout"
