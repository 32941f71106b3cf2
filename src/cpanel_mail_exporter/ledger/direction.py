"""Which way mail goes: a record -> one of DIRECTIONS.

WHM names the sender's account in `user`, and senders elsewhere `-remote-` [documented]. Whether
delivery is remote is told by `transport_is_remote`, which is also 0 where there was no transport
at all; then, and where that field is missing, other fields have to tell. That `deliveryuser` is
`-remote-` for recipients elsewhere has been seen only in samples.
"""

from collections.abc import Iterable
from operator import itemgetter

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


_told_by = itemgetter(
    *map(
        DeliveryRecord._fields.index,
        ("transport", "transport_is_remote", "user", "router", "delivery_user"),
    )
)


def direction(record: DeliveryRecord) -> str:
    """One of DIRECTIONS.

    Refusals by cPanel's sending limits (a router `enforce_mail_permissions*`, no transport) are
    outbound: only accounts have such limits.
    """
    return _direction(*_told_by(record))


def directions(records: Iterable[DeliveryRecord]) -> list[str]:
    """Those of all *records*; what many of them have in common is looked at once."""
    return list(map(_Directions().__getitem__, map(_told_by, records)))


class _Directions(dict[tuple[str, str, str, str, str], str]):
    """What tells the direction -> the direction."""

    def __missing__(self, told_by: tuple[str, str, str, str, str]) -> str:
        found = self[told_by] = _direction(*told_by)
        return found


def _direction(
    transport: str, transport_is_remote: str, user: str, router: str, delivery_user: str
) -> str:
    if transport:
        is_remote = transport_is_remote in _YES or (
            transport_is_remote not in _NO and _REMOTE_TRANSPORTS in transport
        )
    elif router.startswith(_LIMITS_ROUTER):
        return OUTBOUND
    elif delivery_user:
        is_remote = delivery_user == REMOTE_USER
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
