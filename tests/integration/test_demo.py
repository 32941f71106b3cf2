"""The demo as a person runs it: real programs, real ports, and nothing left when it ends."""

import asyncio
import fcntl
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from cpanel_mail_exporter.demo.programs import DemoFailed, Programs

COMMAND = [sys.executable, "-m", "cpanel_mail_exporter", "demo"]
PATIENCE_SECONDS = 60
TAKES_TERMINAL = "import fcntl,os,sys,termios;fcntl.ioctl(0,termios.TIOCSCTTY,0)"
ENDED = "The demo has ended: its programs are stopped, its folder is removed."
SUMMARY = re.compile(r"^\d+ of \d+ servers up.*$", re.MULTILINE)


class Demo:
    """A running demo whose temporary files all go to one folder."""

    def __init__(self, folder: Path, *flags: str, **variables: str) -> None:
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self._out = folder / "out"
        self._err = folder / "err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [*COMMAND, *flags],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, "TMPDIR": str(self.scratch), **variables},
                # Where pytest itself is started in the background, SIGINT is ignored.
                start_new_session=True,
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def place(self, label: str) -> str:
        """What stands beside a label of "where to look"."""
        found = wait_until(lambda: re.search(rf"^ {label} +(.*)\n", self.out, re.MULTILINE), self)
        return str(found[1])

    def summary(self) -> str:
        return str(wait_until(lambda: SUMMARY.search(self.out), self)[0])

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def left_behind(self) -> list[Path]:
        return list(self.scratch.iterdir())


def wait_until(look: Callable[[], Any], demo: Demo | None = None) -> Any:
    """What *look* gives once that is true; fails if the demo ends before."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it took too long"
        if demo is not None:
            assert demo.process.poll() is None, demo.err
        time.sleep(0.02)


def children_of(parent: int) -> dict[str, int]:
    """Process ids of a process's children, by what they are."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = status.read_text().rpartition(") ")[2].split()
            words = status.with_name("cmdline").read_text().split("\0")
        except OSError:
            continue
        if int(after_name[1]) == parent and "lifeline.py" not in " ".join(words):
            name = words[2] if "-m" in words else Path(words[0]).name
            found[name] = int(status.parent.name)
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def is_stopped(pid: int) -> bool:
    """Whether every thread of a process has taken SIGSTOP."""
    states = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(text.rpartition(") ")[2][0] == "T" for text in states)


def was_told_to_end(pid: int) -> bool:
    """Whether SIGTERM waits for a process."""
    pending = re.search(
        r"^ShdPnd:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE
    )
    return pending is not None and bool(int(pending[1], 16) & (1 << signal.SIGTERM - 1))


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        body: bytes = answer.read()
    return body


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Demo]]:
    """Starts a demo; it is killed at the end if it still runs."""
    demos: list[Demo] = []

    def start(*flags: str, **variables: str) -> Demo:
        demos.append(Demo(tmp_path, *flags, **variables))
        return demos[-1]

    yield start
    for demo in demos:
        demo.process.kill()
        demo.process.wait()


def test_a_demo_shows_living_servers_and_leaves_nothing_behind(
    start: Callable[..., Demo],
) -> None:
    flags = ("--servers", "2", "--listen", "127.0.0.1:0", "--no-prometheus")
    demo = start(*flags, CPANEL_MAIL_EMAIL_LOGS_WINDOW="off", CPANEL_MAIL_APIKEY="OTHER")
    demo.summary()
    url = demo.place("Status").rstrip("/")
    families = {
        family.name: family
        for family in text_string_to_metric_families(get(f"{url}/metrics").decode())
    }
    assert [(s.labels, s.value) for s in families["cpanel_mail_up"].samples] == [
        ({"server": "web1", "region": "eu"}, 1),
        ({"server": "web2", "region": "us"}, 1),
    ]
    assert families["cpanel_mail_poll_interval_seconds"].samples[0].value == 5
    config = Path(demo.place("Config"))
    assert oct(config.parent.stat().st_mode & 0o777) == "0o700"
    assert "listening on" in (config.parent / "exporter.log").read_text()
    children = children_of(demo.process.pid)
    assert sorted(children) == ["cpanel_mail_exporter", "whm_simulator"]

    assert demo.end() == 0
    assert demo.err == ""
    numbers = re.sub(r"\d[\d.,]*", "N", demo.out.replace(str(config.parent), "FOLDER"))
    assert (
        re.sub(r"N (B|kB|MB)\b", "SIZE", numbers)
        == f"""\
Starting simulated WHM servers: N ...
Starting the exporter ...
 Story    Microsoft defers most mail; from N:N:N officeN on webN sends spam
 Status   http://N:N/
 Metrics  curl -s http://N:N/metrics | grep ^email_user_stats
 Graph    no: Prometheus is left out, as was asked for
 Break    curl -d '{{"server":"webN","fault":"N"}}' N:N/faults
 Config   FOLDER/exporter.yml
 Logs     FOLDER/{{simulator,exporter}}.log
N of N servers up; messages today: N success, N failure, N deferral; email_logs: N series; \
last success N s ago; /metrics: N series, SIZE, SIZE as gzip in N ms
{ENDED}
"""
    )
    assert [name for name, pid in children.items() if is_running(pid)] == []
    assert demo.left_behind() == []


