"""What is asked of a server and what comes back, apart from how it is written on the wire."""

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from cpanel_mail_exporter.model.records import UserStat
from cpanel_mail_exporter.model.window import Slice

Record = TypeVar("Record")

DELIVERY_TYPES: tuple[str, ...] = ("success", "defer", "failure", "inprogress")
"""WHM's words for the kinds of rows, which are also the names of the flags that ask for them."""

EVENT_TYPES: tuple[str, ...] = ("success", "defer", "failure")
"""Those of rows that are delivery events."""


class Instant(Enum):
    """The two instants of a row; the value is WHM's name of the field."""

    SENT = "sendunixtime"
    ACTED = "actionunixtime"


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One page of the rows whose instant *by* lies in *span*, sorted by it.

    Attributes:
        span: time asked for.
        types: those of DELIVERY_TYPES that are wanted.
        page_rows: the most rows one answer should hold (`api.chunk.size`).
        first_row: number of the first row wanted, from 1 (`api.chunk.start`).
        by: which instant *span* is about, and rows are sorted by.
        also: span of the other instant, None for any.
        recipient_begins: what the recipient's address begins with, empty for any.
    """

    span: Slice
    types: tuple[str, ...]
    page_rows: int
    first_row: int = 1
    by: Instant = Instant.SENT
    also: Slice | None = None
    recipient_begins: str = ""


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """What is known once an answer has been read to its end.

    Attributes:
        rows_rejected: rows of it that could not be decoded.
        is_cut: WHM says that it left rows out (`metadata.overflowed`).
        clock_skew_seconds: server's clock minus the exporter's, None without a Date.
        unknown_fields: names in a row of it that nobody has documented or seen.
    """

    rows_rejected: int = 0
    is_cut: bool = False
    clock_skew_seconds: float | None = None
    unknown_fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class UserStatsAnswer:
    """A whole answer of emailtrack_user_stats."""

    records: list[UserStat]
    end: AnswerEnd


@dataclass(frozen=True, slots=True)
class RecordsAnswer(Generic[Record]):
    """A whole answer that is a short list of records."""

    records: list[Record]
    end: AnswerEnd


@dataclass(frozen=True, slots=True)
class TextAnswer:
    """A whole answer that is one text."""

    text: str
    end: AnswerEnd


@dataclass(frozen=True, slots=True)
class Totals:
    """The record of emailtrack_stats: sums over a range; what is null or absent is 0.

    Which instant of a row the range is about isn't documented, nor whether its ends belong to it.
    """

    sent: int = 0
    success: int = 0
    failure: int = 0
    defer: int = 0
    defer_fail: int = 0
    in_progress: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class TotalsAnswer:
    """A whole answer of emailtrack_stats."""

    totals: Totals
    end: AnswerEnd
