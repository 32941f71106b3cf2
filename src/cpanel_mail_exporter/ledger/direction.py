"""Which way mail goes: a record -> one of DIRECTIONS.

WHM names the sender's account in `user`, and senders elsewhere `-remote-` [documented]. Whether
delivery is remote is told by `transport_is_remote`, which is also 0 where there was no transport
at all; then, and where that field is missing, other fields have to tell. That `deliveryuser` is
`-remote-` for recipients elsewhere has been seen only in samples.
"""

from cpanel_mail_exporter.ledger.counters import (
    FORWARDED,
    INBOUND,
    INTERNAL,
    OUTBOUND,
    UNKNOWN,
)
from cpanel_mail_exporter.model.records import DeliveryRecord

REMOTE_USER = "-remote-"
_LIMITS_ROUTER = "enforce_mail_permissions"
_REMOTE_TRANSPORTS = "remote"
_YES, _NO = frozenset(("1", "true", "True")), frozenset(("0", "false", "False"))


def direction(record: DeliveryRecord) -> str:
    """One of DIRECTIONS.

    Refusals by cPanel's sending limits (a router `enforce_mail_permissions*`, no transport) are
    outbound: only accounts have such limits.
    """
    # All in one piece: this runs for every event there is.
    transport, user = record.transport, record.user
    if transport:
        flag = record.transport_is_remote
        is_remote = flag in _YES or (flag not in _NO and _REMOTE_TRANSPORTS in transport)
    elif is_stopped_here(record):
        return OUTBOUND
    elif record.delivery_user:
        is_remote = record.delivery_user == REMOTE_USER
    else:
        return UNKNOWN
    if not user:
        return UNKNOWN
    if user == REMOTE_USER:
        return FORWARDED if is_remote else INBOUND
    return OUTBOUND if is_remote else INTERNAL


def is_stopped_here(record: DeliveryRecord) -> bool:
    """Whether cPanel's own limits refused it or put it off, so that no receiver was asked."""
    return not record.transport and record.router.startswith(_LIMITS_ROUTER)