def test_what_the_story_tells_is_what_happens_in_the_simulated_world(
    start: Callable[..., Demo],
) -> None:
    demo = start("--servers", "1", "--listen", "127.0.0.1:0", "--no-prometheus")
    told = re.search(r"from ([\d:]{8}) (office1) on (web1) sends spam", demo.place("Story"))
    assert told is not None
    now = time.time()
    moments = (int(now) + seconds for seconds in range(65))
    [spam_from] = [at for at in moments if time.strftime("%H:%M:%S", time.localtime(at)) == told[1]]
    truth = demo.place("Break").split()[3].removesuffix("faults") + "truth/totals"

    def events(until: int, by: str) -> list[dict[str, Any]]:
        query = f"server={told[3]}&until={until}&since={until - 300}&by={by}"
        totals: list[dict[str, Any]] = msgspec.json.decode(get(f"http://{truth}?{query}"))["totals"]
        return totals

    # Told by the machines that write as the account: its own are few at any hour, while its mail
    # may well come to a hundred events in five minutes of a newsletter.
    before, after = (
        sum(total["user"] == told[2] for total in events(until, "user,senderip"))
        for until in (spam_from, spam_from + 300)
    )
    assert after > 50 > 10 > before
    microsoft = [
        total
        for total in events(spam_from + 300, "host,type")
        if str(total["host"]).endswith("protection.outlook.com")
    ]
    deferred = sum(total["events"] for total in microsoft if total["type"] == "defer")
    assert deferred > sum(total["events"] for total in microsoft) / 2
    assert demo.end() == 0


def test_a_fault_set_by_the_shown_command_takes_a_server_down(start: Callable[..., Demo]) -> None:
    demo = start("--servers", "2", "--listen", "127.0.0.1:0", "--no-prometheus")
    words = demo.place("Break").split()
    metrics = demo.place("Status") + "metrics"
    demo.summary()
    urllib.request.urlopen(f"http://{words[3]}", data=words[2].strip("'").encode()).close()
    wait_until(lambda: b'cpanel_mail_up{server="web2",region="us"} 0' in get(metrics), demo)
    assert b'cpanel_mail_up{server="web1",region="eu"} 1' in get(metrics)
    assert demo.end(signal.SIGTERM) == 0


def test_a_signal_while_programs_start_ends_them_too(start: Callable[..., Demo]) -> None:
    demo = start("--listen", "127.0.0.1:0")
    children = wait_until(lambda: children_of(demo.process.pid), demo)
    assert demo.end(signal.SIGTERM) == 0
    assert demo.out.splitlines()[-1] == ENDED
    assert demo.err == ""
    assert [pid for pid in children.values() if is_running(pid)] == []
    assert demo.left_behind() == []


def test_programs_die_with_a_demo_that_is_killed(start: Callable[..., Demo]) -> None:
    demo = start("--servers", "1", "--listen", "127.0.0.1:0", "--no-prometheus")
    demo.summary()
    children = children_of(demo.process.pid)
    assert len(children) == 2
    assert demo.end(signal.SIGKILL) == -signal.SIGKILL
    wait_until(lambda: not any(map(is_running, children.values())))


