"""Chunks carry exactly the bytes of the pieces, in sizes that bound memory."""

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.web.sending import CHUNK_BYTES, chunks


@given(st.lists(st.binary(max_size=30)), st.integers(1, 20))
def test_chunks_are_the_same_bytes_none_empty_and_none_too_large(
    pieces: list[bytes], chunk_bytes: int
) -> None:
    cut = list(chunks(pieces, chunk_bytes))
    assert b"".join(cut) == b"".join(pieces)
    assert all(0 < len(chunk) <= chunk_bytes for chunk in cut)


def test_small_pieces_are_gathered() -> None:
    cut = list(chunks(b"x" * 100 for _ in range(10_000)))
    assert [len(chunk) for chunk in cut] == [98_300] * 10 + [17_000]


def test_large_pieces_are_sent_as_views_of_the_shared_bytes() -> None:
    piece = bytes(CHUNK_BYTES * 2 + 1)
    cut = list(chunks([piece]))
    assert [len(chunk) for chunk in cut] == [CHUNK_BYTES, CHUNK_BYTES, 1]
    assert all(isinstance(chunk, memoryview) and chunk.obj is piece for chunk in cut)


def test_pieces_are_asked_for_only_when_they_are_needed() -> None:
    asked = 0

    def pieces():
        nonlocal asked
        for _ in range(10):
            asked += 1
            yield bytes(CHUNK_BYTES)

    cut = chunks(pieces())
    next(cut)
    assert asked <= 2
