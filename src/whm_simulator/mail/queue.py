"""The queue that rows tell of: messages with a recipient that has no final outcome."""

from collections.abc import Iterable

from whm_simulator.mail.rows import DEFER, INPROGRESS, Row
from whm_simulator.mail.source import Queued


def queue_of(rows: Iterable[Row]) -> list[Queued]:
    """Messages of *rows* whose newest row for some recipient is a deferral or in progress.

    Args:
        rows: every row of each message, by send time.

    Returns:
        Oldest first; none is frozen, since rows don't tell.
    """
    newest: dict[tuple[str, str], Row] = {}
    for row in rows:
        key = (row.msgid, row.recipient)
        known = newest.get(key)
        if known is None or _acts_at(known) <= _acts_at(row):
            newest[key] = row
    waiting: dict[str, list[Row]] = {}
    for row in newest.values():
        if row.type in (DEFER, INPROGRESS):
            waiting.setdefault(row.msgid, []).append(row)
    return [
        Queued(
            msgid,
            found[0].sender,
            tuple(row.recipient for row in found),
            found[0].size,
            found[0].sendunixtime,
            is_frozen=False,
            user=found[0].user,
        )
        for msgid, found in waiting.items()
    ]


def _acts_at(row: Row) -> int:
    return row.actionunixtime or 0
