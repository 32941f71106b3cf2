"""What is fuzzed: each target takes any bytes, and fails if its rule doesn't hold.

A target is a plain function, so that whatever a fuzzer has found is a plain test afterwards.
"""

import gzip
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

from cpanel_mail_exporter.config.durations import parse_duration, parse_window
from cpanel_mail_exporter.config.endpoint import parse_endpoint, parse_listen
from cpanel_mail_exporter.config.file import read_config_file
from cpanel_mail_exporter.config.problems import ConfigError, Place, Problems
from cpanel_mail_exporter.config.sections import Found
from cpanel_mail_exporter.config.token_file import parse_token
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.log_blocks import LogBlocksBuilder
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.exposition.publication import Rendered, publication
from cpanel_mail_exporter.exposition.text import family_lines
from cpanel_mail_exporter.metrics.catalogue import EMAIL_LOGS
from cpanel_mail_exporter.model.family import Distribution, Exemplar, Family, FamilySamples
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord
from cpanel_mail_exporter.web.negotiation import accepts_gzip, exposition_format
from cpanel_mail_exporter.whm import stream
from cpanel_mail_exporter.whm.decode import (
    NotJsonText,
    Rows,
    UnexpectedShape,
    account_rows,
    delivery_rows,
    judge,
    judge_text,
    service_rows,
    totals_rows,
    unique_recipient_rows,
    unknown_fields,
    user_stat_rows,
)
from cpanel_mail_exporter.whm.stream import RowStream, TextStream
from tests.unit.exposition.reading import read
from tests.unit.exposition.records import delivery, obvious_line

Target = Callable[[bytes], None]

GAUGE = Family("a_gauge", "gauge", "Any text.", ("one", "two"))
TIMES = Family("d_seconds", "histogram", "Times.", ("one",), bounds=(1, 60))
_ROW_DECODERS = (
    account_rows,
    delivery_rows,
    service_rows,
    totals_rows,
    unique_recipient_rows,
    unknown_fields,
    user_stat_rows,
)


def answers(data: bytes) -> None:
    """Whatever WHM sends, decoding gives a result or one of its two errors."""
    for decode in (judge, *_ROW_DECODERS, lambda body: judge_text(body, "version")):
        _outcome(decode, data)
    _outcome(_read_text, data)


def cut_answers(data: bytes) -> None:
    """An answer that comes in pieces is the same answer, wherever it is cut."""
    size, body = (data[0] if data else 0) + 1, data[1:]
    usual, stream._PIECE_BYTES = stream._PIECE_BYTES, 16
    try:
        pieces = _outcome(_read_rows, [body[at : at + size] for at in range(0, len(body), size)])
    finally:
        stream._PIECE_BYTES = usual
    whole = _outcome(_read_rows, [body])
    assert pieces == whole, f"{size} bytes at a time: {pieces!r}, at once: {whole!r}"


def log_lines(data: bytes) -> None:
    """Rows as WHM sends them are lines that read back as the very rows, in every form of body."""
    try:
        records = delivery_rows(data).records
    except (NotJsonText, UnexpectedShape):
        return
    lines = LogLines(EMAIL_LOGS.name, (("server", 'a"b'),))
    builder = LogBlocksBuilder(0)
    builder.add(lines.render(records))
    rendered = Rendered({}, builder.finish())
    wanted = {obvious_line(record, (("server", 'a"b'),)) for record in records}
    text = _bodies(rendered)
    shown = [line for line in text.decode().split("\n") if line.startswith("email_logs{")]
    assert sorted(f"{line}\n" for line in shown) == sorted(wanted)
    for _, labels, _ in read(text).samples:
        assert [name for name, _ in labels] == ["server", *DELIVERY_LABELS]
    back = {tuple(value for _, value in labels[1:]) for _, labels, _ in read(text).samples}
    assert back == {record[:22] for record in records}


