"""Faults of network and bodies as a real client meets them over loopback."""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.simulator.conftest import ALL_TYPES, SetClock, Start, filters, login, url
from whm_simulator.app import Simulator
from whm_simulator.web import bodies
from whm_simulator.web.bodies import first_half
from whm_simulator.web.faults import FAULT_NAMES, KINDS, fault_table
from whm_simulator.web.orders import FaultMistake, faults_of
from whm_simulator.world.settings import WorldSettings

V1 = {"api.version": "1"}
PATIENCE_SECONDS = 20


async def order(session: aiohttp.ClientSession, simulator: Simulator, *faults: Any) -> Any:
    """Set faults by an object, or by a list if there are several."""
    body = list(faults) if len(faults) != 1 else faults[0]
    async with session.post(f"{simulator.control}/faults", json=body) as response:
        answer = await response.json()
        assert response.status == 200, answer
        return answer


async def listed(session: aiohttp.ClientSession, simulator: Simulator) -> Any:
    async with session.get(f"{simulator.control}/faults") as response:
        return await response.json()


async def status(
    session: aiohttp.ClientSession, simulator: Simulator, function: str = "version", number: int = 0
) -> int:
    address, headers = url(simulator, function, number), login(simulator, number)
    async with session.get(address, params=V1, headers=headers) as response:
        await response.read()
        return response.status


