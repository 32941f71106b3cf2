"""Every form of body is what a slow and obvious renderer writes, byte for byte.

It works value by value and character by character, and knows nothing of blocks, pieces, templates
or compression. Texts are hostile; half surrogates can't occur: what comes from WHM is mended when
it is decoded, and a configuration that holds one is refused.
"""

import gzip
import math
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.log_blocks import LogBlocksBuilder
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.exposition.publication import Publication, Rendered, publication
from cpanel_mail_exporter.exposition.text import LabelPairs, family_lines
from cpanel_mail_exporter.metrics.catalogue import EMAIL_LOGS
from cpanel_mail_exporter.model.family import Distribution, Family, FamilySamples, Sample
from cpanel_mail_exporter.model.records import DeliveryRecord
from tests.properties.test_exposition import (
    COUNTER,
    GAUGE,
    HISTOGRAMS,
    SAMPLES,
    SERVERS,
    TEXTS,
    TIMES,
)
from tests.unit.exposition.blocks_read import blocks_of
from tests.unit.exposition.records import delivery, obvious_line


@dataclass
class Server:
    """What one server's part of a publication is made of."""

    labels: LabelPairs
    samples: dict[Family, list[Sample]]
    records: list[DeliveryRecord]


LONG = st.builds(lambda unit, end: unit * 20_000 + end, st.sampled_from("x\\\u00fc"), TEXTS)
RECORDS = st.lists(
    st.builds(
        delivery,
        st.none() | st.integers(1_795_000_000, 1_795_000_003),
        st.none() | st.integers(1_795_000_000, 1_795_000_003),
        msg_id=TEXTS,
        message=TEXTS | LONG,
        user=TEXTS,
    ),
    max_size=8,
)


@st.composite
def server_parts(draw: st.DrawFn) -> list[Server]:
    parts = []
    for name, region in draw(SERVERS):
        samples: dict[Family, list[Sample]] = {}
        for family in draw(st.permutations([GAUGE, COUNTER, TIMES])):
            if family is TIMES:
                found: list[Sample] = [((one,), seen) for one, seen in draw(HISTOGRAMS).items()]
            else:
                found = list(draw(SAMPLES[family]).items())
            if found:
                samples[family] = found
        labels = (("server", name), ("region", region))
        parts.append(Server(labels, samples, draw(RECORDS)))
    return parts


ORDERS = st.lists(
    st.sampled_from(["email_logs", "b_total", "a_gauge", "d_seconds"]), unique=True, max_size=4
)


@settings(deadline=None)
@given(server_parts(), ORDERS, st.integers(1, 4))
def test_text_openmetrics_and_both_as_gzip_are_what_the_obvious_renderer_writes(
    servers: list[Server], order: list[str], block_lines: int
) -> None:
    with blocks_of(block_lines):
        one = made(servers, order)
    for form in Format:
        wanted = obvious(servers, order, is_open=form is Format.OPENMETRICS).encode()
        for compressed in (False, True):
            body = one.body(form, compressed)
            sent = b"".join(body.open())
            assert len(sent) == body.length
            assert (gzip.decompress(sent) if compressed else sent) == wanted


def made(servers: list[Server], order: list[str]) -> Publication:
    rendered = []
    for server in servers:
        builder = LogBlocksBuilder(0)
        builder.add(LogLines(EMAIL_LOGS.name, server.labels).render(server.records))
        families = {
            family.name: family_lines(FamilySamples(family, samples), server.labels)
            for family, samples in server.samples.items()
        }
        rendered.append(Rendered(families, builder.finish()))
    return publication(rendered, order, EMAIL_LOGS)


def obvious(servers: list[Server], order: list[str], *, is_open: bool) -> str:
    families = {family.name: family for server in servers for family in server.samples}
    if any(server.records for server in servers):
        families["email_logs"] = EMAIL_LOGS
    text = ""
    for name in [*(n for n in order if n in families), *(n for n in families if n not in order)]:
        family = families[name]
        shown = name
        if is_open and family.kind == "counter":
            shown = name[: -len("_total")]
        text += f"# HELP {shown} {escaped(family.help, quotes=is_open)}\n"
        text += f"# TYPE {shown} {family.kind}\n"
        for server in servers:
            if family is EMAIL_LOGS:
                text += "".join(obvious_log(server))
            for values, value in server.samples.get(family, ()):
                pairs = [*server.labels, *zip(family.labels, values, strict=True)]
                text += obvious_sample(family, pairs, value, is_open=is_open)
    return text + ("# EOF\n" if is_open else "")


def obvious_log(server: Server) -> list[str]:
    """Each line once, in order of time; those without a time first."""
    found = set()
    for record in server.records:
        sent = -1 if record.send_unix is None else record.send_unix
        acted = -1 if record.action_unix is None else record.action_unix
        line = obvious_line(record, server.labels)
        found.add((sent, acted, record.msg_id.replace("\n", " "), line))
    return [line for *_, line in sorted(found)]


def obvious_sample(
    family: Family, pairs: list[tuple[str, str]], value: float | Distribution, *, is_open: bool
) -> str:
    inside = ",".join(f'{name}="{escaped(text)}"' for name, text in pairs)
    if not isinstance(value, Distribution):
        return f"{family.name}{{{inside}}} {digits(value)}\n"
    text = ""
    for place, le in enumerate(("1.0", "2.5", "60.0", "+Inf")):
        example = value.exemplars[place] if value.exemplars else None
        text += f'{family.name}_bucket{{{inside},le="{le}"}} {sum(value.counts[: place + 1])}'
        if is_open and example is not None and value.counts[place] > 0:
            text += f' # {{message_id="{example.message_id}"}} {digits(example.value)}'
            text += f" {example.observed_unix}"
        text += "\n"
    text += f"{family.name}_sum{{{inside}}} {digits(value.sum)}\n"
    return text + f"{family.name}_count{{{inside}}} {sum(value.counts)}\n"


def escaped(text: str, *, quotes: bool = True) -> str:
    result = ""
    for char in text:
        if char == "\\":
            result += "\\\\"
        elif char == "\n":
            result += "\\n"
        elif char == '"' and quotes:
            result += '\\"'
        else:
            result += char
    return result


def digits(value: float) -> str:
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(value)
