"""The real program against a static server that gives the original's two inputs whatever is asked.

What it must print is the original's description, verbatim; see tests/golden/description.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

DESCRIPTION = Path(__file__).parents[1] / "golden" / "description"
TOKEN = "ABCDEFTOKEN0123456789"
STATS, LOGS, TOTALS = "emailtrack_user_stats", "emailtrack_search", "emailtrack_stats"
SUMS = {"SENDCOUNT": 2, "SUCCESSCOUNT": 2, "FAILCOUNT": 0, "DEFERCOUNT": 0, "INPROGRESSCOUNT": 0}
REFUSAL = b'{"metadata": {"command": "x", "reason": "Permission denied", "result": 0}}'
STOPS_WITHIN_SECONDS = 5


def answers() -> dict[str, bytes]:
    return {
        STATS: (DESCRIPTION / "user_stats.json").read_bytes(),
        LOGS: (DESCRIPTION / "email_logs.json").read_bytes(),
        TOTALS: json.dumps({"data": {"records": [SUMS]}, "metadata": {"result": 1}}).encode(),
    }


def without_metadata(body: bytes) -> bytes:
    return json.dumps({"data": json.loads(body)["data"]}).encode()


def unknown(function: str) -> bytes:
    """As WHM answers a function that it doesn't have."""
    reason = f'Unknown app ("{function}") requested for this version (1) of the API.'
    return json.dumps({"metadata": {"result": 0, "reason": reason, "version": 1}}).encode()


class StaticWhm:
    """Answers each function with the same bytes always; can hang instead."""

    def __init__(self, bodies: dict[str, bytes]) -> None:
        self.bodies = bodies
        self.requests: list[tuple[str, str, str | None]] = []
        self.asked = threading.Event()
        self.hangs = False
        self.port = 0
        self._released = threading.Event()

    @contextmanager
    def serving(self) -> Iterator["StaticWhm"]:
        whm = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                function = path.removeprefix("/json-api/")
                whm.requests.append((function, query, self.headers["Authorization"]))
                whm.asked.set()
                if whm.hangs:
                    whm._released.wait()
                    return
                body = whm.bodies.get(function) or unknown(function)
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield self
        finally:
            self._released.set()
            server.shutdown()
            thread.join()
            server.server_close()

    @property
    def flags(self) -> tuple[str, ...]:
        return ("--endpoint", f"http://127.0.0.1:{self.port}", "--apikey", TOKEN)


@pytest.fixture
def whm() -> Iterator[StaticWhm]:
    with StaticWhm(answers()).serving() as one:
        yield one


def environment(**variables: str) -> dict[str, str]:
    usual = {k: v for k, v in os.environ.items() if not k.startswith("CPANEL_MAIL_")}
    return {**usual, "TZ": "UTC", **variables}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cpanel_mail_exporter", *arguments]


