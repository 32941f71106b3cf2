"""What of a server's deliveries a poll reads and looks at: pure decisions, with time given."""

from enum import IntEnum

from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.ranges import LEAF_SECONDS, READ_SECONDS, cover, floor, pieces
from cpanel_mail_exporter.polling.schedule import offset_seconds
from cpanel_mail_exporter.polling.spans import Spans

OVERLAP_SECONDS = LEAF_SECONDS
"""How long after it was sent mail is read again at every poll, at least."""

_JOINED_GAP_SECONDS = 6 * LEAF_SECONDS
_DAY_SECONDS = 86_400
_FEW_ROWS = 4_000
_MANY_ROWS = 20_000
_DAY_EVERY = 5
_ALL_EVERY = 30


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
