"""The demo's folder: how to reach the simulated servers in, the other programs' files out.

Token files can be read by their owner alone.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import yaml

POLL_INTERVAL_SECONDS = 5
MAX_SERIES_TOTAL = 40_000
"""Prometheus needs some 12 kB of memory for each series of email_logs."""

_REGIONS = ("eu", "us", "ap")
_JOB = "cpanel_mail_exporter"


@dataclass(frozen=True, slots=True)
class SimulatedServer:
    """A server as the simulator's ready file tells it."""

    name: str
    endpoint: str
    user: str
    token: str = field(repr=False)
    ca_file: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """What the simulator's ready file tells.

    Attributes:
        control: URL of the endpoint that makes servers fail.
    """

    servers: list[SimulatedServer]
    control: str


@dataclass(frozen=True, slots=True)
class Folder:
    """Where everything of one demo lies.

    Attributes:
        path: an empty folder that only its owner can enter.
    """

    path: Path

    @property
    def ready_file(self) -> Path:
        """Where the simulator tells that it listens."""
        return self.path / "ready.json"

    @property
    def exporter_config(self) -> Path:
        """The exporter's configuration file."""
        return self.path / "exporter.yml"

    @property
    def prometheus_config(self) -> Path:
        """Prometheus's configuration file."""
        return self.path / "prometheus.yml"

    @property
    def prometheus_data(self) -> Path:
        """Where Prometheus keeps what it has scraped."""
        return self.path / "prometheus-data"

    def log(self, program: str) -> Path:
        """Where a program's output goes."""
        return self.path / f"{program}.log"

    def read_ready_file(self) -> Simulation:
        """How to reach the simulation; the file must be there, and is removed: it holds tokens."""
        data = self.ready_file.read_bytes()
        self.ready_file.unlink()
        return msgspec.json.decode(data, type=Simulation)

    def write_exporter_config(self, servers: list[SimulatedServer]) -> None:
        """Write the exporter's configuration and a token file for each server."""
        entries = []
        for number, server in enumerate(servers):
            token_file = self.path / f"{server.name}.token"
            handle = os.open(token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(server.token + "\n")
            entries.append(
                {
                    "name": server.name,
                    "endpoint": server.endpoint,
                    "user": server.user,
                    "token_file": str(token_file),
                    "tls_config": {"ca_file": server.ca_file},
                    "labels": {"region": _REGIONS[number % len(_REGIONS)]},
                }
            )
        config = {
            "servers": entries,
            "poll_interval": f"{POLL_INTERVAL_SECONDS}s",
            "email_logs": {"max_series_total": MAX_SERIES_TOTAL},
            "storage": {"path": str(self.path / "ledgers")},
        }
        _write_yaml(self.exporter_config, config)

    def write_prometheus_config(self, exporter_url: str, own_authority: str) -> None:
        """Write a configuration that scrapes each server by service discovery.

        Args:
            exporter_url: the exporter's base URL, without a slash at its end.
            own_authority: HOST:PORT that Prometheus itself listens on.
        """
        jobs = [
            {
                "job_name": _JOB,
                "honor_labels": True,
                "http_sd_configs": [{"url": f"{exporter_url}/sd", "refresh_interval": "10s"}],
            },
            {"job_name": "prometheus", "static_configs": [{"targets": [own_authority]}]},
        ]
        config = {
            "global": {"scrape_interval": "5s", "scrape_timeout": "5s"},
            "scrape_configs": jobs,
        }
        _write_yaml(self.prometheus_config, config)


def _write_yaml(path: Path, content: object) -> None:
    head = "# Written by `cpanel-mail-exporter demo`; it is removed when the demo ends.\n"
    path.write_text(head + yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
