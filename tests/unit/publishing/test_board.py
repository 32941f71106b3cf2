"""What is learned of all servers becomes publications: when, of what, and for how long."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.model.deliveries import DeliveriesState, GoesBy, LastDay
from cpanel_mail_exporter.model.errors import Denied, StorageFailed, TimedOut
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.unit.exposition.reading import Read
from tests.unit.exposition.records import obvious_line
from tests.unit.ledger.mail import MEANING, row
from tests.unit.publishing.boards import (
    VERSION,
    board,
    deliveries,
    log_blocks,
    poll,
    shown,
    stat,
    terms,
    whole,
)
from tests.unit.publishing.clock import StandingClock, settle

SLOW = TimedOut("web1", "emailtrack_search", "no whole answer within 30 s")
MAIL = {"email_user_stats", "email_user_info", "email_logs"}
OF_WINDOWS = {
    "cpanel_mail_rows_outside_range",
    "cpanel_mail_slices_incomplete",
    "cpanel_mail_window_start_timestamp_seconds",
    "cpanel_mail_series",
    "cpanel_mail_series_wanted",
    "cpanel_mail_series_limit",
}


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


def logs_shown(read: Read, server: str) -> list[str]:
    """Send times of the lines of email_logs of one server, as they stand."""
    return [
        dict(labels)["sendunixtime"]
        for name, labels, _ in read.samples
        if name == "email_logs" and dict(labels)["server"] == server
    ]


def with_logs(one: Board, count: int, place: int = 0, *, max_series: int = 0) -> None:
    """A good poll of the server at *place* that read *count* delivery records."""
    server = one.servers[place]
    blocks = log_blocks(deliveries(count), server.terms.labels, max_series=max_series)
    poll(server, one._clock.now_unix(), user_stats=[stat()], email_logs=blocks)


def test_before_any_poll_health_is_there_and_mail_is_not(clock: StandingClock) -> None:
    names = shown(board(clock).everything()).names()
    assert names == [
        "cpanel_mail_polls_total",
        "cpanel_mail_poll_failures_total",
        "cpanel_mail_rows_read_total",
        "cpanel_mail_rows_rejected_total",
        "cpanel_mail_repeated_pages_total",
        "cpanel_mail_flags_unreadable_total",
        "cpanel_mail_poll_interval_seconds",
        "cpanel_mail_build_info",
    ]


def test_a_failed_poll_keeps_what_was_known(clock: StandingClock) -> None:
    one = board(clock)
    with_logs(one, 3)
    one.build()
    before = shown(one.everything())
    clock.now += 60
    poll(one.servers[0], clock.now, user_stats=SLOW, email_logs=SLOW)
    one.build()
    after = shown(one.everything())
    for name in [*sorted(MAIL | OF_WINDOWS), "cpanel_mail_last_success_timestamp_seconds"]:
        assert after.of(name) == before.of(name) != {}
    assert after.of("cpanel_mail_up") == {("web1",): "0"}
    assert after.of("cpanel_mail_polls_total") == {
        ("web1", "user_stats"): "2",
        ("web1", "email_logs"): "2",
    }


def test_one_collector_that_fails_leaves_the_other_alone(clock: StandingClock) -> None:
    one = board(clock)
    with_logs(one, 3)
    clock.now += 60
    newer = stat(counts={"send_count": 9})
    poll(one.servers[0], clock.now, user_stats=[newer], email_logs=SLOW)
    one.build()
    after = shown(one.everything())
    assert after.of("email_user_stats") == {("web1", "example.com", "user1", "send_count"): "9"}
    assert len(after.of("email_logs")) == 3
    assert after.of("cpanel_mail_up") == {("web1",): "1"}
    assert after.of("cpanel_mail_collector_success") == {
        ("web1", "user_stats"): "1",
        ("web1", "email_logs"): "0",
    }


def test_gauges_vanish_at_stale_after_and_not_before_while_health_stays(
    clock: StandingClock,
) -> None:
    one = board(clock)
    with_logs(one, 3)
    clock.now += 299.9
    one.build()
    before = shown(one.everything())
    assert set(before.names()) >= MAIL | OF_WINDOWS
    clock.now += 0.1
    one.build()
    after = shown(one.everything())
    assert set(before.names()) - set(after.names()) == MAIL | OF_WINDOWS
    assert after.of("cpanel_mail_up") == before.of("cpanel_mail_up")
    poll(one.servers[0], clock.now, user_stats=[stat()], email_logs=log_blocks(deliveries(1)))
    one.build()
    assert set(shown(one.everything()).names()) == set(before.names())


def test_each_collector_becomes_stale_on_its_own(clock: StandingClock) -> None:
    one = board(clock)
    with_logs(one, 3)
    clock.now += 200
    poll(one.servers[0], clock.now, user_stats=SLOW, email_logs=log_blocks(deliveries(2)))
    clock.now += 100
    one.build()
    after = shown(one.everything())
    assert "email_user_stats" not in after.names()
    assert len(after.of("email_logs")) == 2
    assert after.of("cpanel_mail_series") == {("web1", "email_logs"): "2"}
    assert set(after.of("cpanel_mail_window_start_timestamp_seconds")) == {("web1", "email_logs")}


def test_a_server_that_is_denied_shows_only_its_health(clock: StandingClock) -> None:
    one = board(clock)
    denied = Denied("web1", "emailtrack_user_stats", "access denied (HTTP 403)")
    retry = clock.now + 900
    poll(one.servers[0], clock.now, user_stats=denied, email_logs=denied, login_retry_unix=retry)
    one.build()
    after = shown(one.everything())
    assert not (MAIL | OF_WINDOWS) & set(after.names())
    assert after.of("cpanel_mail_up") == {("web1",): "0"}
    assert after.of("cpanel_mail_login_retry_timestamp_seconds") == {("web1",): f"{retry:.0f}"}


def test_a_family_that_is_complete_and_empty_is_seen_as_0_series(clock: StandingClock) -> None:
    """An empty window isn't the same as not knowing."""
    one = board(clock)
    poll(one.servers[0], clock.now, user_stats=[], email_logs=LogBlocks())
    one.build()
    after = shown(one.everything())
    assert not MAIL & set(after.names())
    nothing = {
        ("web1", name): "0"
        for name in ("email_user_stats", "email_flag_stats", "email_user_info", "email_logs")
    }
    assert after.of("cpanel_mail_series") == nothing
    assert after.of("cpanel_mail_series_wanted") == nothing
    assert after.of("cpanel_mail_series_limit") == {("web1", "email_logs"): "50000"}


