"""A minute of send time with all that ever becomes of it, and what of that exists at an instant."""

from typing import NamedTuple

import msgspec

from whm_simulator.mail.rows import INPROGRESS, Row


class Block(NamedTuple):
    """All that one minute of send time will ever show.

    Attributes:
        attempts: rows by send time; each is visible from its ``actionunixtime`` on.
        firsts: places in *attempts* of each recipient's first one; until then it is in progress.
        settled_unix: from here on nothing in this minute changes any more.
        last_first_unix: from here on nothing in this minute is in progress.
    """

    attempts: list[Row]
    firsts: list[int]
    settled_unix: int
    last_first_unix: int

    def visible(self, now_unix: float) -> list[Row]:
        """The rows that exist at *now_unix*, by send time; not to be changed."""
        rows = self.attempts
        if now_unix < self.settled_unix:
            rows = [row for row in rows if acts_at(row) <= now_unix]
        if now_unix < self.last_first_unix:
            firsts = (self.attempts[place] for place in self.firsts)
            rows += [
                _waiting_row(row) for row in firsts if row.sendunixtime <= now_unix < acts_at(row)
            ]
            rows.sort(key=lambda row: row.sendunixtime)
        return rows


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


def acts_at(row: Row) -> int:
    """When the attempt of *row* ended; rows in a block are attempts, so they all have it."""
    return row.actionunixtime or 0
