"""What really happened on a server, read by slices of send time and never all at once.

Faults and quirks don't touch it. It thinks in plain calls; who calls it keeps them off the event
loop.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from whm_simulator.mail.rows import FIELDS, Row
from whm_simulator.mail.source import Mail, Span

_FIRST_SLICE_SECONDS = 600
_WANTED_ROWS = 4000
_EVER = 2**40
REASON = "reason"
COUNTED_BY = (*FIELDS, REASON)
"""What totals can be counted by."""

_encode = msgspec.json.encode


class Question(NamedTuple):
    """Which rows are asked for.

    Attributes:
        until_unix: those that exist at this instant.
        since_unix: only those whose attempt ended after it; None for all.
        events: only attempts, not what is in progress.
    """

    until_unix: float
    since_unix: float | None = None
    events: bool = False


def slices_of(mail: Mail, question: Question, history_seconds: int | None) -> Iterator[list[Row]]:
    """The rows in question, oldest send time first, some thousands at a time.

    A message is never split, since all its rows have one send time.

    Args:
        mail: whose rows.
        question: which rows.
        history_seconds: how long mail is kept, which tells where to begin; None reads all rows at
            once, for mail that is in memory anyway.

    Raises:
        Interrupted: the simulator is being stopped.
    """
    until_unix = question.until_unix
    acted = None
    if question.since_unix is not None or question.events:
        since_unix = -_EVER if question.since_unix is None else question.since_unix
        acted = Span(math.floor(since_unix) + 1, _EVER)
    if history_seconds is None:
        yield mail.rows(until_unix, None, acted)
        return
    first, step = -_EVER, _FIRST_SLICE_SECONDS
    last = math.floor(until_unix - history_seconds) + step
    while last < until_unix:
        rows = mail.rows(until_unix, Span(first, last), acted)
        if rows:
            yield rows
        if len(rows) < _WANTED_ROWS // 2:
            step *= 2
        elif len(rows) > _WANTED_ROWS and step > 1:
            step //= 2
        first, last = last + 1, last + step
    yield mail.rows(until_unix, Span(first, _EVER), acted)


def lines_of(mail: Mail, rows: Sequence[Row]) -> bytes:
    """*rows* as JSON lines with WHM's field names, and ``reason``, the class of a failure."""
    return b"".join(
        _encode(row)[:-1] + b',"reason":' + _encode(mail.reason(row)) + b"}\n" for row in rows
    )


class Totals:
    """Events, messages and their bytes for each combination of the fields *by*.

    A message with several events in one combination counts once in ``messages`` and ``bytes``.
    """

    def __init__(self, mail: Mail, by: Sequence[str]) -> None:
        self._mail = mail
        self._by = by
        self._found: dict[tuple[Any, ...], list[int]] = {}

    def add(self, rows: Sequence[Row]) -> None:
        """Count *rows*; all of a message must come in one call."""
        seen: set[tuple[Any, ...]] = set()
        for row in rows:
            values = tuple(
                self._mail.reason(row) if name == REASON else getattr(row, name)
                for name in self._by
            )
            counts = self._found.get(values)
            if counts is None:
                counts = self._found[values] = [0, 0, 0]
            counts[0] += 1
            message = (*values, row.msgid)
            if message not in seen:
                seen.add(message)
                counts[1] += 1
                counts[2] += row.size

    def as_json(self) -> bytes:
        """What was counted, by the values' texts."""
        totals = [
            {
                **dict(zip(self._by, values, strict=True)),
                "events": events,
                "messages": messages,
                "bytes": size_bytes,
            }
            for values, (events, messages, size_bytes) in sorted(
                self._found.items(), key=lambda item: [str(value) for value in item[0]]
            )
        ]
        return _encode({"by": list(self._by), "totals": totals}) + b"\n"
