"""Bytes that are compressed once and then only copied: parts of a body, plain and as gzip.

Each piece is raw deflate ended with a full flush, so that pieces in any order, between one header
and one end, are ONE gzip member. (Members one after another would be legal too, but curl fails on
them and some clients stop silently after the first.)
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from isal import isal_zlib

from cpanel_mail_exporter.exposition.body import PART_BYTES, Body

_LEVEL = 1
_GZIP_HEADER = bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])
_DEFLATE_END = b"\x03\x00"
_RAW_DEFLATE = -15


@dataclass(frozen=True, slots=True)
class Piece:
    """Some whole lines of a body.

    Attributes:
        deflated: raw deflate of the text, ended with a full flush.
        crc: CRC-32 of the text.
        length: its bytes.
        kept: the text itself where keeping it costs little, else None: it is inflated when asked.
    """

    deflated: bytes
    crc: int
    length: int
    kept: bytes | None = None

    def plain(self) -> bytes:
        """The text."""
        if self.kept is not None:
            return self.kept
        return isal_zlib.decompress(self.deflated + _DEFLATE_END, _RAW_DEFLATE)

    def parts(self) -> Iterator[bytes]:
        """The text, in parts of at most PART_BYTES where it must be inflated."""
        if self.kept is not None:
            yield self.kept
            return
        inflating = isal_zlib.decompressobj(_RAW_DEFLATE)
        rest, missing = self.deflated, self.length
        while missing and (part := inflating.decompress(rest, min(PART_BYTES, missing))):
            rest, missing = inflating.unconsumed_tail, missing - len(part)
            yield part


def piece(plain: bytes, *, keep: bool) -> Piece:
    """Compress *plain*; with *keep* the text is held beside its compressed form."""
    return _compressed([plain], plain if keep else None)


def piece_of(parts: Iterable[bytes]) -> Piece:
    """Compress a text of which one part after another is made, so that it is never held whole."""
    return _compressed(parts, None)


def _compressed(parts: Iterable[bytes], kept: bytes | None) -> Piece:
    compressor = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _RAW_DEFLATE)
    deflated: list[bytes] = []
    crc = length = 0
    for part in parts:
        deflated.append(compressor.compress(part))
        crc = isal_zlib.crc32(part, crc)
        length += len(part)
    deflated.append(compressor.flush(isal_zlib.Z_FULL_FLUSH))
    return Piece(b"".join(deflated), crc, length, kept)


def plain_body(pieces: Sequence[Piece]) -> Body:
    """The text of *pieces* one after another."""

    def parts() -> Iterator[bytes]:
        return chain.from_iterable(part.parts() for part in pieces)

    return Body(sum(part.length for part in pieces), parts)


def gzip_body(pieces: Sequence[Piece]) -> Body:
    """*pieces* as one gzip member."""
    crc = 0
    length = 0
    for part in pieces:
        crc = isal_zlib.crc32_combine(crc, part.crc, part.length)
        length += part.length
    trailer = _DEFLATE_END + crc.to_bytes(4, "little") + (length % 2**32).to_bytes(4, "little")
    compressed = len(_GZIP_HEADER) + sum(len(part.deflated) for part in pieces) + len(trailer)

    def parts() -> Iterator[bytes]:
        yield _GZIP_HEADER
        for part in pieces:
            yield part.deflated
        yield trailer

    return Body(compressed, parts)
