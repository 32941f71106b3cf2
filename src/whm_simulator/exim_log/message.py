"""One message of the log: what is known of it, and what of that was so at an instant.

A recipient is open until every address made from it was delivered or given up. What Exim itself
shows with ``exim -bp`` is the measure: it keeps the failed recipients of a bounce, which it freezes
for want of anybody to tell, and those of a message that was frozen with nothing left to try. An
address that is a recipient, and a member of a list that is another, gets one delivery, logged for
one of the two; a list that nothing is left of then never shows, and waits until all is completed.
"""

from collections.abc import Iterator

import msgspec

from whm_simulator.exim_log.addresses import same_mailbox_key
from whm_simulator.exim_log.events import (
    Arrival,
    Attempt,
    Freeze,
    RecipientAdded,
    SenderChanged,
    Settled,
)
from whm_simulator.exim_log.remaining import remaining
from whm_simulator.exim_log.rows import (
    Envelope,
    Server,
    attempt_row,
    envelope_of,
    envelope_unseen,
    waiting_row,
)
from whm_simulator.mail.rows import DEFER, Row
from whm_simulator.mail.source import Queued

Mark = Freeze | Settled | RecipientAdded
_NOBODY: dict[str, str] = {}
_SYSTEM_FILTER = ("system filter",)
"""How Exim names what has thrown a whole message away: ``=> discarded (system filter)``."""


