"""What a client sees of a simulated server: login, methods, headers, TLS, compression."""

import asyncio
import gzip
import json
import ssl

import aiohttp
import pytest

from tests.simulator.conftest import (
    ALL_TYPES,
    NOW_UNIX,
    SetClock,
    Start,
    login,
    url,
)
from whm_simulator.app import token_of
from whm_simulator.world.stream import WorldSettings

DENIED = {
    "cpanelresult": {
        "apiversion": "2",
        "error": "Access denied",
        "data": {"reason": "Access denied", "result": "0"},
        "type": "text",
    }
}
V1 = {"api.version": "1"}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "whm root",
        "whm root:",
        "whm root:WRONG",
        "whm reseller:{token}",
        "whm root:{token}x",
        "Bearer {token}",
        "cpanel root:{token}",
        "Basic cm9vdDp4",
        "whm röot:{token}",
    ],
)
async def test_a_bad_login_gets_the_documented_403(
    start: Start, session: aiohttp.ClientSession, header: str
) -> None:
    simulator = await start()
    headers = {"Authorization": header.format(token=simulator.servers[0].token)}
    async with session.get(url(simulator, "version"), params=V1, headers=headers) as response:
        assert (response.status, response.reason) == (403, "Forbidden Access denied")
        assert response.headers["Content-Type"] == 'text/plain; charset="utf-8"'
        assert json.loads(await response.read()) == DENIED


async def test_each_server_has_a_token_of_its_own(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=2)
    for asked, status in ((0, 200), (1, 403)):
        address = url(simulator, "version", asked)
        async with session.get(address, params=V1, headers=login(simulator, 0)) as response:
            assert response.status == status


def test_tokens_look_like_whms_and_depend_on_seed_and_server() -> None:
    token = token_of("1", "web1")
    assert len(token) == 32
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    assert token == token_of("1", "web1")
    assert len({token, token_of("1", "web2"), token_of("2", "web1")}) == 3


async def test_a_token_and_a_user_can_be_given(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=2, token="GIVEN", user="reseller1")
    headers = {"Authorization": "whm reseller1:GIVEN"}
    for number in (0, 1):
        address = url(simulator, "version", number)
        async with session.get(address, params=V1, headers=headers) as response:
            assert response.status == 200


async def test_get_and_post_of_a_form_are_answered_alike(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    params = {**V1, **ALL_TYPES, "max_results_by_type": "3"}
    address, headers = url(simulator, "emailtrack_search"), login(simulator)
    async with session.get(address, params=params, headers=headers) as response:
        assert response.headers["Content-Type"] == 'application/json; charset="utf-8"'
        by_get = await response.read()
    async with session.post(address, data=params, headers=headers) as response:
        assert await response.read() == by_get
    async with session.post(address, params=V1, data=params, headers=headers) as response:
        assert await response.read() == by_get
    assert len(json.loads(by_get)["data"]["records"]) > 3


async def test_a_parameter_with_several_values_is_repeated_or_numbered(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    address, headers = url(simulator, "listaccts"), login(simulator)
    for query in ("want=user&want=domain", "want-1=user&want-2=domain", "want=user,domain"):
        for posted in ("", "&want=owner"):
            form = {"Content-Type": "application/x-www-form-urlencoded"} if posted else {}
            async with session.request(
                "POST" if posted else "GET",
                f"{address}?api.version=1&{query}",
                data=posted or None,
                headers={**headers, **form},
            ) as response:
                accounts = (await response.json())["data"]["acct"]
            wanted = {"domain", "user", *(("owner",) if posted else ())}
            assert {frozenset(account) for account in accounts} == {frozenset(wanted)}, query


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/json-api/", 404),
        ("GET", "/json-api/version/more", 404),
        ("GET", "/cpsess0123456789/json-api/version", 404),
        ("GET", "/json-api/%2e%2e/version", 404),
        ("PUT", "/json-api/version", 405),
        ("DELETE", "/json-api/version", 405),
        ("HEAD", "/json-api/version", 405),
    ],
)
async def test_wrong_paths_and_methods_are_answered_as_by_a_web_server(
    start: Start, session: aiohttp.ClientSession, method: str, path: str, status: int
) -> None:
    simulator = await start()
    address = simulator.servers[0].endpoint + path
    async with session.request(method, address, headers=login(simulator)) as response:
        assert response.status == status
        assert b"Traceback" not in await response.read()


