"""One server's delivery records, poll by poll: what is asked, what it costs, what it gives."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest

from cpanel_mail_exporter.ledger.change import Change
from cpanel_mail_exporter.model.deliveries import ActionFilter, GoesBy, LastDay
from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    ConnectFailed,
    Denied,
    PollError,
    StorageFailed,
    TimedOut,
)
from cpanel_mail_exporter.model.outcome import DELIVERY_EVENTS, EMAIL_LOGS
from cpanel_mail_exporter.model.query import Instant
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.ranges import READ_SECONDS
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.unit.ledger.mail import Happened, row
from tests.unit.polling.living_server import LivingServer
from tests.unit.polling.visits import DAYS, Visits

NOW = 1_795_252_447
"""2026-11-21 09:14:07 UTC."""
HOUR = 3_600
A_ROUND = 30
"""Polls after which every range has been looked at."""


def event(
    sent: int,
    *,
    acted: int | None = None,
    late: int = 0,
    kind: str = "success",
    number: int = 0,
    **labels: str,
) -> Happened:
    """An event whose row is to be seen so many seconds after the action."""
    acted = sent if acted is None else acted
    labels = {"msg_id": f"{sent}-{number}", **labels}
    return Happened("gmail", row("gmail", kind, sent, acted, **labels), acted + late)


def deferred(sent: int, *, after: int, late: int = 0) -> list[Happened]:
    """A message that is deferred at once, and goes through later."""
    return [event(sent, kind="defer"), event(sent, acted=sent + after, late=late)]


def history(events: int, seconds: int = 5 * DAYS) -> list[Happened]:
    """Mail spread evenly over the past, every 20th message with a retry ten minutes later."""
    gap = seconds / events
    found: list[Happened] = []
    for number in range(events):
        sent = NOW - seconds + int(number * gap)
        is_deferred = number % 20 == 0 and sent < NOW - HOUR
        found += deferred(sent, after=600) if is_deferred else [event(sent, number=number)]
    return found


def visits_of(happenings: Iterable[Happened] = (), **how: Any) -> Visits:
    """A reading of a server on which that happens, or has happened."""
    of_server = {name: how.pop(name) for name in list(how) if hasattr(LivingServer, name)}
    quirks = how.pop("quirks", {})
    server = LivingServer(FakeClock(NOW), quirks=quirks, **of_server)
    server.happen(happenings)
    return Visits(server, **how)


async def requests_of(visits: Visits, polls: int) -> list[tuple[int, int]]:
    """Requests and rows of each of some polls."""
    found = []
    for _ in range(polls):
        before = len(visits.server.asked)
        await visits.poll()
        new = visits.server.asked[before:]
        found.append((len(new), sum(asked.rows for asked in new)))
    return found


# What a poll costs


async def test_quiet_polls_ask_few_questions_and_as_many_whatever_the_look_back_holds() -> None:
    costs = []
    for events in (200, 2_000, 10_000):
        visits = visits_of(history(events), backfill=True)
        await visits.poll_times(90 + 2 * A_ROUND)
        assert visits.last.state.backlog_slices == 0
        costs.append(await requests_of(visits, 2 * A_ROUND))
    requests = [[asked for asked, _ in cost] for cost in costs]
    # But for where in a round the first of them was.
    sums = list(map(sum, requests))
    assert max(sums) - min(sums) <= 0.05 * min(sums)
    # 7 on average; every 30th poll, which looks at all ranges, has the most.
    assert sum(requests[0]) <= 8 * len(requests[0])
    assert max(requests[0]) <= 20
    assert {rows for cost in costs for _, rows in cost} == {0}


async def test_after_the_first_fill_no_poll_reads_the_day_again() -> None:
    visits = visits_of(history(2_000))
    await visits.poll_times(100)
    before = len(visits.server.asked)
    await visits.poll_times(2 * A_ROUND)
    spans = [asked.span.seconds for asked in visits.server.searches(before)]
    assert max(spans) <= READ_SECONDS
    assert visits.shown() == visits.true_lines()


async def test_one_late_row_costs_some_questions_and_one_short_reading() -> None:
    """About two questions for each level of the tree, of which there are eleven in five days."""
    late = event(NOW - 3 * DAYS - 500, acted=NOW + 100 * 60)
    visits = visits_of([*history(2_000), late])
    await visits.poll_times(100 - 1)
    before = len(visits.server.asked)
    events = visits.events()
    reads = []
    while visits.events() == events:
        assert visits.polls < 100 + 2 * A_ROUND
        before = len(visits.server.asked)
        await visits.poll()
    reads = visits.server.asked[before:]
    assert len(reads) <= 2 * 11 + 25
    old = [asked for asked in reads if asked.what == "search" and asked.span.end < NOW - 2 * DAYS]
    assert sum(asked.rows for asked in old) <= 20
    assert all(asked.span.seconds <= READ_SECONDS for asked in old)
    assert len(old) <= 3


async def test_new_mail_costs_a_poll_one_reading_of_the_last_minutes() -> None:
    new = [event(NOW + 100 * 60 + second) for second in range(0, 1_200, 7)]
    visits = visits_of([*history(200), *new])
    await visits.poll_times(100)
    for asked, rows in await requests_of(visits, 20):
        assert asked <= 40
        assert rows <= 2 * (600 // 7 + 2) + 90


async def test_one_request_is_in_flight_at_a_time() -> None:
    visits = visits_of(history(500))
    await visits.poll_times(40)
    assert visits.server.most_in_flight == 1


# The first start


async def test_the_window_is_filled_in_the_first_poll_and_the_look_back_newest_first() -> None:
    visits = visits_of(history(1_000))
    await visits.poll()
    assert visits.shown() == visits.true_lines()
    backlogs = [visits.last.state.backlog_slices]
    assert backlogs[0] in range(4 * 18, 4 * 18 + 3)
    oldest = [min(asked.span.start for asked in visits.server.searches())]
    while backlogs[-1]:
        before = len(visits.server.asked)
        await visits.poll()
        backlogs.append(visits.last.state.backlog_slices)
        searches = visits.server.searches(before)
        # Spans of three seconds are those that it learns from.
        starts = {asked.span.start for asked in searches if asked.span.seconds > 3}
        assert len([start for start in starts if start < oldest[-1]]) <= 1, "one slice a poll"
        oldest.append(min(*starts, oldest[-1]))
        assert oldest[-2] - oldest[-1] <= READ_SECONDS
    # At times the oldest slice passes out of the look-back.
    assert {before - after for before, after in pairwise(backlogs)} <= {1, 2}
    assert oldest[-1] in range(NOW - 5 * DAYS - READ_SECONDS, NOW - 5 * DAYS + 2 * HOUR)


@pytest.mark.parametrize("counts", [True, False])
async def test_the_poll_that_fills_the_window_reads_it_once_and_leaves_what_can_wait(
    counts: bool,
) -> None:
    visits = visits_of(history(2_000), counts=counts)
    await visits.poll()
    rows = sum(asked.rows for asked in visits.server.searches())
    shown = visits.shown()
    assert shown == visits.true_lines()
    assert rows == shown.total() > 0
    before = len(visits.server.asked)
    await visits.poll()
    assert len(visits.server.asked) - before > 2  # it looks for changes now


async def test_polls_an_hour_apart_fill_the_window_each_time_and_read_the_backlog_as_well() -> None:
    visits = visits_of(history(500), backfill=True)
    await visits.poll_times(2, after_seconds=HOUR)
    slices = visits.last.state.backlog_slices
    await visits.poll_times(5, after_seconds=HOUR)
    assert visits.last.state.backlog_slices <= slices - 5


async def test_what_happened_before_the_first_poll_is_not_counted_and_all_later_is() -> None:
    """By the server's own clock, which is five minutes ahead; however late the rows are."""
    now = NOW + 60 + 300
    before = [event(now - 1, late=HOUR), event(now - 9_000), event(now - DAYS, acted=now - 1)]
    after = [
        event(now, late=HOUR),
        event(now - DAYS, acted=now, late=HOUR, number=1),
        event(now + 7),
    ]
    visits = visits_of([*before, *after], ahead_seconds=300)
    await visits.poll()
    assert visits.ledger.counting_since_unix == now
    await visits.poll_times(60 + 2 * A_ROUND)
    assert visits.counters() == visits.true_counters()
    assert visits.events() == len(after)


