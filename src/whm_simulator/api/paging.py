"""``api.chunk.*`` and ``api.columns.*``: which page of an answer, and which of its fields.

The members of ``metadata.chunk`` follow what cPanel's own web pages read from it.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from whm_simulator.api.errors import FunctionError
from whm_simulator.api.filters import values_in
from whm_simulator.api.params import Params, is_on, lettered, whole_number
from whm_simulator.mail.rows import FIELDS, Row


class Chunk(NamedTuple):
    """One page: *size* records from the *start*-th (1-based); a *size* of 0 means all the rest."""

    start: int
    size: int
    is_verbose: bool

    def of(self, records: Sequence[Any]) -> list[Any]:
        """The records of this page."""
        first = self.start - 1
        return list(records[first : first + self.size] if self.size else records[first:])

    def about(self, total: int) -> dict[str, int]:
        """``metadata.chunk`` of a result of *total* records."""
        size = self.size or max(total, 1)
        return {
            "start": self.start,
            "size": size,
            "records": total,
            "chunks": math.ceil(total / size),
            "current": math.ceil(self.start / size),
        }


def chunk_of(params: Params, limit: int = 0) -> Chunk | None:
    """The page a request asks for, None if ``api.chunk.enable`` is off.

    A start below 1 means the first record (cPanel's pages send -1 for "all"). No page gets larger
    than *limit*, unless that is 0.

    Raises:
        FunctionError: start or size is no number, or the size is negative.
    """
    if not is_on(params, "api.chunk.enable"):
        return None
    size = whole_number(params, "api.chunk.size", 0)
    if size < 0:
        raise FunctionError('The "api.chunk.size" argument must not be negative.')
    if limit:
        size = min(size or limit, limit)
    start = whole_number(params, "api.chunk.start", 1)
    return Chunk(max(start, 1), size, is_on(params, "api.chunk.verbose"))


def columns_of(params: Params) -> list[str]:
    """The fields a request wants to see; an empty list means all of them."""
    if not is_on(params, "api.columns.enable"):
        return []
    names = (params[f"api.columns.{x}"] for x in lettered(params, "api.columns."))
    return [name for name in dict.fromkeys(names) if name]


def only(records: Sequence[Any], columns: Sequence[str]) -> list[dict[str, Any]]:
    """*records* cut down to *columns*; a field that a record doesn't have is left out."""
    if records and isinstance(records[0], Row):
        shown = [column for column in columns if column in FIELDS]
        lists = [values_in(records, column) for column in shown]
        return [dict(zip(shown, values, strict=True)) for values in zip(*lists, strict=True)] or [
            {} for _ in records
        ]
    return [
        {column: record[column] for column in columns if column in record} for record in records
    ]
