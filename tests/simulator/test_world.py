"""The mail is a pure function of seed, server and time, and behaves as Exim's and cPanel's does."""

import hashlib
import itertools
import os
import random
import subprocess
import sys
from collections import defaultdict
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.conftest import NOW_UNIX, make_world
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Interrupted, Span
from whm_simulator.world.retry import RETRY_OFFSETS_SECONDS
from whm_simulator.world.stream import BlockCache, World, WorldSettings

DAY = 86_400


def digest(rows: list[Row]) -> str:
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()


_DIGEST_ELSEWHERE = f"""
from tests.simulator.test_world import digest
from tests.simulator.conftest import make_world
print(digest(make_world(history_seconds=7200).rows({NOW_UNIX})))
"""


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_sees_the_same_mail(hash_seed: str) -> None:
    path = os.pathsep.join(["src", ".", *sys.path])
    elsewhere = subprocess.run(
        [sys.executable, "-c", _DIGEST_ELSEWHERE],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert elsewhere.stdout.strip() == digest(make_world(history_seconds=7200).rows(NOW_UNIX))


def test_the_mail_of_a_seed_stays_as_it_is_from_version_to_version() -> None:
    """A change of the world is a decision, since recorded figures depend on it."""
    rows = make_world(history_seconds=600).rows(NOW_UNIX)
    assert digest(rows)[:16] == "29c3de1d6e1adda0"


def test_asking_in_any_order_and_with_any_cache_gives_the_same() -> None:
    instants = [NOW_UNIX + offset for offset in range(-3000, 3001, 600)]
    in_order = make_world(history_seconds=1800)
    wanted = {instant: in_order.rows(instant) for instant in instants}
    shuffled = make_world(history_seconds=1800, max_cached_rows=1)
    random.Random(1).shuffle(instants)
    assert {instant: shuffled.rows(instant) for instant in instants} == wanted


def test_seed_and_server_each_give_other_mail() -> None:
    worlds = [
        make_world(history_seconds=600),
        make_world(history_seconds=600, seed="2"),
        make_world(history_seconds=600, name="web2"),
    ]
    assert len({digest(world.rows(NOW_UNIX)) for world in worlds}) == 3


def test_the_cache_never_holds_more_rows_than_it_may() -> None:
    cache = BlockCache(500)
    for number in (1, 2):
        World(WorldSettings(), f"web{number}", number, cache).rows(NOW_UNIX)
    held = sum(len(block.attempts) + 1 for block in cache._blocks.values())
    assert 0 < held <= 500
    assert held == cache._rows


def test_a_stopped_world_gives_up_at_once() -> None:
    world = make_world()
    world.stopping.set()
    with pytest.raises(Interrupted):
        world.rows(NOW_UNIX)


@given(
    now=st.integers(NOW_UNIX - 1800, NOW_UNIX + 1800),
    first=st.integers(-4000, 100),
    length=st.integers(-5, 4000),
)
@settings(max_examples=60, deadline=None)
def test_a_span_is_the_same_rows_cut_to_its_send_times(now: int, first: int, length: int) -> None:
    world = _WORLD_OF_AN_HOUR
    span = Span(now + first, now + first + length)
    everything = world.rows(now)
    assert world.rows(now, span) == [
        row for row in everything if span.first_unix <= row.sendunixtime <= span.last_unix
    ]


_WORLD_OF_AN_HOUR = make_world(history_seconds=3600)


@given(now=st.integers(NOW_UNIX - 3000, NOW_UNIX + 3000), later=st.integers(1, 900))
@settings(max_examples=40, deadline=None)
def test_rows_appear_at_their_action_time_and_stay(now: int, later: int) -> None:
    """Between two instants exactly the attempts of that time are added and old mail is lost."""
    world = _WORLD_OF_AN_HOUR
    before = {row for row in world.rows(now) if row.actionunixtime}
    after = {row for row in world.rows(now + later) if row.actionunixtime}
    oldest = now + later - 3600
    assert all(row.actionunixtime <= now for row in before if row.actionunixtime)
    assert before - after == {row for row in before if row.sendunixtime < oldest}
    assert after - before == {row for row in after if (row.actionunixtime or 0) > now}


def test_history_ends_where_it_says() -> None:
    rows = make_world(history_seconds=600, rate_per_minute=200).rows(NOW_UNIX + 0.5)
    sent = {row.sendunixtime for row in rows}
    assert min(sent) >= NOW_UNIX + 0.5 - 600
    assert min(sent) - (NOW_UNIX - 600) < 10
    assert NOW_UNIX - max(sent) < 10


def test_a_recipient_is_in_progress_from_sending_to_its_first_attempt() -> None:
    """At each second a message is accepted, each recipient has an in-progress row or attempts."""
    world = make_world(history_seconds=600)
    finally_known: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in world.rows(NOW_UNIX + 500, Span(NOW_UNIX - 60, NOW_UNIX)):
        finally_known[row.msgid, row.recipient].append(row.actionunixtime or 0)
    for now in range(NOW_UNIX - 60, NOW_UNIX + 120):
        seen = {
            (row.msgid, row.recipient)
            for row in world.rows(now, Span(NOW_UNIX - 60, NOW_UNIX))
            if row.type == "inprogress"
        }
        sent = {
            (row.msgid, row.recipient): row.sendunixtime
            for row in world.rows(NOW_UNIX + 500, Span(NOW_UNIX - 60, NOW_UNIX))
        }
        waiting = {key for key in sent if sent[key] <= now < min(finally_known[key])}
        assert seen == waiting


def test_what_only_an_attempt_can_tell_is_null_while_in_progress(world: World) -> None:
    waiting = [row for row in world.rows(NOW_UNIX) if row.type == "inprogress"]
    assert waiting
    for row in waiting:
        nulls = {name for name, value in msgspec.structs.asdict(row).items() if value is None}
        assert nulls == {
            "actiontime", "actionunixtime", "deliveredto", "deliverydomain", "deliveryuser", "host",
            "ip", "message", "router", "transport",
        }  # fmt: skip
        assert row.transport_is_remote == 0


def test_deferrals_follow_exims_rhythm_and_end() -> None:
    """Each recipient: deferrals at Exim's offsets, then one success or failure, nothing after."""
    world = make_world(history_seconds=6 * DAY, rate_per_minute=4, max_cached_rows=10**7)
    fates = defaultdict(list)
    for row in world.rows(NOW_UNIX, Span(NOW_UNIX - 6 * DAY, NOW_UNIX - 5 * DAY)):
        fates[row.msgid, row.recipient, row.sendunixtime].append(row)
    retried = given_up = 0
    for rows in fates.values():
        if len({row.router for row in rows}) > 1 or len(rows) == 1:
            continue
        rows.sort(key=lambda row: row.actionunixtime or 0)
        outcomes = [row.type for row in rows]
        ends = outcomes.count("success") + outcomes.count("failure")
        if ends > 1:  # the same recipient twice in one message
            continue
        assert outcomes[:-1] == ["defer"] * (len(rows) - 1)
        assert outcomes[-1] in ("success", "failure")
        first = rows[0].actionunixtime or 0
        for row, offset in zip(rows[1:], RETRY_OFFSETS_SECONDS, strict=False):
            assert 0 <= (row.actionunixtime or 0) - first - offset < 90
        retried += 1
        given_up += rows[-1].message == "retry timeout exceeded"
    assert retried > 30
    assert given_up > 0


def test_exims_rule_gives_the_known_offsets() -> None:
    """F,2h,15m; G,16h,1h,1.5; F,4d,6h."""
    minutes = [seconds // 60 for seconds in RETRY_OFFSETS_SECONDS]
    assert minutes[:8] == [15, 30, 45, 60, 75, 90, 105, 120]
    assert minutes[8:13] == [180, 270, 405, 607, 911]
    assert {late - early for early, late in itertools.pairwise(minutes[12:])} <= {360}
    assert minutes[-1] <= 4 * 1440 < minutes[-1] + 360


def test_the_hourly_limit_lets_through_queues_and_discards() -> None:
    """Of one clock hour: up to the limit sent, up to 125 % queued to the next hour, then lost."""
    world = make_world(rate_per_minute=60)
    hour = NOW_UNIX // 3600 * 3600 - 3 * 3600
    account = next(a for a in world.site.accounts if a.max_email_per_hour)
    limit = account.max_email_per_hour
    found = 0
    for start in range(hour - 12 * 3600, hour, 3600):
        span = Span(start, start + 3599)
        rows = [row for row in world.rows(NOW_UNIX, span) if row.user == account.user]
        messages = {row.msgid for row in rows}
        if len(messages) <= limit * 125 // 100 + 1:
            continue
        found += 1
        refused = [row for row in rows if row.router == "enforce_mail_permissions"]
        queued = {row.msgid for row in refused if row.type == "defer"}
        discarded = {row.msgid for row in refused if row.type == "failure"}
        assert len(messages - queued - discarded) == limit
        assert len(queued) == -(-limit * 125 // 100) - limit
        assert {row.type for row in rows if row.msgid in discarded} == {"failure"}
        for row in rows:
            if row.msgid in queued and row.router != "enforce_mail_permissions":
                assert (row.actionunixtime or 0) >= start + 3600
        assert {row.message for row in refused if row.type == "failure"} >= {
            f"Domain {account.domain} has exceeded the max emails per hour "
            f"({number}/{limit} ({number * 100 // limit}%)) allowed. Message discarded."
            for number in [-(-limit * 125 // 100)]
        }
    assert found > 0


def test_the_defer_fail_limit_discards_the_rest_of_the_hour() -> None:
    world = make_world(rate_per_minute=60)
    refused = [r for r in world.rows(NOW_UNIX) if "max defers and failures" in str(r.message)]
    assert refused
    limits = {account.domain: account.max_defer_fail_per_hour for account in world.site.accounts}
    for row in refused:
        limit = limits[row.domain]
        assert row.type == "failure"
        assert f"({limit}/{limit} (100%)) allowed. Message discarded." in str(row.message)


def test_rows_refused_by_cpanel_look_like_the_known_sample(world: World) -> None:
    refused = [r for r in world.rows(NOW_UNIX) if r.router == "enforce_mail_permissions"]
    assert {row.type for row in refused} == {"failure", "defer"}
    for row in refused:
        assert (row.deliveredto, row.deliverydomain, row.deliveryuser) == (None, None, None)
        assert (row.host, row.ip, row.transport, row.transport_is_remote) == (None, None, None, 0)


@pytest.mark.parametrize(("number", "length"), [(1, 23), (2, 16)])
def test_message_ids_have_exims_form_and_belong_to_one_message(number: int, length: int) -> None:
    """Odd servers run a current Exim, even ones an older with shorter ids."""
    world = make_world(name=f"web{number}", number=number, rate_per_minute=300)
    senders = defaultdict(set)
    for row in world.rows(NOW_UNIX, Span(NOW_UNIX - 1800, NOW_UNIX)):
        assert len(row.msgid) == length
        senders[row.msgid].add((row.sender, row.sendunixtime, row.size, row.email, row.senderip))
    assert len(senders) > 5000
    assert {len(facts) for facts in senders.values()} == {1}


def test_the_stream_has_the_variety_that_real_mail_has(world: World) -> None:
    rows = world.rows(NOW_UNIX)
    messages = [row.message or "" for row in rows]
    assert {row.type for row in rows} == {"success", "defer", "failure", "inprogress"}
    assert {"-remote-", "root", "mailnull"} <= {row.user for row in rows}
    assert any(row.sender == "" for row in rows)
    assert any(":" in (row.ip or "") for row in rows)
    assert any(":" in row.senderip for row in rows)
    assert any("\\n" in message for message in messages)
    assert any('"' in message for message in messages)
    assert any("\\relay" in message for message in messages)
    assert any("не найден" in message for message in messages)
    assert any("見つかりません" in message for message in messages)
    assert any("@例え.example" in row.recipient for row in rows)
    assert any(row.recipient.startswith('"') for row in rows)
    assert any(row.deliveredto not in (None, row.recipient) for row in rows)
    assert not any(
        character in value
        for row in rows
        for value in (row.message or "", row.recipient, row.sender)
        for character in "\n\r\t\0"
    )
    recipients = defaultdict(set)
    for row in rows:
        recipients[row.msgid].add(row.recipient)
    assert max(map(len, recipients.values())) > 10


def test_only_addresses_set_aside_for_documentation_are_used(world: World) -> None:
    for row in world.rows(NOW_UNIX):
        for ip in filter(None, (row.ip, row.senderip)):
            assert ip.startswith(
                ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:", "127.0.0.1")
            )
        for address in filter(None, (row.sender, row.recipient, row.email)):
            ending = address.rpartition("@")[2].split(".")
            assert ending[-1] == "example" or ending[-2] == "example"


@pytest.mark.parametrize("rate", [0.0, 1.0, 20.0, 120.0])
def test_the_rate_is_messages_a_minute_averaged_over_a_day(rate: float) -> None:
    """A whole working day, since habits follow the hour; 10 % for limits and chance."""
    world = make_world(rate_per_minute=rate)
    rows = world.rows(1_795_046_400 + DAY - 1, Span(1_795_046_400, 1_795_046_400 + DAY - 1))
    messages = len({row.msgid for row in rows}) / 1440
    assert abs(messages - rate) <= 0.1 * rate


def test_newsletters_come_in_bursts(world: World) -> None:
    news = next(a for a in world.site.accounts if a.habit.comes_in_bursts)
    rows = world.rows(NOW_UNIX)
    minutes = {row.sendunixtime // 60 for row in rows if row.user == news.user}
    assert 20 < len(minutes) < 150


def test_action_time_is_the_servers_wall_time() -> None:
    world = make_world(history_seconds=60, zone=ZoneInfo("Asia/Kathmandu"))
    texts = {
        row.actiontime for row in world.rows(NOW_UNIX) if row.actionunixtime == NOW_UNIX - 20
    } | {row.actiontime for row in world.rows(NOW_UNIX) if row.actionunixtime == NOW_UNIX}
    assert texts <= {"2026-11-21 14:58:47", "2026-11-21 14:59:07"}
    assert texts


@pytest.mark.parametrize("accounts", [1, 3, 200])
def test_there_are_as_many_accounts_as_wanted_each_with_a_domain_of_its_own(accounts: int) -> None:
    world = make_world(accounts=accounts)
    assert len({account.user for account in world.site.accounts}) == accounts
    assert len({account.domain for account in world.site.accounts}) == accounts
    assert world.rows(NOW_UNIX, Span(NOW_UNIX - 60, NOW_UNIX))
