"""Figures of this process come as Prometheus's own client library names them."""

import os
import resource
from pathlib import Path

import pytest
from prometheus_client import ProcessCollector

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.text import comments
from cpanel_mail_exporter.publishing.process import ProcessFigures


def test_the_usual_figures_are_there_and_are_those_of_now() -> None:
    figures = ProcessFigures()
    found = {part.family.name: part for part in figures.collect()}
    assert {name: part.family.kind for name, part in found.items()} == {
        "process_virtual_memory_bytes": "gauge",
        "process_resident_memory_bytes": "gauge",
        "process_start_time_seconds": "gauge",
        "process_cpu_seconds_total": "counter",
        "process_open_fds": "gauge",
        "process_max_fds": "gauge",
    }
    for part in found.values():
        ((labels, value),) = part.samples
        assert labels == part.family.labels == ()
        assert value > 0
        assert not part.family.of_server
    assert found["process_cpu_seconds_total"].family.help
    reader, writer = os.pipe()
    more = {part.family.name: part.samples[0][1] for part in figures.collect()}
    os.close(reader)
    os.close(writer)
    assert more["process_open_fds"] == found["process_open_fds"].samples[0][1] + 2


def test_openmetrics_names_cpu_seconds_without_total() -> None:
    cpu = next(p.family for p in ProcessFigures().collect() if p.family.kind == "counter")
    assert b"# TYPE process_cpu_seconds counter\n" in comments(cpu, Format.OPENMETRICS)
    assert b"# TYPE process_cpu_seconds_total counter\n" in comments(cpu, Format.TEXT)


def test_they_are_named_and_described_as_in_the_client_library() -> None:
    """Dashboards are made for what that one gives; the numbers are taken a moment apart."""
    known = {
        metric.name.removesuffix("_total"): metric
        for metric in ProcessCollector(registry=None).collect()
    }
    found = {part.family.name.removesuffix("_total"): part for part in ProcessFigures().collect()}
    assert found.keys() == known.keys()
    for name, part in found.items():
        assert (part.family.kind, part.family.help) == (known[name].type, known[name].documentation)
        ((_, value),) = part.samples
        assert value == pytest.approx(known[name].samples[0].value, rel=0.05, abs=0.1), name


def test_the_name_of_a_process_may_hold_anything(tmp_path: Path) -> None:
    (tmp_path / "self" / "fd").mkdir(parents=True)
    (tmp_path / "stat").write_text("cpu 1 2\nbtime 1795000000\nprocesses 9\n")
    fields = " ".join(str(number) for number in range(4, 53))
    (tmp_path / "self" / "stat").write_text(f"77 (a) S 1 (b\n) S {fields}\n")
    values = {part.family.name: part.samples[0][1] for part in ProcessFigures(tmp_path).collect()}
    ticks = os.sysconf("SC_CLK_TCK")
    del values["process_max_fds"]
    assert values == {
        "process_virtual_memory_bytes": 23,
        "process_resident_memory_bytes": 24 * resource.getpagesize(),
        "process_start_time_seconds": 1_795_000_000 + 22 / ticks,
        "process_cpu_seconds_total": (14 + 15) / ticks,
        "process_open_fds": 0,
    }


def test_what_the_system_does_not_tell_is_left_out(tmp_path: Path) -> None:
    assert ProcessFigures(tmp_path).collect() == []
