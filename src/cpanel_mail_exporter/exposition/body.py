"""What a scrape copies: pieces of bytes, rendered and compressed beforehand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum


class Format(Enum):
    """Exposition formats; the value is the Content-Type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Body:
    """One response body.

    Attributes:
        length: its size in bytes (Content-Length).
        open: gives a fresh iterator over its pieces; a piece is at most about 2 MB.
    """

    length: int
    open: Callable[[], Iterator[bytes]]
