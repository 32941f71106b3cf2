"""Rendered and then parsed, every label comes back, whatever text it holds.

Three readers: a small strict one of our own, both parsers of prometheus_client (which read all of
this right, as of 0.26), and for a page of hostile samples a real Prometheus.
"""

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families as text_families

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks, LogBlocksBuilder
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.exposition.publication import Publication, Rendered, publication
from cpanel_mail_exporter.exposition.text import FamilyLines, LabelPairs, family_lines
from cpanel_mail_exporter.metrics.catalogue import EMAIL_LOGS
from cpanel_mail_exporter.model.family import (
    LONGEST_EXEMPLAR_ID,
    Distribution,
    Exemplar,
    Family,
    FamilySamples,
)
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord
from tests.unit.exposition.reading import Labels, read
from tests.unit.exposition.records import delivery

GAUGE = Family("a_gauge", "gauge", 'Of "all" sorts\\\n.', ("one", "two"))
COUNTER = Family("b_total", "counter", "Counts.", ("one", "two"))
TIMES = Family("d_seconds", "histogram", "Times.", ("one",), bounds=(1, 2.5, 60))
BARE = Family("c_bare", "gauge", "Without labels.", of_server=False)

AWKWARD = st.text(
    st.sampled_from(
        '"\\\n\r\x00\t\x0b\x0c\x1b\x1c\x7f\x85\xa0an{},=#% '
        "\u2028\u2029\ufeff\ufffd\U0001f600\U0010ffff"
    ),
    max_size=8,
)
TEXTS = st.one_of(st.text(max_size=12), AWKWARD)
NUMBERS = st.one_of(st.integers(-(2**64), 2**64), st.floats(allow_nan=False))
COUNTS = st.one_of(st.integers(0, 2**64), st.floats(0, 1e300))
SAMPLES = {
    GAUGE: st.dictionaries(st.tuples(TEXTS, TEXTS), NUMBERS, max_size=4),
    COUNTER: st.dictionaries(st.tuples(TEXTS, TEXTS), COUNTS, max_size=4),
}
EXEMPLARS = st.tuples(
    *(
        st.none()
        | st.builds(
            Exemplar,
            st.from_regex(r"[0-9A-Za-z._+=/:-]{1,30}", fullmatch=True)
            | st.just("x" * LONGEST_EXEMPLAR_ID),
            st.just(value),
            st.integers(0, 2**40),
        )
        for value in (0, 2.5, 59, 61)
    )
)
DISTRIBUTIONS = st.builds(
    Distribution,
    st.tuples(*[st.integers(0, 2**40)] * 4),
    COUNTS,
    st.just(()) | EXEMPLARS,
)
HISTOGRAMS = st.dictionaries(TEXTS, DISTRIBUTIONS, max_size=3)
SERVERS = st.lists(st.tuples(TEXTS, TEXTS), max_size=3, unique_by=lambda labels: labels[0])


def log_blocks(records: list[DeliveryRecord], labels: LabelPairs = ()) -> LogBlocks:
    lines = LogLines(EMAIL_LOGS.name, labels)
    builder = LogBlocksBuilder(0)
    builder.add(lines.render(records))
    return builder.finish()


def whole(one: Publication, form: Format) -> bytes:
    return b"".join(one.body(form, compressed=False).open())


def histogram_samples(labels: Labels, seen: Distribution) -> list[tuple[str, Labels, float]]:
    counts = list(accumulate(seen.counts))
    buckets = zip(("1.0", "2.5", "60.0", "+Inf"), counts, strict=True)
    return [
        *(("d_seconds_bucket", (*labels, ("le", le)), count) for le, count in buckets),
        ("d_seconds_sum", labels, seen.sum),
        ("d_seconds_count", labels, counts[-1]),
    ]


