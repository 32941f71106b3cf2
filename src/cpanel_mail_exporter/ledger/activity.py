"""New events -> what each account did in each slot of action time.

All of an account's mail to other servers is its activity, also what happened before counting
began: it tells what is usual. Not an account's are mail from elsewhere, what is passed on of it
(`-remote-` both), and rows without a user. cPanel's pseudo-users (`root`, `nobody`, `mailnull`) are
told apart like accounts; who isn't to be judged is for others to say.
"""

from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from cpanel_mail_exporter.ledger.change import (
    KIND_DEFERRAL,
    KIND_FAILURE,
    KIND_OTHER,
    KIND_SUCCESS,
)
from cpanel_mail_exporter.ledger.counters import OUTBOUND, UNKNOWN
from cpanel_mail_exporter.ledger.direction import REMOTE_USER, direction, is_stopped_here
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.spam_runs.activity import Activity, slot_of
from cpanel_mail_exporter.spam_runs.sketch import FEW_BITS, MANY_BITS, sketch

ActivityKey = tuple[str, int]
"""User, and first second of a slot or hour."""

UNKNOWN_USER = "unknown_user"
FIRST_TRY_SECONDS = 600
"""An attempt so soon after the mail came in is taken for the first."""

_NO_SENDER = frozenset(("", REMOTE_USER))
_KNOWN_NETWORKS = 4_096


class ActivityCount:
    """Takes the new events of one answer.

    Args:
        meaning: says which recipients don't exist.
    """

    def __init__(self, meaning: Meaning) -> None:
        self._meaning = meaning
        self._found: dict[ActivityKey, _Gathered] = {}

    def note(self, record: DeliveryRecord, when: int, kind: int) -> None:
        """Add an event that happened at *when*; *kind* as in `Event`."""
        user = record.user
        if kind == KIND_OTHER or user in _NO_SENDER:
            return
        # Most are as the first line says; the second asks the same, and takes longer.
        is_sent = record.transport_is_remote == "1" and record.transport
        if not is_sent and not _goes_out(record, kind):
            return
        key = user, slot_of(when)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = _Gathered()
        send_unix = record.send_unix
        if send_unix is None or when - send_unix <= FIRST_TRY_SECONDS:
            found.tried += 1
        if kind == KIND_SUCCESS:
            found.delivered += 1
        elif is_stopped_here(record):
            found.stopped += 1
        elif kind == KIND_DEFERRAL:
            found.deferred += 1
        elif kind == KIND_FAILURE:
            found.failed += 1
            if self._meaning.reason(record).reason == UNKNOWN_USER:
                found.unknown += 1
        found.senders.add(record.sender)
        found.machines.add(record.sender_ip)
        found.recipients.add(record.recipient)

    def activity(self) -> dict[ActivityKey, Activity]:
        """What was noted, by user and slot."""
        return {key: found.activity() for key, found in self._found.items()}


def _goes_out(record: DeliveryRecord, kind: int) -> bool:
    """Whether the recipient is elsewhere.

    Without a transport nothing says where mail would have gone: recipients that can't be routed are
    as a rule elsewhere.
    """
    way = direction(record)
    return way == OUTBOUND or (way == UNKNOWN and kind != KIND_SUCCESS)


class _Gathered:
    """What was noted of one user and slot."""

    __slots__ = (
        "deferred",
        "delivered",
        "failed",
        "machines",
        "recipients",
        "senders",
        "stopped",
        "tried",
        "unknown",
    )

    def __init__(self) -> None:
        self.tried = self.delivered = self.deferred = self.failed = self.unknown = 0
        self.stopped = 0
        self.senders: set[str] = set()
        self.machines: set[str] = set()
        self.recipients: set[str] = set()

    def activity(self) -> Activity:
        networks = {network_of(ip) for ip in self.machines}
        networks.discard("")
        self.senders.discard("")
        return Activity(
            self.tried,
            self.delivered,
            self.deferred,
            self.failed,
            self.unknown,
            self.stopped,
            sketch(self.senders, FEW_BITS),
            sketch(networks, FEW_BITS),
            sketch(self.recipients, MANY_BITS),
        )


@lru_cache(maxsize=_KNOWN_NETWORKS)
def network_of(ip: str) -> str:
    """The /24 or /48 of an address; empty for the server's own and for what is none.

    >>> network_of("192.0.2.77"), network_of("2001:db8:1::7"), network_of("127.0.0.1")
    ('192.0.2', '2001:db8:1', '')
    """
    try:
        address = ip_address(ip)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        if mapped is not None:
            return network_of(str(mapped))
        if address.is_loopback or address.is_unspecified:
            return ""
        return ":".join(f"{int(part, 16):x}" for part in address.exploded.split(":")[:3])
    if address.is_loopback or address.is_unspecified:
        return ""
    return str(address).rpartition(".")[0]
