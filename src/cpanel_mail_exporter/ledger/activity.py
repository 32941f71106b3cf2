"""New events -> what each account did in each slot of action time.

All of an account's mail to other servers is its activity, also what happened before counting
began: it tells what is usual. Not an account's are mail from elsewhere, what is passed on of it
(`-remote-` both), and rows without a user. cPanel's pseudo-users (`root`, `nobody`, `mailnull`) are
told apart like accounts; who isn't to be judged is for others to say.
"""

from collections import defaultdict
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
_NUMBERS = len(Activity._fields)
# Where each number of an Activity is noted while it grows.
(
    _TRIED,
    _DELIVERED,
    _DEFERRED,
    _FAILED,
    _UNKNOWN,
    _STOPPED,
    _ADDRESSES,
    _NETWORKS,
    _RECIPIENTS,
) = range(_NUMBERS)
# What a NamedTuple's constructor calls, without its detour.
_new_tuple = tuple.__new__


class Activities:
    """Takes the new events of an answer, gives what they come to by user and slot.

    Args:
        sketched_since_unix: recipients are sketched of slots that begin from here on. That takes
            most of the time and space, and only of the last ten minutes anybody wants to know.
    """

    def __init__(self, sketched_since_unix: float = float("-inf")) -> None:
        self._sketched_since_unix = sketched_since_unix
        self._noted: dict[ActivityKey, list[int]] = {}
        self._recipients: defaultdict[ActivityKey, list[str]] = defaultdict(list)
        self._addresses, self._networks = _AddressSketches(), _NetworkSketches()

    def take(self, events: Iterable[NewEvent]) -> None:
        """Add events, of any users and in any order."""
        found, addresses, networks = self._noted, self._addresses, self._networks
        for record, _, _, when, kind, way, reason in events:
            # Without a transport nothing says where mail would have gone: recipients that can't be
            # routed are as a rule elsewhere.
            if way != OUTBOUND and (way != UNKNOWN or kind == KIND_SUCCESS):
                continue
            user, send_unix = record.user, record.send_unix
            if kind == KIND_OTHER or user in _NO_SENDER:
                continue
            key = user, when - when % SLOT_SECONDS
            noted = found.get(key)
            if noted is None:
                noted = found[key] = [0] * _NUMBERS
            if send_unix is None or when - send_unix <= FIRST_TRY_SECONDS:
                noted[_TRIED] += 1
            if kind == KIND_SUCCESS:
                noted[_DELIVERED] += 1
            elif is_stopped_here(record):
                noted[_STOPPED] += 1
            elif kind == KIND_DEFERRAL:
                noted[_DEFERRED] += 1
            else:
                noted[_FAILED] += 1
                if reason is not None and reason.reason == UNKNOWN_USER:
                    noted[_UNKNOWN] += 1
            noted[_ADDRESSES] |= addresses[record.sender]
            noted[_NETWORKS] |= networks[record.sender_ip]
            if key[1] >= self._sketched_since_unix:
                self._recipients[key].append(record.recipient)

    def found(self) -> dict[ActivityKey, Activity]:
        """What has been taken."""
        for key, texts in self._recipients.items():
            self._noted[key][_RECIPIENTS] = sketch(texts, MANY_BITS)
        return {key: _new_tuple(Activity, noted) for key, noted in self._noted.items()}


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
