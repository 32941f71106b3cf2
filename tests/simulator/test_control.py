"""The control endpoint: faults as promised, the truth, and what clients asked for."""

import asyncio
import json
from collections import Counter
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.simulator.conftest import (
    ALL_TYPES,
    NOW_UNIX,
    Start,
    filters,
    login,
    make_world,
    url,
)
from tests.simulator.test_http import DENIED
from whm_simulator.app import Address, Settings, Simulator
from whm_simulator.errors import SimulatorError
from whm_simulator.mail.rows import Row
from whm_simulator.web.clock import EARLIEST_UNIX, LATEST_UNIX
from whm_simulator.world.settings import WorldSettings
from whm_simulator.world.stream import World

V1 = {"api.version": "1"}


async def set_fault(
    session: aiohttp.ClientSession, simulator: Simulator, fault: str, **more: object
) -> None:
    order = {"server": "web1", "fault": fault, **more}
    async with session.post(f"{simulator.control}/faults", json=order) as response:
        assert response.status == 200, await response.text()


async def get(
    session: aiohttp.ClientSession,
    simulator: Simulator,
    function: str = "version",
    params: dict[str, str] | None = None,
    number: int = 0,
) -> tuple[int, str, bytes]:
    address, headers = url(simulator, function, number), login(simulator, number)
    wanted = {**V1, **(params or {})}
    async with session.get(
        address, params=wanted, headers=headers, allow_redirects=False
    ) as response:
        content_type = response.headers.get("Content-Type", "")
        return response.status, content_type.partition(";")[0], await response.read()


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "begin"),
    [
        ("403", 403, "text/plain", b'{"cpanelresult":'),
        ("401_html", 401, "text/html", b"<html><head><title>Access Denied<"),
        ("500", 500, "text/html", b"<html><head><title>500 Internal Server Error<"),
        ("502", 502, "text/html", b"<html><head><title>502 Bad Gateway<"),
        ("503", 503, "text/html", b"<html><head><title>503 Service Unavailable<"),
        ("504", 504, "text/html", b"<html><head><title>504 Gateway Timeout<"),
        ("html_200", 200, "text/html", b"<!DOCTYPE html><html><head><title>WHM Login<"),
        ("result_0", 200, "application/json", b'{"metadata":{"command":"version","reason":"Per'),
        ("redirect", 307, "", b""),
    ],
)
async def test_faults_that_answer_something_else(
    start: Start,
    session: aiohttp.ClientSession,
    fault: str,
    status: int,
    content_type: str,
    begin: bytes,
) -> None:
    simulator = await start(servers=2)
    good = await get(session, simulator)
    await set_fault(session, simulator, fault)
    answer = await get(session, simulator)
    assert answer[:1] == (status,)
    assert answer[1] in (content_type, "application/octet-stream")
    assert answer[2].startswith(begin)
    assert await get(session, simulator, number=1) == good
    await set_fault(session, simulator, "none")
    assert await get(session, simulator) == good


async def test_the_403_is_that_of_a_bad_login(start: Start, session: aiohttp.ClientSession) -> None:
    simulator = await start()
    await set_fault(session, simulator, "403")
    assert json.loads((await get(session, simulator))[2]) == DENIED


@pytest.mark.parametrize(
    ("fault", "body"), [("empty_body", b""), ("empty_object", b"{}"), ("list", b"[]")]
)
async def test_faults_with_a_fixed_body(
    start: Start, session: aiohttp.ClientSession, fault: str, body: bytes
) -> None:
    simulator = await start()
    await set_fault(session, simulator, fault)
    assert await get(session, simulator) == (200, "application/json", body)


