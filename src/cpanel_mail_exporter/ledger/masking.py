"""A delivery's text with whom it is about masked, so that texts of one kind become equal.

Masked are addresses, host names and addresses of the wrapper that Exim puts around a reply, network
addresses, and runs of characters that look like ids. Host names in the reply itself stay, since
they tell who said it, and so do reply codes and enhanced codes. The words put in stand where a
parser of such texts expects what they replace.
"""

import re

from cpanel_mail_exporter.model.records import DeliveryRecord

ADDRESS, HOST, IP, ID = "ADDRESS", "HOST", "IP", "ID"

LONGEST_READ, LONGEST_SHOWN = 1_000, 300
"""Characters of a text that are looked at, and that are kept of it."""

_SHORTEST_LOCAL_PART = 3
_SHORTEST_NUMBER, _SHORTEST_ID = 5, 8
_IPV4_DOTS = 3

# Each pattern is a run of a class of characters that begins where no such character stands before
# it, is short, or begins with words of its own: none looks at a character more than a few times.
_QUOTED_LOCAL_PART = re.compile(r'"[^"@\s]{1,64}(?: [^"@\s]{1,64}){0,4}"@')
_ENDS = r"\s<>()\[\],;:\"'"
_WITH_AT = re.compile(rf"(?<![^{_ENDS}])[^{_ENDS}]*(?:@|%40)[^{_ENDS}]*")
_IN_ENVELOPE = re.compile(r"\b(TO|FROM):\s?<[^<>]*>")
_IN_BRACKETS = re.compile(r"<[^<>\s]*>")
_WRAPPED_HOST = re.compile(r"\bhost [^\s\[\]:]+ \[")
_NETWORK = re.compile(r"[0-9A-Fa-f:.]{3,}")
_WORD = re.compile(r"[\w-]{5,}")


def masked(record: DeliveryRecord) -> str:
    """The record's text, masked, in one line of at most LONGEST_SHOWN characters."""
    words = record.message[: LONGEST_READ + 1].split()
    if len(record.message) > LONGEST_READ and not record.message[LONGEST_READ].isspace():
        # What was cut may be the half of an address.
        del words[-1]
    text = " ".join(words)
    text = _QUOTED_LOCAL_PART.sub("x@", text)
    text = _WITH_AT.sub(ADDRESS, text)
    text = _IN_ENVELOPE.sub(rf"\1:<{ADDRESS}>", text)
    text = _IN_BRACKETS.sub(f"<{ADDRESS}>", text)
    for address in (record.recipient, record.delivered_to, record.sender):
        text = _without_local_part(text, address.rpartition("@")[0])
    text = _WRAPPED_HOST.sub(f"host {HOST} [", text)
    text = _NETWORK.sub(_network, text)
    text = _WORD.sub(_word, text)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"


def _without_local_part(text: str, local_part: str) -> str:
    """Receivers also name a mailbox by its local part alone."""
    if len(local_part) < _SHORTEST_LOCAL_PART or local_part not in text:
        return text
    return re.sub(rf"(?<![\w.+-]){re.escape(local_part)}(?![\w+-])", ADDRESS, text)


def _network(found: re.Match[str]) -> str:
    """Four numbers with dots between them, or something with two colons in it."""
    text = found[0]
    core = text.strip(".")
    is_ipv4 = core.count(".") == _IPV4_DOTS and core.replace(".", "").isdecimal()
    is_ipv6 = text.count(":") > 1 and any(character not in ":." for character in text)
    return text.replace(core, IP) if is_ipv4 else IP if is_ipv6 else text


def _word(found: re.Match[str]) -> str:
    """Long numbers, and long words with more than one digit."""
    text = found[0]
    digits = sum(character.isdecimal() for character in text)
    is_number = digits == len(text) >= _SHORTEST_NUMBER
    return ID if is_number or (digits > 1 and len(text) >= _SHORTEST_ID) else text
