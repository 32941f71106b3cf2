"""The made-up mail is a pure function of settings, server and time."""

import hashlib
import os
import random
import subprocess
import sys

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.conftest import NOW_UNIX, make_world
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Interrupted, Span
from whm_simulator.world.cache import BlockCache
from whm_simulator.world.incidents import BadDay, Compromise
from whm_simulator.world.settings import WorldSettings
from whm_simulator.world.stream import World

HOUR = 3600


def digest(rows: list[Row]) -> str:
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()


def whole_digest() -> str:
    """Rows and queue of a server on which everything happens at once."""
    world = make_world(
        history_seconds=7200,
        domains_per_account=2,
        compromises=(Compromise("web1", "forum1", NOW_UNIX - HOUR, seconds=1800),),
        bad_days=(BadDay("google", NOW_UNIX - HOUR),),
    )
    return digest(world.rows(NOW_UNIX)) + repr(world.queue(NOW_UNIX))


_DIGEST_ELSEWHERE = """
from tests.simulator.test_world import whole_digest
import sys
sys.stdout.buffer.write(whole_digest().encode())
"""


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_sees_the_same_mail(hash_seed: str) -> None:
    path = os.pathsep.join(["src", ".", *sys.path])
    elsewhere = subprocess.run(
        [sys.executable, "-c", _DIGEST_ELSEWHERE],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
        capture_output=True,
        check=True,
    )
    assert elsewhere.stdout.decode() == whole_digest()


def test_the_mail_of_a_seed_stays_as_it_is_from_version_to_version() -> None:
    """A change of the world is a decision, since recorded figures depend on it."""
    rows = make_world(history_seconds=3600, rate_per_minute=60).rows(NOW_UNIX)
    old = make_world(history_seconds=3600, rate_per_minute=60, name="web2", number=2).rows(NOW_UNIX)
    assert (digest(rows)[:16], digest(old)[:16]) == ("dfae02408fb5af37", "e6c7416e77ae44bc")


def test_asking_in_any_order_and_with_any_cache_gives_the_same() -> None:
    instants = [NOW_UNIX + offset for offset in range(-9000, 9001, 900)]
    in_order = make_world(history_seconds=2700)
    wanted = {now: (in_order.rows(now), in_order.sums(now), in_order.queue(now))
              for now in instants}  # fmt: skip
    shuffled = make_world(history_seconds=2700, max_cached_rows=1)
    random.Random(1).shuffle(instants)
    for now in instants:
        answers = [shuffled.queue(now), shuffled.sums(now), shuffled.rows(now)]
        assert tuple(reversed(answers)) == wanted[now]


def test_seed_server_and_accounts_each_give_other_mail() -> None:
    worlds = [
        make_world(history_seconds=600),
        make_world(history_seconds=600, seed="2"),
        make_world(history_seconds=600, name="web2"),
        make_world(history_seconds=600, domains_per_account=2),
        make_world(history_seconds=600, accounts=9),
    ]
    assert len({digest(world.rows(NOW_UNIX)) for world in worlds}) == 5


def test_the_length_of_the_history_only_cuts() -> None:
    short, long = make_world(history_seconds=900), make_world(history_seconds=7200)
    assert short.rows(NOW_UNIX) == long.rows(NOW_UNIX, Span(NOW_UNIX - 900, NOW_UNIX))
    assert short.queue(NOW_UNIX) == long.queue(NOW_UNIX), "the queue forgets nothing"


def test_the_cache_never_holds_more_rows_than_it_may() -> None:
    cache = BlockCache(500)
    for number in (1, 2):
        World(WorldSettings(history_seconds=7200), f"web{number}", number, cache).rows(NOW_UNIX)
    held = sum(
        len(cache.blocks.get((f"web{number}", minute)).attempts) + 1  # type: ignore[union-attr]
        for number, minute in [(key[0][3:], key[1]) for key in list(cache.blocks._known)]
    )
    assert 0 < held <= 500
    assert held == cache.blocks.cost


@pytest.mark.parametrize("ask", ["rows", "sums", "queue"])
def test_a_stopped_world_gives_up_at_once(ask: str) -> None:
    world = make_world()
    world.stopping.set()
    with pytest.raises(Interrupted):
        getattr(world, ask)(NOW_UNIX)


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


def test_without_a_rate_there_is_no_mail() -> None:
    world = make_world(rate_per_minute=0.0, history_seconds=8 * 86_400)
    assert (world.rows(NOW_UNIX), world.sums(NOW_UNIX), world.queue(NOW_UNIX)) == ([], {}, [])