@pytest.mark.parametrize(
    ("module", "name"), [("whm_simulator", "simulator"), ("cpanel_mail_exporter", "exporter")]
)
def test_a_program_that_dies_is_named_with_its_last_words(
    start: Callable[..., Demo], module: str, name: str
) -> None:
    demo = start("--servers", "1", "--listen", "127.0.0.1:0", "--no-prometheus")
    demo.summary()
    children = children_of(demo.process.pid)
    os.kill(children[module], signal.SIGKILL)
    assert demo.process.wait(PATIENCE_SECONDS) == 1
    first, *words = demo.err.splitlines()
    assert first == f"The {name} ended by itself with signal SIGKILL; it said last:"
    assert "listen" in words[0]
    assert ENDED not in demo.out
    assert [pid for pid in children.values() if is_running(pid)] == []
    assert demo.left_behind() == []


@pytest.mark.parametrize(("dies", "code"), [(False, 0), (True, 1)])
def test_a_program_that_ignores_sigterm_is_killed_however_often_ctrl_c_is_pressed(
    start: Callable[..., Demo], dies: bool, code: int
) -> None:
    demo = start("--servers", "1", "--listen", "127.0.0.1:0", "--no-prometheus")
    demo.summary()
    children = children_of(demo.process.pid)
    # A stopped program can't answer any signal but SIGKILL.
    exporter = children["cpanel_mail_exporter"]
    os.kill(exporter, signal.SIGSTOP)
    wait_until(lambda: is_stopped(exporter), demo)
    if dies:
        os.kill(children["whm_simulator"], signal.SIGKILL)
    else:
        demo.process.send_signal(signal.SIGINT)
    wait_until(lambda: was_told_to_end(exporter), demo)
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(PATIENCE_SECONDS) == code
    assert [pid for pid in children.values() if is_running(pid)] == []
    assert demo.left_behind() == []


async def test_a_program_that_ignores_sigterm_is_dead_before_its_folder_goes(
    tmp_path: Path,
) -> None:
    ready, log = tmp_path / "ready", tmp_path / "log"
    stubborn = (
        "import pathlib,signal,sys,time;signal.signal(signal.SIGTERM,signal.SIG_IGN);"
        "pathlib.Path(sys.argv[1]).touch();print(*sys.argv);time.sleep(1000)"
    )

    async with Programs() as programs:
        await programs.start("Stubborn", [sys.executable, "-c", stubborn, str(ready)], log)
        await programs.ready(asyncio.to_thread(wait_until, ready.exists), PATIENCE_SECONDS)
        (child,) = children_of(os.getpid()).values()
        assert is_running(child)
    assert not is_running(child)


async def test_a_program_that_is_never_ready_is_told_with_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    talks = "print(*range(9), sep='\\n\\n', flush=True); import time; time.sleep(1000)"
    async with Programs() as programs:
        await programs.start("Talker", [sys.executable, "-c", talks], log)
        spoken = asyncio.to_thread(wait_until, lambda: "8" in log.read_text())
        await programs.ready(spoken, PATIENCE_SECONDS)
        with pytest.raises(DemoFailed) as failed:
            await programs.ready(asyncio.Event().wait(), 0)
    assert str(failed.value) == (
        "Talker wasn't ready within 0 s; it said last:\n  4\n  5\n  6\n  7\n  8"
    )


async def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    async with Programs() as programs:
        await programs.start("Ghost", [str(tmp_path / "ghost")], tmp_path / "log")
        with pytest.raises(DemoFailed) as failed:
            await programs.unless_one_ends(asyncio.Event().wait())
    assert str(failed.value) == (
        "Ghost ended by itself with exit code 1; it said last:\n"
        f"  {tmp_path}/ghost can't be run: No such file or directory"
    )