class Message:
    """What became of the message *msgid* that came at *sent_unix*, in the order of the log.

    Attributes:
        rows: one for each attempt.
        last_unix: of all that is known of it; from then on nothing changes.
        ended_unix: when it left the queue, None as long as it is there.
    """

    __slots__ = (
        "_covered",
        "_envelope",
        "_has_arrival",
        "_is_addressed",
        "_marks",
        "_named",
        "_untried",
        "ended_unix",
        "last_unix",
        "msgid",
        "rows",
        "sent_unix",
    )

    def __init__(self, msgid: str, sent_unix: int) -> None:
        self.msgid = msgid
        self.sent_unix = self.last_unix = sent_unix
        self.rows: list[Row] = []
        self.ended_unix: int | None = None
        self._envelope = Envelope("", "", "", "", "", "", "", 0)
        self._has_arrival = False
        self._is_addressed = False
        self._named = _NOBODY
        self._untried = _NOBODY
        self._covered = _NOBODY
        self._marks: list[tuple[int, Mark]] = []

    @property
    def owner(self) -> tuple[str, str]:
        """User and domain of its sender."""
        return self._envelope.user, self._envelope.domain

    def arrive(self, at_unix: int, arrival: Arrival, server: Server) -> None:
        """Take in the line of its arrival; mail passed on at once has attempts before that."""
        self._has_arrival = True
        self._is_addressed = bool(arrival.recipients)
        self.sent_unix = at_unix
        self.last_unix = max(self.last_unix, at_unix)
        self._envelope = envelope_of(arrival, server)
        self._named = {same_mailbox_key(address): address for address in arrival.recipients}
        self._untried = dict(self._named)
        for index, row in enumerate(self.rows):
            recipient = self._addressed(row.recipient)
            shared = self._envelope._asdict()
            self.rows[index] = msgspec.structs.replace(
                row, recipient=recipient, sendunixtime=at_unix, **shared
            )

    def attempt(self, at_unix: int, attempt: Attempt, server: Server) -> list[Row]:
        """Take in an attempt, and give the row it makes; several if a filter discards it all."""
        if not self._has_arrival and (attempt.sender or not self.rows):
            self._envelope = envelope_unseen(attempt, server)
        recipients = [attempt.original or attempt.address]
        if attempt.parents == _SYSTEM_FILTER:
            recipients = list(self._untried.values()) or recipients
        made = [
            attempt_row(
                attempt, at_unix, self.sent_unix, self._addressed(recipient), self._envelope, server
            )
            for recipient in recipients
        ]
        self.rows += made
        self.last_unix = max(self.last_unix, at_unix)
        for row in made:
            key = same_mailbox_key(row.deliveredto or row.recipient)
            if key in self._untried:
                self._covered = {**self._covered, key: self._untried.pop(key)}
        return made

    def mark(self, at_unix: int, mark: Mark) -> None:
        """Take in what happened beside attempts."""
        self.last_unix = max(self.last_unix, at_unix)
        if isinstance(mark, RecipientAdded):
            key = same_mailbox_key(mark.address)
            self._named = {**self._named, key: mark.address}
            self._untried = {**self._untried, key: mark.address}
        if not (isinstance(mark, Freeze) and mark.is_frozen == self._is_frozen_at(at_unix)):
            self._marks.append((at_unix, mark))

    def change_sender(self, changed: SenderChanged) -> None:
        """From now on it has another sender."""
        self._envelope = self._envelope._replace(sender=changed.sender)

    def end(self, at_unix: int) -> None:
        """It left the queue."""
        if self.ended_unix is None:
            self.ended_unix = at_unix
            self.last_unix = max(self.last_unix, at_unix)
            # No attempt follows, so addresses need not be looked up any more.
            self._named = _NOBODY
            self._untried = self._untried or _NOBODY

    def rows_at(self, now_unix: float) -> list[Row]:
        """Attempts up to *now_unix*, and recipients that wait for their first one."""
        if now_unix >= self.last_unix:
            if self.ended_unix is not None or not self._untried:
                return self.rows
            done = self.rows
        else:
            done = [row for row in self.rows if (row.actionunixtime or 0) <= now_unix]
        return [
            *done,
            *(
                waiting_row(self.msgid, self.sent_unix, address, self._envelope)
                for address in self._waiting_at(now_unix)
            ),
        ]

    def queued_at(self, now_unix: float) -> Queued | None:
        """How the queue shows it at *now_unix*; None if it isn't there.

        One that was delivered to all isn't there any more, even if its last line is still to come;
        where recipients were settled by hand, it stays until Exim looks at it again.
        """
        if self._is_gone_at(now_unix):
            return None
        is_frozen = self._is_frozen_at(now_unix)
        recipients = (*self._waiting_at(now_unix), *self._unfinished_at(now_unix, is_frozen))
        if not recipients and self.rows and not self._settled_at(now_unix):
            return None
        return Queued(
            self.msgid,
            self._envelope.sender,
            recipients,
            self._envelope.size,
            self.sent_unix,
            is_frozen,
            self._envelope.user or None,
        )

    def _addressed(self, recipient: str) -> str:
        """*recipient* as its sender wrote it, which from now on counts as tried."""
        key = same_mailbox_key(recipient)
        self._untried.pop(key, None)
        return self._named.get(key, recipient)

    def _is_gone_at(self, now_unix: float) -> bool:
        return self.ended_unix is not None and self.ended_unix <= now_unix

    def _marks_at(self, now_unix: float) -> Iterator[Mark]:
        return (mark for at_unix, mark in self._marks if at_unix <= now_unix)

    def _is_frozen_at(self, now_unix: float) -> bool:
        states = [mark.is_frozen for mark in self._marks_at(now_unix) if isinstance(mark, Freeze)]
        return bool(states) and states[-1]

    def _settled_at(self, now_unix: float) -> set[str]:
        return {
            same_mailbox_key(mark.address)
            for mark in self._marks_at(now_unix)
            if isinstance(mark, Settled)
        }

    def _waiting_at(self, now_unix: float) -> Iterator[str]:
        """Recipients that nothing had been tried for at *now_unix*, if the arrival named them."""
        if self._is_gone_at(now_unix) or self.sent_unix > now_unix:
            return
        if not self._is_addressed and not self._untried:
            return
        never: dict[str, str] = {}
        tried = self._settled_at(now_unix)
        for row in self.rows:
            if (row.actionunixtime or 0) <= now_unix:
                tried.add(same_mailbox_key(row.recipient))
                tried.add(same_mailbox_key(row.deliveredto or row.recipient))
            else:
                never[same_mailbox_key(row.recipient)] = row.recipient
        never.update(self._covered)
        never.update(self._untried)
        for at_unix, mark in self._marks:
            if isinstance(mark, RecipientAdded) and at_unix > now_unix:
                never.pop(same_mailbox_key(mark.address), None)
        for key, address in never.items():
            if key not in tried:
                yield address

    def _unfinished_at(self, now_unix: float, is_frozen: bool) -> list[str]:
        """Recipients with an attempt, but not at an end with all addresses made from them."""
        unfinished = remaining(row for row in self.rows if (row.actionunixtime or 0) <= now_unix)
        for key, address in self._covered.items():
            every = [item for left in unfinished.values() for item in left.items()]
            unfinished.setdefault(address, {}).update(
                (target, kind) for target, kind in every if target[0] == key
            )
        settled = self._settled_at(now_unix)
        deferred, failed = [], []
        for recipient, left in unfinished.items():
            if same_mailbox_key(recipient) in settled:
                continue
            types = {kind for (address, _), kind in left.items() if address not in settled}
            if DEFER in types:
                deferred.append(recipient)
            elif types:
                failed.append(recipient)
        is_bounce = self._has_arrival and not self._envelope.sender
        return deferred + failed if is_bounce or (is_frozen and not deferred) else deferred
