"""What is asked of a server and what comes back, apart from how it is written on the wire."""

from dataclasses import dataclass

from cpanel_mail_exporter.model.records import UserStat
from cpanel_mail_exporter.model.window import Slice

DELIVERY_TYPES: tuple[str, ...] = ("success", "defer", "failure", "inprogress")
"""WHM's words for the kinds of rows, which are also the names of the flags that ask for them."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One page of the rows sent in *span*.

    Attributes:
        span: send time asked for.
        types: those of DELIVERY_TYPES that are wanted.
        page_rows: the most rows one answer should hold (`api.chunk.size`).
        first_row: number of the first row wanted, from 1 (`api.chunk.start`).
    """

    span: Slice
    types: tuple[str, ...]
    page_rows: int
    first_row: int = 1


@dataclass(frozen=True, slots=True)
class AnswerEnd:
    """What is known once an answer has been read to its end.

    Attributes:
        rows_rejected: rows of it that could not be decoded.
        is_cut: WHM says that it left rows out (`metadata.overflowed`).
        clock_skew_seconds: server's clock minus the exporter's, None without a Date.
    """

    rows_rejected: int = 0
    is_cut: bool = False
    clock_skew_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class UserStatsAnswer:
    """A whole answer of emailtrack_user_stats."""

    records: list[UserStat]
    end: AnswerEnd
