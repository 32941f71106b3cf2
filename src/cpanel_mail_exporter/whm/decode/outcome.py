"""What decoding comes to: rows, or one of two errors."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Record = TypeVar("Record")


class NotJsonText(ValueError):
    """The bytes are not JSON."""


class UnexpectedShape(ValueError):
    """JSON, but not with the members that are expected; the text says which."""


@dataclass(frozen=True, slots=True)
class Rows(Generic[Record]):
    """Decoded rows, in the order they were sent, and how many could not be decoded."""

    records: list[Record]
    rejected: int
