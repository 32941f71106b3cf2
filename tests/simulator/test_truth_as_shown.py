"""The truth asked for with ``shown=1`` is what the server's API shows, and nothing else changes."""

import json
from typing import Any

import aiohttp
import pytest

from tests.simulator.conftest import ALL_TYPES, NOW_UNIX, SetClock, Start, login, url
from whm_simulator.app import Simulator
from whm_simulator.world.settings import WorldSettings


async def truth(session: aiohttp.ClientSession, simulator: Simulator, query: str) -> list[Any]:
    async with session.get(f"{simulator.control}/truth?server=web1{query}") as response:
        assert response.status == 200, await response.text()
        return [json.loads(line) for line in (await response.text()).splitlines()]


async def search(session: aiohttp.ClientSession, simulator: Simulator) -> list[Any]:
    params = {"api.version": "1", **ALL_TYPES}
    address = url(simulator, "emailtrack_search")
    async with session.get(address, params=params, headers=login(simulator)) as response:
        return list(json.loads(await response.text())["data"]["records"])


def in_order(rows: list[Any]) -> list[str]:
    return sorted(json.dumps({**row, "reason": None}) for row in rows)


@pytest.mark.parametrize(
    "quirks",
    [
        (),
        ("late=45m",),
        ("retries=replaced", "accepted=Zugestellt"),
        ("type-words=more", "remote-user=null"),
        ("clock-offset=-7m",),
        ("late=45m", "clock-offset=7m"),
    ],
)
@pytest.mark.parametrize("fault", ["none", "duplicated_rows", "missing_rows", "purge"])
async def test_it_is_what_search_shows_with_quirks_of_rows_and_faults_of_the_data(
    start: Start, session: aiohttp.ClientSession, quirks: tuple[str, ...], fault: str
) -> None:
    simulator = await start(quirks=quirks, faults=({"server": "web1", "fault": fault},))
    plain = await truth(session, simulator, f"&until={NOW_UNIX}")
    shown = await truth(session, simulator, "&shown=1")
    assert in_order(shown) == in_order(await search(session, simulator))
    assert shown
    assert (in_order(shown) == in_order(plain)) == (not quirks and fault in ("none", "purge"))
    events = await truth(session, simulator, "&shown=1&events=1")
    assert events == [row for row in shown if row["type"] != "inprogress"]


async def test_faults_that_hit_only_some_calls_are_not_shown(
    start: Start, session: aiohttp.ClientSession
) -> None:
    faults = (
        {"server": "web1", "fault": "missing_rows", "share": 0.5},
        {"server": "web1", "fault": "duplicated_rows", "function": "emailtrack_stats"},
        {"server": "web1", "fault": "eximstats_off", "after": 60},
    )
    simulator = await start(faults=faults)
    assert await truth(session, simulator, "&shown=1") == await truth(session, simulator, "")


async def test_totals_count_what_is_shown(start: Start, session: aiohttp.ClientSession) -> None:
    simulator = await start(faults=({"server": "web1", "fault": "duplicated_rows", "rows": 1},))
    counts = []
    for query in ("", "&shown=1"):
        async with session.get(f"{simulator.control}/truth/totals?server=web1{query}") as answer:
            counts.append({one["type"]: one["events"] for one in (await answer.json())["totals"]})
    assert counts[1] == {name: events * 2 for name, events in counts[0].items()}


async def test_shown_is_0_or_1(start: Start, session: aiohttp.ClientSession) -> None:
    simulator = await start()
    async with session.get(f"{simulator.control}/truth?server=web1&shown=yes") as answer:
        assert answer.status == 400
        assert await answer.json() == {"error": '"shown" must be 0 or 1, not "yes".'}


@pytest.mark.parametrize("age_seconds", [0, 1800])
async def test_a_young_server_has_no_mail_from_before_its_time(
    start: Start, session: aiohttp.ClientSession, clock: SetClock, age_seconds: int
) -> None:
    """Neither rows nor sums nor its queue know of older mail, and later mail is as ever."""
    world = WorldSettings(history_seconds=7200)
    old = await start(world=world)
    young = await start(world=world, age_seconds=age_seconds)
    begin_unix = NOW_UNIX - age_seconds
    for passed in (0, 900):
        clock.now_unix = NOW_UNIX + passed
        rows = await truth(session, old, "")
        expected = [row for row in rows if row["sendunixtime"] >= begin_unix]
        assert await truth(session, young, "") == expected
        assert expected or not passed
        assert len(expected) < len(rows)
        assert in_order(await search(session, young)) == in_order(expected)
        mail = young.sites["web1"].mail
        sums = mail.sums(clock.now_unix).values()
        assert sum(one.success for one in sums) == sum(row["type"] == "success" for row in expected)
        assert all(one.time_unix >= begin_unix for one in mail.queue(clock.now_unix))
