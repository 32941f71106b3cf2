"""What receivers and Exim say when a delivery doesn't succeed, worded as Exim's log has it.

The texts are the table ``replies.tsv`` beside this file: the kind of place that answers, the
outcome, the SMTP stage (``exim`` for Exim's own words) and the text. There ``{address}`` and
``{domain}`` stand for the recipient, ``{own_ip}`` for the simulated server, and the lines of one
SMTP answer are joined by a literal backslash and the letter n, as WHM shows them. Codes and phrases
follow what large receivers publish.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files

from whm_simulator.mail.rows import Row
from whm_simulator.world.chance import Dice

_WRAPPERS = {
    "rcpt": "SMTP error from remote mail server after RCPT TO:<{address}>: ",
    "pipelined": "SMTP error from remote mail server after pipelined end of data: ",
    "data": "SMTP error from remote mail server after end of data: ",
    "mail": "SMTP error from remote mail server after pipelined MAIL FROM: host {host} [{ip}]: ",
    "connect": "SMTP error from remote mail server after initial connection: ",
    "lmtp": "LMTP error from remote mail server after RCPT TO:<{address}>: ",
    "exim": "",
}
_OWN_IP = "192.0.2.10"

ACCEPTED = "Accepted"
RETRY_TIMEOUT = "retry timeout exceeded"
UNROUTEABLE = "Unrouteable address"

Templates = tuple[str, ...]
"""Whole texts, Exim's wrapper and all, to be filled in."""


@dataclass(frozen=True, slots=True)
class Manners:
    """How one kind of receiver words its answers."""

    unknown_user: Templates
    refusals: Templates
    deferrals: Templates


def _manners() -> dict[str, Manners]:
    text = files(__package__).joinpath("replies.tsv").read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = {}
    for line in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE):
        texts = found.setdefault(line["place"], {}).setdefault(line["outcome"], [])
        texts.append(_WRAPPERS[line["stage"]] + line["text"])
    return {
        place: Manners(**{outcome: tuple(texts) for outcome, texts in outcomes.items()})
        for place, outcomes in found.items()
    }


MANNERS: dict[str, Manners] = _manners()
"""By kind of place; ``mailbox`` is a mailbox of this server."""


def worded(dice: Dice, templates: Templates, *, address: str, host: str, ip: str) -> str:
    """One of *templates*, filled in."""
    return dice.pick(templates).format(
        address=address, domain=address.rpartition("@")[2], host=host, ip=ip, own_ip=_OWN_IP
    )


def hourly_limit_text(domain: str, number: int, limit: int, *, is_discarded: bool) -> str:
    """CPanel's words for a message over the hourly limit, the *number*-th of its hour."""
    end = "Message discarded." if is_discarded else "Message will be reattempted later"
    return (
        f"Domain {domain} has exceeded the max emails per hour "
        f"({number}/{limit} ({number * 100 // limit}%)) allowed. {end}"
    )


def defer_fail_limit_text(domain: str, number: int, limit: int) -> str:
    """CPanel's words for a message of an account with too many deferrals and failures."""
    return (
        f"Domain {domain} has exceeded the max defers and failures per hour "
        f"({number}/{limit} ({number * 100 // limit}%)) allowed. Message discarded."
    )


def reason_of(row: Row) -> str | None:  # noqa: ARG001
    """Why *row* failed or was deferred: the class of the text it was made from."""
    return None
