"""Starts the real programs of an end-to-end test, on loopback, and ends them again."""

import base64
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

Found = TypeVar("Found")
PATIENCE_SECONDS = 60.0


def wait_for(
    look: Callable[[], Found | None], what: str, seconds: float = PATIENCE_SECONDS
) -> Found:
    """Look again and again until there is something; never a fixed wait."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail(f"waited {seconds:g} s for {what}")


def program(name: str) -> str:
    """Path of a real program; in CI a missing one fails, elsewhere it skips."""
    path = shutil.which(name)
    if path is None:
        message = f"{name} is not installed"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*command: str | Path, log: Path, **settings: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends; its output goes to *log*."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **settings)
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def simulated_servers(folder: Path, count: int, *options: str) -> Iterator[dict[str, Any]]:
    """A WHM simulator with *count* servers over TLS; gives what its ready file says."""
    ready = folder / "ready.json"
    command = (
        *(sys.executable, "-m", "whm_simulator", "--servers", str(count), "--tls"),
        *("--listen", "127.0.0.1:0", "--seed", "7", "--ready-file", ready),
        *("--state-dir", folder / "simulator", "--control", *options),
    )
    with running(*command, log=folder / "simulator.log") as process:
        wait_for(lambda: ready.exists() or process.poll() is not None, "the simulator")
        yield json.loads(ready.read_text())


def config_file(folder: Path, servers: list[dict[str, Any]], **settings: Any) -> Path:
    """A configuration for simulated servers, tokens in files of their own."""
    entries = []
    for server in servers:
        token = folder / f"{server['name']}.token"
        token.write_text(server["token"])
        token.chmod(0o600)
        entries.append(
            {
                "name": server["name"],
                "endpoint": server["endpoint"],
                "user": server["user"],
                "token_file": str(token),
                "tls_config": {"ca_file": server["ca_file"]},
                "labels": {"region": f"region of {server['name']}"},
                "timezone": "UTC",
            }
        )
    path = folder / "config.yml"
    path.write_text(json.dumps({"servers": entries, **settings}))  # JSON is YAML
    return path


@contextmanager
def exporter(folder: Path, *options: str | Path) -> Iterator[str]:
    """Runs the exporter and gives the `host:port` it listens on."""
    log = folder / "exporter.log"
    port = free_port()
    command = (sys.executable, "-m", "cpanel_mail_exporter", "--listen", f"127.0.0.1:{port}")
    storage = ("--storage.path", folder / "storage")
    with running(*command, *storage, *options, log=log) as process:
        wait_for(
            lambda: b"listening on" in log.read_bytes() or process.poll() is not None,
            "the exporter",
        )
        assert process.poll() is None, log.read_text()
        yield f"127.0.0.1:{port}"


class Prometheus:
    """A running Prometheus, asked over its HTTP API."""

    def __init__(self, address: str) -> None:
        self._address = address

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Result of an instant query."""
        return list(self._get("query", query=expression)["result"])

    def label_values(self, label: str, series: str) -> list[str]:
        """Values of a label, as a dashboard's variable asks for them."""
        return list(self._get(f"label/{label}/values", **{"match[]": series}))

    def targets(self) -> list[dict[str, Any]]:
        """Active targets."""
        return list(self._get("targets")["activeTargets"])

    def exemplars(self, expression: str) -> list[list[dict[str, Any]]]:
        """Exemplars of the last hour, by series."""
        now = time.time()
        span = {"start": str(now - 3_600), "end": str(now + 60)}
        found = self._get("query_exemplars", query=expression, **span)
        return [series["exemplars"] for series in found]

    def _get(self, path: str, **arguments: str) -> Any:
        query = urllib.parse.urlencode(arguments)
        url = f"http://{self._address}/api/v1/{path}?{query}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]


@contextmanager
def prometheus(folder: Path, config: str, *options: str) -> Iterator[Prometheus]:
    """A real Prometheus with its data below *folder*."""
    binary = program("prometheus")
    path = folder / "prometheus.yml"
    path.write_text(config)
    port = free_port()
    command = (
        *(binary, f"--config.file={path}", f"--storage.tsdb.path={folder / 'tsdb'}"),
        *(f"--web.listen-address=127.0.0.1:{port}", *options),
    )
    log = folder / "prometheus.log"
    with running(*command, log=log) as process:

        def is_ready() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=5):
                    return True
            except OSError:
                return False

        wait_for(is_ready, "Prometheus")
        yield Prometheus(f"127.0.0.1:{port}")


def scrape(
    url: str, *, ca_file: Path | None = None, password: str | None = None, **headers: str
) -> str:
    """One plain scrape."""
    request = urllib.request.Request(url, headers=headers)
    if password is not None:
        pair = base64.b64encode(password.encode()).decode()
        request.add_header("Authorization", f"Basic {pair}")
    context = ssl.create_default_context(cafile=ca_file) if ca_file else None
    with urllib.request.urlopen(request, timeout=30, context=context) as answer:
        return answer.read().decode()
