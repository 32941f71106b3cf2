"""When servers are asked, and whether they may be: each rule with its table."""

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.model.errors import (
    KINDS,
    ApiRefused,
    Denied,
    FunctionMissing,
    FunctionRefused,
    PollError,
    TimedOut,
    Unsupported,
)
from cpanel_mail_exporter.polling.schedule import (
    PERIOD_SECONDS,
    Turn,
    due_collectors,
    is_turn_of,
    may_ask_on,
    next_tick,
    offset_seconds,
    verdict,
)

instants = st.floats(1.7e9, 2e9)
intervals = st.floats(1.0, 86_400.0)
ROUNDING = 1e-5


@settings(deadline=None)
@given(instants, st.floats(0.0, 3_600.0), intervals, st.floats(0.0, 1.0, exclude_max=True))
def test_a_tick_is_aligned_lies_ahead_and_leaves_rest(
    now: float, took: float, interval: float, share: float
) -> None:
    offset = share * interval
    tick = next_tick(now_unix=now, poll_seconds=took, interval_seconds=interval, offset=offset)
    ticks = (tick - offset) / interval
    assert abs(ticks - round(ticks)) * interval < ROUNDING
    assert tick > now
    assert tick - now >= took - ROUNDING
    assert tick - now <= max(took, interval / 10) + interval + ROUNDING, "no tick is left out"


@settings(deadline=None)
@given(instants, intervals, st.floats(0.0, 0.5), st.floats(0.0, 1.0, exclude_max=True))
def test_polls_that_take_less_than_half_an_interval_never_drift(
    now: float, interval: float, share_taken: float, share: float
) -> None:
    offset = share * interval
    tick = next_tick(now_unix=now, poll_seconds=0.0, interval_seconds=interval, offset=offset)
    took = share_taken * interval * 0.99
    again = next_tick(
        now_unix=tick + took, poll_seconds=took, interval_seconds=interval, offset=offset
    )
    assert again == pytest.approx(tick + interval, abs=ROUNDING)


@pytest.mark.parametrize(
    ("now", "took", "tick"),
    [
        (130.0, 2.0, 185.0),
        (185.0, 0.0, 245.0),
        (187.0, 2.0, 245.0),
        (214.0, 29.0, 245.0),
        (216.0, 31.0, 305.0),
        (245.0, 60.0, 305.0),
        (246.0, 61.0, 365.0),
        (1000.0, 600.0, 1625.0),
    ],
)
def test_a_slow_poll_leaves_out_ticks_rather_than_rest(
    now: float, took: float, tick: float
) -> None:
    assert next_tick(now_unix=now, poll_seconds=took, interval_seconds=60.0, offset=5.0) == tick


@pytest.mark.parametrize("early", [1e-9, 0.001, 0.03, 1.0])
def test_who_wakes_a_little_early_does_not_poll_twice_for_one_tick(early: float) -> None:
    woken = 185.0 - early
    tick = next_tick(now_unix=woken, poll_seconds=0.0001, interval_seconds=60.0, offset=5.0)
    assert tick == 245.0


@given(st.text(max_size=30), intervals)
def test_an_offset_lies_in_the_interval_and_is_the_same_each_time(
    name: str, interval: float
) -> None:
    offset = offset_seconds(name, interval)
    assert 0.0 <= offset < interval
    assert offset == offset_seconds(name, interval)


def test_offsets_spread_servers_over_the_interval() -> None:
    offsets = sorted(offset_seconds(f"web{number}", 60.0) for number in range(240))
    gaps = [after - before for before, after in pairwise(offsets)]
    assert max(gaps) < 3.0
    assert all(sum(start <= o < start + 15 for o in offsets) >= 40 for start in (0, 15, 30, 45))


@pytest.mark.parametrize(
    ("until", "due"),
    [
        ({}, ["a", "b"]),
        ({"a": 99.0}, ["a", "b"]),
        ({"a": 100.0}, ["a", "b"]),
        ({"a": 100.5}, ["b"]),
        ({"a": 200.0, "b": 200.0}, []),
        ({"other": 200.0}, ["a", "b"]),
    ],
)
def test_what_is_unsupported_waits_and_the_rest_is_due(
    until: dict[str, float], due: list[str]
) -> None:
    assert due_collectors(("a", "b"), until, 100.0) == due


