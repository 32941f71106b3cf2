"""Many servers: by name on one port, certificates that change, and further logins."""

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.simulator.conftest import SetClock, Start, login, url
from whm_simulator.app import Login, Simulator, token_of
from whm_simulator.errors import SimulatorError
from whm_simulator.world.settings import WorldSettings

V1 = {"api.version": "1"}


def trust(simulator: Simulator) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=simulator.servers[0].ca_file)


async def hostname(
    session: aiohttp.ClientSession,
    simulator: Simulator,
    number: int = 0,
    host: str | None = None,
    **more: Any,
) -> str:
    """What the server says it is called; a connection of its own for each call."""
    headers = {**login(simulator, number), "Connection": "close"}
    if host is not None:
        headers["Host"] = host
    address = url(simulator, "gethostname", number)
    async with session.get(address, params=V1, headers=headers, **more) as response:
        body = await response.read()
        assert response.status == 200, body
        name: str = json.loads(body)["data"]["hostname"]
        return name


async def set_fault(
    session: aiohttp.ClientSession, simulator: Simulator, fault: str, server: str = "web1"
) -> None:
    order = {"server": server, "fault": fault}
    async with session.post(f"{simulator.control}/faults", json=order) as response:
        assert response.status == 200, await response.text()


async def test_by_name_the_tls_server_name_tells_the_server(
    start: Start, session: aiohttp.ClientSession
) -> None:
    """Whatever the Host header says."""
    simulator = await start(servers=3, is_by_name=True, has_tls=True)
    assert len({server.endpoint for server in simulator.servers}) == 1
    context = trust(simulator)
    for number, server in enumerate(simulator.servers):
        assert server.server_name == f"{server.name}.example.net"
        for name in (server.server_name, f"{server.name}.localhost"):
            assert server.server_name == await hostname(
                session, simulator, number, host="web9", server_hostname=name, ssl=context
            )


async def test_by_name_the_host_header_tells_the_server_without_tls(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=3, is_by_name=True)
    for number, server in enumerate(simulator.servers):
        for host in (f"{server.name}.example.net:2087", server.name, server.name.upper()):
            assert await hostname(session, simulator, number, host) == server.server_name


@pytest.mark.parametrize("has_tls", [False, True])
async def test_by_name_an_unknown_name_is_misdirected(
    start: Start, session: aiohttp.ClientSession, has_tls: bool
) -> None:
    simulator = await start(servers=3, is_by_name=True, has_tls=has_tls)
    more: dict[str, Any] = {"ssl": trust(simulator)} if has_tls else {}
    for name in ("127.0.0.1", "localhost"):
        address = simulator.servers[0].endpoint.replace("127.0.0.1", name) + "/json-api/version"
        async with session.get(address, params=V1, headers=login(simulator), **more) as response:
            assert response.status == 421
            assert b"the first label must be one's name" in await response.read()


async def test_by_name_a_server_that_is_down_leaves_the_others_alone(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=2, is_by_name=True)
    await set_fault(session, simulator, "refuse")
    with pytest.raises(aiohttp.ClientConnectionError):
        await hostname(session, simulator, 0, "web1")
    assert await hostname(session, simulator, 1, "web2") == "web2.example.net"
    await set_fault(session, simulator, "none")
    assert await hostname(session, simulator, 0, "web1") == "web1.example.net"


async def test_by_name_a_server_that_is_down_refuses_the_handshake(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=2, is_by_name=True, has_tls=True)
    context = trust(simulator)
    await set_fault(session, simulator, "refuse")
    with pytest.raises(aiohttp.ClientConnectorError):
        await hostname(session, simulator, 0, server_hostname="web1.localhost", ssl=context)
    name = await hostname(session, simulator, 1, server_hostname="web2.localhost", ssl=context)
    assert name == "web2.example.net"


@pytest.mark.parametrize("is_by_name", [False, True])
@pytest.mark.parametrize(
    ("fault", "verification"),
    [
        ("certificate_authority", "unable to get local issuer certificate"),
        ("certificate_expired", "certificate has expired"),
        ("certificate_name", "not valid for 'web1.example.net'"),
    ],
)
async def test_a_changed_certificate_fails_to_verify_until_it_is_put_right(
    start: Start, session: aiohttp.ClientSession, fault: str, verification: str, is_by_name: bool
) -> None:
    simulator = await start(servers=2, has_tls=True, is_by_name=is_by_name)
    more = {"ssl": trust(simulator), "server_hostname": "web1.example.net"}
    assert await hostname(session, simulator, **more)
    await set_fault(session, simulator, fault)
    with pytest.raises(aiohttp.ClientConnectorCertificateError, match=verification):
        await hostname(session, simulator, **more)
    others = {**more, "server_hostname": "web2.example.net"}
    assert await hostname(session, simulator, 1, **others)
    await set_fault(session, simulator, "none")
    assert await hostname(session, simulator, **more)


