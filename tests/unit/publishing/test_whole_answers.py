"""What simple collectors got is shown while it is fresh, each for itself, and then vanishes."""

from collections.abc import Mapping

import pytest

from cpanel_mail_exporter.model.accounts import Account, LastHour, UniqueRecipients
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.errors import PollError, TimedOut, Unsupported
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.outcome import (
    ACCOUNTS,
    DELIVERY_EVENTS,
    MAIL_QUEUE,
    SERVER_INFO,
    SERVICES,
    UNIQUE_RECIPIENTS,
    USER_STATS,
)
from cpanel_mail_exporter.model.queue import QueueSummary
from cpanel_mail_exporter.model.records import LimitUse
from cpanel_mail_exporter.model.services import ServerInfo, Service
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.publishing.whole_answers import AnswerTerms
from tests.unit.publishing.boards import SIMPLE, PastHour, board, poll, shown, stat, terms
from tests.unit.publishing.clock import StandingClock

COLLECTORS = (USER_STATS, DELIVERY_EVENTS, *SIMPLE)
FACTS = ServerFacts(
    mail_queue=QueueSummary(messages=3, users={"a": 2, "b": 1}),
    accounts=[Account("shop", max_email_per_hour=200), Account("news", max_email_per_hour=9)],
    unique_recipients=[UniqueRecipients("shop", 7)],
    services=[Service("exim", True)],
    server_info=ServerInfo("web1.example.net", "11.138.0.6"),
)
FAMILY_OF = {
    MAIL_QUEUE: "cpanel_mail_queue_messages",
    ACCOUNTS: "cpanel_mail_accounts",
    UNIQUE_RECIPIENTS: "cpanel_mail_account_unique_recipients",
    SERVICES: "cpanel_mail_service_running",
    SERVER_INFO: "cpanel_mail_server_info",
}
SENT = "cpanel_mail_account_hourly_sent_messages"
SLOW = TimedOut("web1", "f", "no whole answer within 30 s")


HOUR = {"shop": LastHour(90)}


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


def of_all(clock: StandingClock, ledger: PastHour | None = None, **answers: int) -> Board:
    bounds = AnswerTerms(**answers)  # type: ignore[arg-type]
    known = {"web1": ledger} if ledger else None
    return board(clock, terms(collectors=COLLECTORS, answers=bounds), ledgers=known)


def names(one: Board) -> set[str]:
    one.build()
    return {*shown(one.everything()).names()}


def good(one: Board, clock: StandingClock, rests: Mapping[str, float] | None = None) -> None:
    figures = {name: {"rest_seconds": rest} for name, rest in (rests or {}).items()}
    poll(one.servers[0], clock.now, facts=FACTS, user_stats=[stat()], figures=figures,
         delivery_events=DeliveriesState())  # fmt: skip


@pytest.mark.parametrize("collector", FAMILY_OF)
def test_a_collector_that_fails_keeps_its_gauges_until_they_are_stale(
    clock: StandingClock, collector: str
) -> None:
    """And never shows zeros; the others go on."""
    one = of_all(clock)
    good(one, clock)
    assert {*FAMILY_OF.values()} <= names(one)
    for _ in range(5):
        clock.now += 59
        poll(one.servers[0], clock.now, facts=FACTS, failed={collector: SLOW})
        assert FAMILY_OF[collector] in names(one)
    clock.now += 5
    assert {*FAMILY_OF.values()} - names(one) == {FAMILY_OF[collector]}


def test_what_is_asked_seldom_lives_until_it_should_have_come_again(clock: StandingClock) -> None:
    one = of_all(clock)
    good(one, clock, {SERVER_INFO: 3_600.0, ACCOUNTS: 300.0})
    alive = []
    for seconds in (299, 2, 297, 3, 3_298, 2):
        clock.now += seconds
        found = names(one)
        alive.append([FAMILY_OF[ACCOUNTS] in found, FAMILY_OF[SERVER_INFO] in found])
    assert alive == [*[[True, True]] * 3, *[[False, True]] * 2, [False, False]]


