"""Whom a text is about: the exchanger and the recipient's domain, as wrappers name them.

Only for people who have nothing but the text; WHM tells both in fields of their own.
"""

import re
from typing import NamedTuple

_LONGEST_READ = 2_000
_HOST = re.compile(
    r"(?:\bhost |\bH=|\bto |\bfrom |^)([A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+) ?[\[(]"
)
_RECIPIENT = re.compile(
    r"(?:RCPT TO: ?|^|\]?: ?(?:[45]\d\d[ -][\d. ]*))<[^<>@\s]*@([\w.-]+)>", re.IGNORECASE
)


class SpokenTo(NamedTuple):
    """Names as they stand in the text, empty where none does."""

    host: str
    domain: str


def spoken_to(text: str) -> SpokenTo:
    """The host that said something, and the domain of the recipient it was about.

    >>> spoken_to("... after RCPT TO:<bob@example.com>: host mx.example.net [192.0.2.25]: 550 No")
    SpokenTo(host='mx.example.net', domain='example.com')
    """
    text = text[:_LONGEST_READ]
    host, recipient = _HOST.search(text), _RECIPIENT.search(text)
    return SpokenTo(host[1] if host else "", recipient[1] if recipient else "")
