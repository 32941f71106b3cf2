"""Families with samples become lines, one for each sample, and comments for each format."""

import math

import pytest
from prometheus_client.utils import floatToGoString

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.escaping import bound, help_text, label_value, number
from cpanel_mail_exporter.exposition.text import (
    comments,
    family_lines,
    names_of,
    pairs,
    sample_lines,
)
from cpanel_mail_exporter.model.family import Distribution, Exemplar, Family, FamilySamples

PLAIN = Family("a_gauge", "gauge", 'Says "a\\b"\nand more.')
COUNTER = Family("b_total", "counter", "Counts.", ("kind",))
HISTOGRAM = Family("d_seconds", "histogram", "Times.", ("kind",), bounds=(1, 2.5, 1_048_576))
OWN = Family("c", "gauge", "About the exporter.", ("version",), of_server=False)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (-7, "-7"),
        (7301, "7301"),
        (2**63, "9223372036854775808"),
        (True, "1"),
        (7301.0, "7301"),
        (-0.0, "0"),
        (0.25, "0.25"),
        (1e-7, "1e-07"),
        (1e15, "1000000000000000"),
        (2.0**60, "1152921504606846976"),
        (1.5e300, str(int(1.5e300))),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
        (math.nan, "NaN"),
        (10**309, "+Inf"),
        (-(10**309), "-Inf"),
        (10**5_000, "+Inf"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else "",
)
def test_whole_numbers_have_neither_point_nor_exponent(value: float, written: str) -> None:
    assert number(value) == written


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-300, 5e-324, 123456.789, 2.0**70, 1e22, 1.1e200])
def test_a_number_reads_back_exactly(value: float) -> None:
    assert float(number(value)) == value


def test_exactly_three_characters_of_a_label_value_are_escaped() -> None:
    everything = "".join(map(chr, range(0x2100)))
    escaped = label_value(everything)
    assert len(escaped) == len(everything) + 3
    assert escaped == everything.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def test_quotes_in_help_are_escaped_in_openmetrics_alone() -> None:
    assert help_text('a "b"\\\n', quotes=False) == 'a "b"\\\\\\n'
    assert help_text('a "b"\\\n', quotes=True) == 'a \\"b\\"\\\\\\n'


def test_comments_of_the_text_format() -> None:
    assert comments(PLAIN, Format.TEXT) == (
        b'# HELP a_gauge Says "a\\\\b"\\nand more.\n# TYPE a_gauge gauge\n'
    )
    assert comments(COUNTER, Format.TEXT) == b"# HELP b_total Counts.\n# TYPE b_total counter\n"


def test_openmetrics_names_a_counter_without_total() -> None:
    assert comments(PLAIN, Format.OPENMETRICS) == (
        b'# HELP a_gauge Says \\"a\\\\b\\"\\nand more.\n# TYPE a_gauge gauge\n'
    )
    assert comments(COUNTER, Format.OPENMETRICS) == b"# HELP b Counts.\n# TYPE b counter\n"


def test_lines_carry_the_labels_of_the_server_first() -> None:
    server = (("server", "web1"), ("region", 'e"u'))
    assert sample_lines(FamilySamples(PLAIN, [((), 3)]), server) == (
        b'a_gauge{server="web1",region="e\\"u"} 3\n'
    )
    assert sample_lines(FamilySamples(COUNTER, [(("x",), 1), (("y",), 0.5)]), server) == (
        b'b_total{server="web1",region="e\\"u",kind="x"} 1\n'
        b'b_total{server="web1",region="e\\"u",kind="y"} 0.5\n'
    )


def test_families_about_the_exporter_carry_no_labels_of_a_server() -> None:
    lines = sample_lines(FamilySamples(OWN, [(("1.0",), 1)]), (("server", "web1"),))
    assert lines == b'c{version="1.0"} 1\n'


def test_without_labels_there_are_no_braces() -> None:
    assert sample_lines(FamilySamples(PLAIN, [((), 1)])) == b"a_gauge 1\n"
    assert pairs(()) == ""


def test_no_samples_are_no_lines() -> None:
    assert sample_lines(FamilySamples(PLAIN, [])) == b""


@pytest.mark.parametrize("values", [(), ("a", "b")])
def test_label_values_that_do_not_fit_the_names_are_a_mistake(values: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"^b_total: \d values of 1 labels$"):
        sample_lines(FamilySamples(COUNTER, [(values, 1)]))