async def test_backfill_counts_the_whole_look_back() -> None:
    happened = history(500, seconds=4 * DAYS)
    visits = visits_of(happened, backfill=True)
    await visits.poll_times(90)
    assert visits.events() == len(happened)
    assert visits.counters() == visits.true_counters()


async def test_a_single_poll_reads_the_window_and_asks_for_nothing_that_serves_later_ones() -> None:
    visits = visits_of(history(1_000), is_single=True)
    await visits.poll()
    assert visits.shown() == visits.true_lines()
    first, *others = visits.server.asked
    assert (first.what, first.span.seconds) == ("totals", DAYS)
    assert {asked.what for asked in others} == {"search"}
    assert min(asked.span.start for asked in others) == NOW + 60 - DAYS
    assert visits.last.state.backlog_slices == 0


async def test_without_email_logs_events_are_counted_all_the_same() -> None:
    visits = visits_of(
        [*history(200), *deferred(NOW + 90, after=HOUR, late=HOUR)], window_seconds=None
    )
    await visits.poll_times(200)
    assert visits.counters() == visits.true_counters()
    assert visits.events() == 2
    assert visits.last.lines is None


async def test_without_a_ledger_the_lines_stay_up_to_date() -> None:
    visits = visits_of([*history(200), *deferred(NOW + 90, after=HOUR, late=HOUR)], counts=False)
    await visits.poll_times(150 + A_ROUND)
    assert visits.shown() == visits.true_lines()
    assert visits.last.state.backlog_slices == 0