def test_what_is_cut_by_a_servers_bound_shows(clock: StandingClock) -> None:
    one = board(clock, terms(max_series=4))
    with_logs(one, 10, max_series=4)
    one.build()
    after = shown(one.everything())
    assert logs_shown(after, "web1") == [str(1_795_250_006 + n) for n in range(4)]
    assert after.of("cpanel_mail_series")["web1", "email_logs"] == "4"
    assert after.of("cpanel_mail_series_wanted")["web1", "email_logs"] == "10"
    assert after.of("cpanel_mail_series_limit") == {("web1", "email_logs"): "4"}


def test_the_bound_over_all_servers_is_shared_and_what_is_not_needed_is_lent(
    clock: StandingClock,
) -> None:
    servers = [terms(name, max_series=8) for name in ("web1", "web2", "web3")]
    one = board(clock, *servers, total=12)
    for place, count in enumerate((2, 7, 7)):
        with_logs(one, count, place)
    one.build()
    after = shown(one.everything())
    figures = {
        name: [after.of(name)[f"web{n}", "email_logs"] for n in (1, 2, 3)]
        for name in ("cpanel_mail_series", "cpanel_mail_series_wanted", "cpanel_mail_series_limit")
    }
    assert figures == {
        "cpanel_mail_series": ["2", "5", "5"],
        "cpanel_mail_series_wanted": ["2", "7", "7"],
        "cpanel_mail_series_limit": ["8", "5", "5"],
    }
    assert logs_shown(after, "web2") == [str(1_795_250_002 + n) for n in range(5)]
    # A stale server lends all of its share.
    clock.now += 200
    for place in (0, 1):
        with_logs(one, (2, 7)[place], place)
    clock.now += 100
    one.build()
    after = shown(one.everything())
    assert [len(logs_shown(after, name)) for name in ("web1", "web2", "web3")] == [2, 7, 0]
    assert shown(one.of_server("web2")).of("cpanel_mail_series_limit") == {
        ("web2", "email_logs"): "8"
    }