@st.composite
def publications(draw: st.DrawFn) -> tuple[Publication, list[tuple[str, Labels, float]]]:
    """Servers with odd labels and odd mail; and every sample that the publication must have."""
    rendered: list[Rendered] = []
    wanted: list[tuple[str, Labels, float]] = []
    for name, region in draw(SERVERS):
        labels = (("server", name), ("region", region))
        families: dict[str, FamilyLines] = {}
        for family in draw(st.permutations([GAUGE, COUNTER])):
            samples = list(draw(SAMPLES[family]).items())
            if samples:
                lines = family_lines(FamilySamples(family, samples), labels)
                families[family.name] = lines
            wanted += [
                (family.name, (*labels, ("one", one), ("two", two)), value)
                for (one, two), value in samples
            ]
        seen = draw(HISTOGRAMS)
        if seen:
            own = FamilySamples(TIMES, [((one,), value) for one, value in seen.items()])
            families[TIMES.name] = family_lines(own, labels)
        for one, value in seen.items():
            wanted += histogram_samples((*labels, ("one", one)), value)
        messages = draw(st.lists(TEXTS, max_size=3, unique=True))
        records = [delivery(message=message, user=name) for message in messages]
        rendered.append(Rendered(families, log_blocks(records, labels)))
        wanted += [
            ("email_logs", (*labels, *zip(DELIVERY_LABELS, record[:22], strict=True)), 1)
            for record in records
        ]
    value = draw(NUMBERS)
    bare = FamilySamples(BARE, [((), value)])
    rendered.append(Rendered({BARE.name: family_lines(bare, (("server", "x"),))}))
    wanted.append((BARE.name, (), value))
    order = draw(st.permutations(["email_logs", "b_total", "a_gauge", "d_seconds"]))
    return publication(rendered, order[: draw(st.integers(0, 4))], EMAIL_LOGS), wanted


Whole = tuple[Publication, list[tuple[str, Labels, float]]]


def in_any_order(samples: list[tuple[str, Labels, float]]) -> list[tuple[str, Labels, float]]:
    return sorted((name, tuple(sorted(labels)), float(value)) for name, labels, value in samples)


@settings(deadline=None)
@given(publications())
def test_every_sample_comes_back_to_a_strict_reader(one: Whole) -> None:
    """It also refuses a family in two places and a series that stands twice."""
    found, wanted = one
    for form in Format:
        result = read(whole(found, form), openmetrics=form is Format.OPENMETRICS)
        samples = [(name, labels, float(value)) for name, labels, value in result.samples]
        assert in_any_order(samples) == in_any_order(wanted)


@settings(deadline=None)
@given(publications())
def test_both_formats_have_the_same_samples_in_the_same_order(one: Whole) -> None:
    text = read(whole(one[0], Format.TEXT))
    other = read(whole(one[0], Format.OPENMETRICS), openmetrics=True)
    assert text.samples == other.samples
    assert list(text.helps.values()) == list(other.helps.values())
    assert [name.removesuffix("_total") for name in text.kinds] == list(other.kinds)


@settings(deadline=None)
@given(publications())
def test_exemplars_are_in_openmetrics_alone_and_read_back(one: Whole) -> None:
    """The reader holds them to the standard: short, on buckets, inside their bucket."""
    assert not read(whole(one[0], Format.TEXT)).exemplars
    page = whole(one[0], Format.OPENMETRICS)
    exemplars = read(page, openmetrics=True).exemplars
    theirs = {
        (sample.name, tuple(sample.labels.items())): sample.exemplar
        for family in openmetrics_families(page.decode())
        for sample in family.samples
        if sample.exemplar
    }
    assert exemplars == {
        series: (tuple(found.labels.items()), found.value, float(found.timestamp))
        for series, found in theirs.items()
    }


@settings(deadline=None)
@given(publications(), st.data())
def test_a_selection_holds_the_named_families_byte_for_byte(
    one: Whole, data: st.DataObject
) -> None:
    """What remains of the whole page when families that aren't named are cut out of it."""
    known = ["a_gauge", "b_total", "b", "c_bare", "email_logs", "d_seconds", "d_seconds_sum", "x"]
    names = data.draw(st.lists(st.sampled_from(known)))
    for form in Format:
        parts = re.split(r"(?m)^(?=# HELP |# EOF$)", whole(one[0], form).decode())
        kept = "".join(part for part in parts if is_named(part, names) or part == "# EOF\n")
        selection = one[0].only(names)
        plain = b"".join(selection.body(form, compressed=False).open())
        packed = b"".join(selection.body(form, compressed=True).open())
        assert plain.decode() == kept
        assert gzip.decompress(packed) == plain
        assert selection.body(form, compressed=False).length == len(plain)
        assert selection.body(form, compressed=True).length == len(packed)


def is_named(part: str, names: list[str]) -> bool:
    first = part.removeprefix("# HELP ").partition(" ")[0].removesuffix("_total")
    return any(f"{first}{ending}" in names for ending in ("", "_total", "_sum"))


