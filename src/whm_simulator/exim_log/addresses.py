"""Addresses as Exim logs them: alone, with what they were made from, and in lists.

Exim writes ``final (between, between) <original>`` and leaves out what is the same (specification,
section "Logging deliveries"). A quoted local part keeps its quotes in lists and in ``<original>``,
and loses them in ``final``, blanks and all: so did a real Exim 4.96.
"""

import re
from typing import NamedTuple

_STARTS_FIELD = r" (?=(?:[FP]=<|SRS=<|Q=|R=|T=|ST=|(?:routing |transporting )?defer \())"
_FIELD = re.compile(_STARTS_FIELD)
_FIELD_OR_TEXT = re.compile(_STARTS_FIELD + r"|(?=: )|(?=:$)")
_FIELD_AFTER_ORIGINAL = re.compile(r"(?<=>)(?:" + _STARTS_FIELD + r"|(?=: ))")
_QUOTED_ORIGINAL = re.compile(r' <"(?:[^"\\]|\\.)*"@[^<>]*>')
_ONE_OF_LIST = re.compile(r'(?:"(?:[^"\\]|\\.)*"|\S)+')
_COMMAND_OR_PATH = ("|", "/", ">", "save ")


class Head(NamedTuple):
    """The addresses of a delivery line, and the place where they end."""

    address: str
    original: str
    parents: tuple[str, ...]
    end: int


def read_head(text: str, *, may_end_in_text: bool) -> Head:
    """The addresses that *text* begins with, up to the first field.

    Args:
        text: a delivery line from after its flag.
        may_end_in_text: whether a colon and a reason may follow, as in failures.
    """
    end = _end_of_head(text, may_end_in_text=may_end_in_text)
    rest, original, parents = text[:end], "", ""
    if rest.endswith(">") and " <" in rest:
        rest, _, original = rest[:-1].rpartition(" <")
    if rest.endswith(")") and " (" in rest:
        rest, _, parents = rest[:-1].rpartition(" (")
    return Head(rest, original, tuple(parents.split(", ")) if parents else (), end)


def _end_of_head(text: str, *, may_end_in_text: bool) -> int:
    """Where the first field begins, or the reason; the end of *text* if neither does.

    What looks like a field may be part of a command, and a colon part of a local part, so that the
    addresses must look whole before them.
    """
    if text.startswith(_COMMAND_OR_PATH):
        whole = _FIELD_AFTER_ORIGINAL.search(text)
        if whole is not None:
            return whole.start()
    if not may_end_in_text:
        found = _FIELD.search(text)
        return found.start() if found else len(text)
    found = _FIELD_OR_TEXT.search(text, text.find("@") + 1)
    quoted = _QUOTED_ORIGINAL.search(text)
    if found and quoted and quoted.start() < found.start() < quoted.end():
        found = _FIELD_OR_TEXT.search(text, quoted.end())
    return found.start() if found else len(text)


def read_one(text: str, start: int) -> tuple[str, int]:
    """The single address at *start*, without angle brackets, and the place after it."""
    found = _ONE_OF_LIST.match(text, start)
    if found is None:
        return "", start
    address = found[0]
    if address.startswith("<") and address.endswith(">"):
        address = address[1:-1]
    return address, found.end()


def read_list(text: str) -> tuple[str, ...]:
    """Addresses with blanks between them."""
    return tuple(_ONE_OF_LIST.findall(text))


def same_mailbox_key(address: str) -> str:
    """*address* with its domain in small letters, as Exim compares addresses."""
    local, at, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}" if at else address


def domain_of(address: str) -> str:
    """The domain of *address* in small letters, empty if it has none."""
    _, at, domain = address.rpartition("@")
    return domain.lower() if at else ""
