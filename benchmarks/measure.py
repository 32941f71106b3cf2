"""Runs one program against one WHM and takes its figures: times, CPU, memory, scrapes."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figures:
    """What one program took; seconds and bytes."""

    poll_to_ready_seconds: float
    start_to_ready_seconds: float
    start_to_ready_cpu_seconds: float
    plain_scrape_seconds: float
    plain_scrape_cpu_seconds: float
    gzip_scrape_seconds: float
    gzip_scrape_cpu_seconds: float
    peak_bytes: int
    peak_after_second_poll_bytes: int
    copy_seconds: float
    copy_cpu_seconds: float
    series: int
    plain_bytes: int
    gzip_bytes: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def await_port(port: int) -> None:
    for _ in range(6000):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise TimeoutError(port)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no VmHWM")


def scrape(port: int, *, compressed: bool) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics",
        headers={"Accept-Encoding": "gzip" if compressed else "identity"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return bytes(answer.read())


def first_request(whm_port: int) -> float:
    """When the first poll since this was last asked began, as the WHM saw it.

    Its clock is the machine's monotonic one, as is ours.
    """
    with urllib.request.urlopen(f"http://127.0.0.1:{whm_port}/first-request", timeout=30) as answer:
        return float(json.loads(answer.read()) or 0)


def timed_scrapes(pid: int, port: int, *, compressed: bool, times: int) -> tuple[float, float]:
    """Median time of a scrape, and the mean of its CPU in the program (ticks are 10 ms)."""
    took = []
    before = cpu_seconds(pid)
    for _ in range(times):
        begun = time.perf_counter()
        scrape(port, compressed=compressed)
        took.append(time.perf_counter() - begun)
    return sorted(took)[times // 2], (cpu_seconds(pid) - before) / times


def timed_copies(body: bytes, times: int) -> tuple[float, float]:
    """The same figures of a process that only copies *body* into a socket."""
    port = free_port()
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        with running(
            "-m", "benchmarks.socket_copy", "--file", file.name, "--port", str(port)
        ) as process:
            await_port(port)
            return timed_scrapes(process.pid, port, compressed=True, times=times)


def measure(
    command: tuple[str, ...],
    port: int,
    whm_port: int,
    await_poll: Callable[[subprocess.Popen[str], int], None],
    poll_again: Callable[[subprocess.Popen[str]], None],
    scrapes: int,
) -> Figures:
    """Start a program, let it poll twice, scrape it after each."""
    first_request(whm_port)
    begun = time.monotonic()
    with running(*command) as process:
        await_poll(process, 1)
        ready = time.monotonic()
        ready_cpu = cpu_seconds(process.pid)
        asked = first_request(whm_port)
        plain = scrape(port, compressed=False)
        packed = scrape(port, compressed=True)
        peak = peak_bytes(process.pid)
        pid = process.pid
        plain_times = timed_scrapes(pid, port, compressed=False, times=max(1, scrapes // 4))
        gzip_times = timed_scrapes(pid, port, compressed=True, times=scrapes)
        copied = timed_copies(packed, scrapes)
        poll_again(process)
        await_poll(process, 2)
        scrape(port, compressed=True)
        return Figures(
            poll_to_ready_seconds=ready - asked,
            start_to_ready_seconds=ready - begun,
            start_to_ready_cpu_seconds=ready_cpu,
            plain_scrape_seconds=plain_times[0],
            plain_scrape_cpu_seconds=plain_times[1],
            gzip_scrape_seconds=gzip_times[0],
            gzip_scrape_cpu_seconds=gzip_times[1],
            peak_bytes=peak,
            peak_after_second_poll_bytes=peak_bytes(process.pid),
            copy_seconds=copied[0],
            copy_cpu_seconds=copied[1],
            series=plain.count(b"\nemail_logs{"),
            plain_bytes=len(plain),
            gzip_bytes=len(packed),
        )
