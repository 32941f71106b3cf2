"""A server's mail with the quirks of its rows, so that rows, totals and counts agree on them.

Exim's queue and the accounts are not made of rows and stay as they are.
"""

import zlib
from dataclasses import dataclass

import msgspec

from whm_simulator.api.quirks import Quirks
from whm_simulator.mail.overlay import Overlay
from whm_simulator.mail.rows import FAILURE, INPROGRESS, SUCCESS, Row
from whm_simulator.mail.source import Mail, Span
from whm_simulator.mail.sums import Sender, Sums, sums_of

REMOTE_USER = "-remote-"
_ACCEPTED = "Accepted"
_REMOTE_USERS = {REMOTE_USER: REMOTE_USER, "null": None, "empty": ""}

FLAG_OF = {"archive": "success", "filtered": "success", "rejected": "failure"}
"""Which flag of a search brings the types that cPanel doesn't document."""


def with_row_quirks(mail: Mail, quirks: Quirks) -> Mail:
    """*mail* as a server with *quirks* shows it; itself if none of them is about rows."""
    quirky = QuirkyMail(mail, quirks)
    return quirky if quirky.changes_rows or quirky.rewords_rows else mail


@dataclass(frozen=True, slots=True)
class QuirkyMail(Overlay):
    """``Mail`` whose rows come late, replace each other, or say things in other words."""

    quirks: Quirks

    @property
    def changes_rows(self) -> bool:
        """Whether there are other rows than without quirks, or rows of another type."""
        quirks = self.quirks
        return bool(
            quirks.late_seconds or quirks.retries == "replaced" or quirks.type_words == "more"
        )

    @property
    def rewords_rows(self) -> bool:
        """Whether rows say something in other words."""
        return self.quirks.accepted != _ACCEPTED or self.quirks.remote_user != REMOTE_USER

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """The rows that the server shows at *now_unix*, oldest send time first."""
        quirks = self.quirks
        if quirks.retries == "replaced" and acted is not None:
            # What replaces a deferral may lie outside the range of action time.
            rows = self.mail.rows(now_unix, _sent_before(span, acted.last_unix))
        else:
            rows = self.mail.rows(now_unix, span, acted)
        if quirks.late_seconds:
            rows = _arrived(rows, now_unix, quirks.late_seconds)
        if quirks.retries == "replaced":
            rows = _without_replaced(rows)
        if acted is not None:
            first, last = acted.first_unix, acted.last_unix
            rows = [
                row
                for row in rows
                if row.actionunixtime is not None and first <= row.actionunixtime <= last
            ]
        if quirks.type_words == "more":
            rows = [_retyped(row) for row in rows]
        return [self._worded(row) for row in rows] if self.rewords_rows else rows

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        """Sums over the rows of *span* that the server shows at *now_unix*."""
        if not self.changes_rows:
            return self.mail.sums(now_unix, span)
        return sums_of(self.rows(now_unix, span))

    def _worded(self, row: Row) -> Row:
        accepted, remote_user = self.quirks.accepted, self.quirks.remote_user
        if row.message == _ACCEPTED and accepted != _ACCEPTED:
            row = msgspec.structs.replace(row, message=accepted)
        if row.deliveryuser == REMOTE_USER and remote_user != REMOTE_USER:
            row = msgspec.structs.replace(row, deliveryuser=_REMOTE_USERS[remote_user])
        return row


def _sent_before(span: Span | None, last_unix: int) -> Span:
    """*span* without mail that was sent only after an action at *last_unix*."""
    if span is None:
        return Span(-(2**53), last_unix)
    return Span(span.first_unix, min(span.last_unix, last_unix))


def _draw(row: Row) -> int:
    """A number that depends on nothing but which delivery attempt *row* tells of."""
    return zlib.crc32(f"{row.msgid}/{row.recipient}/{row.actionunixtime}".encode())


def _arrived(rows: list[Row], now_unix: float, late_seconds: int) -> list[Row]:
    """Rows that the log follower has got to; who lost all their rows by this is in progress."""
    surely_unix = now_unix - late_seconds
    hidden: list[Row] = []
    shown: list[Row] = []
    for row in rows:
        at_unix = row.actionunixtime
        if (
            at_unix is None
            or at_unix <= surely_unix
            or at_unix + _draw(row) % (late_seconds + 1) <= now_unix
        ):
            shown.append(row)
        else:
            hidden.append(row)
    if not hidden:
        return shown
    messages = {row.msgid for row in hidden}
    known = {(row.msgid, row.recipient) for row in shown if row.msgid in messages}
    waiting: dict[tuple[str, str], Row] = {}
    for row in hidden:
        key = (row.msgid, row.recipient)
        if key not in known and key not in waiting:
            waiting[key] = _in_progress(row)
    shown += waiting.values()
    shown.sort(key=lambda row: row.sendunixtime)
    return shown


def _in_progress(row: Row) -> Row:
    """The row of a recipient for which nothing has been tried yet, made from an attempt."""
    return msgspec.structs.replace(
        row,
        actiontime=None,
        actionunixtime=None,
        deliveredto=None,
        deliverydomain=None,
        deliveryuser=None,
        host=None,
        ip=None,
        message=None,
        router=None,
        transport=None,
        transport_is_remote=0,
        type=INPROGRESS,
    )


def _without_replaced(rows: list[Row]) -> list[Row]:
    """*rows* without the deferrals that a later attempt for the same recipient followed."""
    newest: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.actionunixtime is not None:
            key = (row.msgid, row.recipient)
            newest[key] = max(newest.get(key, row.actionunixtime), row.actionunixtime)
    return [
        row
        for row in rows
        if row.type != "defer" or row.actionunixtime == newest[row.msgid, row.recipient]
    ]


def _retyped(row: Row) -> Row:
    """*row*, for some of those that fit with a type that only cPanel's web pages speak of."""
    if row.type == SUCCESS and row.transport is not None and not row.transport_is_remote:
        word = {0: "archive", 1: "filtered"}.get(_draw(row) % 8)
    elif row.type == FAILURE and (row.transport is None or row.user == REMOTE_USER):
        word = {0: "rejected"}.get(_draw(row) % 2)
    else:
        word = None
    return row if word is None else msgspec.structs.replace(row, type=word)