def test_a_histogram_has_rising_buckets_a_sum_and_a_count() -> None:
    samples = FamilySamples(HISTOGRAM, [(("x",), Distribution((3, 0, 2, 1), 7.5))])
    assert sample_lines(samples, (("server", "web1"),)) == (
        b'd_seconds_bucket{server="web1",kind="x",le="1.0"} 3\n'
        b'd_seconds_bucket{server="web1",kind="x",le="2.5"} 3\n'
        b'd_seconds_bucket{server="web1",kind="x",le="1.048576e+06"} 5\n'
        b'd_seconds_bucket{server="web1",kind="x",le="+Inf"} 6\n'
        b'd_seconds_sum{server="web1",kind="x"} 7.5\n'
        b'd_seconds_count{server="web1",kind="x"} 6\n'
    )


def test_a_histogram_without_labels_has_only_its_bounds() -> None:
    bare = Family("e", "histogram", "Bare.", bounds=(1,))
    assert sample_lines(FamilySamples(bare, [((), Distribution((0, 0), 0))])) == (
        b'e_bucket{le="1.0"} 0\ne_bucket{le="+Inf"} 0\ne_sum 0\ne_count 0\n'
    )


def test_a_value_of_another_kind_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="d_seconds is a histogram"):
        sample_lines(FamilySamples(HISTOGRAM, [(("x",), 1)]))
    with pytest.raises(TypeError, match="a_gauge is no histogram"):
        sample_lines(FamilySamples(PLAIN, [((), Distribution((1,), 1))]))


def test_a_histograms_name_is_the_same_in_both_formats() -> None:
    for form in Format:
        assert comments(HISTOGRAM, form) == (
            b"# HELP d_seconds Times.\n# TYPE d_seconds histogram\n"
        )


@pytest.mark.parametrize("counts", [(1, 2, 3), (1, 2, 3, 4, 5)])
def test_counts_that_do_not_fit_the_buckets_are_a_mistake(counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="zip"):
        sample_lines(FamilySamples(HISTOGRAM, [(("x",), Distribution(counts, 0))]))


@pytest.mark.parametrize(
    "value",
    [0, 0.005, 1e-7, 1, 2.5, 10, 999_999, 1e6, 1_048_576, 1.5e10, 123_456_789, 1e21, 3.25e30, 2e5],
)
def test_bounds_are_written_as_prometheus_clients_write_them(value: float) -> None:
    assert bound(value) == floatToGoString(value)


def test_exemplars_stand_in_openmetrics_alone_and_only_where_something_was_observed() -> None:
    seen = Distribution(
        (3, 0, 2, 1),
        7.5,
        (Exemplar('1a"b', 1, 1_795_000_000), Exemplar("gone", 2, 5), None, Exemplar("z", 2**21, 6)),
    )
    lines = family_lines(FamilySamples(HISTOGRAM, [(("x",), seen)]))
    assert lines.of(Format.OPENMETRICS) == (
        b'd_seconds_bucket{kind="x",le="1.0"} 3 # {message_id="1a\\"b"} 1 1795000000\n'
        b'd_seconds_bucket{kind="x",le="2.5"} 3\n'
        b'd_seconds_bucket{kind="x",le="1.048576e+06"} 5\n'
        b'd_seconds_bucket{kind="x",le="+Inf"} 6 # {message_id="z"} 2097152 6\n'
        b'd_seconds_sum{kind="x"} 7.5\n'
        b'd_seconds_count{kind="x"} 6\n'
    )
    without = FamilySamples(HISTOGRAM, [(("x",), Distribution(seen.counts, seen.sum))])
    assert lines.of(Format.TEXT) == sample_lines(without)


def test_lines_without_exemplars_are_the_same_object_in_both_formats() -> None:
    for samples in (
        FamilySamples(HISTOGRAM, [(("x",), Distribution((3, 0, 2, 1), 7.5))]),
        FamilySamples(PLAIN, [((), 3)]),
    ):
        lines = family_lines(samples)
        assert lines.text is lines.openmetrics


def test_a_family_is_named_as_in_either_format_or_by_its_samples() -> None:
    assert names_of(PLAIN) == {"a_gauge"}
    assert names_of(COUNTER) == {"b_total", "b"}
    assert names_of(HISTOGRAM) == {"d_seconds"} | {
        f"d_seconds_{part}" for part in ("bucket", "sum", "count")
    }
