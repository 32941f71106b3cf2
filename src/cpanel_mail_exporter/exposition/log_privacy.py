"""What labels of `email_logs` show of people: a record -> its 22 label values, masked.

Masked are addresses, hosts and network addresses of senders, and texts of servers; what is empty
stays so. Accounts, mail domains, and the hosts that mail is delivered to are no persons and stay;
but any value with an `@` in it is taken for an address.
"""

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord

HASH_CHARACTERS = 16
_CACHED_VALUES = 32_768
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_NUMBERS = re.compile(r"[\d.]+")
_WAY_TO_LOG_IN = re.compile(r"localuser|[a-z0-9]{1,20}_(?:login|plain|cram|cram_md5|ntlm|tls)")

_ADDRESS_LABELS, _PERSON_LABELS = (
    ("delivered_to", "recipient", "sender"),
    ("sender_host", "sender_ip"),
)
SAYS_WHO = frozenset({*_ADDRESS_LABELS, *_PERSON_LABELS, "message", "sender_auth"})
"""Labels whose values are masked."""

_ADDRESSES = [DELIVERY_LABELS.index(name) for name in _ADDRESS_LABELS]
_PERSONS = [DELIVERY_LABELS.index(name) for name in _PERSON_LABELS]
_MESSAGE, _AUTH = DELIVERY_LABELS.index("message"), DELIVERY_LABELS.index("sender_auth")
_OTHERS = [place for place, name in enumerate(DELIVERY_LABELS) if name not in SAYS_WHO]

Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class LabelMask:
    """How values are masked, each kind by a function of its own.

    Attributes:
        address: for addresses, and places such as the path of a mailbox.
        person: for hosts, network addresses and login names of who sent.
        text: for what a server said.
    """

    address: Mask
    person: Mask
    text: Mask

    def values(self, record: DeliveryRecord) -> tuple[str, ...]:
        """The label values of `email_logs`, in the order of its labels."""
        shown = list(record[:22])
        for place in _ADDRESSES:
            shown[place] = self.address(shown[place]) if shown[place] else ""
        for place in _PERSONS:
            shown[place] = self.person(shown[place]) if shown[place] else ""
        if shown[_MESSAGE]:
            shown[_MESSAGE] = self.text(shown[_MESSAGE])
        if shown[_AUTH] and not _WAY_TO_LOG_IN.fullmatch(shown[_AUTH]):
            shown[_AUTH] = self.person(shown[_AUTH])
        if "@" in "".join([shown[place] for place in _OTHERS]):
            for place in _OTHERS:
                if "@" in shown[place]:
                    shown[place] = self.address(shown[place])
        return tuple(shown)


def hashed(key: bytes) -> LabelMask:
    """Each value becomes a keyed hash: equal ones stay equal, and nobody can guess them.

    It is HMAC-SHA-256, the first HASH_CHARACTERS digits of it, so that who has the key can find
    an address by its hash with tools that every system has.
    """

    def keyed(value: str) -> str:
        digest = hmac.digest(key, value.encode("utf-8", "surrogatepass"), "sha256")
        return digest.hex()[:HASH_CHARACTERS]

    cached = lru_cache(_CACHED_VALUES)(keyed)
    # Texts seldom come twice, and would drive out what does.
    return LabelMask(address=cached, person=cached, text=keyed)


def domains_only() -> LabelMask:
    """Of addresses the domain is left, of persons' hosts and of texts nothing."""
    return LabelMask(address=lru_cache(_CACHED_VALUES)(_domain_of), person=_nothing, text=_nothing)


def _domain_of(address: str) -> str:
    """The domain in small letters; empty where there is none, or a network address in its place.

    >>> _domain_of("Bob@Example.COM"), _domain_of("bob@[192.0.2.1]"), _domain_of("/home/bob/mail")
    ('example.com', '', '')
    """
    _, at, domain = address.rpartition("@")
    domain = domain.strip(">").lower()
    is_domain = at and _DOMAIN.fullmatch(domain) and not _NUMBERS.fullmatch(domain)
    return domain if is_domain else ""


def _nothing(value: str) -> str:  # noqa: ARG001 - a mask
    return ""
