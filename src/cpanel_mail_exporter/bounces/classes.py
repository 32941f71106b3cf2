"""The classes that a failure or a deferral falls into: the values of the label `reason`."""

from typing import Literal, NamedTuple

Severity = Literal["hard", "soft", "block"]
"""hard: trying again won't help; soft: it may; block: the sender or what it sent was refused."""

OTHER = "other"
"""What no rule explains; rules can't choose it."""


class BounceClass(NamedTuple):
    """One class.

    Attributes:
        meaning: in a few words, for people.
    """

    name: str
    severity: Severity
    meaning: str


CLASSES: tuple[BounceClass, ...] = (
    BounceClass("unknown_user", "hard", "no such mailbox"),
    BounceClass("inactive_user", "hard", "mailbox disabled, suspended or expired"),
    BounceClass("domain_not_found", "hard", "the domain doesn't exist or nothing takes its mail"),
    BounceClass("not_accepting", "hard", "the host or domain says that it takes no mail at all"),
    BounceClass("mailbox_full", "soft", "the mailbox or its quota is full"),
    BounceClass("too_large", "hard", "the message is larger than is taken"),
    BounceClass("expired", "hard", "given up after retries"),
    BounceClass(
        "network", "soft", "refused, timed out, unreachable, DNS trouble, or mail in a loop"
    ),
    BounceClass("tls", "soft", "an encrypted connection could not be agreed on, or is demanded"),
    BounceClass("greylisted", "soft", "deferred by design; a later attempt is taken"),
    BounceClass("rate_limited", "soft", "too many connections, messages or recipients"),
    BounceClass("blocklisted", "block", "our address or domain stands on a list, or is banned"),
    BounceClass("reputation", "block", "poor reputation, or complaints"),
    BounceClass("spam_content", "block", "the message was taken for spam"),
    BounceClass("virus", "block", "the message was taken for malware"),
    BounceClass("content", "hard", "content, attachment, header or form of the message refused"),
    BounceClass("auth_failed", "block", "SPF, DKIM or DMARC failed, or the sender looks forged"),
    BounceClass("ptr_missing", "block", "our address has no fitting name in reverse DNS"),
    BounceClass("policy", "block", "refused by a policy that isn't named above"),
    BounceClass("sender_rejected", "hard", "the sender's address was refused"),
    BounceClass("relay_denied", "hard", "the host doesn't take mail for that domain from us"),
    BounceClass("local_limit", "soft", "this server's own limit of mail, or of failures, an hour"),
    BounceClass("local_policy", "hard", "refused or discarded by this server: suspension, filter"),
    BounceClass("protocol", "hard", "a command or an address wasn't understood"),
    BounceClass("remote_error", "soft", "a fault at the other side"),
    BounceClass(OTHER, "soft", "none of these: no rule knows the text"),
)

SEVERITIES: dict[str, Severity] = {one.name: one.severity for one in CLASSES}
"""By the name of the class."""
