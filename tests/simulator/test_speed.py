"""Simulated time: it runs at its own speed, and everything that tells the time follows it."""

import json
from typing import Any

import aiohttp
import pytest

from tests.simulator.conftest import ALL_TYPES, NOW_UNIX, SetClock, Start, login, make_world, url
from whm_simulator.app import Simulator
from whm_simulator.web.clock import SimulatedClock

V1 = {"api.version": "1"}
DAY = "Sat, 21 Nov 2026"


async def date(session: aiohttp.ClientSession, simulator: Simulator, number: int = 0) -> str:
    address, headers = url(simulator, "version", number), login(simulator, number)
    async with session.get(address, params=V1, headers=headers) as response:
        return response.headers["Date"]


async def speed(session: aiohttp.ClientSession, simulator: Simulator, **order: float) -> Any:
    address = f"{simulator.control}/speed"
    asking = session.post(address, json=order) if order else session.get(address)
    async with asking as response:
        assert response.status == 200
        return await response.json()


def test_time_runs_by_its_factor_from_its_start() -> None:
    real = SetClock(1000.0)
    clock = SimulatedClock(real, NOW_UNIX, 60)
    assert clock() == NOW_UNIX
    real.now_unix += 2.5
    assert clock() == NOW_UNIX + 150
    clock.set(factor=0)
    real.now_unix += 100
    assert clock() == NOW_UNIX + 150
    clock.set(factor=3600)
    real.now_unix += 1
    assert clock() == NOW_UNIX + 150 + 3600
    clock.set(now_unix=7.0)
    assert (clock(), clock.factor) == (7.0, 3600)


def test_another_process_goes_on_from_the_anchor_as_if_time_had_never_stopped() -> None:
    real = SetClock(1000.0)
    first = SimulatedClock(real, NOW_UNIX, 60)
    real.now_unix += 30
    second = SimulatedClock(real, anchor=first.anchor)
    real.now_unix += 30
    assert second() == first() == NOW_UNIX + 3600


async def test_servers_truth_and_requests_share_the_time(
    start: Start, session: aiohttp.ClientSession, clock: SetClock
) -> None:
    simulator = await start(servers=2, start_unix=NOW_UNIX, speed=60)
    clock.now_unix += 10
    now = NOW_UNIX + 600
    assert await date(session, simulator) == f"{DAY} 09:24:07 GMT"
    assert await date(session, simulator, 1) == f"{DAY} 09:24:07 GMT"
    assert [note["at_unix"] for note in simulator.sites["web1"].requests] == [now]
    async with session.get(f"{simulator.control}/truth?server=web1") as response:
        shown = [json.loads(line)["msgid"] for line in (await response.text()).splitlines()]
    assert shown == [row.msgid for row in make_world(history_seconds=3600).rows(now)]


async def test_speed_is_told_and_set_while_it_runs(
    start: Start, session: aiohttp.ClientSession, clock: SetClock
) -> None:
    simulator = await start()
    assert await speed(session, simulator) == {"factor": 1.0, "now_unix": NOW_UNIX}
    later = NOW_UNIX + 86_400
    assert await speed(session, simulator, factor=3600) == {"factor": 3600, "now_unix": NOW_UNIX}
    clock.now_unix += 24
    assert await speed(session, simulator) == {"factor": 3600, "now_unix": later}
    jumped = await speed(session, simulator, factor=0, now_unix=NOW_UNIX)
    assert jumped == {"factor": 0, "now_unix": NOW_UNIX}
    clock.now_unix += 24
    assert await date(session, simulator) == f"{DAY} 09:14:07 GMT"
    assert await speed(session, simulator, now_unix=later) == {"factor": 0, "now_unix": later}


async def test_a_schedule_follows_simulated_time_not_real_time(
    start: Start, session: aiohttp.ClientSession, clock: SetClock
) -> None:
    fault = {"server": "web1", "fault": "500", "after": "1h", "for": "1h"}
    simulator = await start(speed=3600, faults=(fault,))
    found = []
    for _ in range(3):
        async with session.get(
            url(simulator, "version"), params=V1, headers=login(simulator)
        ) as response:
            found.append(response.status)
        clock.now_unix += 1
    assert found == [200, 500, 200]


async def test_a_servers_own_clock_can_be_off_while_the_simulations_is_right(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=2, quirks=("web2:clock-offset=-7m",))
    assert await date(session, simulator) == f"{DAY} 09:14:07 GMT"
    assert await date(session, simulator, 1) == f"{DAY} 09:07:07 GMT"
    assert [note["at_unix"] for note in simulator.sites["web2"].requests] == [NOW_UNIX]


async def test_a_server_whose_clock_is_off_shows_what_exists_by_its_own_clock(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(quirks=("clock-offset=-7m",))
    address, headers = url(simulator, "emailtrack_search"), login(simulator)
    async with session.get(address, params={**V1, **ALL_TYPES}, headers=headers) as response:
        shown = {row["msgid"] for row in json.loads(await response.read())["data"]["records"]}
    world = make_world(history_seconds=3600)
    assert shown == {row.msgid for row in world.rows(NOW_UNIX - 420)}
    assert shown != {row.msgid for row in world.rows(NOW_UNIX)}


async def test_a_server_without_gzip_never_compresses(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=2, quirks=("web2:no-gzip",))
    found = []
    for number in (0, 1):
        headers = {**login(simulator, number), "Accept-Encoding": "gzip"}
        address = url(simulator, "emailtrack_user_stats", number)
        async with session.get(address, params=V1, headers=headers) as response:
            found.append(response.headers.get("Content-Encoding"))
    assert found == ["gzip", None]


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"factor": "fast"}', b'{"factor": -1}'])
async def test_a_bad_order_leaves_time_alone(
    start: Start, session: aiohttp.ClientSession, body: bytes
) -> None:
    simulator = await start()
    async with session.post(f"{simulator.control}/speed", data=body) as response:
        assert response.status == 400
        assert list(await response.json()) == ["error"]
    assert await speed(session, simulator) == {"factor": 1.0, "now_unix": NOW_UNIX}
