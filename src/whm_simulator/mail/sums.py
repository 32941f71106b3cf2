"""Sums over rows by sender, which both of WHM's totals are made of.

SENDCOUNT and TOTALSIZE count each message once. That a limit was reached is read from cPanel's own
words in the refused rows, the only place where the count and the limit stand.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from whm_simulator.mail.rows import Row

_LIMIT = re.compile(
    r"exceeded the max (emails|defers and failures) per hour \((-?\d+/-?\d+) (\(-?\d+%\))\)"
)


class Sender(NamedTuple):
    """Whose mail is added up: the account, and the domain it sent from."""

    user: str
    domain: str


class Reached(NamedTuple):
    """A limit that a message ran into: when it was sent, and cPanel's "150/150" or "5/5 (100%)"."""

    at_unix: int
    text: str


class Sums(msgspec.Struct):
    """Events by type, messages and their bytes, and the newest refusals by cPanel's limits."""

    success: int = 0
    defer: int = 0
    failure: int = 0
    inprogress: int = 0
    messages: int = 0
    size_bytes: int = 0
    max_emails: Reached | None = None
    max_defer_fail: Reached | None = None

    def add(self, other: "Sums") -> None:
        """Add what *other* counted of other messages."""
        self.success += other.success
        self.defer += other.defer
        self.failure += other.failure
        self.inprogress += other.inprogress
        self.messages += other.messages
        self.size_bytes += other.size_bytes
        self.max_emails = _newer(self.max_emails, other.max_emails)
        self.max_defer_fail = _newer(self.max_defer_fail, other.max_defer_fail)


def sums_of(rows: Iterable[Row]) -> dict[Sender, Sums]:
    """Sums over *rows* by sender; all rows of a message must be among them, or none."""
    found: dict[Sender, Sums] = {}
    seen: set[str] = set()
    for row in rows:
        sender = Sender(row.user, row.domain)
        sums = found.get(sender)
        if sums is None:
            sums = found[sender] = Sums()
        match row.type:
            case "success":
                sums.success += 1
            case "defer":
                sums.defer += 1
            case "failure":
                sums.failure += 1
            case "inprogress":
                sums.inprogress += 1
        if row.msgid not in seen:
            seen.add(row.msgid)
            sums.messages += 1
            sums.size_bytes += row.size
        if row.message and row.router and row.router.startswith("enforce_mail_permissions"):
            _note_limit(sums, row.sendunixtime, row.message)
    return found


def _note_limit(sums: Sums, at_unix: int, message: str) -> None:
    match = _LIMIT.search(message)
    if match is None:
        return
    if match[1] == "emails":
        sums.max_emails = _newer(sums.max_emails, Reached(at_unix, match[2]))
    else:
        sums.max_defer_fail = _newer(
            sums.max_defer_fail, Reached(at_unix, f"{match[2]} {match[3]}")
        )


def _newer(one: Reached | None, other: Reached | None) -> Reached | None:
    if one is None or other is None:
        return one or other
    return max(one, other)