# Totals and filters that go by this or that


@pytest.mark.parametrize(
    ("totals_by", "quirks", "goes_by", "action_filter"),
    [
        (Instant.SENT, {}, GoesBy.SENT, ActionFilter.WORKS),
        (Instant.SENT, {"acts_by_send": True}, GoesBy.SENT, ActionFilter.FAILS),
        (Instant.ACTED, {}, GoesBy.ACTED, ActionFilter.WORKS),
        (Instant.ACTED, {"acts_by_send": True}, GoesBy.ACTED, ActionFilter.FAILS),
    ],
)
@pytest.mark.parametrize("ends_belong", [True, False])
async def test_it_learns_what_totals_and_filters_go_by_and_finds_late_news_of_old_mail(
    totals_by: Instant,
    quirks: dict[str, Any],
    goes_by: GoesBy,
    action_filter: ActionFilter,
    ends_belong: bool,
) -> None:
    later = NOW + 200 * 60
    news = [
        event(NOW - 3 * DAYS, acted=later, late=HOUR, kind="failure"),
        event(NOW - 40_000, acted=later + 9, late=700),
        event(later - 3, acted=later, late=299),
    ]
    visits = visits_of(
        [*history(400, seconds=4 * DAYS), *news],
        totals_by=totals_by,
        quirks=quirks,
        ends_belong=ends_belong,
        backfill=True,
    )
    await visits.poll_times(199)
    assert visits.last.state.totals_go_by is goes_by
    assert visits.last.state.action_filter is action_filter
    await visits.poll_times(61 + A_ROUND if goes_by is GoesBy.SENT else 61 + 90)
    assert visits.counters() == visits.true_counters()
    assert visits.shown() == visits.true_lines()


async def test_totals_by_action_time_hide_no_retry_where_nothing_was_there_to_learn_from() -> None:
    """The first deferral ever: what totals show of its retry lies elsewhere than its message."""
    mail = [event(NOW + 90 + 60 * number) for number in range(20)]
    retried = deferred(NOW + 2 * HOUR + 5, after=2 * HOUR, late=HOUR)
    visits = visits_of([*mail, *retried], totals_by=Instant.ACTED)
    await visits.poll_times(5 * 60 + 120)
    assert visits.counters() == visits.true_counters()
    assert visits.events() == 22


async def test_what_was_read_before_it_had_learned_is_read_again_by_what_it_learned() -> None:
    """Totals showed the row where it was acted on, and it was looked for where it was sent."""
    row_between = event(NOW - 20 * HOUR, acted=NOW - HOUR + 100, late=HOUR)
    visits = visits_of([*history(400), row_between], totals_by=Instant.ACTED, backfill=True)
    await visits.poll()
    assert visits.last.state.totals_go_by is GoesBy.UNKNOWN
    await visits.poll_times(100 + 5 * A_ROUND)
    assert visits.last.state.totals_go_by is GoesBy.ACTED
    assert visits.shown() == visits.true_lines()
    assert row_between in counted_of(visits)


