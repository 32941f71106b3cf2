"""Lines of text in a few styles, and what they look like on a terminal."""

import math
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple


class Style(Enum):
    """What a piece of text is; its value is the SGR code that shows it."""

    PLAIN = ""
    HEAD = "1"
    QUIET = "2"
    GOOD = "32"
    WAITING = "33"
    BAD = "1;31"


class Piece(NamedTuple):
    """Text in one style, without control characters."""

    text: str
    style: Style = Style.PLAIN


Line = tuple[Piece, ...]


def plain(line: Line) -> str:
    """A line's text alone."""
    return "".join(piece.text for piece in line)


def coloured(line: Line) -> str:
    """A line with its styles as escape codes."""
    return "".join(
        f"\033[{piece.style.value}m{piece.text}\033[0m" if piece.style.value else piece.text
        for piece in line
    )


def clipped(line: Line, columns: int) -> Line:
    """The first *columns* characters of a line."""
    pieces: list[Piece] = []
    for text, style in line:
        pieces.append(Piece(text[:columns], style))
        columns = max(0, columns - len(text))
    return tuple(piece for piece in pieces if piece.text)


def rows(lines: Iterable[Line], columns: int) -> int:
    """How many rows of a terminal *lines* take when long ones go on in the next row."""
    return sum(max(1, math.ceil(len(plain(line)) / columns)) for line in lines)
