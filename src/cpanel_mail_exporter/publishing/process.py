"""Figures of this process (memory, CPU, descriptors), read from /proc when asked.

They are named and described as in Prometheus's client libraries, so that dashboards made for any
exporter show this one too. The client library for Python isn't imported for it: with what it brings
along it takes a megabyte of the memory that it would report.
"""

import os
import resource
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from cpanel_mail_exporter.model.family import Family, FamilySamples

_PROC = Path("/proc")


def _gauge(name: str, words: str) -> Family:
    return Family(name, "gauge", words, of_server=False)


_VIRTUAL = _gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.")
_RESIDENT = _gauge("process_resident_memory_bytes", "Resident memory size in bytes.")
_START = _gauge(
    "process_start_time_seconds", "Start time of the process since unix epoch in seconds."
)
_CPU = Family(
    "process_cpu_seconds_total",
    "counter",
    "Total user and system CPU time spent in seconds.",
    of_server=False,
)
_OPEN = _gauge("process_open_fds", "Number of open file descriptors.")
_MOST = _gauge("process_max_fds", "Maximum number of open file descriptors.")


class ProcessFigures:
    """process_* families.

    Args:
        proc: where the system tells about processes; what can't be read there is left out.
    """

    def __init__(self, proc: Path = _PROC) -> None:
        self._proc = proc
        self._boot_unix = _boot_unix(proc)

    def collect(self) -> Sequence[FamilySamples]:
        """The figures of this instant."""
        found: list[tuple[Family, float]] = []
        for look in (self._times_and_memory, self._descriptors):
            with suppress(OSError):
                found += look()
        return [FamilySamples(family, [((), value)]) for family, value in found]

    def _times_and_memory(self) -> list[tuple[Family, float]]:
        text = (self._proc / "self" / "stat").read_text("utf-8", "replace")
        # Numbers as in proc(5), less two: they begin after the name, which may hold anything and
        # stands in parentheses.
        fields = text.rpartition(")")[2].split()
        ticks = os.sysconf("SC_CLK_TCK")
        started = [] if self._boot_unix is None else [self._boot_unix + int(fields[19]) / ticks]
        return [
            (_VIRTUAL, float(fields[20])),
            (_RESIDENT, float(int(fields[21]) * resource.getpagesize())),
            *((_START, at_unix) for at_unix in started),
            (_CPU, (int(fields[11]) + int(fields[12])) / ticks),
        ]

    def _descriptors(self) -> list[tuple[Family, float]]:
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return [
            (_OPEN, float(sum(1 for _ in (self._proc / "self" / "fd").iterdir()))),
            (_MOST, float("inf") if most == resource.RLIM_INFINITY else float(most)),
        ]


def _boot_unix(proc: Path) -> float | None:
    """When the machine was started, None if that can't be read."""
    with suppress(OSError):
        for line in (proc / "stat").read_text("ascii", "replace").splitlines():
            if line.startswith("btime "):
                return float(line.split()[1])
    return None