def labels(data: bytes) -> None:
    """Any text comes back from a label value, whichever family and format it stands in."""
    texts = [part.decode("utf-8", "replace") for part in data.split(b"\xff", 7)]
    unique = list(dict.fromkeys(texts))
    gauge = FamilySamples(GAUGE, [((f"{n}", text), n) for n, text in enumerate(unique)])
    seen = Distribution((1, 2, 3), 7.5, (Exemplar("1vKabc-00", 1, 5), None, None))
    times = FamilySamples(TIMES, [((text,), seen) for text in unique])
    server = (("server", texts[-1]),)
    builder = LogBlocksBuilder(0)
    records = [delivery(message=text) for text in unique]
    builder.add(LogLines(EMAIL_LOGS.name, server).render(records))
    families = {part.family.name: family_lines(part, server) for part in (gauge, times)}
    text = _bodies(Rendered(families, builder.finish()))
    found = read(text)
    assert found.of("a_gauge") == {
        (texts[-1], f"{n}", text): f"{n}" for n, text in enumerate(unique)
    }
    assert {row[1] for row in found.of("d_seconds_sum")} == set(unique)
    place = 1 + DELIVERY_LABELS.index("message")
    assert {row[place] for row in found.of("email_logs")} == set(unique)


def headers(data: bytes) -> None:
    """Any header has an answer, whatever the order of its elements; a refused coding isn't used."""
    header = data.decode("latin-1")
    assert exposition_format(header) in Format
    backwards = ",".join(reversed(header.split(",")))
    assert exposition_format(backwards) is exposition_format(header)
    assert accepts_gzip(backwards) is accepts_gzip(header)
    if "gzip" not in header.lower():
        assert not accepts_gzip(f"gzip;q=0,{header}")
    alone = "application/openmetrics-text;version=1.0.0"
    if "," not in header and "text" not in header.lower() and "*" not in header:
        assert exposition_format(f"{alone},{header}") is Format.OPENMETRICS


def config_file(data: bytes) -> None:
    """Any file is settings, or problems that are one sentence each."""
    problems = Problems()
    with tempfile.NamedTemporaryFile(suffix=".yml") as file:
        file.write(data)
        file.flush()
        place = Place("--config.file")
        read_config_file(
            Found(Path(file.name), place),
            problems,
            environ={},
            default_zone=UTC,
            reserved_labels=frozenset({"domain", "user"}),
        )
    try:
        problems.raise_any()
    except ConfigError as error:
        for problem in error.problems:
            assert len(str(problem).splitlines()) == 1, problem
            assert str(problem).isprintable(), problem


def flag_values(data: bytes) -> None:
    """Any value of a flag is taken, or refused in one sentence of our own."""
    text = data.decode("utf-8", "surrogateescape")
    for parse in (parse_duration, parse_window, parse_endpoint, parse_listen, parse_token):
        try:
            parse(text)
        except ValueError as raised:
            refusal = raised
        else:
            continue
        assert type(refusal) is ValueError
        assert len(str(refusal).splitlines()) == 1


TARGETS: Mapping[str, Target] = {
    target.__name__: target
    for target in (answers, cut_answers, log_lines, labels, headers, config_file, flag_values)
}


def _bodies(rendered: Rendered) -> bytes:
    """The text form, after each other form of body was compared with it."""
    one = publication([rendered], [], EMAIL_LOGS)
    plain = {form: b"".join(one.body(form, compressed=False).open()) for form in Format}
    for form, body in plain.items():
        assert gzip.decompress(b"".join(one.body(form, compressed=True).open())) == body
    text, other = read(plain[Format.TEXT]), read(plain[Format.OPENMETRICS], openmetrics=True)
    assert text.samples == other.samples
    return plain[Format.TEXT]


def _read_rows(chunks: list[bytes]) -> object:
    rows = RowStream(delivery_rows)
    records: list[DeliveryRecord] = []
    rejected = 0
    for chunk in chunks:
        piece: Rows[DeliveryRecord] | None = rows.feed(chunk)
        if piece is not None:
            records += piece.records
            rejected += piece.rejected
    verdict, last = rows.finish()
    if verdict.refusal is not None:
        return verdict.refusal, verdict.is_login_refusal
    return verdict.is_cut, records + last.records, rejected + last.rejected


def _read_text(body: bytes) -> object:
    text = TextStream("version")
    text.feed(body)
    return text.finish()


def _outcome(reading: Callable[[Any], object], body: Any) -> object:
    try:
        return reading(body)
    except (NotJsonText, UnexpectedShape) as error:
        return type(error)