def test_a_bound_over_all_smaller_than_the_number_of_servers(clock: StandingClock) -> None:
    one = board(clock, terms("web1", max_series=0), terms("web2", max_series=0), total=1)
    for place in (0, 1):
        with_logs(one, 3, place)
    one.build()
    after = shown(one.everything())
    assert [len(logs_shown(after, name)) for name in ("web1", "web2")] == [1, 0]
    assert after.of("cpanel_mail_series_limit") == {
        ("web1", "email_logs"): "1",
        ("web2", "email_logs"): "0",
    }


def test_without_bounds_no_limit_is_shown(clock: StandingClock) -> None:
    one = board(clock, terms(max_series=0))
    with_logs(one, 5)
    one.build()
    after = shown(one.everything())
    assert len(after.of("email_logs")) == 5
    assert "cpanel_mail_series_limit" not in after.names()


def test_one_servers_publication_is_its_part_of_everything(clock: StandingClock) -> None:
    one = board(clock, terms("web1"), terms("web2"))
    with_logs(one, 3, 0)
    with_logs(one, 2, 1)
    one.build()
    everything = shown(one.everything())
    parts = {name: shown(one.of_server(name)) for name in ("web1", "web2")}
    for name, part in parts.items():
        assert part.samples == [s for s in everything.samples if dict(s[1]).get("server") == name]
    assert "cpanel_mail_build_info" not in parts["web1"].names()
    assert "cpanel_mail_build_info" in everything.names()
    assert one.of_server("web3") is None
    assert one.of_server("") is None


def test_servers_keep_their_order_and_families_stay_in_one_place(clock: StandingClock) -> None:
    """The reader of these tests refuses a family that stands twice."""
    one = board(clock, terms("web2"), terms("web1"))
    for place in (0, 1):
        with_logs(one, 2, place)
    one.build()
    ups = [
        dict(labels)["server"]
        for n, labels, _ in shown(one.everything()).samples
        if n == "cpanel_mail_up"
    ]
    assert ups == ["web2", "web1"]


def test_nothing_is_rendered_again_while_nothing_changed(clock: StandingClock) -> None:
    one = board(clock, terms("web1"), terms("web2"))
    with_logs(one, 3, 0)
    one.build()
    first = [one.of_server("web1"), one.of_server("web2")]
    rendered = one.servers[0].rendered(clock.now, 3)
    clock.now += 10
    with_logs(one, 1, 1)
    one.build()
    assert one.of_server("web1") is first[0]
    assert one.of_server("web2") is not first[1]
    assert one.servers[0].rendered(clock.now, 3) is rendered
    assert one.servers[0].rendered(clock.now, 2) is not rendered


def test_a_publication_never_changes(clock: StandingClock) -> None:
    """A scrape that has begun ends with what it began with."""
    one = board(clock)
    with_logs(one, 3)
    one.build()
    old = one.everything()
    bytes_before = {form: whole(old, form) for form in Format}
    under_way = old.body(Format.TEXT, compressed=False).open()
    begun = next(under_way)
    with_logs(one, 1)
    one.build()
    assert begun + b"".join(under_way) == bytes_before[Format.TEXT]
    assert {form: whole(old, form) for form in Format} == bytes_before
    assert whole(one.everything()) != bytes_before[Format.TEXT]


def test_lines_of_email_logs_are_copied_as_they_were_rendered(clock: StandingClock) -> None:
    one = board(clock, terms(labels=(("server", "web1"), ("region", "eu"))))
    with_logs(one, 2)
    one.build()
    lines = [obvious_line(r, one.servers[0].terms.labels) for r in deliveries(2)]
    assert "".join(lines).encode() in whole(one.everything())


