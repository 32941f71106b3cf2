"""What the log tells of a message and of an attempt, in WHM's fields.

Kinds of values follow the facts on WHM: a success says "Accepted", a local delivery goes to
``localhost``, and what only an attempt can tell is null on a row in progress. A main log has no
From header and no spam score, so the visible sender is the envelope's, and the score 0.
"""

from datetime import datetime, tzinfo
from functools import lru_cache
from sys import intern
from typing import NamedTuple

from whm_simulator.exim_log.addresses import domain_of, same_mailbox_key
from whm_simulator.exim_log.events import Arrival, Attempt
from whm_simulator.exim_log.origin import REMOTE_USER, UserDomains
from whm_simulator.mail.rows import INPROGRESS, SUCCESS, Row

_LOCAL_TRANSPORTS = frozenset(
    (
        "dovecot_delivery",
        "dovecot_virtual_delivery",
        "cagefs_virtual_address_pipe",
        "local_delivery",
        "virtual_userdelivery",
    )
)
"""Transports of cPanel's that stay on the server, even if they name a host."""


class Server(NamedTuple):
    """The server whose log it is."""

    hostname: str
    zone: tzinfo
    domains: UserDomains


class Envelope(NamedTuple):
    """The columns that all rows of one message share, with WHM's names."""

    sender: str
    email: str
    user: str
    domain: str
    senderauth: str
    senderhost: str
    senderip: str
    size: int


def envelope_of(arrival: Arrival, server: Server) -> Envelope:
    """The sending side of *arrival*.

    ``senderauth`` is the authenticator, ``localuser`` for a program on this machine, and empty for
    bounces and other servers' mail.
    """
    user, domain = server.domains.sender_of(arrival, server.hostname)
    is_own_bounce = not arrival.sender and arrival.peer is None
    host, ip = arrival.peer or ("localhost", "127.0.0.1")
    senderauth = arrival.authenticator
    if not senderauth and arrival.peer is None and arrival.sender:
        senderauth = "localuser"
    return Envelope(
        arrival.sender,
        f"Mailer-Daemon@{server.hostname}" if is_own_bounce else arrival.sender,
        intern(user),
        intern(domain),
        intern(senderauth),
        intern(host),
        intern(ip),
        arrival.size,
    )


def envelope_unseen(attempt: Attempt, server: Server) -> Envelope:
    """The sending side as far as *attempt* tells, for want of the line about its arrival."""
    sender = attempt.sender or ""
    domain = domain_of(sender)
    user = server.domains.users.get(domain)
    if user is None:
        return Envelope(sender, sender, REMOTE_USER, "", "", "", "", 0)
    return Envelope(sender, sender, user, domain, "", "", "", 0)


def is_remote(attempt: Attempt) -> bool:
    """Whether *attempt* went, or would have gone, to another server.

    Exim gives a host's address on lines of its SMTP client only, and cPanel's transports that send
    elsewhere have ``smtp`` in their names.
    """
    if not attempt.transport or attempt.transport in _LOCAL_TRANSPORTS:
        return False
    return bool(attempt.peer and attempt.peer.ip) or "smtp" in attempt.transport


def attempt_row(
    attempt: Attempt, at_unix: int, sent_unix: int, recipient: str, envelope: Envelope,
    server: Server,
) -> Row:  # fmt: skip
    """The row of *attempt* at *recipient*, made at *at_unix*, of a message that came *sent_unix*.

    ``deliveredto`` of a delivery that didn't succeed is null, as in the known samples, unless it
    went to another address than the recipient's; rows of a list's members would be alike without.
    """
    outcome, remote = attempt.outcome, is_remote(attempt)
    is_success = outcome == SUCCESS
    reached = _reached(attempt)
    is_elsewhere = same_mailbox_key(reached) != same_mailbox_key(recipient)
    reached_domain = domain_of(reached) or domain_of(recipient)
    keeper = server.domains.keeper_of(
        reached_domain, is_local=bool(attempt.transport) and not remote
    )
    host, ip = attempt.peer or ("", "")
    if attempt.transport and not remote:
        host, ip = host or "localhost", ip or "127.0.0.1"
    return Row(
        actiontime=_minute_text(at_unix // 60, server.zone) + f"{at_unix % 60:02d}",
        actionunixtime=at_unix,
        deliveredto=reached if is_success or is_elsewhere else None,
        deliverydomain=intern(reached_domain) if keeper and not remote else None,
        deliveryuser=REMOTE_USER if remote else keeper,
        domain=envelope.domain,
        email=envelope.email,
        host=intern(host) or None,
        ip=intern(ip) or None,
        message="Accepted" if is_success else attempt.text,
        msgid=attempt.msgid,
        recipient=recipient,
        router=intern(attempt.router) or None,
        sender=envelope.sender,
        senderauth=envelope.senderauth,
        senderhost=envelope.senderhost,
        senderip=envelope.senderip,
        sendunixtime=sent_unix,
        size=envelope.size,
        spamscore=0,
        transport=intern(attempt.transport) or None,
        transport_is_remote=int(remote),
        type=outcome,
        user=envelope.user,
    )


def _reached(attempt: Attempt) -> str:
    """The final address, whole: Exim logs a local delivery by its local part alone.

    That part's domain is assumed to be the one of the address that it was made from. Files, pipes
    and what was discarded stay as they are.
    """
    is_local_part = "@" not in attempt.address and attempt.transport
    if not is_local_part or attempt.address.startswith(("|", "/", ">", "save ")):
        return attempt.address
    domain = domain_of(attempt.parents[0] if attempt.parents else attempt.original)
    return f"{attempt.address}@{domain}" if domain else attempt.address


def waiting_row(msgid: str, sent_unix: int, recipient: str, envelope: Envelope) -> Row:
    """The row of a *recipient* that nothing was tried for yet."""
    return Row(
        actiontime=None,
        actionunixtime=None,
        deliveredto=None,
        deliverydomain=None,
        deliveryuser=None,
        domain=envelope.domain,
        email=envelope.email,
        host=None,
        ip=None,
        message=None,
        msgid=msgid,
        recipient=recipient,
        router=None,
        sender=envelope.sender,
        senderauth=envelope.senderauth,
        senderhost=envelope.senderhost,
        senderip=envelope.senderip,
        sendunixtime=sent_unix,
        size=envelope.size,
        spamscore=0,
        transport=None,
        transport_is_remote=0,
        type=INPROGRESS,
        user=envelope.user,
    )


@lru_cache(maxsize=4096)
def _minute_text(minute: int, zone: tzinfo) -> str:
    """The server's wall time of a minute, up to the colon before its seconds."""
    return datetime.fromtimestamp(minute * 60, zone).strftime("%Y-%m-%d %H:%M:")
