"""When to ask a server next, for what, and what its errors mean: pure, with time as an argument."""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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

LOGIN_RETRY_SECONDS = 900.0
"""After a refused login nothing is asked for this long: cPHulk counts refusals and locks out."""

UNSUPPORTED_RETRY_SECONDS = 3_600.0
"""A function that is refused alone is asked again after this."""

PERIOD_SECONDS: Mapping[str, int] = {
    SERVICES: 120,
    ACCOUNTS: 300,
    UNIQUE_RECIPIENTS: 300,
    SERVER_INFO: 3_600,
}
"""How often collectors are asked that aren't asked at every poll."""

_REST_FOR_WORK = 10
"""A collector that keeps a server busy rests so many times as long as it took."""


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