class Counting:
    """Own families that count how often a publication was built, each taking a while."""

    def __init__(self, clock: StandingClock, seconds: float = 0.0) -> None:
        self.builds = 0
        self._clock = clock
        self._seconds = seconds

    def __call__(self) -> Sequence[FamilySamples]:
        self.builds += 1
        self._clock.now += self._seconds
        return [VERSION]


T = 1_795_250_000
ALL = ("user_stats", "delivery_events", "email_logs")
GMAIL = ("web1", "success", "outbound", "google")
STATE = DeliveriesState(
    newest_event_unix=T,
    backlog_slices=3,
    messages_in_progress=5,
    last_day=LastDay(0, {"success": 9}, {"success": 8}),
    totals_go_by=GoesBy.SENT,
    size_bytes=4096,
)
EVENTS = "cpanel_mail_delivery_events_total"
LASTING = {
    EVENTS,
    "cpanel_mail_api_drift_total",
    "cpanel_mail_newest_event_timestamp_seconds",
    "cpanel_mail_backlog_slices",
    "cpanel_mail_server_behaviour_info",
    "cpanel_mail_counting_since_timestamp_seconds",
    "cpanel_mail_ledger_size_bytes",
    "cpanel_mail_series",
    "cpanel_mail_series_wanted",
    "cpanel_mail_series_limit",
}
PASSING = {
    "cpanel_mail_deferred_recipients",
    "cpanel_mail_messages_in_progress",
    "cpanel_mail_last_day_events_reported",
    "cpanel_mail_last_day_events_counted",
}


def counted(clock: StandingClock, **terms_of_ledger: Any) -> tuple[Board, Ledger]:
    """A board of one server with a ledger."""
    ledger = Ledger("web1", MemoryStore(), MEANING, LedgerTerms(**terms_of_ledger))
    return board(clock, terms(collectors=ALL), ledgers={"web1": ledger}), ledger


def learn(ledger: Ledger, *ways: str) -> None:
    for way in ways:
        ledger.learn([row(way, "success", T, T, msg_id=way)], T)


def test_a_ledger_that_was_not_loaded_shows_no_counters(clock: StandingClock) -> None:
    """Failure never looks like zero."""
    one, ledger = counted(clock)
    full = StorageFailed("web1", "storage", "web1.sqlite: database or disk is full")
    poll(one.servers[0], clock.now, delivery_events=full, user_stats=[stat()])
    one.build()
    names = set(shown(one.everything()).names())
    assert not names & (LASTING | PASSING) - {"cpanel_mail_series", "cpanel_mail_series_wanted"}
    ledger.begin(T)
    one.build()
    after = shown(one.everything())
    assert set(after.of(EVENTS).values()) == {"0"}
    assert len(after.of(EVENTS)) == 20
    assert after.of("cpanel_mail_counting_since_timestamp_seconds") == {("web1",): str(T)}


def test_counters_stay_whatever_fails_and_their_collectors_gauges_become_stale(
    clock: StandingClock,
) -> None:
    one, ledger = counted(clock, birth_delay_seconds=None)
    ledger.begin(T)
    poll(one.servers[0], clock.now, user_stats=None, delivery_events=STATE)
    learn(ledger, "outbound")
    one.build()
    before = shown(one.everything())
    assert set(before.names()) >= LASTING | PASSING
    assert before.of(EVENTS)["web1", "success", "outbound", "other"] == "1"
    assert before.of("cpanel_mail_last_day_events_counted") == {("web1", "success"): "8"}
    assert before.of("cpanel_mail_slices_incomplete") == {("web1", "delivery_events"): "0"}
    clock.now += 250
    poll(one.servers[0], clock.now, user_stats=None, delivery_events=SLOW)
    clock.now += 50
    one.build()
    after = shown(one.everything())
    assert PASSING | {"cpanel_mail_slices_incomplete"} <= (set(before.names()) - set(after.names()))
    for name in sorted(LASTING - {EVENTS}):
        assert after.of(name) == before.of(name) != {}
    assert after.of(EVENTS)["web1", "success", "outbound", "other"] == "1"
    assert after.of("cpanel_mail_collector_success") == {("web1", "delivery_events"): "0"}