def once(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("once", *arguments),
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


class Running:
    """The program, serving."""

    def __init__(self, arguments: Sequence[str], variables: dict[str, str]) -> None:
        self.said: list[str] = []
        self._address: list[str] = []
        self._is_listening = threading.Event()
        self.process = subprocess.Popen(
            command(*arguments),
            env=environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if found := re.search(r"listening on ([^ ,]+:\d+)", line):
                self._address.append(found[1])
                self._is_listening.set()
        self._is_listening.set()

    @property
    def address(self) -> str:
        """HOST:PORT, as it is logged."""
        assert self._is_listening.wait(30)
        assert self._address, self.said
        return self._address[0]

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=30) as answer:
            return answer.read().decode()

    def metrics(self, is_wanted: Callable[[str], bool] = lambda text: True) -> str:
        """The exposition, once every server was polled and what is wanted is there."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                self.get("/-/ready")
                if is_wanted(text := self.get("/metrics")):
                    return text
            except urllib.error.HTTPError as error:
                error.close()
                if error.code != 503:
                    raise
            time.sleep(0.02)
        pytest.fail("what was wanted didn't come")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code; it must come within the promised time."""
        self.process.send_signal(number)
        return self.process.wait(STOPS_WITHIN_SECONDS)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self._reader.join()


@contextmanager
def running(*arguments: str, **variables: str) -> Iterator[Running]:
    with TemporaryDirectory() as storage:
        own = {"CPANEL_MAIL_STORAGE_PATH": storage, **variables}
        program = Running(("--listen", "127.0.0.1:0", *arguments), own)
        try:
            yield program
        finally:
            program.end()


def lines_of(family: str, text: str) -> list[str]:
    return [line for line in text.splitlines(keepends=True) if line.startswith(family + "{")]


def assert_described(text: str) -> None:
    """Both families are exactly those of the description, declared as gauges."""
    for family in ("email_user_stats", "email_logs"):
        expected = (DESCRIPTION / f"{family}.txt").read_text()
        assert "".join(lines_of(family, text)) == expected
        assert expected in text
        assert f"# TYPE {family} gauge\n" in text


@pytest.mark.parametrize("change", [bytes, without_metadata], ids=["metadata", "no-metadata"])
def test_the_descriptions_inputs_give_its_outputs(change: Callable[[bytes], bytes]) -> None:
    bodies = {function: change(body) for function, body in answers().items()}
    with StaticWhm(bodies).serving() as whm, running(*whm.flags) as program:
        assert_described(program.metrics())
        assert program.stop() == 0
        assert program.process.communicate()[0] == ""


def test_the_stats_query_is_the_descriptions_and_the_search_begins_like_it(
    whm: StaticWhm,
) -> None:
    before = int(time.time())
    result = once(*whm.flags, "--timezone", "UTC")
    after = int(time.time())
    assert result.returncode == 0
    by_function = {function: (query, login) for function, query, login in whm.requests}
    assert [function for function, _, _ in whm.requests][:3] == [STATS, TOTALS, LOGS]
    assert {login for _, login in by_function.values()} == {f"whm root:{TOKEN}"}
    query = re.fullmatch(r"api\.version=1&starttime=(\d+)&endtime=(\d+)", by_function[STATS][0])
    assert query is not None, by_function[STATS][0]
    start, end = map(int, query.groups())
    assert before <= end <= after
    assert start in {before - before % 86_400, after - after % 86_400}
    assert by_function[LOGS][0].startswith("api.version=1&api.filter.enable=1&")


def test_once_prints_the_descriptions_outputs_and_exits_0(whm: StaticWhm) -> None:
    result = once(*whm.flags)
    assert result.returncode == 0
    assert_described(result.stdout)
    assert "\ncpanel_mail_up 1\n" in result.stdout
    assert '\ncpanel_mail_rows_outside_range{collector="email_logs"} 1\n' in result.stdout


def test_the_same_line_stands_there_once_after_further_polls(whm: StaticWhm) -> None:
    with running(*whm.flags, "--poll.interval", "1s") as program:
        text = program.metrics(
            lambda text: (
                '\ncpanel_mail_polls_total{collector="email_logs"} 1\n' not in text
                and '\ncpanel_mail_polls_total{collector="email_logs"} 2\n' not in text
            )
        )
        assert_described(text)


@pytest.mark.parametrize(
    ("refused", "is_up"), [({STATS}, 1), ({LOGS}, 1), ({STATS, LOGS}, 0)], ids=["1", "2", "both"]
)
def test_once_exits_1_when_a_poll_failed_and_prints_what_was_got(
    whm: StaticWhm, refused: set[str], is_up: int
) -> None:
    for function in refused:
        whm.bodies[function] = REFUSAL
    result = once(*whm.flags)
    assert result.returncode == 1
    assert f"\ncpanel_mail_up {is_up}\n" in result.stdout
    assert bool(lines_of("email_user_stats", result.stdout)) is (STATS not in refused)
    assert bool(lines_of("email_logs", result.stdout)) is (LOGS not in refused)
    # One line for all that fails alike, and it names each function.
    said = [line for line in result.stderr.splitlines() if "Permission denied" in line]
    assert len(said) == 1
    assert {function for function in (STATS, LOGS) if function in said[0]} == refused
    assert "Traceback" not in result.stderr


def test_once_exits_1_when_nothing_listens_there() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{taken.getsockname()[1]}"
        result = once("--endpoint", endpoint, "--apikey", TOKEN)
    assert result.returncode == 1
    assert "\ncpanel_mail_up 0\n" in f"\n{result.stdout}"
    assert 'collector="user_stats",kind="connect"} 1\n' in result.stdout
    assert not lines_of("email_user_stats", result.stdout)


def test_flags_can_be_given_by_environment(whm: StaticWhm, tmp_path: Path) -> None:
    token_file = tmp_path / "token"
    token_file.write_text(f"{TOKEN}\n")
    token_file.chmod(0o600)
    for by_variable in (
        {"CPANEL_MAIL_APIKEY": TOKEN},
        {"CPANEL_MAIL_APIKEY_FILE": str(token_file)},
    ):
        result = once(
            CPANEL_MAIL_ENDPOINT=f"http://127.0.0.1:{whm.port}/",
            CPANEL_MAIL_USER="reseller1",
            CPANEL_MAIL_EMAIL_LOGS_WINDOW="off",
            **by_variable,
        )
        assert result.returncode == 0
        expected = (DESCRIPTION / "email_user_stats.txt").read_text()
        assert "".join(lines_of("email_user_stats", result.stdout)) == expected
        assert not lines_of("email_logs", result.stdout)
        assert "command line" not in result.stderr
    assert {login for _, _, login in whm.requests} == {f"whm reseller1:{TOKEN}"}
    # Delivery records are asked for all the same: their events are counted.
    assert {STATS, TOTALS, LOGS} <= {function for function, _, _ in whm.requests}


def test_a_single_dash_works_as_in_go(whm: StaticWhm) -> None:
    endpoint = f"http://127.0.0.1:{whm.port}"
    for flags in (
        ("-endpoint", endpoint, "-apikey", TOKEN),
        (f"-endpoint={endpoint}", f"-apikey={TOKEN}"),
    ):
        with running(*flags) as program:
            assert_described(program.metrics())


def test_the_token_is_said_nowhere(whm: StaticWhm) -> None:
    whm.bodies[STATS] = json.dumps(
        {"metadata": {"result": 0, "reason": f"no privilege for {TOKEN}"}}
    ).encode()
    with running(*whm.flags, "--log.level", "debug") as program:
        texts = [program.metrics(), program.get("/"), program.get("/sd")]
        assert program.stop() == 0
    assert any("no privilege for" in line for line in program.said)
    assert TOKEN not in "".join([*texts, *program.said])
    assert sum("command line" in line for line in program.said) == 1


def many_rows(count: int, message_bytes: int) -> bytes:
    answer = json.loads(answers()[LOGS])
    (row,) = answer["data"]["records"]
    answer["data"]["records"] = [
        {**row, "msgid": f"MSG-{n}", "message": "x" * message_bytes} for n in range(count)
    ]
    return json.dumps(answer).encode()


@contextmanager
def quiet_program(whm: StaticWhm) -> Iterator[Running]:
    """Between two polls."""
    with running(*whm.flags) as program:
        program.metrics()
        yield program


@contextmanager
def program_whose_server_hangs(whm: StaticWhm) -> Iterator[Running]:
    """In the middle of a request that isn't answered."""
    whm.hangs = True
    with running(*whm.flags) as program:
        assert whm.asked.wait(30)
        assert program.address
        yield program


@contextmanager
def program_with_a_slow_client(whm: StaticWhm) -> Iterator[Running]:
    """In the middle of an answer that a client takes no more of."""
    whm.bodies[LOGS] = many_rows(6_000, 4_000)
    with running(*whm.flags, "--email-logs.max-series", "0") as program:
        program.metrics()
        host, port = program.address.split(":")
        with closing(socket.socket()) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect((host, int(port)))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(17) == b"HTTP/1.1 200 OK\r\n"
            yield program


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
@pytest.mark.parametrize(
    "situation", [quiet_program, program_whose_server_hangs, program_with_a_slow_client]
)
def test_a_stop_signal_ends_it_soon_with_0(
    whm: StaticWhm, situation: Any, number: signal.Signals
) -> None:
    with situation(whm) as program:
        assert program.stop(number) == 0
    assert "stopped" in program.said[-1]
    assert not any("Traceback" in line or "level=error" in line for line in program.said)


def test_once_can_be_broken_off(whm: StaticWhm) -> None:
    """Then its polls haven't succeeded, which its exit code says."""
    whm.hangs = True
    program = Running(("once", *whm.flags), {})
    try:
        assert whm.asked.wait(30)
        assert program.stop() == 1
        out, _ = program.process.communicate()
    finally:
        program.end()
    assert "cpanel_mail_up" not in lines_of_names(out)
    assert not any("Traceback" in line for line in program.said)


def lines_of_names(text: str) -> set[str]:
    return {re.split(r"[{ ]", line)[0] for line in text.splitlines() if line[:1] != "#"}


CONFIG = """
servers:
  - name: web1
    endpoint: http://127.0.0.1:{port}
    token_file: {token}
    timezone: Europe/Berlin
    labels: {{region: eu, rack: 'a "1" \\ b'}}
  - name: web2
    endpoint: http://127.0.0.1:{port}/
    token_file: {token}
user_stats: {{labels: [owner]}}
email_logs: {{max_series_total: 1}}
"""


def config_file(whm: StaticWhm, folder: Path) -> Path:
    token = folder / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    file = folder / "exporter.yml"
    file.write_text(CONFIG.format(port=whm.port, token=token))
    return file


def test_with_a_file_every_line_begins_with_the_servers_labels(
    whm: StaticWhm, tmp_path: Path
) -> None:
    result = once("--config.file", str(config_file(whm, tmp_path)))
    assert result.returncode == 0
    rack = r"a \"1\" \\ b"
    inside = f'server="web1",region="eu",rack="{rack}",'
    expected = (DESCRIPTION / "email_logs.txt").read_text().replace("{", "{" + inside)
    assert "".join(lines_of("email_logs", result.stdout)) == expected
    stats = (DESCRIPTION / "email_user_stats.txt").read_text().splitlines(keepends=True)
    assert lines_of("email_user_stats", result.stdout) == [
        line.replace("{", "{" + labels).replace("}", ',owner="root"}')
        for labels in (inside, 'server="web2",')
        for line in stats
    ]


@pytest.mark.parametrize("mode", ["flags", "file"])
def test_promtool_finds_nothing_to_say(whm: StaticWhm, tmp_path: Path, mode: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no promtool found")
    flags = whm.flags if mode == "flags" else ("--config.file", str(config_file(whm, tmp_path)))
    with running(*flags) as program:
        text = program.metrics()
    assert {"email_logs", "process_cpu_seconds_total"} <= lines_of_names(text)
    result = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
