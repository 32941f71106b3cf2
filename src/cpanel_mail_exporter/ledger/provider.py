"""Who takes the mail: a record's destination -> a mailbox provider from a small table.

A provider is known by the mail exchanger that was spoken to, which also finds domains of customers,
or else by the recipient's domain. MX names and domains are those the providers publish in DNS.
"""

from collections.abc import Mapping
from functools import lru_cache

from cpanel_mail_exporter.ledger.counters import (
    INBOUND,
    INTERNAL,
    LOCAL_PROVIDER,
    OTHER_PROVIDER,
)
from cpanel_mail_exporter.model.records import DeliveryRecord

DOMAINS: Mapping[str, tuple[str, ...]] = {
    "gmail": ("gmail.com", "googlemail.com"),
    "outlook": (
        *("outlook.com", "hotmail.com", "live.com", "msn.com", "passport.com"),
        *("outlook.de", "outlook.fr", "outlook.es", "outlook.it", "outlook.jp", "outlook.com.br"),
        *("hotmail.co.uk", "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it"),
        *("live.co.uk", "live.de", "live.fr", "live.it", "live.nl", "live.com.au"),
    ),
    "yahoo": (
        *("yahoo.com", "ymail.com", "rocketmail.com", "myyahoo.com", "aol.com"),
        *("yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.es", "yahoo.it", "yahoo.ca"),
        *("yahoo.co.in", "yahoo.in", "yahoo.com.au", "yahoo.com.br", "yahoo.com.mx"),
    ),
    "icloud": ("icloud.com", "me.com", "mac.com"),
}
"""Domains of a provider's own mailboxes."""

MX_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "gmail": (".l.google.com", ".googlemail.com", ".smtp.google.com", "smtp.google.com"),
    "outlook": (".protection.outlook.com", ".mx.microsoft", ".hotmail.com"),
    "yahoo": (".yahoodns.net",),
    "icloud": (".mail.icloud.com",),
}
"""Ends of the names of a provider's mail exchangers."""

PROVIDERS: tuple[str, ...] = (*DOMAINS, OTHER_PROVIDER, LOCAL_PROVIDER)

_BY_DOMAIN = {domain: provider for provider, names in DOMAINS.items() for domain in names}
_CACHED_DESTINATIONS = 4_096


def provider(record: DeliveryRecord, direction: str) -> str:
    """One of PROVIDERS; `local` for mail that stays on the server."""
    if direction in {INBOUND, INTERNAL}:
        return LOCAL_PROVIDER
    address = record.delivered_to if "@" in record.delivered_to else record.recipient
    return _provider_of(record.host, address.rpartition("@")[2])


@lru_cache(_CACHED_DESTINATIONS)
def _provider_of(host: str, domain: str) -> str:
    name = host.lower().rstrip(".")
    if name:
        for found, suffixes in MX_SUFFIXES.items():
            if name.endswith(suffixes):
                return found
    return _BY_DOMAIN.get(domain.lower().rstrip("."), OTHER_PROVIDER)