async def test_one_row_alone_does_not_settle_what_totals_go_by() -> None:
    """Its totals may be equal by chance, however often they are asked for."""
    visits = visits_of(deferred(NOW - 9_000, after=600))
    await visits.poll_times(200)
    assert visits.last.state.totals_go_by is GoesBy.UNKNOWN
    assert visits.last.state.action_filter is ActionFilter.WORKS
    visits.server.happen(deferred(NOW + 200 * 60, after=600))
    await visits.poll_times(200)
    assert visits.last.state.totals_go_by is GoesBy.SENT


async def test_what_was_learned_is_known_after_a_restart() -> None:
    visits = visits_of(history(400), totals_by=Instant.ACTED)
    await visits.poll_times(100 + 5 * A_ROUND)
    learned = visits.last.state
    visits.restart()
    before = len(visits.server.asked)
    await visits.poll()
    assert visits.last.state.totals_go_by is learned.totals_go_by is GoesBy.ACTED
    assert visits.last.state.action_filter is learned.action_filter is ActionFilter.WORKS
    assert {asked.by for asked in visits.server.searches(before)} == set(Instant)
    costs = await requests_of(visits, 2 * A_ROUND)
    assert max(rows for _, rows in costs) == 0, "nor is the look-back read again"


async def test_where_filters_on_action_time_work_a_retry_is_known_at_the_next_poll() -> None:
    retry = event(NOW - 3 * DAYS, acted=NOW + 110 * 60 + 30)
    visits = visits_of([*history(400), retry])
    await visits.poll_times(110)
    assert visits.events() == 0
    await visits.poll()
    assert visits.events() == 1


