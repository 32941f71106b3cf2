"""The command: flags, help, ready file, signals, and errors in one sentence."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from string import ascii_lowercase
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from whm_simulator import cli
from whm_simulator.api.functions import FUNCTIONS
from whm_simulator.api.quirk_table import QUIRK_ROWS
from whm_simulator.app import Address, Login, Settings, Simulator, token_of
from whm_simulator.cli.flags import settings_of
from whm_simulator.web.faults import FAULT_NAMES
from whm_simulator.world.settings import WorldSettings

COMMAND = [sys.executable, "-m", "whm_simulator"]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2] / "src"), *sys.path]),
}


class Program:
    """A running simulator and what it says."""

    def __init__(self, *flags: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *flags],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self, path: Path) -> dict[str, Any]:
        """The ready file's content once it is there."""
        while not path.exists():
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.01)
        content: dict[str, Any] = json.loads(path.read_text())
        return content

    def end(
        self, number: signal.Signals = signal.SIGTERM, patience_seconds: float = 20
    ) -> tuple[int, str, str]:
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=patience_seconds)
        return self.process.returncode, out, err


@pytest.fixture
def running() -> Iterator[list[Program]]:
    """Programs put in here are killed at the end."""
    programs: list[Program] = []
    yield programs
    for program in programs:
        program.process.kill()
        program.process.communicate()