@settings(deadline=None)
@given(publications())
@pytest.mark.parametrize("form", Format)
def test_every_sample_comes_back_to_prometheus_client(form: Format, one: Whole) -> None:
    found, wanted = one
    parse = text_families if form is Format.TEXT else openmetrics_families
    samples = [
        (sample.name, tuple(sample.labels.items()), sample.value)
        for family in parse(whole(found, form).decode())
        for sample in family.samples
    ]
    assert in_any_order(samples) == in_any_order(wanted)


@settings(deadline=None)
@given(publications())
def test_gzip_holds_the_same_bytes(one: Whole) -> None:
    for form in Format:
        body = one[0].body(form, compressed=True)
        packed = b"".join(body.open())
        assert len(packed) == body.length
        assert gzip.decompress(packed) == whole(one[0], form)


HOSTILE = (
    *map(chr, range(0x180)),
    *(f"a{chr(code)}b" for code in range(0x21)),
    *(f"{char}\x00{char}" for char in '"\\\n\r'),
    "\x00" * 3,
    "ends in \\",
    "ends in \\\\",
    'ends in \\"',
    "\\n is no line end, \n is",
    '"} 1\nemail_logs{message="injected',
    "# HELP email_logs x\n# TYPE email_logs counter\n# EOF\n",
    " # {trace=1} 2",
    "\u2028\u2029\ufeff\ufffd\uffff\U0001f600\U0010ffff",
    "e\u0301 \u202e \u200d",
    " leading and trailing ",
    "long " * 20_000,
)


class _Static(BaseHTTPRequestHandler):
    pages: dict[str, tuple[str, bytes]]

    def do_GET(self) -> None:
        kind, page = self.pages[self.path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def static_server(pages: dict[str, tuple[str, bytes]]) -> Iterator[int]:
    handler = type("Handler", (_Static,), {"pages": pages})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def prometheus(config: dict[str, Any], folder: Path) -> Iterator[str]:
    """A real Prometheus with this configuration; gives its address."""
    program = shutil.which("prometheus")
    if program is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("no prometheus found")
    file = folder / "prometheus.yml"
    file.write_text(json.dumps(config))  # JSON is YAML
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={file}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def ask(address: str, path: str, **params: str) -> Any:
    url = f"{address}/api/v1/{path}?{urllib.parse.urlencode(params)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)["data"]


def scraped(address: str, jobs: set[str]) -> None:
    """Wait until each job was scraped well; a scrape that fails fails the test."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            targets = ask(address, "targets", state="active")["activeTargets"]
        except OSError:
            targets = []
        errors = [target["lastError"] for target in targets if target["lastError"]]
        assert errors == []
        if {t["labels"]["job"] for t in targets if t["health"] == "up"} == jobs:
            return
        time.sleep(0.05)
    pytest.fail("Prometheus didn't scrape")


@pytest.mark.e2e
def test_a_real_prometheus_gives_every_label_back(tmp_path: Path) -> None:
    lines = family_lines(
        FamilySamples(GAUGE, [((f"{n}", text), n) for n, text in enumerate(HOSTILE)])
    )
    records = [delivery(user=f"{n}", message=text) for n, text in enumerate(HOSTILE)]
    found = publication([Rendered({GAUGE.name: lines}, log_blocks(records))], [], EMAIL_LOGS)
    pages = {
        f"/{form.name.lower()}": (
            form.value,
            b"".join(found.body(form, compressed=True).open()),
        )
        for form in Format
    }
    with static_server(pages) as port:
        config = {
            "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
            "scrape_configs": [
                {
                    "job_name": path[1:],
                    "metrics_path": path,
                    "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
                }
                for path in pages
            ],
        }
        with prometheus(config, tmp_path) as address:
            scraped(address, {"text", "openmetrics"})
            for name, number, text in (
                (GAUGE.name, "one", "two"),
                (EMAIL_LOGS.name, "user", "message"),
            ):
                for job in ("text", "openmetrics"):
                    answer = ask(address, "query", query=f'{name}{{job="{job}"}}')["result"]
                    # An empty label is no label to Prometheus.
                    back = {int(s["metric"][number]): s["metric"].get(text, "") for s in answer}
                    assert back == dict(enumerate(HOSTILE)), job
                    assert len(answer) == len(HOSTILE)
            helps = ask(address, "metadata", metric=GAUGE.name)[GAUGE.name]
            assert {entry["help"] for entry in helps} == {GAUGE.help}
