"""When to ask next, and whom: pure decisions, with time as an argument."""

import math
import zlib
from collections.abc import Mapping, Sequence

from cpanel_mail_exporter.model.errors import Denied, PollError, Unsupported

LOGIN_RETRY_SECONDS = 900.0
"""After a refused login nothing is asked for this long: cPHulk counts refusals and locks out."""

UNSUPPORTED_RETRY_SECONDS = 3_600.0
"""A function that is refused alone is asked again after this."""


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


def due_collectors(
    collectors: Sequence[str], unsupported_until: Mapping[str, float], now_unix: float
) -> list[str]:
    """The collectors to ask in a poll that begins now."""
    return [name for name in collectors if unsupported_until.get(name, -math.inf) <= now_unix]


def may_ask_on(errors: Sequence[PollError | None]) -> bool:
    """Whether another function may be asked in this poll, after these ended so (None: well).

    After the first refused login at most one other function is asked, unless one succeeded:
    then the login is good, and what is refused is the function.
    """
    refused = [place for place, error in enumerate(errors) if isinstance(error, Denied)]
    if not refused or None in errors:
        return True
    return len(errors) - refused[0] < 2


def verdict(error: PollError | None, errors: Sequence[PollError | None]) -> PollError | None:
    """What one collector's error means once the whole poll is known.

    WHM says the same to a wrong token and to one without the privilege. If another function
    succeeded with this token in this poll, it is the privilege: Denied becomes Unsupported.
    """
    if isinstance(error, Denied) and None in errors:
        return Unsupported(error.server, error.function, error.detail)
    return error