def test_the_ready_file_says_how_to_reach_everything(
    tmp_path: Path, running: list[Program]
) -> None:
    path, state = tmp_path / "ready.json", tmp_path / "state"
    path.write_text("of an earlier run")
    path.unlink()
    flags = ["--servers", "2", "--tls", "--control", "--history", "10m", "--seed", "ready"]
    flags += ["--login", "reseller1:track-email,list-accts"]
    program = Program(*flags, "--ready-file", str(path), "--state-dir", str(state))
    running.append(program)
    ready = program.ready(path)
    assert list(ready) == ["servers", "control"]
    assert [list(server) for server in ready["servers"]] == [
        ["name", "endpoint", "user", "token", "ca_file", "server_name", "logins"]
    ] * 2
    assert {server["server_name"] for server in ready["servers"]} == {None}
    for server in ready["servers"]:
        [reseller] = server["logins"]
        assert reseller == {
            "user": "reseller1",
            "token": token_of("ready", server["name"], "reseller1"),
            "acls": ["track-email", "list-accts"],
        }
    assert [server["name"] for server in ready["servers"]] == ["web1", "web2"]
    assert {server["ca_file"] for server in ready["servers"]} == {str(state / "ca.pem")}
    assert (state / "ca.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert path.stat().st_mode & 0o777 == 0o600
    for server in ready["servers"]:
        assert re.fullmatch(r"https://127\.0\.0\.1:\d+", server["endpoint"])
    with urllib.request.urlopen(f"{ready['control']}/truth/totals?server=web2") as response:
        assert json.load(response)["by"] == ["type"]
    code, out, err = program.end()
    assert (code, out) == (0, "")
    assert err.splitlines() == [
        f"INFO web1 listens on {ready['servers'][0]['endpoint']}, user root",
        f"INFO web2 listens on {ready['servers'][1]['endpoint']}, user root",
        f"INFO control endpoint listens on {ready['control']}",
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_even_while_answers_hang_and_are_built(
    tmp_path: Path, running: list[Program], number: signal.Signals
) -> None:
    path = tmp_path / "ready.json"
    flags = ["--servers", "2", "--control", "--history", "365d", "--token", "T"]
    program = Program(*flags, "--ready-file", str(path))
    running.append(program)
    ready = program.ready(path)
    order = b'{"server": "web1", "fault": "hang"}'
    with urllib.request.urlopen(f"{ready['control']}/faults", data=order):
        pass
    connections = []
    for server, function in zip(ready["servers"], ("version", "emailtrack_stats"), strict=True):
        port = int(server["endpoint"].rpartition(":")[2])
        connection = socket.create_connection(("127.0.0.1", port))
        connections.append(connection)
        connection.sendall(
            f"GET /json-api/{function}?api.version=1 HTTP/1.1\r\nHost: x\r\n"
            "Authorization: whm root:T\r\n\r\n".encode()
        )
    for name in ("web1", "web2"):
        while True:
            with urllib.request.urlopen(f"{ready['control']}/requests?server={name}") as answer:
                if answer.read():
                    break
    code, _, err = program.end(number)
    for connection in connections:
        connection.close()
    assert code == 0
    assert "Traceback" not in err


def test_a_signal_ends_it_while_an_answer_is_built_that_cannot_be_interrupted(
    tmp_path: Path, running: list[Program]
) -> None:
    """Hundreds of filters over a day of rows keep a thread busy for half a minute."""
    path = tmp_path / "ready.json"
    program = Program("--control", "--token", "T", "--ready-file", str(path))
    running.append(program)
    ready = program.ready(path)
    letters = [f"{a}{b}{c}" for a in "abc" for b in ascii_lowercase for c in "uvwxyz"]
    filters = [f"api.filter.{name}.field=*&api.filter.{name}.arg0=e" for name in letters]
    form = "api.version=1&success=1&api.filter.enable=1&" + "&".join(filters)
    # Rows that are known already take no time to find, which could be interrupted.
    with urllib.request.urlopen(f"{ready['control']}/truth/totals?server=web1") as answer:
        assert answer.read()
    with socket.create_connection(
        ("127.0.0.1", int(ready["servers"][0]["endpoint"].rpartition(":")[2]))
    ) as connection:
        connection.sendall(
            "POST /json-api/emailtrack_search HTTP/1.1\r\nHost: x\r\n"
            "Authorization: whm root:T\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(form)}\r\n\r\n{form}".encode()
        )
        while True:
            with urllib.request.urlopen(f"{ready['control']}/requests?server=web1") as answer:
                if answer.read():
                    break
        code, _, err = program.end(patience_seconds=8)
    assert code == 0
    assert "Traceback" not in err


def test_a_malformed_request_is_one_line_of_the_log(tmp_path: Path, running: list[Program]) -> None:
    path = tmp_path / "ready.json"
    program = Program("--ready-file", str(path))
    running.append(program)
    port = int(program.ready(path)["servers"][0]["endpoint"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx: " + b"a" * 70_000 + b"\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.0 400")
    code, _, err = program.end()
    assert code == 0
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 2


def first_of_two_free_ports() -> int:
    """Below those that the system hands out, so that nobody takes them meanwhile."""
    for port in range(21_000 + os.getpid() % 1000 * 10, 32_000, 2):
        with suppress(OSError), socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port
    raise AssertionError("no two free ports")


def test_servers_take_the_ports_after_the_first(tmp_path: Path, running: list[Program]) -> None:
    port = first_of_two_free_ports()
    path = tmp_path / "ready.json"
    program = Program("--servers", "2", "--listen", f"127.0.0.1:{port}", "--ready-file", str(path))
    running.append(program)
    assert [server["endpoint"] for server in program.ready(path)["servers"]] == [
        f"http://127.0.0.1:{port}",
        f"http://127.0.0.1:{port + 1}",
    ]


def test_a_taken_port_is_told_in_one_sentence(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text("of an earlier run")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = subprocess.run(
            [*COMMAND, "--listen", address, "--ready-file", str(ready)],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"whm-simulator: Can't listen on {address} (")
    assert len(ended.stderr.splitlines()) == 1
    assert not ready.exists()


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--control", "0.0.0.0:0"], "--control must be a loopback address"),
        (["--listen", "127.0.0.1:65535", "--servers", "2"], "choose another address or fewer"),
        (["--ready-file", "/dev/null/x"], "choose another address or folder"),
        (["--tls", "--state-dir", "/dev/null/x"], "choose another address or folder"),
    ],
)
def test_what_it_cannot_start_with_is_told_in_one_sentence(
    flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(flags) == 1
    error = capsys.readouterr().err
    last = error.splitlines()[-1]
    assert last.startswith("whm-simulator: ")
    assert sentence in last
    assert "Traceback" not in error


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--servers", "0"], '"0" must be a whole number from 1 to 10000'),
        (["--servers", "many"], '"many" must be a whole number from 1 to 10000'),
        (["--servers", "10001"], '"10001" must be a whole number from 1 to 10000'),
        (["--domains", "2.5"], '"2.5" must be a whole number from 1 to 10000'),
        (["--cache-rows", "-1"], '"-1" must be a whole number'),
        (["--history", "0s"], 'write "0s" as a number and s, m, h or d'),
        (["--history", "3651d"], "and at most 3650d"),
        (["--listen", "2087"], 'write "2087" as HOST:PORT, such as 127.0.0.1:2087'),
        (["--listen", "127.0.0.1:99999"], 'write "127.0.0.1:99999" as HOST:PORT'),
        (["--rate", "-1"], '"-1" must be a number from 0 to 100000'),
        (["--rate", "nan"], '"nan" must be a number from 0 to 100000'),
        (["--history", "yesterday"], 'write "yesterday" as a number and s, m, h or d'),
        (["--timezone", "Mars/Base"], 'no time zone is called "Mars/Base"'),
        (["--timezone", "../etc"], 'no time zone is called "../etc"'),
        (["--token", "a b"], "use visible ASCII characters without a colon"),
        (["--accounts", "0"], '"0" must be a whole number from 1 to 10000'),
        (["--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["--speed", "0.5"], '"0.5" must be 0 (time stands still) or a number from 1 to 3600'),
        (["--start", "now"], '"now" must be an instant in unix seconds, from 2001 to 2105'),
        (["--start", "4291747200"], '"4291747200" must be an instant in unix seconds, from 2001'),
        (["--login", "reseller1"], 'write "reseller1" as USER:ACL,ACL or USER=TOKEN:ACL,ACL'),
        (["--userdomains", "x"], "--userdomains needs --exim-mainlog"),
        (["--fault", "hang"], 'Write the fault "hang" as SERVER:FAULT, such as web1:hang.'),
        (["--fault", "web1:hang,x"], 'Write "x" of the fault "web1:hang,x" as NAME=VALUE.'),
        (["--fault", "web1:hang,for=1,for=2"], 'says "for" twice.'),
        (["--faults", "/dev/null/x"], "can't read /dev/null/x: Not a directory"),
        (["--faults", "/dev/null"], "/dev/null: The fault can't be read: "),
    ],
)
def test_a_bad_flag_is_exit_code_2_and_a_sentence(
    flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(flags)
    assert ended.value.code == 2
    assert sentence in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--fault", "web2:hang"], 'There is no server "web2"; there are: web1.'),
        (["--fault", "web1:fire"], 'The fault can\'t be read: there is no fault "fire"; there'),
        (["--fault", "web1:latency,rows=1"], '"rows" means nothing to the fault "latency".'),
        (["--fault", "web1:certificate_name"], 'The fault "certificate_name" needs servers that'),
        (["--quirk", "web7:cap=1"], 'The quirk "web7:cap=1" is for no known server; there are:'),
        (["--compromised", "web9/shop1"], 'There is no server "web9" to compromise an account'),
        (["--compromised", "shop1"], 'Write "shop1" as SERVER/USER, such as web1/shop1@+60s.'),
        (["--bad-day", "mars@+60s"], 'There is no receiving site "mars"; write one of '),
        (["--login", "root:all"], 'The user "root" is given two logins; give it one.'),
    ],
)
def test_flags_that_contradict_each_other_are_exit_code_2_and_a_sentence(
    flags: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(flags) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"whm-simulator: {sentence}")


def test_every_flag_reaches_the_settings(tmp_path: Path) -> None:
    faults = tmp_path / "faults.json"
    faults.write_text('[{"server": "*", "fault": "500", "share": 0.5}]')
    settings = settings_of(
        "--servers 2 --listen [::1]:99 --by-name --tls --user u --token t"
        " --login r=T:track-email --login s:all --seed 5 --accounts 3 --domains 2"
        " --rate 2.5 --history 90m --timezone Europe/Berlin --compromised x@+60s --bad-day y@1"
        " --quirk cap=9 --quirk web2:no-gzip --exim-mainlog m --userdomains d --cache-rows 77"
        f" --speed 60 --start 1795252447 --fault web1:hang,after=1m --faults {faults} --control"
        " --ready-file ready --state-dir state".split()
    )
    assert settings == Settings(
        servers=2,
        listen=Address("::1", 99),
        is_by_name=True,
        has_tls=True,
        user="u",
        token="t",
        logins=(Login("r", ("track-email",), "T"), Login("s", ("all",))),
        world=WorldSettings(
            seed="5",
            accounts=3,
            domains_per_account=2,
            rate_per_minute=2.5,
            history_seconds=5400,
            zone=ZoneInfo("Europe/Berlin"),
            max_cached_rows=77,
        ),
        compromised=("x@+60s",),
        bad_days=("y@1",),
        quirks=("cap=9", "web2:no-gzip"),
        mainlog=Path("m"),
        user_domains=Path("d"),
        faults=(
            {"server": "*", "fault": "500", "share": 0.5},
            {"server": "web1", "fault": "hang", "after": "1m"},
        ),
        start_unix=1_795_252_447,
        speed=60,
        control=Address("127.0.0.1", 0),
        ready_file=Path("ready"),
        state_dir=Path("state"),
    )


def test_every_command_on_the_page_for_newcomers_is_understood() -> None:
    """Quirks and incidents included, which are read when the simulator is made."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "try-without-cpanel.md"
    commands = re.findall(r"^whm-simulator (.*)$", page.read_text("utf-8"), re.MULTILINE)
    assert len(commands) == 6
    for command in commands:
        Simulator(settings_of(command.split()))


def test_help_names_every_flag_fault_and_function(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", text, re.MULTILINE)) >= {
        "--help", "--version", "--servers", "--listen", "--by-name", "--tls", "--user", "--token",
        "--login", "--seed", "--accounts", "--domains", "--rate", "--history", "--timezone",
        "--compromised", "--bad-day", "--exim-mainlog", "--userdomains", "--cache-rows", "--speed",
        "--start", "--quirk", "--fault", "--faults", "--control", "--ready-file", "--state-dir",
    }  # fmt: skip
    assert [name for name in FAULT_NAMES if not re.search(rf"\b{name}\b", text)] == []
    assert [name for name in FUNCTIONS if name not in text] == []
    assert [row.usage for row in QUIRK_ROWS if f"\n  {row.usage}\n" not in text] == []
    assert max(map(len, text.splitlines())) <= 100
