"""A line of Exim's main log in, what it says out; never raises, whatever the bytes.

Forms are those of the chapter "Log files" of Exim's specification. Messages about freezing,
removing and the like are not written down there; they are as in the source of ``deliver.c``,
``queue.c`` and ``receive.c`` and in the log of a real Exim 4.96.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from whm_simulator.exim_log.addresses import read_head, read_list, read_one
from whm_simulator.exim_log.events import (
    OUTCOMES,
    Arrival,
    Attempt,
    Ended,
    Event,
    Freeze,
    Peer,
    RecipientAdded,
    Rejected,
    SenderChanged,
    Settled,
)
from whm_simulator.exim_log.stamps import Stamp
from whm_simulator.exim_log.tags import read_tags
from whm_simulator.mail.rows import DEFER, FAILURE, SUCCESS

_ID = r"[0-9A-Za-z]{6}-(?:[0-9A-Za-z]{6}-[0-9A-Za-z]{2}|[0-9A-Za-z]{11}-[0-9A-Za-z]{4})"
_FRONT = (
    r"(?P<wall>(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]+)?"
    r"(?: (?P<offset>[+-][0-9]{4}))?(?: \[[0-9]+\])? "
)
_LINE = re.compile(rf"\0*{_FRONT}(?:(?P<id>{_ID}) )?(?P<rest>.*)", re.DOTALL)
_BEGINS_WITHIN = re.compile(rf"(?<=.){_FRONT}{_ID} (?:[<(]=|[=>*-]>|\*\*|==|Completed)", re.DOTALL)
_DEFERRED = re.compile(
    r"(?: (?:routing|transporting))? defer \((?P<errno>-?[0-9]+)\)"
    r"(?P<error>: [^:=]*?(?= [A-Z]+=|: |$))?"
)
_TIME_TAKEN = re.compile(r" DT=[0-9dhmsy.]+$")
_HOST_IN_TEXT = re.compile(r"\bhost (\S+) \[([0-9A-Fa-f.:]+)\]")
_REJECTED = re.compile(r" (?:temporarily )?rejected (?P<command>[^<:]*?)(?: <(?P<to>.*?)>)?: ")
_BY_HAND: tuple[tuple[re.Pattern[str], Callable[[str, str], Event]], ...] = (
    (re.compile(r"address <(.*)> marked delivered by "), Settled),
    (re.compile(r"recipient <(.*)> added by "), RecipientAdded),
    (re.compile(r"sender address changed to <(.*)> by "), SenderChanged),
)
_BEGINNINGS: tuple[tuple[str, Callable[[str], Event]], ...] = (
    ("Completed", Ended),
    ("removed by ", Ended),
    ("Message removed because older ", Ended),
    ("Frozen", lambda msgid: Freeze(msgid, is_frozen=True)),
    ("*** Frozen", lambda msgid: Freeze(msgid, is_frozen=True)),
    ("frozen by ", lambda msgid: Freeze(msgid, is_frozen=True)),
    ("Message is frozen", lambda msgid: Freeze(msgid, is_frozen=True)),
    ("Unfrozen by ", lambda msgid: Freeze(msgid, is_frozen=False)),
    ("unfrozen by ", lambda msgid: Freeze(msgid, is_frozen=False)),
)


class Entry(NamedTuple):
    """What a line says, and when."""

    stamp: Stamp
    event: Event


def read_line(line: bytes) -> Entry | None:
    """What *line* (without its newline) says; None if it says nothing of a message's fate.

    Bytes that are no UTF-8 become U+FFFD. A line that was cut off by a crash, with the next one
    glued to it, is given up for that next one.
    """
    text = line.decode("utf-8", "replace")
    within = None
    for within in _BEGINS_WITHIN.finditer(text):  # noqa: B007 - the last one is wanted
        pass
    found = _LINE.match(text, within.start() if within else 0)
    if found is None:
        return None
    event = _event(found["id"] or "", found["rest"])
    return Entry(Stamp(found["wall"], found["offset"] or ""), event) if event else None


def _event(msgid: str, rest: str) -> Event | None:
    event = None
    if msgid and rest[2:3] == " ":
        flag = rest[:2]
        if flag in OUTCOMES:
            return _attempt(msgid, flag, rest[3:])
        if flag in ("<=", "(="):
            return _arrival(msgid, rest)
    if msgid:
        event = _remark(msgid, rest)
    return event or _rejected(msgid, rest)


def _remark(msgid: str, rest: str) -> Event | None:
    """What a line without a flag says of the message."""
    for beginning, make in _BEGINNINGS:
        if rest.startswith(beginning):
            return make(msgid)
    for pattern, make_with_address in _BY_HAND:
        if found := pattern.match(rest):
            return make_with_address(msgid, found[1])
    address, is_ignored, _ = rest.partition(": error ignored")
    return Settled(msgid, address.partition(" <")[0]) if is_ignored else None


def _arrival(msgid: str, rest: str) -> Arrival | None:
    sender, end = read_one(rest, len("<= "))
    if not sender and not rest.startswith("<>", len("<= ")):
        return None
    values, peer, end = read_tags(rest, end)
    tail = rest[end:]
    if tail.startswith(" from "):
        _, end = read_one(tail, len(" from "))
        tail = tail[end:]
    recipients = read_list(tail[len(" for ") :]) if tail.startswith(" for ") else ()
    authenticator, _, login = values.get("A", "").partition(":")
    size = values.get("S", "")
    return Arrival(
        msgid,
        sender,
        values.get("R", ""),
        peer,
        values.get("U", ""),
        values.get("P", ""),
        authenticator,
        login.partition(":")[0],
        int(size) if size.isdecimal() and len(size) <= 15 else 0,  # up to a petabyte
        recipients,
    )


def _attempt(msgid: str, flag: str, text: str) -> Attempt | None:
    outcome = OUTCOMES[flag]
    head = read_head(text, may_end_in_text=outcome == FAILURE)
    values, peer, end = read_tags(text, head.end)
    errno, reason = 0, ""
    if outcome == DEFER:
        found = _DEFERRED.match(text, end)
        if found is None:
            return None
        # The system's words for an error come only with its own, positive numbers.
        errno = int(found["errno"][:9])
        has_words = errno > 0 and found["error"] is not None
        reason = found["error"][2:] if has_words else ""
        place = found.end() if has_words or not found["error"] else found.start("error")
        more, late_peer, end = read_tags(text, place)
        values, peer = {**values, **more}, late_peer or peer
    if outcome != SUCCESS:
        if text.startswith(": ", end):
            reason = _TIME_TAKEN.sub("", text[end + 2 :])
        if peer is None and (found := _HOST_IN_TEXT.search(reason)):
            peer = Peer(found[1], found[2])
    if not head.address or (outcome != DEFER and not (values or reason or head.parents)):
        return None
    return Attempt(
        msgid,
        flag,
        head.address,
        head.original,
        head.parents,
        values.get("F"),
        values.get("R", ""),
        values.get("T", ""),
        peer,
        errno,
        _unquoted(values.get("C", "")),
        reason,
    )


def _rejected(msgid: str, rest: str) -> Rejected | None:
    if "rejected " not in rest:
        return None
    text = f" {rest}"
    values, peer, end = read_tags(text, 0)
    found = _REJECTED.match(text, end)
    if found is None:
        return None
    return Rejected(
        msgid, peer, values.get("F"), found["command"], found["to"] or "", text[found.end() :]
    )


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)
