"""What a scrape copies: pieces of bytes, rendered and compressed beforehand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

PART_BYTES = 96 * 1024
"""The most text that is made at once while a body is sent.

Small enough that malloc keeps the memory for the next part. Larger pieces are given back to the
system each time, and getting them again costs more than what is done with them; and every client
holds one.
"""


class Format(Enum):
    """Exposition formats; the value is the Content-Type."""

    TEXT = "text/plain; version=0.0.4; charset=utf-8"
    OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Body:
    """One response body.

    Attributes:
        length: its size in bytes (Content-Length).
        open: gives a fresh iterator over its pieces; what is made on the way comes in
            pieces of at most PART_BYTES, what is at hand as it is.
    """

    length: int
    open: Callable[[], Iterator[bytes]]
