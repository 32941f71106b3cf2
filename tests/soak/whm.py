"""The simulated WHM of a run: a process with accelerated time that can be killed and come back."""

import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.soak.expected import Row
from tests.soak.plan import Server

PATIENCE_SECONDS = 60.0
HISTORY = "3d"
AGE = "2h"
RATE = "5"


class Whm:
    """`whm-simulator` with *servers*, from the outside.

    Args:
        servers: names and quirks, web1, web2 and so on.
        seed: which mail there is.
        speed: simulated seconds in a real one.
        folder: its own; what is kept there lets it come back as it was.
    """

    def __init__(self, servers: Sequence[Server], seed: str, speed: float, folder: Path) -> None:
        self._servers = servers
        self._folder = folder
        self._ready = folder / "ready.json"
        start_unix = int(time.time())
        self._flags = (
            *("--servers", str(len(servers)), "--tls", "--listen", "127.0.0.1:0"),
            *("--seed", seed, "--rate", RATE, "--accounts", "6"),
            *("--history", HISTORY, "--age", AGE),
            *("--start", str(start_unix), "--speed", f"{speed:g}"),
            *("--bad-day", "microsoft@+5m,for=40m", "--bad-day", "google@+20m,for=15m"),
            *("--compromised", "web1/office1@+10m,rate=6,for=20m"),
            *("--control", "--state-dir", str(folder / "state")),
            *("--ready-file", str(self._ready)),
            *(f"--quirk={server.name}:{quirk}" for server in servers for quirk in server.quirks),
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.ready: dict[str, Any] = {}

    def start(self) -> None:
        """Start it, for the first time or again."""
        self._ready.unlink(missing_ok=True)
        with (self._folder / "whm.log").open("ab") as log:
            command = (sys.executable, "-m", "whm_simulator", *self._flags)
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE_SECONDS
        while not self._ready.exists():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self._folder / "whm.log").read_text())
            time.sleep(0.02)
        self.ready = json.loads(self._ready.read_text())

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def set_faults(self, orders: Sequence[dict[str, object]]) -> None:
        """Set the faults of all servers that *orders* name; what they had before is over."""
        self._post("/faults", list(orders))

    def set_time(self, **order: float) -> None:
        """Set `factor`, `now_unix` or both."""
        self._post("/speed", order)

    def now_unix(self) -> float:
        """The simulated instant, without the offset of a server's clock."""
        return float(json.loads(self._get("/speed"))["now_unix"])

    def rows(self, server: str, *, until_unix: int | None = None) -> list[Row]:
        """All that happened until *until_unix*; without it, all rows that the server shows."""
        wanted = "shown=1" if until_unix is None else f"until={until_unix}"
        body = self._get(f"/truth?server={server}&events=1&{wanted}")
        return [json.loads(line) for line in body.splitlines()]

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.ready["control"] + path, timeout=60) as answer:
            return bytes(answer.read())

    def _post(self, path: str, order: object) -> None:
        body = json.dumps(order).encode()
        with urllib.request.urlopen(self.ready["control"] + path, body, timeout=60) as answer:
            answer.read()