async def test_a_redirect_leads_to_a_sessions_address_with_the_same_query(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    await set_fault(session, simulator, "redirect")
    async with session.get(
        url(simulator, "version"), params=V1, headers=login(simulator), allow_redirects=False
    ) as response:
        assert response.headers["Location"] == ("/cpsess0123456789/json-api/version?api.version=1")


async def test_truncated_json_is_the_first_half_of_the_good_answer(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    params = {**ALL_TYPES, "max_results_by_type": "100"}
    good = await get(session, simulator, "emailtrack_search", params)
    await set_fault(session, simulator, "truncated_json")
    status, content_type, body = await get(session, simulator, "emailtrack_search", params)
    assert (status, content_type) == good[:2]
    assert body == good[2][: len(good[2]) // 2]


async def test_a_dropped_connection_ends_without_an_answer(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    await set_fault(session, simulator, "drop")
    with pytest.raises(aiohttp.ClientConnectionError):
        await get(session, simulator)


async def test_a_hanging_answer_is_dropped_when_the_fault_ends(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    await set_fault(session, simulator, "hang")
    hanging = asyncio.create_task(get(session, simulator))
    async with asyncio.timeout(10):
        while not simulator.sites["web1"].requests:  # noqa: ASYNC110 - nothing to wait on
            await asyncio.sleep(0)
    assert not hanging.done()
    await set_fault(session, simulator, "none")
    with pytest.raises(aiohttp.ClientConnectionError):
        await hanging
    assert (await get(session, simulator))[0] == 200


async def test_latency_holds_an_answer_back_and_then_gives_it(
    start: Start, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = await start()
    good = await get(session, simulator)
    await set_fault(session, simulator, "latency", seconds=4711)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert await get(session, simulator) == good
    assert slept == [4711]


@pytest.mark.parametrize(
    ("fault", "params"),
    [
        ("ignore_filters", filters(("type", "eq", "failure"))),
        ("ignore_chunks", {"api.chunk.enable": "1", "api.chunk.size": "2"}),
    ],
)
async def test_faults_that_ignore_options(
    start: Start, session: aiohttp.ClientSession, fault: str, params: dict[str, str]
) -> None:
    simulator = await start()
    everything = await get(session, simulator, "emailtrack_search", ALL_TYPES)
    fewer = await get(session, simulator, "emailtrack_search", {**ALL_TYPES, **params})
    assert len(fewer[2]) < len(everything[2])
    await set_fault(session, simulator, fault)
    ignoring = await get(session, simulator, "emailtrack_search", {**ALL_TYPES, **params})
    assert ignoring == everything


async def test_a_fault_can_be_kept_to_one_function(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    await set_fault(session, simulator, "500", function="emailtrack_stats")
    assert (await get(session, simulator, "emailtrack_stats"))[0] == 500
    assert (await get(session, simulator, "version"))[0] == 200


async def test_no_fault_is_on_by_default(start: Start, session: aiohttp.ClientSession) -> None:
    simulator = await start(servers=2)
    async with session.get(f"{simulator.control}/faults") as response:
        assert await response.json() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "error"),
    [
        ("POST", "/faults", b"{", 400, "The fault can't be read: "),
        ("POST", "/faults", b'{"server":"web1","fault":"x"}', 400, "The fault can't be read: "),
        ("POST", "/faults", b'{"server":"web1"}', 400, "The fault can't be read: "),
        ("POST", "/faults", b'{"server":"web1","fault":"500","x":1}', 400, "The fault can't be"),
        (
            "POST",
            "/faults",
            b'{"server":"web1","fault":"latency","seconds":-1}',
            400,
            '"seconds" must be 0 or more.',
        ),
        (
            "POST",
            "/faults",
            b'{"server":"web1","fault":"latency","seconds":1' + b"0" * 400 + b"}",
            400,
            '"seconds" must be 0 or more.',
        ),
        ("POST", "/faults", b"\xff", 400, "The fault can't be read: "),
        ("POST", "/faults", b"7", 400, "The fault can't be read: write a JSON object."),
        ("POST", "/faults", b"[[]]", 400, "The fault can't be read: write a JSON object."),
        ("GET", "/truth/queue?server=web1&until=x", b"", 400, '"until" must be an instant'),
        ("GET", "/truth/accounts?server=web2", b"", 404, 'There is no server "web2"; there are:'),
        ("GET", "/truth?server=web1&events=yes", b"", 400, '"events" must be 0 or 1, not "yes".'),
        ("GET", "/truth/totals?server=web1&by=", b"", 400, 'There is no field "" to count by.'),
        ("POST", "/speed", b"", 400, 'Write a JSON object with "factor", "now_unix" or both.'),
        ("POST", "/speed", b"{}", 400, 'Write a JSON object with "factor", "now_unix" or both.'),
        ("POST", "/speed", b'{"speed":2}', 400, 'Write a JSON object with "factor", "now_unix"'),
        ("POST", "/speed", b'{"factor":3601}', 400, '"factor" must be 0 (time stands still) or'),
        ("POST", "/speed", b'{"factor":true}', 400, '"factor" must be 0 (time stands still) or'),
        ("POST", "/speed", b'{"now_unix":-1}', 400, '"now_unix" must be an instant in unix'),
        ("POST", "/speed", b'{"now_unix":4291747200}', 400, '"now_unix" must be an instant in u'),
        ("GET", "/", b"", 404, 'There is no "GET /" here.'),
        ("DELETE", "/faults", b"", 404, 'There is no "DELETE /faults" here.'),
        (
            "POST",
            "/faults",
            b'{"server":"web9","fault":"none"}',
            404,
            'There is no server "web9"; there are: web1.',
        ),
        ("GET", "/truth", b"", 404, 'There is no server ""; there are: web1.'),
        ("GET", "/truth?server=web1&until=now", b"", 400, '"until" must be an instant'),
        ("GET", "/truth?server=web1&until=nan", b"", 400, '"until" must be an instant'),
        ("GET", "/truth?server=web1&until=0x10", b"", 400, '"until" must be an instant'),
        ("GET", "/truth?server=web1&until=1_795_252_447", b"", 400, '"until" must be an instant'),
        ("GET", "/truth?server=web1&until=0", b"", 400, '"until" must be an instant in unix seco'),
        ("GET", "/truth/queue?server=web1&until=-1", b"", 400, '"until" must be an instant in u'),
        ("GET", "/truth/totals?server=web1&until=4291747200", b"", 400, '"until" must be an ins'),
        ("GET", "/truth?server=web1&since=1e99", b"", 400, '"since" must be an instant'),
        ("GET", "/truth/totals?server=web1&by=x", b"", 400, 'There is no field "x" to count by.'),
        ("GET", "/requests?server=x", b"", 404, 'There is no server "x"; there are: web1.'),
    ],
)
async def test_bad_orders_get_one_sentence(
    start: Start,
    session: aiohttp.ClientSession,
    method: str,
    path: str,
    body: bytes,
    status: int,
    error: str,
) -> None:
    simulator = await start()
    async with session.request(method, f"{simulator.control}{path}", data=body) as response:
        assert response.status == status
        answer = await response.json()
    assert list(answer) == ["error"]
    assert answer["error"].startswith(error)


def as_truth(world: World, rows: list[Row]) -> list[dict[str, Any]]:
    return [{**msgspec.structs.asdict(row), "reason": world.reason(row)} for row in rows]


async def lines(
    session: aiohttp.ClientSession, simulator: Simulator, path: str, **params: object
) -> list[Any]:
    wanted = {name: str(value) for name, value in params.items()}
    async with session.get(f"{simulator.control}{path}", params=wanted) as response:
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/x-ndjson"
        return [json.loads(line) for line in (await response.text()).splitlines()]


async def test_the_truth_is_what_search_shows(start: Start, session: aiohttp.ClientSession) -> None:
    simulator = await start()
    body = (await get(session, simulator, "emailtrack_search", ALL_TYPES))[2]
    rows = json.loads(body)["data"]["records"]
    truth = await lines(session, simulator, "/truth", server="web1", until=NOW_UNIX)
    assert truth == await lines(session, simulator, "/truth", server="web1")
    reasons = {row.pop("reason") for row in truth}
    assert {None} <= reasons
    assert sorted(map(json.dumps, truth)) == sorted(map(json.dumps, rows))


@pytest.mark.parametrize("rate", [0.0, 5.0, 400.0])
async def test_the_truth_is_exactly_the_rows_that_exist_in_their_order(
    start: Start, session: aiohttp.ClientSession, rate: float
) -> None:
    """However many there are, since they are read by slices of send time."""
    settings = {"history_seconds": 5400, "rate_per_minute": rate}
    simulator = await start(world=WorldSettings(**settings))
    until = NOW_UNIX - 1234.5
    world = make_world(**settings)
    shown = await lines(session, simulator, "/truth", server="web1", until=until)
    assert shown == as_truth(world, world.rows(until))


async def test_the_truth_since_an_instant_is_the_attempts_after_it(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    until = NOW_UNIX - 300
    world = make_world(history_seconds=3600)
    rows = world.rows(until)
    since = rows[len(rows) // 2].actionunixtime or 0
    shown = await lines(session, simulator, "/truth", server="web1", since=since, until=until)
    expected = [row for row in rows if since < (row.actionunixtime or 0) <= until]
    assert shown == as_truth(world, expected)
    assert expected


async def test_events_of_the_truth_leave_out_what_is_in_progress(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    everything = await lines(session, simulator, "/truth", server="web1")
    events = await lines(session, simulator, "/truth", server="web1", events=1)
    assert events == [row for row in everything if row["type"] != "inprogress"]
    assert len(events) < len(everything)


@pytest.mark.parametrize("until", [EARLIEST_UNIX, LATEST_UNIX - 1])
@pytest.mark.parametrize("path", ["", "/totals", "/queue", "/accounts"])
async def test_there_is_truth_at_every_instant_that_can_be_asked_about(
    start: Start, session: aiohttp.ClientSession, path: str, until: int
) -> None:
    simulator = await start(world=WorldSettings(history_seconds=600))
    address = f"{simulator.control}/truth{path}?server=web1&until={until}"
    async with session.get(address) as response:
        assert response.status == 200
        assert await response.read()


@pytest.mark.parametrize("by", ["type,user", "reason", "type,reason,msgid"])
async def test_totals_count_the_truth(
    start: Start, session: aiohttp.ClientSession, by: str
) -> None:
    simulator = await start()
    world = make_world(history_seconds=3600)
    rows = as_truth(world, world.rows(NOW_UNIX))
    names = by.split(",")
    params = {"server": "web1", "until": str(NOW_UNIX), "by": by}
    async with session.get(f"{simulator.control}/truth/totals", params=params) as response:
        answer = await response.json()
    events = Counter(tuple(row[name] for name in names) for row in rows)
    sizes = {(*(row[name] for name in names), row["msgid"]): row["size"] for row in rows}
    messages = Counter(key[:-1] for key in sizes)
    size: Counter[tuple[Any, ...]] = Counter()
    for key, size_bytes in sizes.items():
        size[key[:-1]] += size_bytes
    assert answer == {
        "by": names,
        "totals": [
            {
                **dict(zip(names, values, strict=True)),
                "events": events[values],
                "messages": messages[values],
                "bytes": size[values],
            }
            for values in sorted(events, key=lambda values: [str(value) for value in values])
        ],
    }


async def test_the_true_queue_and_accounts(start: Start, session: aiohttp.ClientSession) -> None:
    simulator = await start(servers=2)
    until = NOW_UNIX - 100
    worlds = {
        name: make_world(name=name, number=number, history_seconds=3600)
        for number, name in enumerate(("web1", "web2"), 1)
    }
    for name, world in worlds.items():
        queue = [
            {
                "msgid": queued.msgid,
                "sender": queued.sender,
                "recipients": list(queued.recipients),
                "size": queued.size,
                "user": queued.user,
                "time": queued.time_unix,
                "frozen": int(queued.is_frozen),
            }
            for queued in world.queue(until)
        ]
        assert queue
        assert await lines(session, simulator, "/truth/queue", server=name, until=until) == queue
    accounts = [
        {"server": name, **card._asdict(), "domains": list(card.domains)}
        for name, world in worlds.items()
        for card in world.accounts(NOW_UNIX)
    ]
    assert await lines(session, simulator, "/truth/accounts") == accounts
    assert await lines(session, simulator, "/truth/accounts", server="web2") == [
        card for card in accounts if card["server"] == "web2"
    ]


async def test_requests_are_remembered_without_the_token(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    await get(session, simulator, "emailtrack_stats", {"nosize": "1"})
    await set_fault(session, simulator, "403")
    await get(session, simulator)
    async with session.get(f"{simulator.control}/requests?server=web1") as response:
        text = await response.text()
    assert [json.loads(line) for line in text.splitlines()] == [
        {
            "at_unix": NOW_UNIX,
            "method": "GET",
            "function": "emailtrack_stats",
            "params": {"api.version": "1", "nosize": "1"},
            "status": 200,
        },
        {
            "at_unix": NOW_UNIX,
            "method": "GET",
            "function": "version",
            "params": {"api.version": "1"},
            "status": 403,
        },
    ]
    assert simulator.servers[0].token not in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_the_control_endpoint_listens_on_nothing_but_loopback(host: str) -> None:
    with pytest.raises(SimulatorError, match="must be a loopback address"):
        Simulator(Settings(control=Address(host, 0)))


async def test_secrets_do_not_print(start: Start) -> None:
    simulator = await start(token="SECRET")
    assert "SECRET" not in repr(simulator.servers) + repr(simulator.sites)