async def test_an_unreadable_form_is_a_bad_request(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start()
    headers = {**login(simulator), "Content-Type": "multipart/form-data; boundary=x"}
    address = url(simulator, "version")
    async with session.post(address, data=b"no form", headers=headers) as response:
        assert response.status == 400
        assert b"Traceback" not in await response.read()


async def test_the_date_header_shows_the_simulators_clock(
    start: Start, session: aiohttp.ClientSession, clock: SetClock
) -> None:
    simulator = await start()
    for clock.now_unix in (NOW_UNIX, NOW_UNIX + 61.5):
        async with session.get(url(simulator, "version"), headers=login(simulator)) as response:
            date = response.headers["Date"]
        expected = "07" if clock.now_unix == NOW_UNIX else "08"
        assert date == f"Sat, 21 Nov 2026 09:1{4 if expected == '07' else 5}:{expected} GMT"


@pytest.mark.parametrize("rate", [2.0, 200.0])
async def test_gzip_for_those_who_accept_it_in_whole_and_in_pieces(
    start: Start, session: aiohttp.ClientSession, rate: float
) -> None:
    simulator = await start(world=WorldSettings(history_seconds=1800, rate_per_minute=rate))
    address = url(simulator, "emailtrack_search")
    bodies = {}
    for accepted in ("identity", "gzip", "gzip;q=0"):
        headers = {**login(simulator), "Accept-Encoding": accepted}
        async with session.get(address, params={**V1, **ALL_TYPES}, headers=headers) as response:
            bodies[accepted] = await response.read()
            assert response.headers.get("Content-Encoding") == (
                "gzip" if accepted == "gzip" else None
            )
    assert gzip.decompress(bodies["gzip"]) == bodies["identity"] == bodies["gzip;q=0"]
    assert len(bodies["gzip"]) < len(bodies["identity"]) / 4
    rows = json.loads(bodies["identity"])["data"]["records"]
    assert (len(rows) > 3000) is (rate > 100)


async def test_tls_shows_a_certificate_for_loopback_by_the_runs_own_authority(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(has_tls=True, servers=2)
    for server in simulator.servers:
        assert server.ca_file is not None
        context = ssl.create_default_context(cafile=server.ca_file)
        headers = {"Authorization": f"whm {server.user}:{server.token}"}
        for host in ("127.0.0.1", "localhost"):
            address = server.endpoint.replace("127.0.0.1", host) + "/json-api/version"
            async with session.get(address, params=V1, headers=headers, ssl=context) as response:
                assert response.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(server.endpoint, ssl=ssl.create_default_context())


async def test_plain_http_names_no_ca_file(start: Start) -> None:
    simulator = await start()
    assert [server.ca_file for server in simulator.servers] == [None]
    assert simulator.servers[0].endpoint.startswith("http://127.0.0.1:")


async def test_a_hanging_server_leaves_the_others_alone(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=2)
    async with session.post(
        f"{simulator.control}/faults", json={"server": "web1", "fault": "hang"}
    ) as response:
        assert response.status == 200
    hanging = asyncio.create_task(
        session.get(url(simulator, "version"), params=V1, headers=login(simulator))
    )
    address, headers = url(simulator, "emailtrack_user_stats", 1), login(simulator, 1)
    for _ in range(3):
        async with session.get(address, params=V1, headers=headers) as response:
            assert response.status == 200
    assert not hanging.done()
    hanging.cancel()


async def test_the_world_moves_on_with_the_clock(
    start: Start, session: aiohttp.ClientSession, clock: SetClock
) -> None:
    simulator = await start()
    newest = []
    for clock.now_unix in (NOW_UNIX, NOW_UNIX + 300):
        params = {**V1, **ALL_TYPES, "api.chunk.enable": "1", "api.chunk.size": "1"}
        address = url(simulator, "emailtrack_search")
        async with session.get(address, params=params, headers=login(simulator)) as response:
            [row] = json.loads(await response.read())["data"]["records"]
            newest.append(row["sendunixtime"])
    assert newest[0] <= NOW_UNIX < newest[1] <= NOW_UNIX + 300


async def test_a_mistake_of_the_simulator_is_a_plain_500(
    start: Start,
    session: aiohttp.ClientSession,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = await start()

    def broken(*_arguments: object) -> None:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr("whm_simulator.web.server.call", broken)
    address = url(simulator, "emailtrack_stats")
    async with session.get(address, params=V1, headers=login(simulator)) as response:
        assert (response.status, await response.text()) == (500, "Internal Server Error\n")
    [record] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info is None
    assert record.getMessage() == "/json-api/emailtrack_stats: ZeroDivisionError: a mistake"
