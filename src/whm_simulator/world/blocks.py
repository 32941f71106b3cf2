"""A minute of send time with all that ever becomes of it, and what of that exists at an instant."""

from collections.abc import Callable, Iterable
from itertools import compress
from operator import attrgetter, not_
from typing import NamedTuple

import msgspec

from whm_simulator.mail.rows import INPROGRESS, Row
from whm_simulator.world.retry import LONGEST_FIRST_SECONDS

_sent_at: Callable[[Row], int] = attrgetter("sendunixtime")
_acts_at: Callable[[Row], int] = attrgetter("actionunixtime")


class Block(NamedTuple):
    """All that one minute of send time will ever show.

    Attributes:
        attempts: rows by send time; each is visible from its ``actionunixtime`` on.
        retries: those of them that aren't the first at their recipient, by ``actionunixtime``.
        settled_unix: from here on nothing in this minute changes any more.
        last_first_unix: from here on nothing in this minute is in progress.
    """

    attempts: list[Row]
    retries: list[Row]
    settled_unix: int
    last_first_unix: int

    def visible(self, now_unix: float) -> list[Row]:
        """The rows that exist at *now_unix*, by send time; not to be changed."""
        if now_unix >= self.settled_unix:
            return self.attempts
        rows = [row for row in self.attempts if acts_at(row) <= now_unix]
        if now_unix < self.last_first_unix:
            rows += [
                _waiting_row(row)
                for row in self.attempts
                if row.sendunixtime <= now_unix < acts_at(row) and not is_retry(row)
            ]
            rows.sort(key=_sent_at)
        return rows


def block_of(rows: Iterable[Row]) -> Block:
    """A block of *rows*, which are in no order except that those of a recipient are in theirs."""
    attempts = sorted(rows, key=_sent_at)
    acts = list(map(_acts_at, attempts))
    settled_unix = last_first_unix = max(acts, default=0)
    retries = []
    if attempts and settled_unix - attempts[0].sendunixtime > LONGEST_FIRST_SECONDS:
        sends = map(_sent_at, attempts)
        waits = [act - send for act, send in zip(acts, sends, strict=True)]
        late = [wait > LONGEST_FIRST_SECONDS for wait in waits]
        retries = sorted(compress(attempts, late), key=_acts_at)
        last_first_unix = max(compress(acts, map(not_, late)))
    return Block(attempts, retries, settled_unix, last_first_unix)


def is_retry(row: Row) -> bool:
    """Whether *row*, an attempt, isn't the first at its recipient: it then ended too late."""
    return (row.actionunixtime or 0) - row.sendunixtime > LONGEST_FIRST_SECONDS


def acts_at(row: Row) -> int:
    """When the attempt of *row* ended; rows in a block are attempts, so they all have it."""
    return row.actionunixtime or 0


def _waiting_row(first: Row) -> Row:
    """The in-progress row that stands in place of a recipient's *first* attempt until then.

    What only an attempt can tell is null, as nobody has published what WHM shows there.
    """
    return msgspec.structs.replace(
        first,
        actiontime=None,
        actionunixtime=None,
        deliveredto=None,
        deliverydomain=None,
        deliveryuser=None,
        host=None,
        ip=None,
        message=None,
        router=None,
        transport=None,
        transport_is_remote=0,
        type=INPROGRESS,
    )