DENIED = Denied("web1", "f", "access denied (HTTP 403)")
SLOW = TimedOut("web1", "f", "no whole answer within 30 s")


@pytest.mark.parametrize(
    ("errors", "may"),
    [
        ([], True),
        ([None], True),
        ([SLOW], True),
        ([DENIED], True),
        ([DENIED, DENIED], False),
        ([DENIED, SLOW], False),
        ([SLOW, DENIED], True),
        ([SLOW, DENIED, SLOW], False),
        ([None, DENIED, DENIED, DENIED], True),
        ([DENIED, None, DENIED], True),
        ([SLOW, SLOW, SLOW], True),
    ],
)
def test_after_a_refused_login_at_most_one_other_function_is_asked_unless_one_succeeded(
    errors: list[PollError | None], may: bool
) -> None:
    assert may_ask_on(errors) is may


@pytest.mark.parametrize("others", list(product([None, SLOW, DENIED], repeat=2)))
def test_a_403_is_about_the_function_only_if_another_succeeded(
    others: tuple[PollError | None, ...],
) -> None:
    judged = verdict(DENIED, [DENIED, *others])
    assert judged is not None
    if None in others:
        assert type(judged) is Unsupported
        assert judged.args == DENIED.args
    else:
        assert judged is DENIED


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not Denied])
def test_no_other_error_changes_its_meaning(kind: type[PollError]) -> None:
    error = kind("web1", "f", "detail")
    assert verdict(error, [error, None]) is error
    assert verdict(None, [error, None]) is None


# Whose turn it is


@given(
    collector=st.sampled_from(["mail_queue", "services", "accounts", "server_info"]),
    server=st.text(max_size=5),
    interval=st.sampled_from([10.0, 60.0, 300.0, 900.0]),
    begin=st.integers(0, 10_000),
)
def test_no_collector_waits_longer_than_its_period_and_one_poll(
    collector: str, server: str, interval: float, begin: int
) -> None:
    period = PERIOD_SECONDS.get(collector, 0)
    last: Turn | None = None
    asked: list[float] = []
    for number in range(int(3 * period / interval) + 5):
        now = begin + number * interval
        if is_turn_of(collector, last, server=server, now_unix=now, interval_seconds=interval):
            asked.append(now)
            last = Turn(now, 0.1, is_good=True)
    gaps = [after - before for before, after in pairwise(asked)]
    assert asked[0] == begin
    assert gaps
    assert max(gaps) < max(period, interval) + interval
    assert min(gaps[1:], default=interval) > max(period - interval, 0)


def test_a_fleet_is_not_asked_for_all_its_accounts_in_one_minute() -> None:
    turns = {f"web{n}": Turn(0.0, 0.1, is_good=True) for n in range(1_000)}
    due: list[int] = []
    for minute in range(1, 6):
        now = 60.0 * minute
        mine = [
            name
            for name, last in turns.items()
            if is_turn_of("accounts", last, server=name, now_unix=now, interval_seconds=60.0)
        ]
        turns |= dict.fromkeys(mine, Turn(now, 0.1, is_good=True))
        due.append(len(mine))
    assert sum(due) == 1_000
    assert max(due) < 300


@pytest.mark.parametrize("collector", ["mail_queue", "accounts"])
def test_a_clock_that_was_set_back_makes_all_due(collector: str) -> None:
    last = Turn(1_000_000.0, 0.1, is_good=True)
    assert is_turn_of(collector, last, server="w", now_unix=999_999.0, interval_seconds=60.0)


def test_an_error_of_whm_about_the_function_is_a_lacking_privilege_if_another_answers() -> None:
    refused = FunctionRefused("web1", "listaccts", 'WHM says "Permission denied"')
    plain = ApiRefused("web1", "listaccts", 'WHM says "No database"')
    found = verdict(refused, [None, refused])
    assert type(found) is Unsupported
    assert (found.function, found.detail) == (refused.function, refused.detail)
    assert verdict(refused, [refused]) is refused
    assert verdict(plain, [None, plain]) is plain


def test_a_function_that_is_not_there_switches_off_what_is_beside_deliveries_alone() -> None:
    missing = FunctionMissing("web1", "f", "HTTP status 404")
    assert type(verdict(missing, [None, missing], "mail_queue")) is Unsupported
    assert verdict(missing, [missing], "mail_queue") is missing
    assert verdict(missing, [None, missing], "delivery_events") is missing
