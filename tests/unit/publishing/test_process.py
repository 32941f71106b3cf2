"""Figures of this process come as Prometheus's own client library names them."""

import os

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
