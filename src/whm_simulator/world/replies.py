"""What receivers and Exim say when a delivery doesn't succeed, worded as Exim's log has it.

The texts are the table ``replies.tsv`` beside this file: the kind of place that answers, the
outcome, the stage, the reason as one of the classes of failure, and the text. Stages are those of
SMTP, and for Exim's own words ``exim`` (a host was tried), ``transport`` (none was) or ``route``
(there was no way to go). Names in braces are filled in, and the lines of one SMTP answer are joined
by a literal backslash and the letter n, as WHM shows them. Codes and phrases follow what large
receivers publish; those of the place ``cpanel`` follow cPanel's documentation and logs that were
made public.
"""

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from whm_simulator.mail.rows import DEFER, FAILURE, Row

_WRAPPERS = {
    "rcpt": "SMTP error from remote mail server after RCPT TO:<{address}>: ",
    "data": "SMTP error from remote mail server after end of data: ",
    "mail": "SMTP error from remote mail server after pipelined MAIL FROM: host {host} [{ip}]: ",
    "connect": "SMTP error from remote mail server after initial connection: ",
    "lmtp": "LMTP error from remote mail server after RCPT TO:<{address}>: ",
}
_PATTERNS = {
    "address": r'(?:"[^"]*"|[^\s<>@"]+)@[^\s<>@]+',
    "sender": r"[^<>]*",
    "domain": r"[^\s<>@']+",
    "sender_domain": r"[^\s<>@]+",
    "host": r"[\w.-]+",
    "ip": r"[0-9a-f.:]+",
    "own_ip": r"[0-9.]+",
    "user": r"\w+",
    "code": r"[0-9a-f]{14}",
    "number": r"\d+",
    "limit": r"\d+",
    "percent": r"\d+",
}
"""What may stand in place of each name of a text."""

_OWN_IP = "192.0.2.10"
_CODE_MASK = (1 << 56) - 1
_SPAM_REASONS = frozenset({"spam_content", "blocklisted", "reputation", "policy"})
_RATE_REASONS = frozenset({"rate_limited", "reputation"})


class Template(NamedTuple):
    """A text to be filled in, wrapper and all, with its stage and the class of its reason."""

    text: str
    stage: str
    reason: str


Templates = tuple[Template, ...]


@dataclass(frozen=True, slots=True)
class Manners:
    """How one kind of receiver words its answers; there is at least one for each occasion.

    Attributes:
        unknown_user: the recipient doesn't exist.
        refusals: refused for other reasons.
        deferrals: put off.
        spam_refusals: those of *refusals* that meet a sender of spam.
        rate_deferrals: those of *deferrals* that meet a sender of too much mail.
    """

    unknown_user: Templates
    refusals: Templates
    deferrals: Templates
    spam_refusals: Templates
    rate_deferrals: Templates


def _read() -> dict[str, dict[str, Templates]]:
    text = files(__package__).joinpath("replies.tsv").read_text(encoding="utf-8")
    found: dict[str, dict[str, Templates]] = {}
    for line in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        whole = _WRAPPERS.get(line["stage"], "") + line["text"]
        template = Template(whole, line["stage"], line["reason"])
        outcomes = found.setdefault(line["place"], {})
        outcomes[line["outcome"]] = (*outcomes.get(line["outcome"], ()), template)
    return found


_TABLE = _read()
ALL_TEMPLATES: Templates = tuple(
    template
    for outcomes in _TABLE.values()
    for templates in outcomes.values()
    for template in templates
)
"""The whole table, in its order."""


def _manners(outcomes: dict[str, Templates]) -> Manners:
    refusals, deferrals = outcomes.get("refusals", ()), outcomes["deferrals"]
    spam = tuple(template for template in refusals if template.reason in _SPAM_REASONS)
    rate = tuple(template for template in deferrals if template.reason in _RATE_REASONS)
    return Manners(
        outcomes.get("unknown_user", ()), refusals, deferrals, spam or refusals, rate or deferrals
    )


MANNERS: dict[str, Manners] = {
    place: _manners(outcomes) for place, outcomes in _TABLE.items() if "deferrals" in outcomes
}
"""By kind of place; ``mailbox`` and ``pipe`` are on this server."""

ACCEPTED = "Accepted"
RETRY_TIMEOUT = _TABLE["exim"]["expired"]
[HOURLY_DISCARDED] = _TABLE["cpanel"]["hourly_discarded"]
[HOURLY_HELD] = _TABLE["cpanel"]["hourly_held"]
[DEFER_FAIL_DISCARDED] = _TABLE["cpanel"]["defer_fail_discarded"]
[SUSPENDED] = _TABLE["cpanel"]["suspended"]


def worded(template: Template, bits: int, **names: str) -> str:
    """*template* with its *names* filled in.

    Args:
        template: a text from the table.
        bits: for the code by which a receiver finds an answer again in its logs.
        names: address and sender (mail addresses), sender_domain, host, ip, user.
    """
    domain = names["address"].rpartition("@")[2]
    code = f"{bits & _CODE_MASK:014x}"
    return template.text.format(**names, domain=domain, own_ip=_OWN_IP, code=code)


def limit_text(template: Template, domain: str, number: int, limit: int, percent: int) -> str:
    """CPanel's words about a limit; for deferrals and failures *percent* is their share."""
    return template.text.format(sender_domain=domain, number=number, limit=limit, percent=percent)


def pattern_of(template: Template) -> str:
    """A regular expression without groups that fits all texts made from *template*."""
    pieces = re.split(r"\{(\w+)\}", template.text)
    return "".join(
        _PATTERNS[piece] if index % 2 else re.escape(piece) for index, piece in enumerate(pieces)
    )


_ANY = re.compile("|".join(f"({pattern_of(template)})" for template in ALL_TEMPLATES))


def reason_of(row: Row) -> str | None:
    """Why *row* failed or was deferred: the class of the text it was made from.

    None for a success, for what is in progress, and for a text that isn't from the table.
    """
    if row.type not in (FAILURE, DEFER) or row.message is None:
        return None
    return _reason_of(row.message)


@lru_cache(maxsize=65_536)
def _reason_of(message: str) -> str | None:
    match = _ANY.fullmatch(message)
    return ALL_TEMPLATES[match.lastindex - 1].reason if match and match.lastindex else None
