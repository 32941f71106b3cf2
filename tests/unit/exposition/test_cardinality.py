"""Series are counted exactly, values of labels exactly or, in a sample, never too high."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition import cardinality
from cpanel_mail_exporter.exposition.cardinality import (
    SAMPLE_LINES,
    WORTH_LOOKING,
    FamilySeries,
    ServerSeries,
    count_series,
)
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.publication import Rendered
from cpanel_mail_exporter.exposition.text import LabelPairs, family_lines
from cpanel_mail_exporter.metrics.catalogue import EMAIL_LOGS
from cpanel_mail_exporter.model.family import Distribution, Family, FamilySamples, Sample
from tests.unit.exposition.records import delivery
from tests.unit.publishing.boards import log_blocks

TEXT = st.text(st.sampled_from('a"\\\n,={}'), max_size=4)
PAIRS = Family("pairs", "gauge", "", ("a", "b"))
TIMES = Family("times", "histogram", "", ("a",), bounds=(1, 5))


def rendered(family: Family, samples: list[Sample], labels: LabelPairs = ()) -> Rendered:
    return Rendered({family.name: family_lines(FamilySamples(family, samples), labels)})


@given(
    st.lists(st.tuples(TEXT, TEXT), min_size=WORTH_LOOKING, max_size=2 * WORTH_LOOKING, unique=True)
)
def test_values_are_counted_whatever_they_hold(keys: list[tuple[str, str]]) -> None:
    part = rendered(PAIRS, [(key, 1) for key in keys], (("server", 'a="b"'),))
    (found,) = count_series([("web1", part)], EMAIL_LOGS).families
    first, second = len({key[0] for key in keys}), len({key[1] for key in keys})
    expected = sorted([("a", first), ("b", second)], key=lambda pair: (-pair[1], pair[0]))
    assert found == FamilySeries(PAIRS, len(keys), tuple(expected), len(keys))


def test_servers_and_families_stand_with_the_most_series_first() -> None:
    histogram = Distribution((1, 2, 3), 9)
    web1 = rendered(TIMES, [((name,), histogram) for name in "xy"])
    web2 = Rendered(
        {**rendered(TIMES, [(("x",), histogram)]).families, **rendered(PAIRS, []).families},
        log_blocks([delivery(number) for number in range(90)]),
    )
    counted = count_series([("web1", web1), ("web2", web2), ("", Rendered({}))], EMAIL_LOGS)
    assert counted.families == (
        FamilySeries(EMAIL_LOGS, 90),
        FamilySeries(TIMES, 15),
        FamilySeries(PAIRS, 0),
    )
    assert counted.servers == (
        ServerSeries("web2", 95, (("email_logs", 90), ("times", 5), ("pairs", 0))),
        ServerSeries("web1", 10, (("times", 10),)),
        ServerSeries("", 0),
    )
    assert counted.series == 105


def test_a_sample_is_spread_over_all_servers_and_says_how_large_it_is() -> None:
    parts = [
        (f"web{server}", rendered(PAIRS, [((f"{server}", f"{n}"), 1) for n in range(2_001)]))
        for server in range(10)
    ]
    (found,) = count_series(parts, EMAIL_LOGS).families
    assert found.series == 20_010
    assert SAMPLE_LINES // 2 <= found.sampled <= SAMPLE_LINES
    labels = dict(found.labels)
    assert labels["a"] == 10, "every server is in it"
    assert 0 < labels["b"] <= 2_001


def test_little_is_inflated_of_much_mail() -> None:
    """What is looked at is bounded by size too, or thousands of servers would take minutes."""
    blocks = log_blocks([delivery(number) for number in range(20_000)])
    inflated = []

    class Block:
        lines = 1_000

        class piece:  # noqa: N801
            length = 8 * 1024 * 1024

            @staticmethod
            def plain() -> bytes:
                inflated.append(1)
                return blocks.blocks[0].piece.plain()

    class Logs:
        lines = 100_000
        blocks = [Block] * 100

    part = Rendered({}, Logs)  # type: ignore[arg-type]
    (found,) = count_series([("web1", part)], EMAIL_LOGS).families
    assert found.series == 100_000
    assert len(inflated) * Block.piece.length <= 2 * cardinality.SAMPLE_BYTES
    assert 0 < found.sampled <= SAMPLE_LINES


def of_logs() -> tuple[Rendered, Family]:
    """60,000 lines, 31 MB of text."""
    blocks = log_blocks([delivery(number) for number in range(1_000)]).blocks
    return Rendered({}, LogBlocks(blocks * 60, 60_000)), EMAIL_LOGS


def of_a_family() -> tuple[Rendered, Family]:
    """200,000 lines, 12 MB of text."""
    keys = [(f"{number}", f"{number:050}") for number in range(200_000)]
    return rendered(PAIRS, [(key, 1) for key in keys]), PAIRS


@pytest.mark.parametrize("published", [of_logs, of_a_family])
def test_to_look_into_much_text_takes_little_memory(published) -> None:
    """Whatever is counted while polls go on adds to the peak of the whole program."""
    part, family = published()
    count_series([("web1", part)], EMAIL_LOGS)
    tracemalloc.start()
    try:
        (found,) = count_series([("web1", part)], EMAIL_LOGS).families
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.family is family
    assert found.sampled >= SAMPLE_LINES // 2
    assert peak_bytes < 4_000_000


def test_without_a_look_at_labels_nothing_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    part, _ = of_logs()
    monkeypatch.setattr(cardinality, "_looked_into", None)
    counted = count_series([("web1", part)], EMAIL_LOGS, looked_into=0)
    assert counted.families == (FamilySeries(EMAIL_LOGS, 60_000),)
