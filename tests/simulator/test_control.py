"""The control endpoint: faults as promised, the truth, and what clients asked for."""

import asyncio
import json
from collections import Counter
from pathlib import Path

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
from whm_simulator.web.faults import FAULT_NAMES

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
        ("500", 500, "text/html", b"<html>"),
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
    good = await get(session, simulator, "emailtrack_search", ALL_TYPES)
    await set_fault(session, simulator, "truncated_json")
    status, content_type, body = await get(session, simulator, "emailtrack_search", ALL_TYPES)
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
        assert await response.json() == [
            {"server": name, "fault": "none", "seconds": 1.0, "function": None}
            for name in ("web1", "web2")
        ]


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
        ("POST", "/faults", b"\xff", 400, "The fault can't be read: "),
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


async def test_the_truth_is_what_search_shows(start: Start, session: aiohttp.ClientSession) -> None:
    simulator = await start()
    body = (await get(session, simulator, "emailtrack_search", ALL_TYPES))[2]
    rows = json.loads(body)["data"]["records"]
    async with session.get(
        f"{simulator.control}/truth", params={"server": "web1", "until": NOW_UNIX}
    ) as response:
        lines = (await response.text()).splitlines()
    assert [json.loads(line) for line in lines] == rows[::-1]
    async with session.get(f"{simulator.control}/truth", params={"server": "web1"}) as response:
        assert (await response.text()).splitlines() == lines


async def test_the_truth_since_an_instant_is_the_attempts_after_it(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    until = NOW_UNIX - 300
    rows = make_world(history_seconds=3600).rows(until)
    since = rows[len(rows) // 2].actionunixtime or 0
    params = {"server": "web1", "since": str(since), "until": str(until)}
    async with session.get(f"{simulator.control}/truth", params=params) as response:
        shown = [json.loads(line) for line in (await response.text()).splitlines()]
    expected = [row for row in rows if since < (row.actionunixtime or 0) <= until]
    assert shown == msgspec.to_builtins(expected)
    assert expected


async def test_totals_count_the_truth(start: Start, session: aiohttp.ClientSession) -> None:
    simulator = await start()
    rows = make_world(history_seconds=3600).rows(NOW_UNIX)
    params = {"server": "web1", "until": str(NOW_UNIX), "by": "type,user"}
    async with session.get(f"{simulator.control}/truth/totals", params=params) as response:
        answer = await response.json()
    assert answer["by"] == ["type", "user"]
    events = Counter((row.type, row.user) for row in rows)
    sizes = {(row.type, row.user, row.msgid): row.size for row in rows}
    messages = Counter((kind, user) for kind, user, _ in sizes)
    size: Counter[tuple[str, str]] = Counter()
    for (kind, user, _), size_bytes in sizes.items():
        size[kind, user] += size_bytes
    assert answer["totals"] == [
        {
            "type": kind,
            "user": user,
            "events": events[kind, user],
            "messages": messages[kind, user],
            "bytes": size[kind, user],
        }
        for kind, user in sorted(events)
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


def test_the_page_for_newcomers_names_every_fault() -> None:
    page = Path(__file__).parents[2] / "docs" / "how-to" / "try-without-cpanel.md"
    table = page.read_text(encoding="utf-8")
    assert [name for name in FAULT_NAMES if f"`{name}`" not in table] == []


async def test_secrets_do_not_print(start: Start) -> None:
    simulator = await start(token="SECRET")
    assert "SECRET" not in repr(simulator.servers) + repr(simulator.sites)
