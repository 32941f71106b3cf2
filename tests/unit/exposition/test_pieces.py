"""Pieces in any number and order are one body, plain and as ONE gzip member."""

import gzip
import shutil
import subprocess
import zlib
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition import pieces
from cpanel_mail_exporter.exposition.body import Body
from cpanel_mail_exporter.exposition.pieces import Piece, gzip_body, piece, piece_of, plain_body

TEXTS = st.lists(
    st.one_of(
        st.binary(max_size=200),
        st.builds(lambda unit, times: unit * times, st.binary(max_size=40), st.integers(0, 3000)),
    ),
    max_size=8,
)


def joined(body: Body) -> bytes:
    whole = b"".join(body.open())
    assert len(whole) == body.length
    return whole


def one_member(packed: bytes) -> bytes:
    """Decompress what must be a single gzip member with nothing after it."""
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    plain = reader.decompress(packed) + reader.flush()
    assert reader.eof
    assert reader.unused_data == b""
    return plain


@given(TEXTS, st.data())
def test_gzip_is_one_member_that_holds_the_plain_body(texts: list[bytes], data: st.DataObject):
    made = [piece(text, keep=data.draw(st.booleans())) for text in texts]
    plain, packed = joined(plain_body(made)), joined(gzip_body(made))
    assert plain == b"".join(texts)
    assert one_member(packed) == plain
    assert gzip.decompress(packed) == plain


@given(TEXTS)
def test_a_piece_gives_its_text_whether_kept_or_inflated(texts: list[bytes]) -> None:
    for text in texts:
        assert piece(text, keep=True).plain() == piece(text, keep=False).plain() == text
        assert piece(text, keep=False).kept is None


@given(TEXTS, st.integers(1, 2_000))
def test_what_is_inflated_for_a_body_comes_in_parts(texts: list[bytes], most_bytes: int) -> None:
    with patch.object(pieces, "PART_BYTES", most_bytes):
        for text in texts:
            parts = list(piece(text, keep=False).parts())
            assert b"".join(parts) == text
            assert all(0 < len(part) <= most_bytes for part in parts)
            assert b"".join(piece(text, keep=True).parts()) == text


@given(TEXTS)
def test_a_piece_made_of_parts_is_the_piece_of_their_text(parts: list[bytes]) -> None:
    made, whole = piece_of(iter(parts)), piece(b"".join(parts), keep=False)
    assert made.plain() == whole.plain() == b"".join(parts)
    assert (made.crc, made.length, made.kept) == (whole.crc, whole.length, None)


@pytest.mark.parametrize(
    "texts", [[], [b""], [b"", b"a\n", b""], [b"line 1\n" * 50_000, b"", bytes(range(256)) * 999]]
)
def test_the_gzip_program_reads_it(texts: list[bytes]) -> None:
    program = shutil.which("gzip")
    assert program is not None
    packed = joined(gzip_body([piece(text, keep=False) for text in texts]))
    result = subprocess.run([program, "-dc"], input=packed, capture_output=True, check=True)
    assert (result.stdout, result.stderr) == (b"".join(texts), b"")


def test_a_body_can_be_opened_many_times_at_once() -> None:
    for body in (plain_body(PIECES), gzip_body(PIECES)):
        first, second = body.open(), body.open()
        taken = [next(first), next(second), *first]
        assert b"".join([taken[0], *taken[2:]]) == joined(body)
        assert b"".join([taken[1], *second]) == joined(body)


PIECES: list[Piece] = [piece(b"a 1\n", keep=True), piece(b"b 2\n" * 9, keep=False)]


def test_pieces_can_stand_in_any_order_and_more_than_once() -> None:
    first, second = PIECES
    order = [second, first, second]
    assert one_member(joined(gzip_body(order))) == b"".join(part.plain() for part in order)