def test_a_taken_port_is_told_in_one_sentence(start: Callable[..., Demo]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        demo = start("--listen", address)
        assert demo.process.wait(PATIENCE_SECONDS) == 1
    assert demo.out == ""
    assert demo.err == (
        f"Cannot listen on {address}: the port is already in use; stop the other program or "
        "choose another port (--listen 127.0.0.1:0 takes a free one).\n"
    )
    assert demo.left_behind() == []


def test_a_missing_trustme_is_told_as_the_simulator_tells_it(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "trustme.py").write_text("raise ImportError")
    paths = os.pathsep.join([str(hidden), os.environ.get("PYTHONPATH", "")])
    demo = start("--listen", "127.0.0.1:0", PYTHONPATH=paths)
    assert demo.process.wait(PATIENCE_SECONDS) == 1
    assert demo.err == (
        "The simulator ended by itself with exit code 1; it said last:\n"
        "  whm-simulator: --tls needs the package trustme: "
        "install cpanel-mail-exporter[simulator].\n"
    )
    assert demo.left_behind() == []


def test_without_prometheus_in_path_the_demo_says_so(
    start: Callable[..., Demo], tmp_path: Path
) -> None:
    demo = start("--servers", "1", "--listen", "127.0.0.1:0", PATH=str(tmp_path))
    assert demo.place("Graph") == (
        "no: the program prometheus is not in PATH; install it for graphs"
    )
    assert demo.end() == 0


@pytest.mark.e2e
def test_prometheus_scrapes_every_server(start: Callable[..., Demo]) -> None:
    if shutil.which("prometheus") is None:
        assert os.environ.get("CI") != "true", "prometheus is missing"
        pytest.skip("prometheus is missing")
    demo = start("--servers", "2", "--listen", "127.0.0.1:0")
    graph = urllib.parse.urlsplit(demo.place("Graph"))

    def query(expression: str) -> list[dict[str, Any]]:
        asked = urllib.parse.urlencode({"query": expression})
        answer = msgspec.json.decode(get(f"http://{graph.netloc}/api/v1/query?{asked}"))
        assert answer["status"] == "success"
        result: list[dict[str, Any]] = answer["data"]["result"]
        return result

    def ups() -> dict[tuple[str, str], str]:
        return {(r["metric"]["job"], r["metric"]["instance"]): r["value"][1] for r in query("up")}

    wanted = {
        ("cpanel_mail_exporter", "web1"): "1",
        ("cpanel_mail_exporter", "web2"): "1",
        ("prometheus", graph.netloc): "1",
    }
    wait_until(lambda: ups() == wanted, demo)
    # The link that is shown has an answer.
    shown = urllib.parse.parse_qs(graph.query)["g0.expr"][0]
    types = {"success", "failure", "defer"}
    wait_until(lambda: {result["metric"]["type"] for result in query(shown)} == types, demo)
    page = f"http://{graph.netloc}{graph.path}?{graph.query}"
    assert b"<html" in get(page)
    children = children_of(demo.process.pid)
    assert sorted(children) == ["cpanel_mail_exporter", "prometheus", "whm_simulator"]
    assert demo.end() == 0
    assert [pid for pid in children.values() if is_running(pid)] == []
    assert demo.left_behind() == []


def test_on_a_terminal_the_screen_lives_and_ctrl_c_gives_it_back(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, b"\x18\x00\x50\x00\x00\x00\x00\x00")
    before = termios.tcgetattr(theirs)
    flags = ["--servers", "1", "--listen", "127.0.0.1:0", "--no-prometheus"]
    launch = f"{TAKES_TERMINAL};os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", launch, *COMMAND, *flags],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TMPDIR": str(tmp_path), "TERM": "xterm", "NO_COLOR": ""},
        start_new_session=True,
    )
    shown = b""
    try:

        def read_more() -> None:
            nonlocal shown
            if select.select([ours], [], [], 0.05)[0]:
                shown += os.read(ours, 65_536)

        def see(wanted: bytes) -> None:
            def look() -> bool:
                read_more()
                return wanted in shown

            wait_until(look)

        see(b"web1     \033[32mup\033[0m")
        assert b"\033[?1049h\033[?25l\033[1;1H\033[2K" in shown
        assert not termios.tcgetattr(theirs)[3] & termios.ECHO
        shown = b""
        see(b"\033[1;1H")  # the next redraw
        os.write(ours, b"\x03")
        see(ENDED.encode() + b"\r\n")
        assert process.wait(PATIENCE_SECONDS) == 0
        assert shown.endswith(b"\033[?25h\033[?1049l" + ENDED.encode() + b"\r\n")
        assert termios.tcgetattr(theirs) == before
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)
