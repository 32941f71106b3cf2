"""State: a simulator that was killed comes back with the same flags as it was."""

import json
import ssl
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from tests.simulator.conftest import NOW_UNIX, SetClock, Start, login, url
from tests.simulator.test_command import Program, running  # noqa: F401 - running is a fixture
from whm_simulator.app import Simulator
from whm_simulator.errors import SimulatorError

V1 = {"api.version": "1"}
STRANGE = msgspec.json.encode(
    {
        "first_start_unix": NOW_UNIX,
        "told": {"start_unix": None, "speed": 1.0, "faults": []},
        "clock": [NOW_UNIX, NOW_UNIX, 1.0],
        "faults": [{"fault": {"server": "web1", "fault": "of a newer version"}, "since_unix": 1}],
        "ports": {},
    }
)
"""A state with a fault that this version doesn't have."""


def ask(
    address: str, body: object = None, context: ssl.SSLContext | None = None, **headers: str
) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, data, headers)
    with urllib.request.urlopen(request, timeout=20, context=context) as response:
        content: bytes = response.read()
        return content


def test_killed_and_started_again_it_is_as_it_was(
    tmp_path: Path,
    running: list[Program],  # noqa: F811
) -> None:
    path, state = tmp_path / "ready.json", tmp_path / "state"
    flags = ["--servers", "2", "--tls", "--control", "--history", "1h", "--login", "r:track-email"]
    flags += ["--fault", "web2:503,after=100d", "--speed", "60", "--start", str(NOW_UNIX)]
    flags += ["--ready-file", str(path), "--state-dir", str(state)]

    def started() -> tuple[Program, dict[str, Any]]:
        program = Program(*flags)
        running.append(program)
        return program, program.ready(path)

    first, ready = started()
    control = ready["control"]
    ask(f"{control}/faults", {"server": "web1", "fault": "500", "share": 0.5})
    stopped = json.loads(ask(f"{control}/speed", {"factor": 0}))
    faults = ask(f"{control}/faults")
    truth = ask(f"{control}/truth?server=web2")
    assert truth
    files = {file.name: file.stat().st_mode & 0o777 for file in state.iterdir()}
    assert files.pop("ca-key.pem") == files.pop("state.json") == 0o600
    assert list(files) == ["ca.pem"]
    assert ready["servers"][0]["token"] not in (state / "state.json").read_text()
    authority = (state / "ca.pem").read_bytes()
    first.process.kill()
    first.process.communicate()
    path.unlink()

    _, again = started()
    assert again == ready
    assert (state / "ca.pem").read_bytes() == authority
    assert json.loads(ask(f"{control}/speed")) == stopped
    assert ask(f"{control}/faults") == faults
    assert ask(f"{control}/truth?server=web2") == truth
    server = again["servers"][1]
    context = ssl.create_default_context(cafile=server["ca_file"])
    ask(
        f"{server['endpoint']}/json-api/version?api.version=1",
        context=context,
        Authorization=f"whm {server['user']}:{server['token']}",
    )


async def test_relative_times_stay_anchored_to_the_first_start(
    start: Start, session: aiohttp.ClientSession, clock: SetClock, tmp_path: Path
) -> None:
    fault = {"server": "web1", "fault": "500", "after": 60, "for": 60}

    async def status(simulator: Simulator) -> int:
        address, headers = url(simulator, "version"), login(simulator)
        async with session.get(address, params=V1, headers=headers) as response:
            return response.status

    found = []
    for seconds in (0, 30, 60, 119, 120):
        clock.now_unix = NOW_UNIX + seconds
        simulator = await start(
            faults=(fault,), state_dir=tmp_path, compromised=("web1/shop1@+60s",)
        )
        [compromise] = simulator.sites["web1"].mail.settings.compromises  # type: ignore[attr-defined]
        found.append((await status(simulator), compromise.start_unix - NOW_UNIX))
        await simulator.__aexit__()
    assert found == [(200, 60), (200, 60), (500, 60), (500, 60), (200, 60)]


async def test_ports_of_the_systems_choice_are_taken_again(start: Start, tmp_path: Path) -> None:
    first = await start(servers=2, state_dir=tmp_path)
    endpoints = [server.endpoint for server in first.servers]
    control = first.control
    await first.__aexit__()
    second = await start(servers=3, state_dir=tmp_path)
    assert [server.endpoint for server in second.servers][:2] == endpoints
    assert second.control == control


async def test_other_flags_for_time_or_faults_begin_them_anew(
    start: Start, clock: SetClock, tmp_path: Path
) -> None:
    first = await start(state_dir=tmp_path, speed=60)
    clock.now_unix += 10
    assert first.clock() == NOW_UNIX + 600
    await first.__aexit__()
    second = await start(state_dir=tmp_path, speed=2)
    clock.now_unix += 10
    assert second.clock() == NOW_UNIX + 10 + 20


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"ports": 7}', b"\xff", STRANGE])
async def test_a_broken_state_is_told_in_one_sentence(
    start: Start, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "state.json").write_bytes(content)
    with pytest.raises(SimulatorError, match=r"state\.json can't be read .*remove it or choose"):
        await start(state_dir=tmp_path)


async def test_faults_and_time_can_be_set_though_the_folder_takes_nothing_any_more(
    start: Start,
    session: aiohttp.ClientSession,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator = await start(state_dir=tmp_path)
    (tmp_path / "state.json.part").mkdir()
    order = {"server": "web1", "fault": "refuse"}
    async with session.post(f"{simulator.control}/faults", json=order) as response:
        assert response.status == 200
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.get(url(simulator, "version"))
    order = {"server": "web1", "fault": "restart", "seconds": "0"}
    async with session.post(f"{simulator.control}/faults", json=order) as response:
        assert response.status == 200
    async with session.get(url(simulator, "version"), headers=login(simulator)) as response:
        assert response.status == 200
    async with session.post(f"{simulator.control}/speed", json={"factor": 0}) as response:
        assert response.status == 200
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told
    assert all(text.startswith("A restart will not know of this change: ") for text in told)


async def test_a_broken_authority_is_told_in_one_sentence(start: Start, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    (tmp_path / "ca-key.pem").write_text("y")
    with pytest.raises(SimulatorError, match="are no authority; remove both or choose another"):
        await start(state_dir=tmp_path, has_tls=True)


async def test_without_a_folder_nothing_is_left_behind(start: Start) -> None:
    simulator = await start(has_tls=True)
    folder = Path(simulator.servers[0].ca_file or "").parent
    assert names_in(folder) == ["ca-key.pem", "ca.pem"]
    await simulator.__aexit__()
    assert names_in(folder) is None


def names_in(folder: Path) -> list[str] | None:
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else None