def test_pairs_of_users_stand_beside_what_was_wanted_and_what_is_allowed(
    clock: StandingClock,
) -> None:
    one, ledger = counted(clock, user_limit=2, reply_limit=0)
    ledger.begin(T, counts_past=True)
    learn(ledger, "outbound", "inbound", "gmail")
    one.build()
    after = shown(one.everything())
    users, replies = (
        ("web1", "cpanel_mail_user_delivery_events_total"),
        ("web1", "cpanel_mail_smtp_replies_total"),
    )
    assert after.of("cpanel_mail_series") == {users: "2", replies: "0"}
    assert after.of("cpanel_mail_series_wanted") == {users: "3", replies: "0"}
    assert after.of("cpanel_mail_series_limit") == {users: "2"}, "the other has none"


def test_spam_runs_are_those_of_the_worst_accounts_and_vanish_when_they_are_stale(
    clock: StandingClock,
) -> None:
    ledger = Ledger("web1", MemoryStore(), MEANING)
    one = board(clock, terms(collectors=ALL, max_spam_run_accounts=2), ledgers={"web1": ledger})
    ledger.begin(T)
    for number, user in enumerate(("a", "b", "c")):
        for n in range(40 + number):
            to = {"msg_id": f"{user}{n}", "recipient": f"{user}{n}@x.example", "user": user}
            ledger.learn([row("outbound", "success", T, T, **to)], T)
    poll(one.servers[0], clock.now, user_stats=None, delivery_events=STATE)
    one.build()
    score, family = "cpanel_mail_account_spam_run_score", "cpanel_mail_account_recent_recipients"
    before = shown(one.everything())
    assert score not in before.names()
    assert ("web1", score) not in before.of("cpanel_mail_series")
    ledger.watch(T)
    poll(one.servers[0], clock.now, user_stats=None, delivery_events=STATE)
    one.build()
    found = shown(one.everything())
    assert found.of(family) == {("web1", "b"): "41", ("web1", "c"): "42"}
    assert found.of(score).keys() == found.of(family).keys()
    assert found.of("cpanel_mail_series")["web1", score] == "2"
    assert found.of("cpanel_mail_series_wanted")["web1", score] == "3"
    assert found.of("cpanel_mail_series_limit")["web1", score] == "2"
    clock.now += 300
    one.build()
    after = shown(one.everything())
    assert {score, family} & set(after.names()) == set()
    assert ("web1", score) not in after.of("cpanel_mail_series")


async def test_a_new_series_is_published_at_0_and_then_without_news_at_its_value(
    clock: StandingClock,
) -> None:
    own = Counting(clock)
    ledger = Ledger("web1", MemoryStore(), MEANING, LedgerTerms(birth_delay_seconds=60.0))
    one = board(clock, terms(collectors=ALL), own=own, ledgers={"web1": ledger})
    running = asyncio.create_task(one.run())
    ledger.begin(T)
    learn(ledger, "gmail")
    poll(one.servers[0], clock.now, user_stats=None, delivery_events=STATE)
    await settle()
    assert shown(one.everything()).of(EVENTS)[GMAIL] == "0"
    builds = own.builds
    await clock.advance(59)
    assert shown(one.everything()).of(EVENTS)[GMAIL] == "0"
    await clock.advance(1)
    assert shown(one.everything()).of(EVENTS)[GMAIL] == "1"
    assert own.builds == builds + 1
    await clock.advance(200)
    assert own.builds == builds + 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize("is_shown", [False, True])
def test_message_ids_are_exemplars_only_where_that_is_allowed(
    clock: StandingClock, is_shown: bool
) -> None:
    ledger = Ledger("web1", MemoryStore(), MEANING, LedgerTerms(birth_delay_seconds=None))
    of_server = terms(collectors=ALL, exemplars=is_shown)
    one = board(clock, of_server, ledgers={"web1": ledger})
    ledger.begin(T)
    learn(ledger, "gmail")
    poll(one.servers[0], clock.now, user_stats=None, delivery_events=STATE)
    one.build()
    for page in (one.everything(), one.of_server("web1")):
        bodies = {form: whole(page, form) for form in Format}
        assert b'{message_id="' not in bodies[Format.TEXT]
        assert (b' # {message_id="gmail"} 0 ' in bodies[Format.OPENMETRICS]) is is_shown
        assert (b'gmail"}' in bodies[Format.OPENMETRICS]) is is_shown


