"""Draws lines on a terminal, on its second screen, and gives it back as it was."""

import os
import sys
import termios
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self, TextIO

from cpanel_mail_exporter.demo.styled import Line, coloured, plain, rows

_USUAL_SIZE = (80, 24)
_ENTER = "\033[?1049h\033[?25l"
_LEAVE = "\033[?25h\033[?1049l"
_CLEAR_ROW = "\033[2K"
_LOCAL_MODES = 3  # their place in what termios.tcgetattr gives
_CLEAR_BELOW = "\033[J"


def is_terminal(out: TextIO) -> bool:
    """Whether *out* is a terminal that understands escape codes."""
    return out.isatty() and os.environ.get("TERM", "") not in {"", "dumb"}


class Terminal:
    """The second screen of a terminal, without cursor and echo, from `with` to its end.

    Colours are left out where NO_COLOR is set (https://no-color.org).
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._render = plain if os.environ.get("NO_COLOR") else coloured
        self._modes: list[Any] | None = None

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(self, *_exception: object) -> None:
        # The window may have been closed: then nobody is left to give it back to.
        with suppress(OSError):
            self.give_back()

    def take(self) -> None:
        """Switch to the second screen."""
        if _is_in_foreground():
            self._modes = termios.tcgetattr(sys.stdin)
            silent = list(self._modes)
            silent[_LOCAL_MODES] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, silent)
        self._write(_ENTER)

    def give_back(self) -> None:
        """Switch back to what was there before; keys typed meanwhile are dropped."""
        try:
            self._write(_LEAVE)
        finally:
            if self._modes is not None:
                termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, self._modes)
                self._modes = None

    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        try:
            columns, height = os.get_terminal_size(self._out.fileno())
        except OSError:
            return _USUAL_SIZE
        return columns or _USUAL_SIZE[0], height or _USUAL_SIZE[1]

    def draw(self, lines: Sequence[Line]) -> None:
        """Show *lines* instead of what was shown; long ones go on in the next row."""
        columns, height = self.size()
        row = 1
        text = ""
        for line in lines:
            taken = rows([line], columns)
            # Cleared before it is written: after the last column of a row it would lose a letter.
            cleared = "".join(f"\033[{row + more};1H{_CLEAR_ROW}" for more in range(taken))
            text += f"{cleared}\033[{row};1H{self._render(line)}"
            row += taken
        if row <= height:
            text += f"\033[{row};1H{_CLEAR_BELOW}"
        self._write(text)

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _is_in_foreground() -> bool:
    """Whether keys typed on the terminal come to us; else changing its modes would stop us."""
    return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
