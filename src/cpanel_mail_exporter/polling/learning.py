"""Finds out which instants the server's filters and totals go by, from one row whose two differ.

The row is a real one: acted on a minute or more after it was sent. If a filter on its action time
finds it, and nothing of another time, such filters work. Totals go by that instant whose rows they
add up to. Totals of two rows must agree on it, since they may be equal by chance.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from cpanel_mail_exporter.ledger.identity import event_identities, event_identity
from cpanel_mail_exporter.model.deliveries import ActionFilter, GoesBy
from cpanel_mail_exporter.model.query import Totals
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice

LOOKED_AT_AGAIN_SECONDS = 86_400
_APART_SECONDS = 60
_AT_REST_SECONDS = 600
_VOTES = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a server.

    Attributes:
        votes: agreeing answers in a row on what totals go by, not enough yet if it is unknown.
        vote: what they agree on.
        voter: identity of the row that the last of them came of; another one is wanted.
        ends_belong: whether ranges of totals include both ends; None until seen.
        learned_unix: server's time of the last finding, 0 for none.
    """

    totals: GoesBy = GoesBy.UNKNOWN
    action_filter: ActionFilter = ActionFilter.UNKNOWN
    ends_belong: bool | None = None
    vote: GoesBy = GoesBy.UNKNOWN
    votes: int = 0
    voter: int | None = None
    learned_unix: int = 0

    @property
    def totals_are_exact(self) -> bool:
        """Whether totals of a range of send time are those of its rows, no more and no less."""
        return self.totals is GoesBy.SENT and self.ends_belong is not None

    def is_due(self, now_unix: int) -> bool:
        """Whether a row is wanted to learn from."""
        is_unknown = self.totals is GoesBy.UNKNOWN or self.action_filter is ActionFilter.UNKNOWN
        return is_unknown or not 0 <= now_unix - self.learned_unix < LOOKED_AT_AGAIN_SECONDS

    def after(
        self, works: ActionFilter, seen: "Evidence", now_unix: int, voter: int | None = None
    ) -> "Facts":
        """The facts once one more row has been looked at, of the identity *voter*."""
        known = replace(self, action_filter=works)
        vote = seen.vote
        if vote is GoesBy.UNKNOWN or (voter is not None and voter == self.voter):
            return known
        votes = self.votes + 1 if vote is self.vote else 1
        if votes < _VOTES:
            return replace(known, vote=vote, votes=votes, voter=voter)
        return replace(
            known,
            totals=vote,
            ends_belong=seen.ends_belong if vote is GoesBy.SENT else None,
            vote=GoesBy.UNKNOWN,
            votes=0,
            voter=None,
            learned_unix=now_unix,
        )


@dataclass(frozen=True, slots=True)
class Evidence:
    """What totals of one row's seconds were.

    Attributes:
        by_send: totals of the second in which it was sent, with one to each side, are those of
            rows by send time: with the ends left out, or with them.
        by_action: the same of its action; None where rows can't be found by action time.
        ends_belong: totals that begin and end with its send second are those of that second
            (True), or of nothing (False); None where they are neither.
    """

    by_send: bool
    by_action: bool | None
    ends_belong: bool | None

    @property
    def vote(self) -> GoesBy:
        """What totals seem to go by; unknown if both instants fit, or neither."""
        by_action = not self.by_send if self.by_action is None else self.by_action
        if self.by_send == by_action:
            return GoesBy.UNKNOWN
        return GoesBy.SENT if self.by_send else GoesBy.ACTED


def candidate(
    records: Iterable[DeliveryRecord], now_unix: int, voter: int | None = None
) -> DeliveryRecord | None:
    """The newest row to learn from: both of its instants at rest, and well apart; not *voter*."""
    found: DeliveryRecord | None = None
    newest = 0
    for record in records:
        sent, acted = record.send_unix, record.action_unix
        if sent is None or acted is None:
            continue
        if acted - sent >= _APART_SECONDS and newest < acted < now_unix - _AT_REST_SECONDS:
            if voter is not None and event_identity(record) == voter:
                continue
            found, newest = record, acted
    return found


def action_filter(row: DeliveryRecord, answered: Sequence[DeliveryRecord]) -> ActionFilter:
    """Whether a filter on the three seconds round an action works, from what it let through.

    Args:
        row: acted in the middle one.
        answered: rows of the answer; those of the seconds next to it prove nothing.
    """
    acted = row.action_unix or 0
    is_found = event_identity(row) in event_identities(answered)
    is_narrow = all(each.action_unix in Slice(acted - 2, acted + 3) for each in answered)
    return ActionFilter.WORKS if is_found and is_narrow else ActionFilter.FAILS


def fits(
    totals: Totals, second: int, rows: Sequence[DeliveryRecord], instant: Callable[..., int | None]
) -> bool:
    """Whether totals of (second - 1, second + 1) are those of *rows* by one of their instants.

    With both ends or with neither: which of it isn't asked here.
    """
    without = _counts(row for row in rows if instant(row) == second)
    with_ends = _counts(row for row in rows if instant(row) in Slice(second - 1, second + 2))
    return _seen(totals) in {without, with_ends}


def ends_belong(totals: Totals, second: int, rows: Sequence[DeliveryRecord]) -> bool | None:
    """Whether a range of send time from a second to itself is that second, or nothing.

    Args:
        totals: of that range.
        second: one in which mail was sent.
        rows: all that were sent then, and maybe others.
    """
    if _seen(totals) == _counts(row for row in rows if row.send_unix == second):
        return True
    return None if any(_seen(totals)) else False


def _seen(totals: Totals) -> tuple[int, int, int]:
    return totals.success, totals.failure, totals.defer


def _counts(rows: Iterable[DeliveryRecord]) -> tuple[int, int, int]:
    types = [row.type for row in rows]
    return types.count("success"), types.count("failure"), types.count("defer")


def sent(row: DeliveryRecord) -> int | None:
    """The instant a message was accepted."""
    return row.send_unix


def acted(row: DeliveryRecord) -> int | None:
    """The instant of an attempt."""
    return row.action_unix
