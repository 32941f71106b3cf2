"""From the wall time in front of a log line to an instant, and the instant inside a message id.

Exim writes local time without an offset unless ``log_timezone`` is on (specification, chapter "Log
files"). In the hour that a clock goes through twice such a stamp has two meanings; the order of the
lines, and the time inside message ids, tell which.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_MINUTE_CHARACTERS = len("2026-11-21 09:14")
_DISORDER_SECONDS = 60
"""How much older than the line before it a line may be: several processes write at once."""


class Stamp(NamedTuple):
    """Time as written: ``YYYY-MM-DD HH:MM:SS``, and ``+HHMM`` where the log has it."""

    wall: str
    offset: str = ""


def id_time_unix(msgid: str) -> int:
    """When Exim began to receive the message *msgid*: the first six characters, in base 62.

    So says the section "Message identification" of Exim's specification, of the form with 16
    characters; that with 23 (since Exim 4.97) begins in the same way.
    """
    seconds = 0
    for digit in msgid[:6]:
        seconds = seconds * len(_DIGITS) + _DIGITS.index(digit)
    return seconds


class WallClock:
    """Instants of stamps in *zone*, to be asked in the order of the file."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._minute = ("", "")
        self._minute_unix: tuple[int, ...] = ()
        self._last_unix = -(2**53)

    def unix(self, stamp: Stamp, msgid: str = "") -> int:
        """The instant of *stamp*, on a line about *msgid*.

        A stamp with two meanings, or in an hour that the clock left out, gets the earliest one that
        comes neither before the line before it nor before its message began to arrive.

        Raises:
            ValueError: there is no such day or time.
        """
        minute = (stamp.wall[:_MINUTE_CHARACTERS], stamp.offset)
        if minute != self._minute:
            self._minute_unix = self._meanings(*minute)
            self._minute = minute
        second = int(stamp.wall[_MINUTE_CHARACTERS + 1 :])
        if second > 60:  # one more for a leap second
            raise ValueError(stamp.wall)
        possible = self._minute_unix
        at_unix = possible[-1] + second
        if len(possible) > 1:
            earliest = max(self._last_unix, id_time_unix(msgid) if msgid else self._last_unix)
            if possible[0] + second >= earliest - _DISORDER_SECONDS:
                at_unix = possible[0] + second
        self._last_unix = at_unix
        return at_unix

    def _meanings(self, minute: str, offset: str) -> tuple[int, ...]:
        """The instants at which a clock on the wall shows *minute*, in order."""
        wall = datetime.fromisoformat(minute)
        if offset:
            east = timedelta(hours=int(offset[1:3]), minutes=int(offset[3:]))
            utc = (wall + east if offset[0] == "-" else wall - east).replace(tzinfo=UTC)
            return (int(utc.timestamp()),)
        return tuple(
            sorted({int(wall.replace(tzinfo=self._zone, fold=fold).timestamp()) for fold in (0, 1)})
        )
