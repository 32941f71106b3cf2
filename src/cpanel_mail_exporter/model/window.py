"""Spans of time: the window that a windowed family describes, and slices of send time."""

from dataclasses import dataclass
from datetime import datetime, tzinfo


@dataclass(frozen=True, slots=True)
class Slice:
    """Half-open interval `[start, end)` of send time, in whole UTC seconds."""

    start: int
    end: int

    @property
    def seconds(self) -> int:
        """Length in seconds."""
        return self.end - self.start

    def __contains__(self, instant_unix: object) -> bool:
        return isinstance(instant_unix, int) and self.start <= instant_unix < self.end


@dataclass(frozen=True, slots=True)
class Today:
    """From local midnight until now."""

    def start_unix(self, now_unix: int, zone: tzinfo) -> int:
        """First second of the day that holds *now_unix* in *zone*.

        Where midnight doesn't exist (a change to daylight saving time at 00:00) it is the first
        second after the gap; where it comes twice it is the first of them.

        >>> from zoneinfo import ZoneInfo
        >>> Today().start_unix(1795252447, ZoneInfo("Europe/Berlin"))
        1795215600
        """
        day = datetime.fromtimestamp(now_unix, zone)
        midnight = day.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        return int(midnight.timestamp())

    def __str__(self) -> str:
        return "today"


@dataclass(frozen=True, slots=True)
class Rolling:
    """The last *seconds* until now."""

    seconds: int

    def start_unix(self, now_unix: int, zone: tzinfo) -> int:  # noqa: ARG002
        """Second at which the window begins; the zone doesn't matter to it."""
        return now_unix - self.seconds

    def __str__(self) -> str:
        return f"{self.seconds}s"


Window = Today | Rolling