def test_a_ledger_is_only_rendered_when_it_has_something_new(
    clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, ledger = counted(clock, birth_delay_seconds=None)
    ledger.begin(T)
    one.build()
    rendered = one.servers[0].rendered(clock.now, 0)
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "published", None)
        clock.now += 100
        learn(ledger)
        ledger.note({"mark": "x"})
        one.build()
        assert one.servers[0].rendered(clock.now, 0) is rendered
        poll(one.servers[0], clock.now, user_stats=[stat()])
        one.build()
        assert one.servers[0].rendered(clock.now, 0) is not rendered, "a poll of others is news"
    learn(ledger, "gmail")
    one.build()
    assert one.servers[0].rendered(clock.now, 0) is not rendered
    assert shown(one.everything()).of(EVENTS)[GMAIL] == "1"


async def test_it_builds_on_news_and_only_then(clock: StandingClock) -> None:
    own = Counting(clock)
    one = board(clock, own=own)
    running = asyncio.create_task(one.run())
    await clock.advance(1000)
    assert own.builds == 1
    with_logs(one, 1)
    await settle()
    assert own.builds == 2
    assert "email_logs" in shown(one.everything()).names()
    await clock.advance(100)
    assert own.builds == 2
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await settle()
    assert clock.next_wake_seconds() is None


async def test_it_builds_when_something_becomes_stale(clock: StandingClock) -> None:
    own = Counting(clock)
    one = board(clock, terms("web1"), terms("web2", stale_after_seconds=400.0), own=own)
    running = asyncio.create_task(one.run())
    with_logs(one, 1, 0)
    with_logs(one, 1, 1)
    await clock.advance(299)
    assert len(shown(one.everything()).of("email_logs")) == 2
    await clock.advance(1)
    assert len(shown(one.everything()).of("email_logs")) == 1
    await clock.advance(99)
    assert len(shown(one.everything()).of("email_logs")) == 1
    await clock.advance(1)
    assert "email_logs" not in shown(one.everything()).names()
    builds = own.builds
    await clock.advance(3_000)
    assert own.builds == builds
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_it_rests_ten_times_as_long_as_building_took(clock: StandingClock) -> None:
    own = Counting(clock, seconds=0.5)
    one = board(clock, own=own)
    running = asyncio.create_task(one.run())
    await settle()
    for _ in range(3):
        with_logs(one, 1)
        await settle()
    assert own.builds == 2
    await clock.advance(4.9)
    assert own.builds == 2
    await clock.advance(0.2)
    assert own.builds == 3
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_others_have_their_turn_while_many_servers_are_put_together() -> None:
    class Hurrying(StandingClock):
        """Each look at it costs six milliseconds, as a step of the building would."""

        def elapsed(self) -> float:
            self.now += 0.006
            return self.now

    clock = Hurrying()
    one = board(clock, *[terms(f"web{number}") for number in range(20)])
    running = asyncio.create_task(one.run())
    await asyncio.sleep(0)
    before = one.everything()
    with_logs(one, 1)
    turns = 0
    while one.everything() is before:
        assert turns < 200
        turns += 1
        await asyncio.sleep(0)
    families = len(shown(one.everything()).names())
    assert turns >= 20 + families
    assert "email_logs" in shown(one.everything()).names()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_becomes_stale_while_it_rests_is_not_overlooked(clock: StandingClock) -> None:
    own = Counting(clock, seconds=0.5)
    one = board(clock, terms(stale_after_seconds=3.0), own=own)
    running = asyncio.create_task(one.run())
    with_logs(one, 1)
    await settle()
    assert "email_logs" in shown(one.everything()).names()
    await clock.advance(10)
    assert "email_logs" not in shown(one.everything()).names()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
