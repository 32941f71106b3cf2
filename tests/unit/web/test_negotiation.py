"""Each scraper gets the best format it can read, and any header whatever gets an answer."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.web.negotiation import accepts_gzip, exposition_format

TEXT, OPENMETRICS = Format.TEXT, Format.OPENMETRICS

PROMETHEUS_2_42 = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_2_30 = (
    "application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
PROMETHEUS_3_PROTOBUF = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;"
    "q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
    "application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
OPENMETRICS_AT = "application/openmetrics-text;version={};q={},"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        # Scrapers as they are.
        (PROMETHEUS_3, OPENMETRICS),
        (PROMETHEUS_3_PROTOBUF, OPENMETRICS),
        (PROMETHEUS_2_42, OPENMETRICS),
        (PROMETHEUS_2_30, TEXT),  # knows OpenMetrics 0.0.1 only
        ("text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.5", TEXT),
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),  # VictoriaMetrics
        ("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily", TEXT),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT),  # browsers
        (None, TEXT),
        ("", TEXT),
        ("*/*", TEXT),
        # Weights decide, not places.
        ("text/plain;q=0.4,application/openmetrics-text;q=0.5", OPENMETRICS),
        ("application/openmetrics-text;q=0.4,text/plain;q=0.5", TEXT),
        ("application/openmetrics-text,text/plain", TEXT),
        ("application/openmetrics-text,*/*", OPENMETRICS),
        ("application/openmetrics-text;q=0,*/*", TEXT),
        ("application/openmetrics-text;q=0", TEXT),
        ("text/plain;q=0,*/*", OPENMETRICS),
        ("application/*", OPENMETRICS),
        ("text/*;q=0.2,application/*;q=0.1", TEXT),
        # The closest range speaks for a format.
        ("application/openmetrics-text;version=1.0.0;q=0.1,text/plain;q=0.5,*/*", TEXT),
        ("text/plain;q=1,text/plain;version=0.0.4;q=0.1,application/*;q=0.5", OPENMETRICS),
        (OPENMETRICS_AT.format("0.0.1", 1) + "text/plain;q=0.5", TEXT),
        (
            OPENMETRICS_AT.format("0.0.1", 1) + OPENMETRICS_AT.format("1.0.0", 0.6) + "*/*;q=0.5",
            OPENMETRICS,
        ),
        ("application/openmetrics-text;version=2.0.0,text/plain;q=0.1", TEXT),
        # Spelling.
        ('APPLICATION/OpenMetrics-Text ; Version="1.0.0" ; Charset=UTF-8 ; Q=0.9', OPENMETRICS),
        ("application/openmetrics-text;charset=latin-1", TEXT),
        ("application/openmetrics-text;q=nan", TEXT),
        ("application/openmetrics-text;q=-1", TEXT),
        ("application/openmetrics-text;q=9", OPENMETRICS),
        ("application/openmetrics-text;q=", TEXT),
    ],
)  # fmt: skip
def test_the_format_a_client_likes_best_is_chosen(accept: str | None, wanted: Format) -> None:
    assert exposition_format(accept) is wanted


@pytest.mark.parametrize(
    ("accept_encoding", "wanted"),
    [
        ("gzip", True),
        ("x-gzip", True),
        ("GZip;Q=0.5", True),
        ("deflate, gzip;q=0.5, br", True),
        ("*", True),
        ("*;q=0.1", True),
        ("identity;q=0.5, gzip", True),
        (None, False),
        ("", False),
        ("identity", False),
        ("deflate, br", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.5", False),
        ("gzip;q=x", False),
        ("gzipped", False),
    ],
)
def test_gzip_is_used_only_where_it_is_wanted(accept_encoding: str | None, wanted: bool) -> None:
    assert accepts_gzip(accept_encoding) is wanted


HEADERS = st.text() | st.lists(
    st.sampled_from(
        ["*/*", "text/plain", "application/openmetrics-text", "gzip", "*", ";", ",", "=", '"',
         "q", "version", "1.0.0", "0.0.4", "0.5", ".", "0", "\u0663", " ", "1" * 400]
    )
).map("".join)  # fmt: skip


@given(HEADERS)
@example("text/plain;q=.")
@example("text/plain;q=\u0661")
def test_any_header_is_answered(header: str) -> None:
    assert exposition_format(header) in Format
    assert accepts_gzip(header) in (True, False)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_of_two_named_formats_the_heavier_one_wins_and_text_at_a_tie(a: int, b: int) -> None:
    header = (
        f"application/openmetrics-text;version=1.0.0;q={a / 1000:.3f},"
        f"text/plain;version=0.0.4;q={b / 1000:.3f}"
    )
    assert exposition_format(header) is (OPENMETRICS if a > b else TEXT)
