"""Faults of the data: all functions see the same disturbed rows, and the truth isn't touched."""

import json
from itertools import pairwise
from typing import Any

import aiohttp
import pytest

from tests.simulator.conftest import ALL_TYPES, NOW_UNIX, Start, login, make_world, url
from whm_simulator.app import Simulator
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Span
from whm_simulator.mail.sums import sums_of
from whm_simulator.web.disturbed_mail import disturbed
from whm_simulator.web.faults import Fault

V1 = {"api.version": "1"}


def seen_through(*faults: Fault) -> tuple[list[Row], list[Row]]:
    """The rows that there are, and those that are seen."""
    world = make_world(history_seconds=7200)
    return world.rows(NOW_UNIX), disturbed(world, faults).rows(NOW_UNIX)


def fault(name: str, **amount: float) -> Fault:
    return Fault(server="web1", fault=name, **amount)


def test_duplicated_rows_stand_beside_themselves_and_the_share_is_about_right() -> None:
    rows, seen = seen_through(fault("duplicated_rows", rows=0.3))
    assert list(dict.fromkeys(seen)) == list(dict.fromkeys(rows))
    twice = len(seen) - len(rows)
    assert 0.2 < twice / len(rows) < 0.4
    assert sum(one is other for one, other in pairwise(seen)) == twice


def test_missing_rows_are_left_out_and_the_others_stay_in_order() -> None:
    rows, seen = seen_through(fault("missing_rows", rows=0.3))
    left = set(seen)
    assert seen == [row for row in rows if row in left]
    assert 0.6 < len(seen) / len(rows) < 0.8


def test_the_same_rows_are_hit_whatever_is_asked_for() -> None:
    world = make_world(history_seconds=7200)
    mail = disturbed(world, [fault("missing_rows", rows=0.3), fault("duplicated_rows", rows=0.3)])
    whole = mail.rows(NOW_UNIX)
    span = Span(NOW_UNIX - 5000, NOW_UNIX - 1000)
    assert mail.rows(NOW_UNIX, span) == [
        row for row in whole if span.first_unix <= row.sendunixtime <= span.last_unix
    ]
    assert mail.sums(NOW_UNIX, span) == sums_of(mail.rows(NOW_UNIX, span))


def test_a_purge_leaves_what_was_sent_lately() -> None:
    rows, seen = seen_through(fault("purge", seconds=600.0))
    assert seen == [row for row in rows if row.sendunixtime >= NOW_UNIX - 600]
    assert 0 < len(seen) < len(rows)


def test_without_eximstats_there_are_no_rows_but_a_queue_and_accounts() -> None:
    world = make_world(history_seconds=7200)
    mail = disturbed(world, [fault("eximstats_off")])
    assert (mail.rows(NOW_UNIX), mail.sums(NOW_UNIX)) == ([], {})
    assert mail.queue(NOW_UNIX) == world.queue(NOW_UNIX) != []
    assert mail.accounts(NOW_UNIX) == world.accounts(NOW_UNIX)
    assert (mail.hostname, mail.zone) == (world.hostname, world.zone)


def test_faults_of_something_else_leave_the_mail_itself() -> None:
    world = make_world()
    assert disturbed(world, [fault("latency", seconds=1), fault("500")]) is world


async def answer(
    session: aiohttp.ClientSession, simulator: Simulator, function: str, **params: str
) -> Any:
    address, headers = url(simulator, function), login(simulator)
    async with session.get(address, params={**V1, **params}, headers=headers) as response:
        return json.loads(await response.read())["data"]


@pytest.mark.parametrize(
    "order",
    [
        {"fault": "duplicated_rows", "rows": 0.5},
        {"fault": "missing_rows", "rows": 0.5},
        {"fault": "purge", "seconds": 900},
        {"fault": "eximstats_off"},
    ],
)
async def test_search_and_totals_agree_the_truth_stays_and_all_is_back_after_it(
    start: Start, session: aiohttp.ClientSession, order: dict[str, Any]
) -> None:
    simulator = await start()

    async def looked() -> tuple[Any, Any, str]:
        rows = await answer(session, simulator, "emailtrack_search", **ALL_TYPES)
        totals = await answer(session, simulator, "emailtrack_user_stats")
        async with session.get(f"{simulator.control}/truth?server=web1") as response:
            return rows["records"], totals["records"], await response.text()

    before = await looked()
    posted = {"server": "web1", **order}
    async with session.post(f"{simulator.control}/faults", json=posted) as response:
        assert response.status == 200
    rows, totals, truth = await looked()
    assert rows != before[0]
    assert sum(record["SUCCESSCOUNT"] for record in totals) == sum(
        row["type"] == "success" for row in rows
    )
    assert truth == before[2]
    async with session.post(
        f"{simulator.control}/faults", json={"server": "web1", "fault": "none"}
    ) as response:
        assert response.status == 200
    assert await looked() == before
