"""An answer and its bytes: WHM API 1's envelope around records or values."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from whm_simulator.api.dressing import PLAIN_DRESS, Dress

_ROWS_PER_PIECE = 1000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a function gives back.

    Attributes:
        command: the function that was asked for.
        records: the list under ``data[key]``; None if the answer is *values* alone.
        key: name of the list, ``records`` for most functions.
        values: other members of ``data``.
        metadata: members of ``metadata`` beside those every answer has.
        reason: the error text of a refused call, None if all went well.
        is_denied: refused as a bad login is, with a 403, rather than by *reason*.
        is_legacy: in the older envelope, ``cpanelresult``, which has no metadata.
        dress: how numbers and nulls are written.
    """

    command: str
    records: Sequence[Any] | None = None
    key: str = "records"
    values: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    is_denied: bool = False
    is_legacy: bool = False
    dress: Dress = PLAIN_DRESS

    def pieces(self) -> Iterator[bytes]:
        """The body as JSON, in pieces of about a megabyte at most."""
        encode = self.dress.encode
        if self.is_legacy:
            content = {"apiversion": "2", "data": self.values, "type": "text"}
            yield encode({"cpanelresult": content})
            return
        metadata = {
            "command": self.command,
            "reason": "OK" if self.reason is None else self.reason,
            "result": int(self.reason is None),
            "version": 1,
            **self.metadata,
        }
        end = b',"metadata":' + encode(metadata) + b"}"
        if self.reason is not None:
            yield b"{" + end[1:]
            return
        if self.records is None:
            yield b'{"data":' + encode(self.values) + end
            return
        members = encode(self.values)[1:-1]
        begin = b'{"data":{' + (members + b"," if members else b"") + encode(self.key) + b":["
        end = b"]}" + end
        if not self.is_large:
            yield begin + encode(self.records)[1:-1] + end
            return
        for index in range(0, len(self.records), _ROWS_PER_PIECE):
            yield begin + encode(self.records[index : index + _ROWS_PER_PIECE])[1:-1]
            begin = b","
        yield end

    @property
    def is_large(self) -> bool:
        """Whether the body comes in several pieces."""
        return self.records is not None and len(self.records) > _ROWS_PER_PIECE

    @property
    def piece_count(self) -> int:
        """How many pieces the body comes in."""
        if self.records is None or not self.is_large:
            return 1
        return math.ceil(len(self.records) / _ROWS_PER_PIECE) + 1


def refused(command: str, reason: str) -> Answer:
    """The answer of a call that WHM refuses with HTTP 200 and ``result`` 0."""
    return Answer(command, reason=reason)


def unknown_function(command: str, version: str = "1") -> Answer:
    """The answer to a function that WHM doesn't have in this version of its API."""
    return refused(
        command, f'Unknown app ("{command}") requested for this version ({version}) of the API.'
    )
