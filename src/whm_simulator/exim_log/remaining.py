"""What is left to do for each recipient of a message, by the rows that it has so far."""

from collections.abc import Iterable

from whm_simulator.exim_log.addresses import same_mailbox_key
from whm_simulator.mail.rows import SUCCESS, Row

Target = tuple[str, str | None]
"""A final address and its transport, since one address may go two ways; None if it got to none."""

Left = dict[Target, str]
"""The last outcome of each target that wasn't a success."""


def remaining(rows: Iterable[Row]) -> dict[str, Left]:
    """By recipient, what of it has not succeeded yet; *rows* are those of one message, in order."""
    found: dict[str, Left] = {}
    for row in rows:
        _note(found.setdefault(row.recipient, {}), row)
    return found


def _note(left: Left, row: Row) -> None:
    """Note how *row* changes what is *left* of its recipient."""
    recipient = same_mailbox_key(row.recipient)
    address = same_mailbox_key(row.deliveredto or row.recipient)
    # That it could not be routed before is over now; if it couldn't be now, so is what came before.
    left.pop((recipient, None), None)
    if row.transport is None:
        for target in [target for target in left if target[0] == address]:
            del left[target]
    if row.type != SUCCESS:
        left[address, row.transport] = row.type
    elif left.pop((address, row.transport), None) is None and not row.transport_is_remote:
        # A local delivery is logged without its domain, so that another one was assumed.
        local = address.rpartition("@")[0]
        for target in left:
            if target[1] == row.transport and target[0].rpartition("@")[0] == local:
                del left[target]
                break
