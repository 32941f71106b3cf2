"""When to ask next, and whom: pure decisions, with time as an argument."""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from cpanel_mail_exporter.model.errors import (
    Denied,
    FunctionMissing,
    FunctionRefused,
    PollError,
    Unsupported,
)
from cpanel_mail_exporter.model.outcome import (
    ACCOUNTS,
    OPTIONAL,
    SERVER_INFO,
    SERVICES,
    UNIQUE_RECIPIENTS,
)
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.ranges import LEAF_SECONDS, READ_SECONDS, cover, floor, pieces
from cpanel_mail_exporter.polling.spans import Spans

LOGIN_RETRY_SECONDS = 900.0
"""After a refused login nothing is asked for this long: cPHulk counts refusals and locks out."""

UNSUPPORTED_RETRY_SECONDS = 3_600.0
"""A function that is refused alone is asked again after this."""

OVERLAP_SECONDS = LEAF_SECONDS
"""How long after it was sent mail is read again at every poll, at least."""

PERIOD_SECONDS: Mapping[str, int] = {
    SERVICES: 120,
    ACCOUNTS: 300,
    UNIQUE_RECIPIENTS: 300,
    SERVER_INFO: 3_600,
}
"""How often collectors are asked that aren't asked at every poll."""

_REST_FOR_WORK = 10
"""A collector that keeps a server busy rests so many times as long as it took."""

_JOINED_GAP_SECONDS = 6 * LEAF_SECONDS
_DAY_SECONDS = 86_400
_FEW_ROWS = 4_000
_MANY_ROWS = 20_000
_DAY_EVERY = 5
_ALL_EVERY = 30


def offset_seconds(server: str, interval_seconds: float) -> float:
    """Where in the interval a server's ticks lie: spread by name, the same after every restart."""
    return zlib.crc32(server.encode()) / 2**32 * interval_seconds


def next_tick(
    *, now_unix: float, poll_seconds: float, interval_seconds: float, offset: float
) -> float:
    """When the next poll begins, after one that took *poll_seconds* ended at *now_unix*.

    Ticks are aligned to the interval and don't drift; a server rests at least as long as its poll
    took. A tick nearer than a tenth of the interval is the one this poll was for: the wall clock
    may lag a little behind the one that was waited by.

    >>> next_tick(now_unix=130.0, poll_seconds=2.0, interval_seconds=60.0, offset=5.0)
    185.0
    >>> next_tick(now_unix=184.0, poll_seconds=2.0, interval_seconds=60.0, offset=5.0)
    245.0
    """
    earliest = now_unix + max(poll_seconds, interval_seconds / 10)
    ticks = math.ceil((earliest - offset) / interval_seconds)
    tick = offset + ticks * interval_seconds
    return tick if tick > now_unix else tick + interval_seconds


@dataclass(frozen=True, slots=True)
class Turn:
    """The newest time that a collector was asked.

    Attributes:
        begun_unix: begin of that poll, exporter's clock.
        seconds: how long it took; 0 if all of the poll failed, which isn't owed to the collector.
        is_good: it succeeded.
    """

    begun_unix: float
    seconds: float
    is_good: bool


def due_collectors(
    collectors: Sequence[str], unsupported_until: Mapping[str, float], now_unix: float
) -> list[str]:
    """The collectors that may be asked in a poll that begins now."""
    return [name for name in collectors if unsupported_until.get(name, -math.inf) <= now_unix]


def is_turn_of(
    collector: str, last: Turn | None, *, server: str, now_unix: float, interval_seconds: float
) -> bool:
    """Whether a collector is to be asked in a poll that begins now.

    Periods begin at instants spread by server and collector, so that not all of a fleet's are due
    in the same minute. After a failure it is asked at the next poll. A clock that was set back
    makes everything due.

    >>> last = Turn(begun_unix=1_000.0, seconds=0.2, is_good=True)
    >>> is_turn_of("mail_queue", last, server="web1", now_unix=1_060.0, interval_seconds=60.0)
    True
    >>> is_turn_of("accounts", last, server="web1", now_unix=1_060.0, interval_seconds=60.0)
    False
    """
    if last is None or now_unix < last.begun_unix:
        return True
    # Polls come at ticks: the one that is nearest to the end of the rest will do.
    if now_unix - last.begun_unix + interval_seconds / 2 < _REST_FOR_WORK * last.seconds:
        return False
    period = PERIOD_SECONDS.get(collector, 0)
    if not last.is_good or period <= interval_seconds:
        return True
    begin = offset_seconds(f"{server}/{collector}", period)
    return (now_unix - begin) // period > (last.begun_unix - begin) // period


def rest_seconds(collector: str, seconds: float, interval_seconds: float) -> float:
    """How long a collector that took *seconds* may be left alone beyond the next poll, at most.

    >>> rest_seconds("mail_queue", 0.2, 60.0), rest_seconds("mail_queue", 9.0, 60.0)
    (0.0, 90.0)
    """
    pause = max(PERIOD_SECONDS.get(collector, 0), _REST_FOR_WORK * seconds)
    return pause if pause > interval_seconds else 0.0


def by_waiting(collectors: Sequence[str], turns: Mapping[str, Turn]) -> list[str]:
    """*collectors* with those first that have waited longest; those never asked before all."""
    return sorted(
        collectors, key=lambda name: turns[name].begun_unix if name in turns else -math.inf
    )