@pytest.mark.parametrize(
    "error",
    [
        TimedOut("web1", "emailtrack_stats", "no whole answer within 30 s"),
        Denied("web1", "emailtrack_stats", "no privilege"),
        ApiRefused("web1", "emailtrack_stats", "no such function"),
    ],
    ids=lambda error: error.kind,
)
async def test_without_totals_all_is_found_by_sweeping(error: PollError) -> None:
    """Within one reading of the look-back; and what is deferred still, within five polls."""
    later = NOW + 100 * 60
    rare = event(NOW - 3 * DAYS, acted=later, late=HOUR)
    recent = event(later - 30, acted=later, late=HOUR)
    waiting = event(NOW - 2 * DAYS, kind="defer")
    retry = event(NOW - 2 * DAYS, acted=later + 2 * HOUR)
    visits = visits_of(
        [*history(200), rare, recent, waiting, retry],
        totals_error=error,
        quirks={"acts_by_send": True},
    )
    await visits.poll()
    assert (visits.last.error, visits.last.later_error) == (None, None)
    await visits.poll_times(100 + 60 + 6)
    assert visits.last.state.totals_go_by is GoesBy.NOTHING
    assert recent in counted_of(visits)
    await visits.poll_times(85)
    assert rare in counted_of(visits)
    await visits.poll_times(2 * HOUR // 60 - 60 - 85 - 6 + 60 + 6)
    assert visits.counters() == visits.true_counters()
    asked = [asked for asked in visits.server.asked if asked.what == "totals"]
    assert len(asked) <= 2 + visits.polls // 60, "a refusal is believed for an hour"


async def test_a_server_that_fails_at_one_slice_is_swept_for_all_the_others() -> None:
    """Without totals: the slice that always times out must not be the last that is tried."""
    late = event(NOW - 4 * DAYS, acted=NOW + 100 * 60)
    visits = visits_of(
        [*history(200), late],
        totals_error=ApiRefused("web1", "emailtrack_stats", "no such function"),
        quirks={"acts_by_send": True},
    )
    await visits.poll_times(99)
    search = visits.server.search

    async def fail_for_one(query: Any, receive: Any) -> Any:
        if query.span.start <= NOW - 2 * DAYS < query.span.end:
            raise TimedOut("web1", "emailtrack_search", "no whole answer within 30 s")
        return await search(query, receive)

    visits.server.search = fail_for_one  # type: ignore[method-assign]
    failed = 0
    for _ in range(2 * 91):
        await visits.poll()
        failed += visits.last.later_error is not None
    assert failed in {2, 3}
    assert visits.events() == 1


async def test_a_server_that_ignores_filters_is_read_once_a_poll_and_counted_right() -> None:
    happened = history(100, seconds=4 * DAYS)
    late = event(NOW - 3 * DAYS, acted=NOW + 5 * 60, late=HOUR)
    visits = visits_of([*happened, late], quirks={"ignores_filters": True}, backfill=True)
    await visits.poll()
    assert visits.events() == len(happened)
    assert visits.last.state.backlog_slices == 0
    assert visits.shown() == visits.true_lines()
    await visits.poll_times(70)
    assert visits.events() == len(happened) + 1
    before = len(visits.server.searches())
    await visits.poll()
    spans = {asked.rows for asked in visits.server.searches()[before:]} - {0}
    assert spans == {len(happened) + 1}


# Rows that come late, and clocks


@pytest.mark.parametrize("late", [1, 299, 300, 301, 599, 601, 1_800, HOUR])
async def test_a_row_that_is_late_by_up_to_an_hour_is_found_within_minutes(late: int) -> None:
    visits = visits_of([event(NOW + 90, late=late)], quirks={"acts_by_send": True})
    await visits.poll_times((89 + late) // 60)
    assert visits.events() == 0
    await visits.poll()
    assert visits.events() == 1
    assert visits.shown() == visits.true_lines()


@pytest.mark.parametrize("ahead_seconds", [-900, -3, 3, 900])
async def test_with_a_clock_that_is_off_new_mail_is_counted_at_the_next_poll(
    ahead_seconds: int,
) -> None:
    visits = visits_of([], ahead_seconds=ahead_seconds)
    await visits.poll_times(3)
    visits.server.happen([event(visits.server.now_unix() + 30)])
    await visits.poll()
    assert visits.events() == 1
    assert visits.last.skew == ahead_seconds
    assert visits.shown() == visits.true_lines()


async def test_a_server_s_clock_that_was_ahead_and_is_set_right_loses_nothing() -> None:
    """What was read up to a time that comes once more is read again as it comes."""
    visits = visits_of([], ahead_seconds=7_200)
    await visits.poll_times(5)
    visits.server.ahead_seconds = 0
    visits.server.happen(event(NOW + 60 * number + 5) for number in range(5, 200))
    await visits.poll_times(200)
    assert visits.counters() == visits.true_counters()
    # By its own clock the server was first asked two hours later than it really was.
    assert visits.events() == sum(e.visible_unix >= NOW + 60 + 7_200 for e in visits.server.events)
    assert visits.shown() == visits.true_lines()


async def test_a_window_that_moves_back_with_the_clock_is_whole_at_once() -> None:
    visits = visits_of(history(1_000))
    await visits.poll_times(3)
    visits.server.ahead_seconds = 5 * HOUR
    await visits.poll()
    visits.server.ahead_seconds = 0
    await visits.poll()
    assert visits.shown() == visits.true_lines()


# Restarts, and times without polls


async def test_a_restart_counts_nothing_twice_and_reads_the_window_but_not_the_look_back() -> None:
    visits = visits_of([*history(500), *(event(NOW + 60 * n) for n in range(300))])
    await visits.poll_times(100)
    counted = visits.counters()
    visits.restart()
    before = len(visits.server.asked)
    await visits.poll(0)
    assert visits.counters() == counted
    assert visits.shown() == visits.true_lines()
    assert min(a.span.start for a in visits.server.searches(before)) >= NOW + 6_000 - DAYS
    assert visits.last.state.backlog_slices == 0


@pytest.mark.parametrize("restarts", [True, False])
async def test_after_hours_without_polls_what_is_new_comes_first_and_then_what_was_missed(
    restarts: bool,
) -> None:
    mail = [event(NOW + 60 * number) for number in range(600)]
    visits = visits_of([*history(200), *mail], window_seconds=HOUR)
    await visits.poll_times(95)
    events = visits.events()
    if restarts:
        visits.restart()
    await visits.poll(7 * HOUR)
    assert visits.shown() == visits.true_lines()
    backlog = visits.last.state.backlog_slices
    assert backlog in range(4, 8)
    assert visits.events() > events + 60
    assert visits.last.state.newest_event_unix == NOW + 60 * 95 + 7 * HOUR - 0
    await visits.poll_times(backlog)
    assert visits.last.state.backlog_slices == 0
    assert visits.counters() == visits.true_counters()


async def test_after_a_pause_longer_than_the_look_back_only_that_is_read() -> None:
    mail = [event(NOW + HOUR * number) for number in range(24 * 14)]
    visits = visits_of(mail)
    await visits.poll_times(100)
    events = visits.events()
    await visits.poll(9 * DAYS)
    now = visits.server.now_unix()
    assert visits.last.state.backlog_slices <= 91
    await visits.poll_times(95)
    assert visits.last.state.backlog_slices == 0
    visits.assert_not_too_much()
    read = visits.events() - events
    assert read in range(5 * 24 - 3, 5 * 24 + 3)
    oldest = min(asked.span.start for asked in visits.server.searches() if asked.at_unix >= now)
    assert oldest >= now - 5 * DAYS - 300


# Failures of the server


@pytest.mark.parametrize(
    ("number", "rows"), [(0, 0), (1, 0), (1, 1), (2, 1), (3, 0), (5, 1), (8, 1), (13, 0), (21, 1)]
)
async def test_a_failure_at_any_request_loses_nothing_and_counts_nothing_twice(
    number: int, rows: int
) -> None:
    mail = [event(NOW - HOUR + 30 * n, late=700 * (n % 3)) for n in range(240)]
    visits = visits_of(mail, look_back_seconds=DAYS, window_seconds=6 * HOUR)
    for polls in (1, 3):
        error = ConnectFailed("web1", "emailtrack_search", "closed the connection")
        visits.server.breaks = {number: (rows, error)}
        await visits.poll_times(polls)
        visits.assert_not_too_much()
    await visits.poll_times(70)
    assert visits.counters() == visits.true_counters()
    assert visits.shown() == visits.true_lines()


async def test_a_change_whose_reading_failed_is_still_seen_as_one() -> None:
    """What was asked of it before must not be taken for what it held when it was read."""
    late = event(NOW + 6_030, late=2_400)
    visits = visits_of([*history(1_000), late], quirks={"acts_by_send": True})
    await visits.poll_times((6_029 + 2_400) // 60)
    assert (visits.events(), visits.last.state.totals_go_by) == (0, GoesBy.SENT)
    visits.clock.pass_by(60)
    seen = visits.clock.now_unix()
    error = ConnectFailed("web1", "emailtrack_search", "closed the connection")
    tried = 0
    while visits.events() == 0:
        assert tried < 40
        visits.server.breaks = {tried: (0, error)}
        await visits.poll(1)
        visits.server.breaks = {}
        tried += 1
    visits.server.breaks = {}
    assert visits.shown() == visits.true_lines()
    rows = [a.rows for a in visits.server.searches() if a.at_unix > seen and NOW + 6_030 in a.span]
    assert rows == [0, 1], "its reading was among the requests that failed"


async def test_equal_rows_of_one_answer_are_as_many_events_however_it_comes_in_pieces() -> None:
    """An answer longer than a page is counted while it comes, a batch of seven rows at a time."""
    same = [event(NOW + 30, number=-1)] * 40
    mail = [event(NOW + second % 20, number=second) for second in range(5_000)]
    visits = visits_of(
        [*mail, *same], quirks={"ignores_size": True}, window_seconds=None, backfill=True
    )
    await visits.poll()
    assert visits.events() == 5_040
    await visits.poll_times(2)
    assert visits.events() == 5_040


async def test_lines_are_shown_only_when_the_window_is_whole() -> None:
    visits = visits_of(history(200))
    error = ConnectFailed("web1", "emailtrack_search", "closed the connection")
    visits.server.breaks = {1: (0, error)}
    await visits.poll()
    assert (visits.last.error, visits.last.lines) == (error, None)
    await visits.poll()
    assert visits.last.error is None
    assert visits.shown() == visits.true_lines()


async def test_a_failure_of_what_can_wait_leaves_the_lines_of_the_poll() -> None:
    visits = visits_of(history(200))
    await visits.poll()
    error = ConnectFailed("web1", "emailtrack_search", "closed the connection")
    searches = len(visits.server.searches())
    await visits.poll()
    assert len(visits.server.searches()) > searches + 1, "there is a second one to fail"
    place = [asked.what for asked in visits.server.asked[-20:]]
    assert "search" in place
    visits.server.breaks = {4: (0, error)}
    await visits.poll()
    assert (visits.last.error, visits.last.later_error) == (None, error)
    assert visits.shown() == visits.true_lines()


async def test_what_has_no_time_waits_and_the_rest_is_read() -> None:
    visits = visits_of([*history(200), *(event(NOW + 60 * n) for n in range(100))])
    visits.has_time = False
    for asked, _ in (await requests_of(visits, 10))[1:]:
        assert asked <= 7, "what is in progress, what is new, and what is no longer"
    backlog = visits.last.state.backlog_slices
    assert backlog > 70
    assert visits.events() == 10
    assert visits.shown() == visits.true_lines()
    visits.has_time = True
    await visits.poll()
    assert visits.last.state.backlog_slices == backlog - 1


# Failures of the store


class FullStore(MemoryStore):
    """A disk that is full at times."""

    is_full: Callable[[], bool] = staticmethod(lambda: False)

    def commit(self, change: Change) -> None:
        if self.is_full():
            raise StorageFailed("web1", "storage", "disk full")
        super().commit(change)


@pytest.mark.parametrize("from_poll", [1, 3, 95])
async def test_a_full_disk_stops_the_counting_alone_and_loses_nothing(from_poll: int) -> None:
    store = FullStore()
    mail = [event(NOW + 60 * number) for number in range(200)]
    visits = visits_of([*history(300), *mail], store=store)
    await visits.poll_times(from_poll - 1)
    store.is_full = lambda: True
    for _ in range(20):
        await visits.poll()
        assert type(visits.last.storage_error) is StorageFailed
        assert (visits.last.error, visits.last.later_error) == (None, None)
        assert visits.shown() == visits.true_lines()
        assert visits.events() <= from_poll
    store.is_full = lambda: False
    await visits.poll()
    assert visits.last.storage_error is None
    await visits.poll_times(100)
    assert visits.counters() == visits.true_counters()


async def test_a_disk_that_fills_up_within_a_poll_loses_nothing() -> None:
    """Each commit of a poll in turn is the first that fails."""
    for number in range(0, 12, 2):
        store = FullStore()
        mail = [event(NOW + 60 * n, number=n) for n in range(30)]
        visits = visits_of([*history(100), *mail], store=store, look_back_seconds=DAYS)
        await visits.poll_times(20)
        left = iter(range(number))
        store.is_full = lambda left=left: next(left, None) is None  # type: ignore[misc]
        await visits.poll()
        store.is_full = lambda: False
        visits.assert_not_too_much()
        await visits.poll_times(3)
        assert visits.counters() == visits.true_counters(), number


# What is said of it


async def test_the_last_day_is_compared_with_what_whm_reports() -> None:
    midnight = NOW - NOW % DAYS
    mail = [
        event(midnight - DAYS, kind="failure"),
        event(midnight - 1),
        event(midnight),
        event(midnight - 9_000, kind="defer"),
        event(midnight - DAYS - 1),
    ]
    for ends_belong in (True, False):
        # What tells whether ends belong: a row in the second after that of one to learn from.
        told = [event((e.record.send_unix or 0) + 1) for e in history(400)]
        visits = visits_of([*history(400), *told, *mail], ends_belong=ends_belong)
        await visits.poll_times(100)
        own = [e.record.type for e in visits.server.seen(first=midnight - DAYS, last=midnight - 1)]
        counts = {kind: own.count(kind) for kind in ("success", "failure", "defer")}
        assert visits.last.state.last_day == LastDay(
            midnight - DAYS, counts, {**counts, "other": 0}
        )


async def test_the_state_says_what_is_in_progress_and_since_when_each_collector_reads() -> None:
    visits = visits_of([event(NOW, kind="inprogress"), event(NOW + 50)])
    await visits.poll()
    state = visits.last.state
    assert (state.messages_in_progress, state.newest_event_unix) == (1, NOW + 50)
    now = NOW + 60
    assert visits.last.window_start_unix == {
        EMAIL_LOGS: now - DAYS,
        DELIVERY_EVENTS: (now - 5 * DAYS) // READ_SECONDS * READ_SECONDS,
    }


def counted_of(visits: Visits) -> list[Happened]:
    """Events the ledger knows: those of a second that holds as many as it should."""
    known = []
    for each in visits.server.seen():
        second = each.record.send_unix or 0
        copies = visits.store.outcomes(Slice(second, second + 1))
        same = [e for e in visits.server.seen() if e.record.send_unix == second]
        if sum(copies.values()) == len(same):
            known.append(each)
    return known
