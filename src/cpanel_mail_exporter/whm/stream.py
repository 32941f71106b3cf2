"""An answer's bytes as they arrive -> its rows, some hundreds at a time, and then its envelope.

So the largest answer needs no more memory than a small one, and decoding it never holds up the
event loop for long. Rows are provisional until `finish` has seen the envelope: WHM says only after
the rows whether the call succeeded.
"""

import re
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Generic, Protocol

import msgspec

from cpanel_mail_exporter.whm.decode import (
    NotJsonText,
    Record,
    Rows,
    UnexpectedShape,
    Verdict,
    judge,
    judge_text,
)

_COMMA_NEXT = re.compile(rb"\s*,")
_STANDS_FOR_ROWS = b'"rows taken out"'
_PIECE_BYTES = 64 * 1024
_TRIES = 8
_BRACES = 4_000
_MOST_BYTES = 4 << 20
_LARGE_BYTES = 32 << 20
_LARGE_ROW_BYTES = 32 << 10
_MOST_TEXT_BYTES = 64 << 10
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class AnswerStream(Protocol[Record]):
    """Either of the two below, as the client drives it."""

    def feed(self, chunk: bytes) -> Rows[Record] | None:
        """Take the next bytes of the body."""

    def finish(self) -> tuple[Verdict, Rows[Record]]:
        """The answer's verdict and its last rows."""


class RowStream(Generic[Record]):
    """Cuts an array in `data` into pieces that are decoded at once.

    Args:
        decode_rows: takes an array of some of the rows.
        member: name of the array.

    A piece ends after a `}` that is followed by a comma. Whether that brace really ends a row or
    stands inside a text is proven by decoding: what is JSON from a known start of a row to there
    has all its rows closed, and what isn't is tried with an earlier brace or with more bytes.
    """

    def __init__(
        self, decode_rows: Callable[[bytes], Rows[Record]], member: str = "records"
    ) -> None:
        self._decode_rows = decode_rows
        self._member = member
        # In JSON this can't be part of a text: a quote inside a text is escaped, so the second
        # quote would have a backslash before it.
        self._rows_begin = re.compile(rb'"%b"\s*:\s*\[' % re.escape(member.encode()))
        self._head: bytes | None = None  # all before the first row, once that is known
        self._buffer = bytearray()
        self._wanted = _PIECE_BYTES
        self._took_rows = False
        self._bytes = 0
        self._rows = 0

    def feed(self, chunk: bytes) -> Rows[Record] | None:
        """Take the next bytes of the body; give the rows that they completed, if many have.

        Raises:
            UnexpectedShape: so many bytes without a whole row, or rows so large on average, that
                it can't be an answer of WHM: whoever holds its rows would run out of memory.
        """
        if not self._bytes and chunk.startswith(_BYTE_ORDER_MARK):
            chunk = chunk[len(_BYTE_ORDER_MARK) :]
        self._bytes += len(chunk)
        self._buffer += chunk
        if len(self._buffer) < self._wanted:
            return None
        has_begun = self._head is not None or self._find_head()
        rows = self._cut() if has_begun else None
        if rows is not None:
            self._refuse_large_rows(rows)
        if rows is None and len(self._buffer) > _MOST_BYTES:
            raise UnexpectedShape(f"{_MOST_BYTES >> 20} MiB without a row that ends")
        self._wanted = _PIECE_BYTES if rows else min(2 * len(self._buffer), _MOST_BYTES + 1)
        return rows

    def finish(self) -> tuple[Verdict, Rows[Record]]:
        """The answer's verdict and its last rows.

        Raises:
            NotJsonText: the body is no JSON, or is cut off.
            UnexpectedShape: JSON of another shape.
        """
        marker = _STANDS_FOR_ROWS + b"," if self._took_rows else b""
        verdict = judge((self._head or b"") + marker + bytes(self._buffer), self._member)
        if verdict.refusal is not None:
            return verdict, Rows([], 0)
        rows = verdict.rows or []
        if self._took_rows:
            if not rows or bytes(rows[0]) != _STANDS_FOR_ROWS:
                raise UnexpectedShape(f"the {self._member} stand elsewhere than in data")
            del rows[0]
        last = self._decode_rows(_array(rows))
        self._buffer.clear()
        return verdict, last

    def _refuse_large_rows(self, rows: Rows[Record]) -> None:
        self._rows += len(rows.records) + rows.rejected
        if self._bytes > _LARGE_BYTES and self._bytes > self._rows * _LARGE_ROW_BYTES:
            raise UnexpectedShape(f"rows of more than {_LARGE_ROW_BYTES >> 10} KiB on average")

    def _find_head(self) -> bool:
        begin = self._rows_begin.search(self._buffer)
        if begin is None:
            return False
        self._head = bytes(self._buffer[: begin.end()])
        del self._buffer[: begin.end()]
        return True

    def _cut(self) -> Rows[Record] | None:
        for end, after in islice(self._row_ends(), _TRIES):
            try:
                rows = self._decode_rows(b"[" + self._buffer[:end] + b"]")
            except NotJsonText:
                continue
            del self._buffer[:after]
            self._took_rows = True
            return rows
        return None

    def _row_ends(self) -> Iterator[tuple[int, int]]:
        """Where a row may end and the next begins, the last such place first."""
        end = len(self._buffer)
        for _ in range(_BRACES):  # a text may be nothing but braces
            end = self._buffer.rfind(b"}", 0, end)
            if end < 0:
                return
            comma = _COMMA_NEXT.match(self._buffer, end + 1)
            if comma is not None:
                yield end + 1, comma.end()


class TextStream:
    """Takes an answer that is one text, and gives it as the only row.

    Args:
        member: name of the text in `data`.
    """

    def __init__(self, member: str) -> None:
        self._member = member
        self._body = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            UnexpectedShape: so many bytes that they can't be such an answer.
        """
        self._body += chunk
        if len(self._body) > _MOST_TEXT_BYTES:
            raise UnexpectedShape(f"{_MOST_TEXT_BYTES >> 10} KiB for one {self._member}")

    def finish(self) -> tuple[Verdict, Rows[str]]:
        """The answer's verdict and its text, none after a refusal.

        Raises:
            NotJsonText: the body is no JSON, or is cut off.
            UnexpectedShape: JSON of another shape.
        """
        verdict, found = judge_text(bytes(self._body.removeprefix(_BYTE_ORDER_MARK)), self._member)
        return verdict, Rows([found] if found else [], 0)


def _array(rows: list[msgspec.Raw]) -> bytes:
    return b"[" + b",".join(map(bytes, rows)) + b"]"