def test_a_refused_collector_shows_as_not_supported_and_the_server_as_up(
    clock: StandingClock,
) -> None:
    one = of_all(clock)
    refused: dict[str, PollError] = {
        name: Unsupported("web1", name, "access denied (HTTP 403)") for name in SIMPLE
    }
    poll(one.servers[0], clock.now, user_stats=[stat()], failed=refused)
    one.build()
    read = shown(one.everything())
    assert read.of("cpanel_mail_up") == {("web1",): "1"}
    supported = read.of("cpanel_mail_collector_supported")
    assert supported == {("web1", USER_STATS): "1"} | {("web1", name): "0" for name in SIMPLE}
    assert not {*FAMILY_OF.values()} & {*read.names()}


def test_use_of_limits_comes_from_whm_and_else_from_the_last_hour(clock: StandingClock) -> None:
    ledger = PastHour(HOUR)
    one = of_all(clock, ledger)
    uses = {"reached_maxemails": LimitUse(9, 9)}
    poll(
        one.servers[0],
        clock.now,
        user_stats=[stat(user="news", limit_uses=uses)],
        delivery_events=DeliveriesState(),
        facts=FACTS,
        clock_skew_seconds=-30.0,
    )
    one.build()
    assert shown(one.everything()).of(SENT) == {("web1", "news"): "9", ("web1", "shop"): "90"}
    assert set(ledger.asked) == {int(clock.now) - 30}, "by the server's clock"


def test_the_last_hour_is_shown_even_if_the_token_may_not_list_accounts(
    clock: StandingClock,
) -> None:
    one = of_all(clock, PastHour(HOUR))
    no = Unsupported("web1", "listaccts", "access denied (HTTP 403)")
    poll(one.servers[0], clock.now, delivery_events=DeliveriesState(), failed={ACCOUNTS: no})
    one.build()
    assert shown(one.everything()).of(SENT) == {("web1", "shop"): "90"}


def test_the_last_hour_vanishes_with_the_delivery_events_it_comes_from(
    clock: StandingClock,
) -> None:
    one = of_all(clock, PastHour(HOUR))
    poll(one.servers[0], clock.now, delivery_events=DeliveriesState())
    assert SENT in names(one)
    clock.now += 301
    poll(one.servers[0], clock.now, delivery_events=SLOW, user_stats=None, facts=FACTS)
    assert SENT not in names(one)
    assert FAMILY_OF[ACCOUNTS] in names(one)


def test_without_the_collector_no_use_of_limits_is_shown(clock: StandingClock) -> None:
    switched = terms(collectors=(USER_STATS, DELIVERY_EVENTS))
    one = board(clock, switched, ledgers={"web1": PastHour(HOUR)})
    poll(one.servers[0], clock.now, user_stats=[stat()], delivery_events=DeliveriesState())
    assert not {name for name in names(one) if name.startswith("cpanel_mail_account")}


def test_bounds_on_users_show_beside_what_was_wanted(clock: StandingClock) -> None:
    one = of_all(clock, queue_users=1, account_series=1)
    good(one, clock)
    one.build()
    read = shown(one.everything())
    queue = "cpanel_mail_queue_user_messages"
    limits = "cpanel_mail_account_hourly_limit_messages"
    assert read.of(queue) == {("web1", "a"): "2", ("web1", "_other"): "1"}
    assert len(read.of(limits)) == 1
    for family, figures in ((queue, ("1", "2", "1")), (limits, ("1", "2", "1"))):
        assert figures == tuple(
            read.of(f"cpanel_mail_series{which}")[("web1", family)]
            for which in ("", "_wanted", "_limit")
        )


def test_without_bounds_no_limit_is_shown(clock: StandingClock) -> None:
    one = of_all(clock)
    good(one, clock)
    one.build()
    assert shown(one.everything()).of("cpanel_mail_series_limit") == {}
