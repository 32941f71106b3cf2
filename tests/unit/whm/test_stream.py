"""An answer read in pieces is the same answer, wherever the network cuts it."""

import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.whm import stream
from cpanel_mail_exporter.whm.decode import (
    NotJsonText,
    Rows,
    UnexpectedShape,
    Verdict,
    delivery_rows,
    judge,
)
from cpanel_mail_exporter.whm.stream import RowStream, TextStream

Reading = tuple[Verdict, list[DeliveryRecord], int]

TRICKY = [
    "},{",
    "}, {",
    '"records":[',
    '"records": [{',
    "\\",
    '\\"},{\\"',
    '"',
    "]}",
    "[{",
    "} ,",
    "rows taken out",
    '"rows taken out",',
    "é",
    "\U0001f4e7",
    "\n",
    "\x01",
    "\ud800",
    "x" * 60,
]
texts = st.lists(st.sampled_from(TRICKY) | st.text(max_size=3), max_size=5).map("".join)
fields = st.sampled_from(["message", "user", "recipient", "email", "delivered_to"])
good_rows = st.dictionaries(fields, texts | st.none() | st.integers(0, 9), max_size=4)
bad_rows = st.sampled_from([{"type": {"a": [{}, {}]}}, [], [{}, {}], None, 7, "},{", {"size": []}])
many_rows = st.lists(good_rows | bad_rows, max_size=25)
metadatas = st.fixed_dictionaries(
    {},
    optional={
        "result": st.sampled_from([0, 1, "0", "1", None]),
        "reason": texts,
        "overflowed": st.sampled_from([0, 1]),
        "chunk": st.fixed_dictionaries(
            {"of": texts, "counts": st.lists(st.integers(), max_size=3)}
        ),
    },
)
separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\t")])


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of some rows, so that short answers are cut as long ones are."""
    monkeypatch.setattr(stream, "_PIECE_BYTES", 64)


def read(chunks: Iterable[bytes]) -> Reading:
    rows = RowStream(delivery_rows)
    records: list[DeliveryRecord] = []
    rejected = 0
    for chunk in chunks:
        piece = rows.feed(chunk)
        if piece is not None:
            records += piece.records
            rejected += piece.rejected
    verdict, last = rows.finish()
    said = Verdict(verdict.refusal, verdict.is_login_refusal, None, verdict.is_cut)
    if verdict.refusal is not None:
        return said, last.records, last.rejected  # what was received before doesn't count
    return said, records + last.records, rejected + last.rejected


def at_once(body: bytes) -> Reading:
    """The same answer by the simplest way there is: judged and decoded as a whole."""
    verdict = judge(body)
    rows = delivery_rows(b"[" + b",".join(map(bytes, verdict.rows or [])) + b"]")
    return (
        Verdict(verdict.refusal, verdict.is_login_refusal, None, verdict.is_cut),
        [] if verdict.rows is None else rows.records,
        0 if verdict.rows is None else rows.rejected,
    )


def outcome(reading: Any, *arguments: Any) -> Any:
    try:
        return reading(*arguments)
    except (NotJsonText, UnexpectedShape) as error:
        return type(error)


def cut(body: bytes, places: list[int] | int) -> list[bytes]:
    """Chunks that end at *places*, or after every so many bytes."""
    if isinstance(places, int):
        return [body[start : start + places] for start in range(0, len(body), places)]
    ends = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(ends)]


def answer(
    rows: list[Any], metadata: dict[str, Any], layout: Any, *, metadata_first: bool
) -> bytes:
    members = [("data", {"before": "},{", "records": rows}), ("metadata", metadata)]
    ordered = dict(reversed(members) if metadata_first else members)
    ascii_only = "\ud800" in repr(ordered) or metadata_first
    text = json.dumps(ordered, separators=layout, ensure_ascii=ascii_only)
    return text.encode("utf-8", "surrogatepass")


cuts = st.lists(st.integers(0, 5_000), max_size=12) | st.integers(1, 200)


@settings(deadline=None, max_examples=300)
@given(many_rows, metadatas, separators, st.booleans(), cuts)
def test_any_cutting_gives_the_rows_and_the_verdict_of_the_whole(
    rows: list[Any],
    metadata: dict[str, Any],
    layout: Any,
    metadata_first: bool,
    places: list[int] | int,
) -> None:
    body = answer(rows, metadata, layout, metadata_first=metadata_first)
    assert read(cut(body, places)) == at_once(body)


@settings(deadline=None, max_examples=200)
@given(many_rows, separators, st.booleans(), cuts, st.data())
def test_a_damaged_body_fails_alike_however_it_is_cut(
    rows: list[Any], layout: Any, metadata_first: bool, places: list[int] | int, data: st.DataObject
) -> None:
    body = bytearray(answer(rows, {"result": 1}, layout, metadata_first=metadata_first))
    start = data.draw(st.integers(0, len(body)))
    body[start : start + data.draw(st.integers(0, 3))] = data.draw(
        st.sampled_from([b"", b"}", b"]", b",", b'"', b"\\", b"\xff", b"},{", b"null"])
    )
    damaged = bytes(body)
    assert outcome(read, cut(damaged, places)) == outcome(at_once, damaged)


@settings(deadline=None, max_examples=100)
@given(many_rows, separators, cuts, st.data())
def test_a_body_that_breaks_off_is_no_json_wherever_it_does(
    rows: list[Any], layout: Any, places: list[int] | int, data: st.DataObject
) -> None:
    body = answer(rows, {"result": 1}, layout, metadata_first=False)
    broken = body[: data.draw(st.integers(0, len(body) - 1))]
    assert outcome(read, cut(broken, places)) is NotJsonText


ROW = b'{"user":"' + b"u" * 80 + b'"}'
ROWS = b",".join([ROW] * 10)


@pytest.mark.parametrize("result", [b"0", b'"0"'])
@pytest.mark.parametrize("first", ["data", "metadata"])
def test_a_refusal_after_rows_is_a_refusal(result: bytes, first: str) -> None:
    data = b'"data":{"records":[' + ROWS + b"]}"
    metadata = b'"metadata":{"result":' + result + b',"reason":"No"}'
    members = [data, metadata] if first == "data" else [metadata, data]
    rows = RowStream(delivery_rows)
    piece = rows.feed(b"{" + b",".join(members) + b"}")
    assert piece is not None, "rows are handed on before it is known that they don't count"
    assert rows.finish() == (Verdict("No"), Rows([], 0))


@pytest.mark.parametrize(
    "body",
    [
        b'{"records":[' + ROWS + b"]}",
        b'{"rows":{"records":[' + ROWS + b']},"data":{"records":[]}}',
        b'{"data":{"inner":{"records":[' + ROWS + b']},"records":[{}]}}',
    ],
)
def test_records_that_stand_elsewhere_are_another_shape(body: bytes) -> None:
    rows = RowStream(delivery_rows)
    assert rows.feed(body) is not None
    with pytest.raises(UnexpectedShape):
        rows.finish()


def test_rows_are_handed_on_as_soon_as_a_piece_is_whole() -> None:
    rows = RowStream(delivery_rows)
    assert rows.feed(b'{"data":{"records":[') is None
    piece = rows.feed(ROW + b"," + ROW)
    assert piece is not None, "one row is known to have ended, the other isn't"
    assert [record.user for record in piece.records] == ["u" * 80]
    assert rows.feed(b',{"user":""}') is not None
    assert rows.feed(b"]}}") is None
    assert rows.finish()[1] == Rows([], 1)


@pytest.mark.parametrize("filling", [b"}", b"},", b"x", b"}, {"])
@pytest.mark.parametrize("head", [b"", b'{"data":{"records":[{"message":"'])
def test_bytes_without_end_that_hold_no_whole_row_are_given_up(head: bytes, filling: bytes) -> None:
    rows = RowStream(delivery_rows)
    rows.feed(head)
    chunk = filling * 16_384

    def feed_on(most_bytes: int) -> None:
        for _ in range(most_bytes // len(chunk)):
            rows.feed(chunk)

    with pytest.raises(UnexpectedShape, match=r"^\d+ MiB without a row that ends$"):
        feed_on(16 << 20)


def test_a_chunk_far_larger_than_a_piece_is_no_reason_to_give_up() -> None:
    body = b'{"data":{"records":[' + b",".join([ROW] * 200_000) + b"]}}"
    assert len(body) > 16 << 20
    _, records, rejected = read([body])
    assert (len(records), rejected) == (200_000, 0)


def test_memory_does_not_grow_with_the_answer() -> None:
    rows = RowStream(delivery_rows)
    rows.feed(b'{"data":{"records":[')
    most = 0
    for _ in range(2_000):
        rows.feed(ROW + b",")
        most = max(most, len(rows._buffer))
    assert most < 3 * len(ROW)


@settings(deadline=None, max_examples=50)
@given(many_rows, st.sampled_from(["acct", "payload", "service"]), st.booleans(), cuts)
def test_rows_of_another_member_are_cut_as_records_are(
    rows: list[Any], member: str, metadata_first: bool, places: list[int] | int
) -> None:
    as_records = answer(rows, {"result": 1}, (",", ":"), metadata_first=metadata_first)
    body = as_records.replace(b'"records":', f'"{member}":'.encode(), 1)
    stream = RowStream(delivery_rows, member)
    pieces = [piece for chunk in cut(body, places) if (piece := stream.feed(chunk)) is not None]
    verdict, last = stream.finish()
    pieces.append(last)
    assert verdict.refusal is None
    expected = at_once(as_records)
    assert [record for piece in pieces for record in piece.records] == expected[1]
    assert sum(piece.rejected for piece in pieces) == expected[2]


def test_rows_of_another_member_are_handed_on_before_the_answer_ends() -> None:
    rows = RowStream(delivery_rows, "acct")
    piece = rows.feed(b'{"data":{"acct":[' + ROWS)
    assert piece is not None
    assert len(piece.records) == 9
    assert rows.feed(b"]}}") is None
    assert len(rows.finish()[1].records) == 1


@pytest.mark.parametrize("size", [1, 3, 1_000])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_text_in_pieces_is_the_same_text(size: int, mark: bytes) -> None:
    text = TextStream("version")
    for chunk in cut(mark + b'{"data":{"version":"11.138.0.6"},"metadata":{"result":1}}', size):
        assert text.feed(chunk) is None
    assert text.finish() == (Verdict(None), Rows(["11.138.0.6"], 0))


def test_a_text_without_end_is_given_up() -> None:
    text = TextStream("version")
    text.feed(b'{"data":{"version":"' + b"1" * 60_000)
    with pytest.raises(UnexpectedShape, match=r"^64 KiB for one version$"):
        text.feed(b"1" * 6_000)


def test_a_text_that_is_refused_or_broken_off_is_no_text() -> None:
    refused = TextStream("version")
    refused.feed(b'{"metadata":{"result":0,"reason":"No"}}')
    assert refused.finish() == (Verdict("No"), Rows([], 0))
    broken = TextStream("version")
    broken.feed(b'{"data":{"version":"11')
    with pytest.raises(NotJsonText):
        broken.finish()
