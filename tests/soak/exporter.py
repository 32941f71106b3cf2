"""The exporter of a run: one real process after the other over the same storage path."""

import json
import re
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from tests.soak.expected import (
    ATTEMPTS,
    DEFERRALS,
    EVENTS,
    FAILURES,
    MESSAGE_SIZE,
    SMTP_REPLIES,
    TIME_TO_DELIVER,
    TIME_TO_FAIL,
    USER_EVENTS,
    Numbers,
    pairs,
)
from tests.soak.plan import Death

ROOT = Path(__file__).parents[2]
COLLECTOR = "delivery_events"
PROGRAM: tuple[str, ...] = ("-m", "cpanel_mail_exporter")
_HISTOGRAMS = (TIME_TO_DELIVER, TIME_TO_FAIL, ATTEMPTS, MESSAGE_SIZE)
COMPARED = {
    EVENTS,
    USER_EVENTS,
    FAILURES,
    DEFERRALS,
    SMTP_REPLIES,
    *(f"{name}{end}" for name in _HISTOGRAMS for end in ("_bucket", "_sum", "_count")),
}


_Sample = tuple[str, dict[str, str], float]
_LINE = re.compile(r"(?P<name>cpanel_mail_\w+)\{(?P<labels>.*)\} (?P<value>\S+)")
_PAIR = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class Shown(NamedTuple):
    """What a scrape says of one server.

    Attributes:
        numbers: samples that are compared, zeros left out.
        backlog: slices still to be read, None if it isn't said.
        incomplete: slices that can't be read whole.
        polls: polls of the ledger's collector.
        is_well: its last poll succeeded.
        since_unix: events since then are counted.
    """

    numbers: Numbers
    backlog: int | None
    incomplete: int
    polls: int
    is_well: bool
    since_unix: int | None


class Exporter:
    """Polls *servers* (entries of the ready file) into *folder*, until it is killed.

    With *counts_past* it also counts what happened before its first start (`--backfill`). How its
    processes die is drawn from *rng*, which no other exporter shares.
    """

    def __init__(
        self,
        servers: Sequence[dict[str, Any]],
        folder: Path,
        *,
        counts_past: bool,
        rng: Random,
    ) -> None:
        folder.mkdir()
        self.rng = rng
        self.counts_past = counts_past
        self._folder = folder
        self.servers = tuple(str(server["name"]) for server in servers)
        self._port = _free_port()
        self._config = config_file(folder, servers)
        self._flags = (
            *("--config.file", str(self._config), "--listen", f"127.0.0.1:{self._port}"),
            *("--storage.path", str(folder / "data")),
            *(("--backfill",) if counts_past else ()),
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._dies_at = float("inf")
        self.killed_itself = False

    def start(self, death: Death | None = None) -> None:
        """Start a process, which is to die as told; without that it is to live."""
        self.killed_itself = False
        self._dies_at = float("inf") if death is None else time.monotonic() + death.seconds
        program = PROGRAM
        if death is not None and death.commit is not None:
            when = "after" if death.is_after else "before"
            program = ("-m", "tests.soak.dying", str(death.commit), when)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                (sys.executable, *program, *self._flags), cwd=ROOT, stdout=log, stderr=log
            )

    @property
    def log(self) -> Path:
        """What all its processes wrote."""
        return self._folder / "exporter.log"

    def activity(self, server: str, since_unix: int) -> Numbers:
        """What its file of a server says of what accounts did, in whole hours since then."""
        since = -(-since_unix // 3_600) * 3_600
        found: Numbers = {}
        path = self._folder / "data" / f"{server}.sqlite"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            for what in ("tried", "delivered", "deferred", "failed", "unknown", "stopped"):
                rows = connection.execute(
                    f"SELECT user, SUM({what}) FROM"
                    f" (SELECT user, slot AS at, {what} FROM activity UNION ALL"
                    f" SELECT user, hour AS at, {what} FROM activity_hour)"
                    " WHERE at >= ? GROUP BY user",
                    (since,),
                )
                for user, number in rows:
                    if number:
                        found["activity", pairs(user=json.loads(user), what=what)] = number
        return found

    def is_dead(self) -> bool:
        """Whether the process has been killed by now; kills it if it is time.

        Raises:
            RuntimeError: it ended in another way.
        """
        process = self._process
        if process is None:
            return True
        if process.poll() is not None:
            self.killed_itself = True
        elif time.monotonic() >= self._dies_at:
            process.kill()
            process.wait()
        if process.poll() is None:
            return False
        if process.returncode != -9:
            raise RuntimeError(f"it ended with {process.returncode}:\n{self.log.read_text()}")
        return True

    def kill(self) -> None:
        """Kill it now."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def scrape(self) -> dict[str, Shown]:
        """What it shows of each server; empty while it can't be asked."""
        url = f"http://127.0.0.1:{self._port}/metrics"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        return shown_by(text, self.servers)


def shown_by(text: str, servers: Sequence[str]) -> dict[str, Shown]:
    """What an exposition says of each of *servers*."""
    samples = _samples(text)
    return {server: _shown(samples.get(server, [])) for server in servers}


def _samples(text: str) -> dict[str, list[_Sample]]:
    """The samples of the ledger's families and of the exporter's health, by server."""
    found: dict[str, list[_Sample]] = {}
    for line in text.splitlines():
        # email_logs are most of the lines and of no interest here.
        match = _LINE.fullmatch(line)
        if match is None:
            continue
        labels = {name: _unescaped(value) for name, value in _PAIR.findall(match["labels"])}
        server = labels.pop("server", None)
        if server is not None:
            found.setdefault(server, []).append((match["name"], labels, float(match["value"])))
    return found


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], value)


def _shown(samples: Sequence[_Sample]) -> Shown:
    numbers: Numbers = {}
    other: dict[str, float] = {}
    for name, labels, value in samples:
        if name in COMPARED:
            if value:
                if "le" in labels:
                    labels["le"] = f"{float(labels['le']):g}"
                numbers[name, tuple(sorted(labels.items()))] = int(value)
        elif labels.get("collector", COLLECTOR) == COLLECTOR:
            other[name] = value
    backlog = other.get("cpanel_mail_backlog_slices")
    since = other.get("cpanel_mail_counting_since_timestamp_seconds")
    return Shown(
        numbers=numbers,
        backlog=None if backlog is None else int(backlog),
        incomplete=int(other.get("cpanel_mail_slices_incomplete", 0)),
        polls=int(other.get("cpanel_mail_polls_total", 0)),
        is_well=other.get("cpanel_mail_collector_success") == 1,
        since_unix=None if since is None else int(since),
    )


def config_file(folder: Path, servers: Sequence[dict[str, Any]]) -> Path:
    entries = []
    for server in servers:
        token = folder / f"{server['name']}.token"
        token.touch(mode=0o600)
        token.write_text(server["token"])
        entries.append(
            {
                "name": server["name"],
                "endpoint": server["endpoint"],
                "token_file": str(token),
                "tls_config": {"ca_file": server["ca_file"]},
                "timezone": "UTC",
            }
        )
    settings = {
        "servers": entries,
        "poll_interval": "1s",
        "request_timeout": "2s",
        # No mail is older than a few hours here, and five days take 90 polls to go through.
        "delivery_events": {"look_back": "1d"},
    }
    path = folder / "config.yml"
    path.write_text(json.dumps(settings))  # JSON is YAML
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
