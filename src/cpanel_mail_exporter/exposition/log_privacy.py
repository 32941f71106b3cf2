"""What labels of `email_logs` show of people: a record -> its 22 label values, masked.

Masked are addresses, hosts and network addresses of senders, and texts of servers; what is empty
stays so. Accounts, mail domains, and the hosts that mail is delivered to are no persons and stay;
but any value with an `@` in it is taken for an address.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord

HASH_BYTES = 8
SAYS_WHO = frozenset(
    {"delivered_to", "message", "recipient", "sender", "sender_auth", "sender_host", "sender_ip"}
)
"""Labels whose values are masked."""

_CACHED_VALUES, _CACHED_TEXTS, _CACHED_WORDS = 32_768, 1_024, 1_024
_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_NUMBERS = re.compile(r"[\d.]+")
_WAY_TO_LOG_IN = re.compile(r"localuser|[a-z0-9]{1,20}_(?:login|plain|cram|cram_md5|ntlm|tls)")

Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class LabelMask:
    """How values are masked, each kind by a function of its own.

    Attributes:
        address: for addresses, and places such as the path of a mailbox.
        person: for hosts and network addresses of who sent.
        login: for how the sender logged in.
        text: for what a server said.
    """

    address: Mask
    person: Mask
    login: Mask
    text: Mask

    def values(self, record: DeliveryRecord) -> tuple[str, ...]:
        """The label values of `email_logs`, in the order of its labels."""
        acted, msg_id, router = record[0], record[8], record[10]
        before, after = record[2:7], record[15:22]
        if "@" in "".join((acted, *before, msg_id, router, *after)):
            return self.values(self._without_at(record))
        address, person = self.address, self.person
        return (
            acted,
            address(record[1]),
            *before,
            self.text(record[7]),
            msg_id,
            address(record[9]),
            router,
            address(record[11]),
            self.login(record[12]),
            person(record[13]),
            person(record[14]),
            *after,
        )

    def _without_at(self, record: DeliveryRecord) -> DeliveryRecord:
        """An address where none is expected is masked as well."""
        masked = [
            self.address(value) if "@" in value and label not in SAYS_WHO else value
            for label, value in zip(DELIVERY_LABELS, record[:22], strict=True)
        ]
        return DeliveryRecord._make([*masked, *record[22:]])


def hashed(key: bytes) -> LabelMask:
    """Each value becomes a keyed hash: equal ones stay equal, and nobody can guess them.

    It is BLAKE2b with the key and a digest of 8 bytes, in hexadecimal: among a million values two
    share one with a chance of about 1 in 40 million.
    """
    begun = blake2b(key=key, digest_size=HASH_BYTES)

    def keyed(value: str) -> str:
        if not value:
            return ""
        state = begun.copy()
        state.update(value.encode("utf-8", "surrogatepass"))
        return state.hexdigest()

    cached = lru_cache(_CACHED_VALUES)(keyed)
    return LabelMask(
        address=cached,
        person=cached,
        login=lru_cache(_CACHED_WORDS)(lambda value: _login(value, keyed)),
        # Most texts come once only: in the same cache they would drive out what comes again.
        text=lru_cache(_CACHED_TEXTS)(keyed),
    )


def domains_only() -> LabelMask:
    """Of addresses the domain is left, of persons' hosts and of texts nothing."""
    return LabelMask(
        address=lru_cache(_CACHED_VALUES)(_domain_of),
        person=_nothing,
        login=lru_cache(_CACHED_WORDS)(lambda value: _login(value, _nothing)),
        text=_nothing,
    )


def _domain_of(address: str) -> str:
    """The domain in small letters; empty where there is none, or a network address in its place.

    >>> _domain_of("Bob@Example.COM"), _domain_of("bob@[192.0.2.1]"), _domain_of("/srv/mail/bob")
    ('example.com', '', '')
    """
    _, at, domain = address.rpartition("@")
    domain = domain.strip(">").lower()
    is_domain = at and _DOMAIN.fullmatch(domain) and not _NUMBERS.fullmatch(domain)
    return domain if is_domain else ""


def _login(value: str, mask: Mask) -> str:
    """Names of ways to log in are kept; anything else may be the name of who did."""
    return value if _WAY_TO_LOG_IN.fullmatch(value) else mask(value)


def _nothing(value: str) -> str:  # noqa: ARG001 - a mask
    return ""
