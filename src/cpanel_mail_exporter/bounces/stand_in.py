"""A text and the recipient it is about -> the text with a stand-in of equal length in its place.

Texts that differ in nothing but whom they name become equal, and what is known of one is known of
all. Their skeleton is the same before and after, to the letter: what isn't sure to be seen as one
whole address by itself is left as it is.
"""

import re
from collections.abc import Sequence

from cpanel_mail_exporter.bounces.skeleton import LONGEST_READ, LONGEST_WORD, WRAPPERS

_ADDRESS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+'-]*@[A-Za-z0-9_.-]*[A-Za-z0-9_]")
_BESIDE = frozenset(' <>"()[]:;,')
_END = "@x.x"


def with_stand_in(text: str, recipient: str) -> str:
    """The text without what it says of *recipient*.

    >>> with_stand_in("550 <amy@example.com> is unknown", "amy@example.com")
    '550 <xxxxxxxxxxx@x.x> is unknown'
    """
    around = text.split(recipient) if len(recipient) > len(_END) else [text]
    if len(around) == 1 or not _can_stand_in(text, recipient, around):
        return text
    return ("x" * (len(recipient) - len(_END)) + _END).join(around)


def _can_stand_in(text: str, recipient: str, around: Sequence[str]) -> bool:
    """Whether *recipient*, with *around* it, is seen as an address wherever it stands in *text*."""
    if _ADDRESS.fullmatch(recipient) is None:
        return False
    if ":" not in around[0] and text.startswith(WRAPPERS):
        return False
    last = len(around) - 1
    for place, part in enumerate(around):
        if not part:
            if 0 < place < last:
                return False
        elif (place > 0 and part[0] not in _BESIDE) or (place < last and part[-1] not in _BESIDE):
            return False
    # What is cut, within a text or a word, may be cut within the address.
    return len(text) <= LONGEST_WORD or (
        len(text) <= LONGEST_READ and max(map(len, text.split())) <= LONGEST_WORD
    )
