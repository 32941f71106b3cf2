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
_YES, _NO = {"1", "true", "True"}, {"0", "false", "False"}


def direction(record: DeliveryRecord) -> str:
    """One of DIRECTIONS.

    Refusals by cPanel's sending limits (a router `enforce_mail_permissions*`, no transport) are
    outbound: only accounts have such limits.
    """
    if is_stopped_here(record):
        return OUTBOUND
    is_remote = _goes_elsewhere(record)
    if is_remote is None or not record.user:
        return UNKNOWN
    if record.user == REMOTE_USER:
        return FORWARDED if is_remote else INBOUND
    return OUTBOUND if is_remote else INTERNAL


def is_stopped_here(record: DeliveryRecord) -> bool:
    """Whether cPanel's own limits refused it or put it off, so that no receiver was asked."""
    return not record.transport and record.router.startswith(_LIMITS_ROUTER)


def _goes_elsewhere(record: DeliveryRecord) -> bool | None:
    """Whether the recipient is on another server; None if the row doesn't tell."""
    if record.transport:
        if record.transport_is_remote in _YES:
            return True
        if record.transport_is_remote in _NO:
            return False
        return _REMOTE_TRANSPORTS in record.transport
    if record.delivery_user:
        return record.delivery_user == REMOTE_USER
    return None