async def test_a_certificate_change_cuts_who_is_connected(
    start: Start, clock: SetClock, session: aiohttp.ClientSession
) -> None:
    """Else a client that keeps its connection would never meet it."""
    simulator = await start(has_tls=True)
    context = trust(simulator)
    address, headers = url(simulator, "version"), login(simulator)
    async with session.get(address, params=V1, headers=headers, ssl=context) as response:
        await response.read()
    order = {"server": "web1", "fault": "certificate_expired", "after": 60}
    async with session.post(f"{simulator.control}/faults", json=order) as response:
        assert response.status == 200
    async with session.get(address, params=V1, headers=headers, ssl=context) as response:
        assert response.status == 200
    clock.now_unix += 60
    async with session.get(f"{simulator.control}/faults") as response:
        assert [one["is_active"] for one in await response.json()] == [True]
    async with asyncio.timeout(20):
        while True:
            try:
                async with session.get(address, params=V1, headers=headers, ssl=context):
                    pass
            except aiohttp.ClientConnectorCertificateError:
                break
            except aiohttp.ClientConnectionError:
                continue


async def test_a_thousand_servers_answer_each_with_its_own_token(
    start: Start, session: aiohttp.ClientSession
) -> None:
    simulator = await start(servers=1000, is_by_name=True, world=WorldSettings(rate_per_minute=1))
    assert len({server.token for server in simulator.servers}) == 1000
    for number in (0, 499, 999):
        name = f"web{number + 1}.example.net"
        assert await hostname(session, simulator, number, name) == name


async def test_further_logins_have_a_token_on_each_server_and_only_their_privileges(
    start: Start, session: aiohttp.ClientSession
) -> None:
    logins = (Login("reseller1", ("track-email",)), Login("reseller2", ("list-accts",), "GIVEN"))
    simulator = await start(servers=2, logins=logins)
    for number, server in enumerate(simulator.servers):
        assert [(one.user, one.token, one.acls) for one in server.logins] == [
            ("reseller1", token_of("1", server.name, "reseller1"), ("track-email",)),
            ("reseller2", "GIVEN", ("list-accts",)),
        ]
        assert server.token not in {one.token for one in server.logins}
        results = {}
        for one in server.logins:
            headers = {"Authorization": f"whm {one.user}:{one.token}"}
            for function in ("emailtrack_stats", "listaccts"):
                address = url(simulator, function, number)
                async with session.get(address, params=V1, headers=headers) as response:
                    answer = json.loads(await response.read())
                results[one.user, function] = answer["metadata"]["result"]
        assert results == {
            ("reseller1", "emailtrack_stats"): 1,
            ("reseller1", "listaccts"): 0,
            ("reseller2", "emailtrack_stats"): 0,
            ("reseller2", "listaccts"): 1,
        }
    swapped = {"Authorization": f"whm reseller1:{simulator.servers[0].token}"}
    async with session.get(url(simulator, "version"), params=V1, headers=swapped) as response:
        assert response.status == 403


async def test_a_lacking_privilege_can_be_the_403_of_a_bad_login(
    start: Start, session: aiohttp.ClientSession
) -> None:
    logins = (Login("reseller1", ("track-email",), "T"),)
    simulator = await start(logins=logins, quirks=("lacking-acl=403",))
    headers = {"Authorization": "whm reseller1:T"}
    async with session.get(url(simulator, "listaccts"), params=V1, headers=headers) as response:
        assert (response.status, response.reason) == (403, "Forbidden Access denied")


async def test_every_server_shows_the_same_main_log_by_its_own_name(
    start: Start, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    log = tmp_path / "mainlog"
    log.write_text(
        "2026-11-21 09:00:00 1vMhTY-000000001cR-0aaa <= anna@example.com H=localhost [127.0.0.1]"
        ' P=esmtpa A=dovecot_login:anna@example.com S=4711 T="Hello" for bob@example.org\n'
        "2026-11-21 09:00:02 1vMhTY-000000001cR-0aaa => bob@example.org R=dkim_lookuphost"
        ' T=dkim_remote_smtp H=mx.example.org [192.0.2.25] C="250 OK"\n'
        "2026-11-21 09:00:02 1vMhTY-000000001cR-0aaa Completed\n"
    )
    domains = tmp_path / "userdomains"
    domains.write_text("example.com: shop1\n")
    simulator = await start(servers=2, mainlog=log, user_domains=domains)
    truths = []
    for number, server in enumerate(simulator.servers):
        assert await hostname(session, simulator, number) == f"{server.name}.example.net"
        async with session.get(f"{simulator.control}/truth?server={server.name}") as response:
            truths.append(await response.text())
    [row] = [json.loads(line) for line in truths[0].splitlines()]
    assert (row["type"], row["user"], row["recipient"]) == ("success", "shop1", "bob@example.org")
    assert truths[1] == truths[0]


async def test_a_main_log_that_is_not_there_is_one_sentence(start: Start, tmp_path: Path) -> None:
    with pytest.raises(SimulatorError) as error:
        await start(mainlog=tmp_path / "none")
    assert len(str(error.value).splitlines()) == 1
