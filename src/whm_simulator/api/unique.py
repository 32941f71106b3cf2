"""How many different recipients were written to, by user or by sending address.

Both functions count over the same rows as the totals, whatever became of the mail. Assumed where
cPanel says nothing: what is counted by user are pairs of sending address and recipient, as the name
says; records come by user and by sender.
"""

from typing import Any

from whm_simulator.api.answer import Answer
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params, required
from whm_simulator.api.ranges import range_of, rows_in
from whm_simulator.api.visit import Visit
from whm_simulator.mail.rows import Row

_PER_USER = "get_unique_sender_recipient_count_per_user"
_PER_SENDER = "get_unique_recipient_count_per_sender_for_user"


def get_unique_sender_recipient_count_per_user(visit: Visit, params: Params) -> Answer:
    """One record for each user that sent something in the range."""
    pairs: dict[str, set[tuple[str, str]]] = {}
    for row in _rows(visit, params):
        pairs.setdefault(row.user, set()).add((row.sender, row.recipient))
    records = [
        {"unique_sender_recipient_count": len(found), "user": user}
        for user, found in sorted(pairs.items())
    ]
    return _answer(_PER_USER, visit, params, records)


def get_unique_recipient_count_per_sender_for_user(visit: Visit, params: Params) -> Answer:
    """One record for each address that a user sent something from in the range."""
    rows = _rows(visit, params)
    user = required(params, "user")
    recipients: dict[str, set[str]] = {}
    for row in rows:
        if row.user == user:
            recipients.setdefault(row.sender, set()).add(row.recipient)
    records = [
        {"sender": sender, "unique_recipient_count": len(found)}
        for sender, found in sorted(recipients.items())
    ]
    return _answer(_PER_SENDER, visit, params, records)


def _rows(visit: Visit, params: Params) -> list[Row]:
    for name in ("start_time", "end_time"):
        required(params, name)
    return rows_in(visit, range_of(visit, params, ("start_time",), ("end_time",)))


def _answer(command: str, visit: Visit, params: Params, records: list[dict[str, Any]]) -> Answer:
    metadata: dict[str, Any] = {}
    shown = Output.of(params, visit.quirks).apply(records, metadata)
    return Answer(command, shown, key="payload", metadata=metadata)
