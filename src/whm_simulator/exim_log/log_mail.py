"""The mail of a real Exim, by its main log: the source that ``--exim-mainlog`` serves.

The log is followed as cPanel's own log reader would: each call first reads what the file has
gained. All messages stay in memory: about 700 bytes a row, and as much again a message (measured on
CPython 3.11 with 50,000 rows).
"""

import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from datetime import tzinfo
from operator import attrgetter
from pathlib import Path

from whm_simulator.exim_log.events import (
    Arrival,
    Attempt,
    Ended,
    Event,
    Freeze,
    RecipientAdded,
    Rejected,
    SenderChanged,
    Settled,
)
from whm_simulator.exim_log.line import read_line
from whm_simulator.exim_log.message import Message
from whm_simulator.exim_log.origin import REMOTE_USER, SYSTEM_DOMAIN, UserDomains
from whm_simulator.exim_log.rows import Server
from whm_simulator.exim_log.stamps import WallClock, id_time_unix
from whm_simulator.exim_log.tail import Tail
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import AccountCard, Queued, Span
from whm_simulator.mail.sums import Sender, Sums, sums_of

_SENT = attrgetter("sent_unix")


class LogMail:
    """All mail that the main log at *path* tells of; safe across threads.

    What the log says happened after the instant that is asked about doesn't exist yet. Mail whose
    arrival stands in an older log shows from its first attempt on, sent at the time in its id.

    Args:
        path: the main log of an Exim of this machine, or a copy of one.
        zone: the server's zone, which stamps without an offset are in.
        hostname: the server's own name.
        user_domains: a file like cPanel's ``/etc/userdomains``, read once; None if there is none.

    Raises:
        ValueError: a file is missing, can't be read or says nothing; the text says what to do.
    """

    def __init__(
        self, path: Path, zone: tzinfo, hostname: str, user_domains: Path | None = None
    ) -> None:
        self._server = Server(hostname, zone, UserDomains(user_domains))
        self._tail = Tail(path)
        self._clock = WallClock(zone)
        self._lock = threading.Lock()
        self._messages: dict[str, Message] = {}
        self._by_sending: list[Message] = []
        self._open: dict[str, Message] = {}
        self._last_unix = 0
        self._seen_domains: dict[str, dict[str, int]] = {}

    @property
    def hostname(self) -> str:
        """The server's own name."""
        return self._server.hostname

    @property
    def zone(self) -> tzinfo:
        """The server's own time zone."""
        return self._server.zone

    def accounts(self, now_unix: float) -> Sequence[AccountCard]:
        """Accounts by user name: those of the file, else those that have sent or received mail."""
        if self._server.domains.is_known:
            return self._server.domains.cards()
        with self._lock:
            self._read_on()
            cards = []
            for user, domains in sorted(self._seen_domains.items()):
                seen = tuple(domain for domain, since in domains.items() if since <= now_unix)
                if seen:
                    cards.append(AccountCard(user, seen[0], domains=seen))
            return cards

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """Rows that exist at *now_unix*, oldest send time first."""
        with self._lock:
            self._read_on()
            first, last = 0, bisect_right(self._by_sending, now_unix, key=_SENT)
            if span is not None:
                first = bisect_left(self._by_sending, span.first_unix, key=_SENT)
                last = min(last, bisect_right(self._by_sending, span.last_unix, key=_SENT))
            if acted is not None:
                # No attempt comes before its message.
                last = min(last, bisect_right(self._by_sending, acted.last_unix, key=_SENT))
            found: list[Row] = []
            for message in self._by_sending[first:last]:
                found += message.rows_at(now_unix)
        if acted is not None:
            found = [
                row
                for row in found
                if row.actionunixtime is not None
                and acted.first_unix <= row.actionunixtime <= acted.last_unix
            ]
        return found

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        """Sums over the rows of *span* that exist at *now_unix*, by sender."""
        return sums_of(self.rows(now_unix, span))

    def queue(self, now_unix: float) -> list[Queued]:
        """What Exim still held at *now_unix*, oldest first, as ``exim -bp`` would have shown it."""
        with self._lock:
            self._read_on()
            held = self._open if now_unix >= self._last_unix else self._messages
            waiting = [
                queued
                for message in held.values()
                if message.sent_unix <= now_unix
                and (queued := message.queued_at(now_unix)) is not None
            ]
        return sorted(waiting, key=attrgetter("time_unix"))

    def reason(self, row: Row) -> str | None:  # noqa: ARG002
        """None: nobody knows what class a real receiver's words belong to."""
        return None

    def _read_on(self) -> None:
        for line in self._tail.lines():
            entry = read_line(line)
            if entry is None or isinstance(entry.event, Rejected):
                continue
            try:
                at_unix = self._clock.unix(entry.stamp, entry.event.msgid)
            except ValueError:
                continue
            self._last_unix = max(self._last_unix, at_unix)
            self._take(at_unix, entry.event)

    def _take(self, at_unix: int, event: Event) -> None:
        message = self._messages.get(event.msgid)
        if message is None:
            if not isinstance(event, Arrival | Attempt | Freeze):
                return
            sent_unix = at_unix if isinstance(event, Arrival) else id_time_unix(event.msgid)
            message = Message(event.msgid, min(sent_unix, at_unix))
            self._messages[event.msgid] = self._open[event.msgid] = message
            insort(self._by_sending, message, key=_SENT)
        match event:
            case Arrival():
                self._place_anew(message, at_unix, event)
                self._note_account(at_unix, *message.owner)
            case Attempt():
                for row in message.attempt(at_unix, event, self._server):
                    if row.deliverydomain and row.deliveryuser:
                        self._note_account(at_unix, row.deliveryuser, row.deliverydomain)
            case Freeze() | Settled() | RecipientAdded():
                message.mark(at_unix, event)
            case SenderChanged():
                message.change_sender(event)
            case Ended():
                message.end(at_unix)
                self._open.pop(event.msgid, None)

    def _place_anew(self, message: Message, at_unix: int, arrival: Arrival) -> None:
        """Take in an arrival, and keep the order by send time if it was thought to be another."""
        if message.sent_unix == at_unix:
            message.arrive(at_unix, arrival, self._server)
            return
        first = bisect_left(self._by_sending, message.sent_unix, key=_SENT)
        del self._by_sending[self._by_sending.index(message, first)]
        message.arrive(at_unix, arrival, self._server)
        insort(self._by_sending, message, key=_SENT)

    def _note_account(self, at_unix: int, user: str, domain: str) -> None:
        if user != REMOTE_USER and domain not in ("", SYSTEM_DOMAIN):
            self._seen_domains.setdefault(user, {}).setdefault(domain, at_unix)