def may_ask_on(errors: Sequence[PollError | None]) -> bool:
    """Whether another function may be asked in this poll, after these ended so (None: well).

    After the first refused login at most one other function is asked, unless one succeeded:
    then the login is good, and what is refused is the function.
    """
    refused = [place for place, error in enumerate(errors) if isinstance(error, Denied)]
    if not refused or None in errors:
        return True
    return len(errors) - refused[0] < 2


def verdict(
    error: PollError | None, errors: Sequence[PollError | None], collector: str = ""
) -> PollError | None:
    """What one collector's error means once the whole poll is known.

    WHM says the same to a wrong token and to one without the privilege. If another function
    succeeded with this token in this poll, it is the privilege: Denied becomes Unsupported. So does
    an error of WHM's own whose text says that the function or the privilege for it is lacking, and
    for OPTIONAL collectors HTTP 404: elsewhere that is taken for an update that goes on.
    """
    if error is None or None not in errors:
        return error
    is_missing = isinstance(error, FunctionMissing) and collector in OPTIONAL
    if isinstance(error, (Denied, FunctionRefused)) or is_missing:
        return Unsupported(error.server, error.function, error.detail)
    return error


def fast_loop(now_unix: int, read_until: int) -> tuple[Slice, Slice | None]:
    """What the fast loop reads now, and what was missed before it.

    Args:
        now_unix: server's time; the second that is going on is read as well.
        read_until: a boundary of ranges up to which all had been read when the last poll ended.

    Returns:
        a slice that ends with now, and the slice before it that nobody has read (None if there
        isn't any): after a long pause it is left to the backlog, since what is new comes first.

    >>> fast_loop(10_000, 9_300)
    (Slice(start=9300, end=10001), None)
    >>> fast_loop(100_000, 9_300)
    (Slice(start=99600, end=100001), Slice(start=9300, end=99600))
    """
    settled = settled_until(now_unix)
    start = min(read_until, settled)
    missed = None
    if settled - start > _JOINED_GAP_SECONDS:
        missed = Slice(start, settled)
        start = settled
    return Slice(start, now_unix + 1), missed


def settled_until(now_unix: int) -> int:
    """Where the fast loop begins next: what was sent earlier is watched by its totals."""
    return floor(now_unix - OVERLAP_SECONDS)


class Round(IntEnum):
    """How far back a poll looks for changes."""

    NEWEST = 0
    DAY = 1
    ALL = 2


def due_round(
    now_unix: int, day_looked_unix: int, all_looked_unix: int, interval_seconds: float
) -> Round:
    """How far back to look now: at the last day in every fifth poll, at all in every thirtieth.

    Counted in time, not in polls: a process that never lives for thirty polls looks as often. A
    clock that was set back makes everything due.

    >>> due_round(1_800, 1_500, 0, 60.0), due_round(1_799, 1_500, 0, 60.0)
    (<Round.ALL: 2>, <Round.NEWEST: 0>)
    """
    if not 0 <= now_unix - all_looked_unix < _ALL_EVERY * interval_seconds:
        return Round.ALL
    if not 0 <= now_unix - day_looked_unix < _DAY_EVERY * interval_seconds:
        return Round.DAY
    return Round.NEWEST


def looked_before(name: str, now_unix: int, interval_seconds: float) -> int:
    """When a server that is new should count as looked at: not all of them are due together."""
    return now_unix - int(offset_seconds(name, _ALL_EVERY * interval_seconds))


def nearly_due(now_unix: int, interval_seconds: float) -> int:
    """When all was looked at, as far as planning goes, if that was broken off just now.

    It is due again with the next look at the last day: not at once, since what is new comes first.

    >>> due_round(1_300, 1_000, nearly_due(1_000, 60.0), 60.0)
    <Round.ALL: 2>
    """
    return now_unix - int((_ALL_EVERY - _DAY_EVERY) * interval_seconds)


def due_ranges(watched: Slice, reaches: Round) -> list[Slice]:
    """The ranges of *watched* whose totals are to be looked at, newest first.

    What ended in the last 80 minutes is looked at in every poll, since rows may be late.

    Args:
        watched: ends are boundaries of leaves.
        reaches: how far back.
    """
    reach = {Round.NEWEST: READ_SECONDS, Round.DAY: _DAY_SECONDS, Round.ALL: watched.seconds}
    first = watched.end - max(reach[reaches], 1)
    return [each for each in cover(watched) if each.end > first]


def last_full_day(now_unix: int) -> Slice:
    """The newest UTC day that is over."""
    end = floor(now_unix, _DAY_SECONDS)
    return Slice(end - _DAY_SECONDS, end)


def next_fill_seconds(seconds: int, rows: int) -> int:
    """How much of a window to read next, after a piece of *seconds* that held so many rows.

    >>> next_fill_seconds(4_800, 20), next_fill_seconds(19_200, 90_000)
    (38400, 9600)
    """
    if rows < _FEW_ROWS:
        return min(8 * seconds, _DAY_SECONDS)
    return seconds if rows < _MANY_ROWS else max(READ_SECONDS, seconds // 2)


def next_unread(unread: Spans) -> Slice | None:
    """The slice of a backlog to read next: the newest, of 80 minutes at most."""
    return pieces(unread.slices[-1])[0] if unread else None


def backlog_slices(unread: Spans) -> int:
    """How many slices a backlog is read in."""
    return sum(len(pieces(span)) for span in unread.slices)