async def until_answered(
    session: aiohttp.ClientSession, simulator: Simulator, number: int = 0
) -> None:
    """Ask until the server takes connections again."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                assert await status(session, simulator, number=number) == 200
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0)
                continue
            return


async def until_cut(session: aiohttp.ClientSession, address: str, headers: dict[str, str]) -> bytes:
    """What came of a body whose connection must be cut before its end."""
    received = b""
    async with session.get(address, params=V1, headers=headers) as response:
        assert response.status == 200
        try:
            while piece := await response.content.readany():
                received += piece
        except aiohttp.ClientPayloadError:
            return received
    pytest.fail("the body came to its end")


async def test_a_closed_port_refuses_and_cuts_until_the_fault_ends(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=2)
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(simulator.servers[0].endpoint.rpartition(":")[2])
    )
    assert await status(session, simulator) == 200
    await order(session, simulator, {"server": "web1", "fault": "refuse"})
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
    with pytest.raises(aiohttp.ClientConnectorError):
        await status(session, simulator)
    assert await status(session, simulator, number=1) == 200
    await order(session, simulator, {"server": "web1", "fault": "none"})
    assert await status(session, simulator) == 200


async def test_a_restart_closes_the_port_once_and_the_server_is_back_with_its_state(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    before = [dict(note) for note in simulator.sites["web1"].requests]
    await order(session, simulator, {"server": "web1", "fault": "restart", "seconds": 3600})
    with pytest.raises(aiohttp.ClientConnectorError):
        await status(session, simulator)
    await order(session, simulator, {"server": "web1", "fault": "restart", "seconds": 0.01})
    await until_answered(session, simulator)
    assert await listed(session, simulator) == []
    assert [note["function"] for note in simulator.sites["web1"].requests] == [
        *(note["function"] for note in before),
        "version",
    ]


async def test_a_slow_drip_gives_the_whole_answer_in_small_steps(
    start: Start, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = await start()
    address, headers = url(simulator, "version"), login(simulator)
    async with session.get(address, params=V1, headers=headers) as response:
        good = await response.read()
    await order(
        session, simulator, {"server": "web1", "fault": "slow_drip", "bytes_per_second": 20}
    )
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    async with session.get(address, params=V1, headers=headers) as response:
        assert await response.read() == good
    assert sum(slept) == pytest.approx(len(good) / 20, abs=0.11)
    assert max(slept) <= 0.1


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_a_drop_midway_gives_half_the_body_and_no_more(
    start: Start, session: aiohttp.ClientSession, coding: str
) -> None:
    simulator = await start()
    address = url(simulator, "emailtrack_user_stats")
    headers = {**login(simulator), "Accept-Encoding": coding}
    async with session.get(address, params=V1, headers=headers) as response:
        good = await response.read()
    await order(session, simulator, {"server": "web1", "fault": "drop_midway"})
    assert await until_cut(session, address, headers) == good[: len(good) // 2]


async def test_an_endless_body_goes_on_for_as_long_as_one_reads(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    await order(session, simulator, {"server": "web1", "fault": "endless_body"})
    address, headers = url(simulator, "emailtrack_search"), login(simulator)
    async with session.get(address, params=V1, headers=headers) as response:
        body = await response.content.readexactly(3_000_000)
    rows = body.removeprefix(b'{"data":{"records":[').partition(b"},{")[0]
    assert json.loads(rows + b"}")["type"] == "success"
    await order(session, simulator, {"server": "web1", "fault": "none"})
    assert await status(session, simulator) == 200


async def test_a_gzip_bomb_is_a_good_answer_that_is_a_thousand_times_larger_than_it_seems(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    await order(session, simulator, {"server": "web1", "fault": "gzip_bomb", "megabytes": 3})
    address, headers = url(simulator, "emailtrack_search"), login(simulator)
    async with session.get(address, params=V1, headers=headers) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        packed = await response.read()
    body = gzip.decompress(packed)
    assert len(body) > 3 * 2**20 > 100 * len(packed)
    assert json.loads(body)["data"] == {"records": []}
    assert json.loads(body)["metadata"]["result"] == 1


async def test_truncated_json_is_half_an_answer_in_a_whole_gzip_member(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    await order(session, simulator, {"server": "web1", "fault": "truncated_json"})
    headers = {**login(simulator), "Accept-Encoding": "gzip"}
    address = url(simulator, "emailtrack_search")
    async with session.get(address, params={**V1, **ALL_TYPES}, headers=headers) as response:
        body = gzip.decompress(await response.read())
    with pytest.raises(json.JSONDecodeError):
        json.loads(body)


async def large_answer(
    session: aiohttp.ClientSession, simulator: Simulator
) -> tuple[str, dict[str, str], bytes]:
    """Address, headers and body of a search whose answer comes in more than three pieces."""
    address = f"{url(simulator, 'emailtrack_search')}?" + urlencode(ALL_TYPES)
    headers = login(simulator)
    async with session.get(address, params=V1, headers=headers) as response:
        good = await response.read()
    assert len(json.loads(good)["data"]["records"]) > 3000
    return address, headers, good


MANY_ROWS = WorldSettings(history_seconds=3600, rate_per_minute=100)


async def test_large_bodies_are_halved_without_being_built_whole(
    start: Start, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = await start(world=MANY_ROWS)
    await order(session, simulator, {"server": "*", "fault": "none"})
    address, headers, good = await large_answer(session, simulator)
    made: list[int] = []

    def noted(pieces: Iterator[bytes], number: int) -> Iterator[bytes]:
        for piece in first_half(pieces, number):
            made.append(len(piece))
            yield piece

    monkeypatch.setattr(bodies, "first_half", noted)
    await order(session, simulator, {"server": "web1", "fault": "drop_midway"})
    cut = await until_cut(session, address, headers)
    await order(session, simulator, {"server": "web1", "fault": "truncated_json"})
    async with session.get(address, params=V1, headers=headers) as response:
        truncated = await response.read()
    assert cut == truncated == good[: len(cut)]
    assert 0.3 < len(cut) / len(good) < 0.6
    assert len(made) >= 4
    assert max(made) < len(good) / 3


async def test_a_large_body_drips_as_it_is_built(
    start: Start, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = await start(world=MANY_ROWS)
    address, headers, good = await large_answer(session, simulator)
    dripped: list[int] = []

    async def slowly(pieces: AsyncIterator[bytes], bytes_per_second: float) -> AsyncIterator[bytes]:
        assert bytes_per_second == 1e9
        async for piece in pieces:
            dripped.append(len(piece))
            yield piece

    monkeypatch.setattr(bodies, "slowly", slowly)
    await order(
        session, simulator, {"server": "web1", "fault": "slow_drip", "bytes_per_second": 1e9}
    )
    async with session.get(address, params=V1, headers=headers) as response:
        assert await response.read() == good
    assert max(dripped) < len(good) / 3


async def test_a_cut_that_was_ordered_is_no_error_in_the_log(
    start: Start, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    simulator = await start()
    address, headers = url(simulator, "version"), login(simulator)
    for name in ("drop_midway", "drop"):
        await order(session, simulator, {"server": "web1", "fault": name})
        with pytest.raises(aiohttp.ClientError):
            async with session.get(address, params=V1, headers=headers) as response:
                await response.read()
    assert caplog.records == []


async def test_several_faults_at_once_each_do_their_part(
    start: Start, session: aiohttp.ClientSession
) -> None:
    """Half an answer, cut in its middle, of one function, beside another function's error."""
    simulator = await start()
    address, headers = url(simulator, "gethostname"), login(simulator)
    async with session.get(address, params=V1, headers=headers) as response:
        good = await response.read()
    await order(
        session,
        simulator,
        {"server": "web1", "fault": "drop_midway", "function": "gethostname"},
        {"server": "web1", "fault": "truncated_json", "function": "gethostname"},
        {"server": "web1", "fault": "503", "function": "version"},
    )
    assert await until_cut(session, address, headers) == good[: len(good) // 2 // 2]
    assert await status(session, simulator) == 503
    assert await status(session, simulator, "applist") == 200


async def test_a_share_of_the_calls_is_hit_evenly_and_always_alike(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    for _ in range(2):
        await order(session, simulator, {"server": "web1", "fault": "500", "share": 0.4})
        found = [await status(session, simulator) for _ in range(10)]
        assert found == [200, 200, 500, 200, 500] * 2


async def test_calls_of_other_functions_are_not_counted_for_a_share(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    only = {"server": "web1", "fault": "500", "share": 0.5, "function": "version"}
    await order(session, simulator, only)
    for expected in (200, 500, 200, 500):
        assert await status(session, simulator, "gethostname") == 200
        assert await status(session, simulator) == expected


async def test_a_fault_begins_and_ends_by_simulated_time(
    start: Start, session: aiohttp.ClientSession, clock: SetClock
) -> None:
    simulator = await start()
    begun = clock.now_unix
    await order(session, simulator, {"server": "web1", "fault": "502", "after": 60, "for": "2m"})
    found = []
    for seconds in (0, 59.9, 60, 179.9, 180):
        clock.now_unix = begun + seconds
        [one] = await listed(session, simulator)
        found.append((seconds, one.pop("is_active"), await status(session, simulator)))
        assert one == {
            "server": "web1",
            "fault": "502",
            "after": 60.0,
            "for": 120.0,
            "since_unix": begun,
        }
    assert found == [
        (0, False, 200),
        (59.9, False, 200),
        (60, True, 502),
        (179.9, True, 502),
        (180, False, 200),
    ]


async def test_a_scheduled_refusal_closes_and_opens_the_port_by_itself(
    start: Start, session: aiohttp.ClientSession, clock: SetClock
) -> None:
    simulator = await start()
    await order(session, simulator, {"server": "web1", "fault": "refuse", "after": 60, "for": 60})
    assert await status(session, simulator) == 200
    clock.now_unix += 60
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not simulator.sites["web1"].is_down:  # noqa: ASYNC110 - nothing to wait on
            await asyncio.sleep(0)
    with pytest.raises(aiohttp.ClientOSError):
        await status(session, simulator)
    clock.now_unix += 60
    await until_answered(session, simulator)


async def test_an_object_replaces_the_faults_of_its_server_alone(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=2)
    answer = await order(session, simulator, {"server": "*", "fault": "500"})
    assert answer == [{"server": "web1", "fault": "500"}, {"server": "web2", "fault": "500"}]
    answer = await order(session, simulator, {"server": "web1", "fault": "502"})
    assert answer == {"server": "web1", "fault": "502"}
    assert [await status(session, simulator, number=number) for number in (0, 1)] == [502, 500]
    await order(session, simulator, {"server": "*", "fault": "none"})
    assert [await status(session, simulator, number=number) for number in (0, 1)] == [200, 200]


async def test_a_list_with_a_mistake_changes_nothing(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    body = [{"server": "web1", "fault": "500"}, {"server": "web1", "fault": "fire"}]
    async with session.post(f"{simulator.control}/faults", json=body) as response:
        assert response.status == 400
    assert await status(session, simulator) == 200


async def test_faults_of_the_settings_are_on_from_the_start(
    start: Start, session: aiohttp.ClientSession
) -> None:
    faults = ({"server": "*", "fault": "503"}, {"server": "web2", "fault": "refuse"})
    simulator = await start(servers=2, faults=faults)
    assert await status(session, simulator) == 503
    with pytest.raises(aiohttp.ClientConnectorError):
        await status(session, simulator, number=1)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (7, "The fault can't be read: write a JSON object."),
        ({"fault": "hang"}, 'The fault can\'t be read: it needs a text as its "server".'),
        ({"server": "web1"}, 'The fault can\'t be read: it needs a text as its "fault".'),
        ({"server": "web1", "fault": 500}, "The fault can't be read: it needs a text as its \"f"),
        ({"server": "web1", "fault": "fire"}, 'The fault can\'t be read: there is no fault "fire"'),
        (
            {"server": "web1", "fault": "purge", "x": 1},
            'The fault can\'t be read: "purge" has no "x"; it has: server, fault, function, aft',
        ),
        ({"server": "web9", "fault": "hang"}, 'There is no server "web9"; there are: web1, web2.'),
        ({"server": "web1", "fault": "hang", "after": -1}, '"after" must be 0 or more.'),
        ({"server": "web1", "fault": "hang", "after": "soon"}, '"after" must be 0 or more.'),
        ({"server": "web1", "fault": "hang", "after": True}, '"after" must be 0 or more.'),
        ({"server": "web1", "fault": "hang", "after": 10**400}, '"after" must be 0 or more.'),
        ({"server": "web1", "fault": "hang", "for": 0}, '"for" must be more than 0.'),
        ({"server": "web1", "fault": "hang", "share": 2}, '"share" must be more than 0 and at mo'),
        ({"server": "web1", "fault": "hang", "share": "1m"}, '"share" must be more than 0 and at'),
        ({"server": "web1", "fault": "hang", "function": "a b"}, '"function" must be the name of'),
        ({"server": "web1", "fault": "missing_rows", "rows": 9}, '"rows" must be from 0 to 1.'),
        ({"server": "web1", "fault": "slow_drip", "bytes_per_second": 0}, '"bytes_per_second" mus'),
        ({"server": "web1", "fault": "gzip_bomb", "megabytes": 1e9}, '"megabytes" must be from 1'),
        ({"server": "web1", "fault": "hang", "seconds": 1}, '"seconds" means nothing to the fault'),
        ({"server": "web1", "fault": "refuse", "share": 0.5}, 'The fault "refuse" hits the whole'),
        ({"server": "web1", "fault": "refuse", "function": "x"}, 'The fault "refuse" hits the who'),
        ({"server": "web1", "fault": "restart", "for": 9}, 'The fault "restart" lasts for its "se'),
        ({"server": "web1", "fault": "certificate_name"}, 'The fault "certificate_name" needs ser'),
    ],
)
def test_every_mistake_in_an_order_is_one_sentence(wrong: object, sentence: str) -> None:
    with pytest.raises(FaultMistake) as mistake:
        faults_of(wrong, ["web1", "web2"], has_tls=False)
    assert str(mistake.value).startswith(sentence)
    assert str(mistake.value).endswith(".")


HELD_BACK = ("hang", "latency", "slow_drip")
AMOUNTS = {"purge": 1, "missing_rows": 1, "duplicated_rows": 1, "gzip_bomb": 2, "restart": 3600}


@pytest.mark.parametrize("name", [name for name in FAULT_NAMES if name not in HELD_BACK])
async def test_every_fault_of_the_table_changes_a_call_and_ends_with_none(
    start: Start, session: aiohttp.ClientSession, name: str
) -> None:
    """Those that only hold an answer back have tests of their own."""
    simulator = await start(has_tls=True)
    address, headers = url(simulator, "emailtrack_search"), login(simulator)
    params = {**V1, **ALL_TYPES, "api.chunk.enable": "1", "api.chunk.size": "3"}
    params |= filters(("type", "eq", "success"))
    trusting = aiohttp.TCPConnector(ssl=_trust(simulator), force_close=True)
    async with aiohttp.ClientSession(connector=trusting, auto_decompress=False) as client:
        client._retry_connection = False

        async def looked() -> tuple[object, ...]:
            try:
                async with client.get(
                    address, params=params, headers=headers, allow_redirects=False
                ) as response:
                    body = b""
                    while len(body) < 1_000_000 and (piece := await response.content.readany()):
                        body += piece
                    return (response.status, body)
            except aiohttp.ClientError as error:
                return (type(error),)

        good = await looked()
        takes = KINDS[name].takes
        amount = {takes[0]: AMOUNTS[name]} if takes else {}
        await order(session, simulator, {"server": "web1", "fault": name, **amount})
        assert (await looked() == good) is (name == "none")
        await order(session, simulator, {"server": "web1", "fault": "none"})
        assert await looked() == good


def _trust(simulator: Simulator) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=simulator.servers[0].ca_file)


def test_the_page_for_newcomers_has_the_table_of_faults() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "try-without-cpanel.md"
    assert fault_table() in page.read_text(encoding="utf-8")
