"""New events -> what each account did in each slot of action time.

All of an account's mail to other servers is its activity, also what happened before counting
began: it tells what is usual. Not an account's are mail from elsewhere, what is passed on of it
(`-remote-` both), and rows without a user. cPanel's pseudo-users (`root`, `nobody`, `mailnull`) are
told apart like accounts; who isn't to be judged is for others to say.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address

from cpanel_mail_exporter.ledger.change import (
    KIND_DEFERRAL,
    KIND_OTHER,
    KIND_SUCCESS,
)
from cpanel_mail_exporter.ledger.counters import OUTBOUND, UNKNOWN
from cpanel_mail_exporter.ledger.direction import REMOTE_USER, is_stopped_here
from cpanel_mail_exporter.ledger.new_event import NewEvent
from cpanel_mail_exporter.spam_runs.activity import SLOT_SECONDS, Activity
from cpanel_mail_exporter.spam_runs.sketch import FEW_BITS, MANY_BITS, sketch

ActivityKey = tuple[str, int]
"""User, and first second of a slot or hour."""

UNKNOWN_USER = "unknown_user"
FIRST_TRY_SECONDS = 600
"""An attempt so soon after the mail came in is taken for the first."""

_NO_SENDER = frozenset(("", REMOTE_USER))
_KNOWN_NETWORKS = 4_096
# What a NamedTuple's constructor calls, without its detour.
_new_tuple = tuple.__new__


def activity_of(events: Iterable[NewEvent]) -> dict[ActivityKey, Activity]:
    """What the new events of an answer come to, by user and slot."""
    found: dict[ActivityKey, _Gathered] = {}
    addresses, networks = _AddressSketches(), _NetworkSketches()
    for record, _, _, when, kind, way, reason in events:
        user = record.user
        if kind == KIND_OTHER or user in _NO_SENDER:
            continue
        # Without a transport nothing says where mail would have gone: recipients that can't be
        # routed are as a rule elsewhere.
        if way != OUTBOUND and (way != UNKNOWN or kind == KIND_SUCCESS):
            continue
        key = user, when - when % SLOT_SECONDS
        gathered = found.get(key)
        if gathered is None:
            gathered = found[key] = _Gathered()
        send_unix = record.send_unix
        if send_unix is None or when - send_unix <= FIRST_TRY_SECONDS:
            gathered.tried += 1
        if kind == KIND_SUCCESS:
            gathered.delivered += 1
        elif is_stopped_here(record):
            gathered.stopped += 1
        elif kind == KIND_DEFERRAL:
            gathered.deferred += 1
        else:
            gathered.failed += 1
            if reason is not None and reason.reason == UNKNOWN_USER:
                gathered.unknown += 1
        gathered.addresses |= addresses[record.sender]
        gathered.networks |= networks[record.sender_ip]
        gathered.recipients.append(record.recipient)
    return {key: gathered.activity() for key, gathered in found.items()}


class _Gathered:
    """What was noted of one user and slot."""

    __slots__ = (
        "addresses",
        "deferred",
        "delivered",
        "failed",
        "networks",
        "recipients",
        "stopped",
        "tried",
        "unknown",
    )

    def __init__(self) -> None:
        self.tried = self.delivered = self.deferred = self.failed = self.unknown = 0
        self.stopped = self.addresses = self.networks = 0
        self.recipients: list[str] = []

    def activity(self) -> Activity:
        return _new_tuple(
            Activity,
            (
                self.tried,
                self.delivered,
                self.deferred,
                self.failed,
                self.unknown,
                self.stopped,
                self.addresses,
                self.networks,
                sketch(self.recipients, MANY_BITS),
            ),
        )


class _AddressSketches(dict[str, int]):
    """Sending addresses of one answer -> their sketches; there are few, each in many rows."""

    def __missing__(self, address: str) -> int:
        found = self[address] = sketch([address], FEW_BITS) if address else 0
        return found


class _NetworkSketches(dict[str, int]):
    """The same of the networks of network addresses."""

    def __missing__(self, ip: str) -> int:
        network = network_of(ip)
        found = self[ip] = sketch([network], FEW_BITS) if network else 0
        return found


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
