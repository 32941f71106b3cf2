"""What a server does where the facts about WHM leave it open: a switch for each unknown."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from whm_simulator.api.quirk_table import QUIRK_ROWS, Kind, QuirkRow


@dataclass(frozen=True, slots=True)
class Quirks:
    """The choices of one server; the defaults are what is thought most likely.

    Attributes:
        numbers: ``numbers``, or ``strings`` for every number of an answer as text.
        empty: null members as ``null``, left out (``absent``) or as empty text (``text``).
        cap_comes: whether a cap cuts ``after`` or ``before`` the filters.
        cap: most rows of one type in any answer; 0 for no bound beyond what was asked for.
        tells_overflow: whether ``metadata.overflowed`` says that a cap cut the answer.
        time_filters: ``any`` time field, or ``send`` where a filter on the action time is applied
            to the send time.
        totals_go_by: ``send`` or ``action`` time; unique counts follow.
        range_ends: whether totals and unique counts include both ends of a range (``included``) or
            none (``excluded``).
        chunk_limit: most rows of one page whatever was asked for; 0 for no bound.
        ignored: output options without effect, of filter, sort, chunk and columns.
        late_seconds: rows appear up to this long after their time.
        retries: deferrals are ``kept``, or ``replaced`` by the next attempt.
        accepted: what WHM writes in place of "Accepted".
        type_words: ``documented``, or ``more`` for filtered, archive and rejected rows as well.
        without_types: what a search without any type flag finds: ``nothing`` or ``everything``.
        clock_offset_seconds: how far the server's clock is ahead.
        has_gzip: whether answers are compressed for who takes it.
        lacking_acl: ``result_0`` or ``403``.
        version_shape: ``api1`` or ``legacy``.
        limits: REACHED_* as ``text`` ("150/150") or ``number`` (1).
        bounce_sender: of a bounce in the queue: ``empty``, ``brackets`` or ``null``.
        remote_user: ``deliveryuser`` of other sites' mail: ``-remote-``, ``null`` or ``empty``.
        user_rows: one record of a user (``user``), or one of each of its domains (``domain``).
    """

    numbers: str = "numbers"
    empty: str = "null"
    cap_comes: str = "after"
    cap: int = 0
    tells_overflow: bool = True
    time_filters: str = "any"
    totals_go_by: str = "send"
    range_ends: str = "included"
    chunk_limit: int = 0
    ignored: frozenset[str] = frozenset()
    late_seconds: int = 0
    retries: str = "kept"
    accepted: str = "Accepted"
    type_words: str = "documented"
    without_types: str = "nothing"
    clock_offset_seconds: int = 0
    has_gzip: bool = True
    lacking_acl: str = "result_0"
    version_shape: str = "api1"
    limits: str = "text"
    bounce_sender: str = "empty"
    remote_user: str = "-remote-"
    user_rows: str = "user"


PLAIN = Quirks()
"""A server without quirks."""


_ROWS: Mapping[str, QuirkRow] = {row.name: row for row in QUIRK_ROWS}
_NUMBER = re.compile(r"\d{1,15}", re.ASCII)
_TIME = re.compile(r"([+-]?\d{1,9})([smhd]?)", re.ASCII)
_LONGEST_SECONDS = 3650 * 86_400
_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def parse_quirks(texts: Iterable[str], servers: Sequence[str]) -> dict[str, Quirks]:
    """The quirks of each of *servers* from texts such as "cap=250" or "web2:no-gzip".

    What is said of one server beats what is said of all; otherwise the last one counts.

    Raises:
        ValueError: with one sentence on what is wrong and what would be right.

    >>> parse_quirks(["cap=250", "web2:cap=9"], ["web1", "web2"])["web2"].cap
    9
    """
    common: dict[str, Any] = {}
    own: dict[str, dict[str, Any]] = {server: {} for server in servers}
    for text in texts:
        head, equals, value = text.partition("=")
        server, colon, name = head.rpartition(":")
        if colon and server not in own:
            known = ", ".join(servers)
            raise ValueError(f'The quirk "{text}" is for no known server; there are: {known}.')
        if name not in _ROWS:
            raise ValueError(f'There is no quirk "{name}"; there are: {", ".join(_ROWS)}.')
        chosen = own[server] if colon else common
        chosen[_ROWS[name].field] = _value(_ROWS[name], value if equals else None)
    return {server: replace(PLAIN, **{**common, **own[server]}) for server in servers}


def _value(row: QuirkRow, text: str | None) -> object:
    """What *text* means to *row*; None if the quirk was written without a value."""
    if text is None and row.kind is not Kind.SWITCH:
        raise ValueError(f'The quirk "{row.name}" needs a value: {row.usage}.')
    value: object = text
    match row.kind:
        case Kind.SWITCH:
            if text is not None:
                raise ValueError(f'The quirk "{row.name}" takes no value.')
            value = False
        case Kind.NUMBER | Kind.DURATION:
            value = _number(row, text or "")
        case Kind.WORD | Kind.WORDS:
            words = (text or "").split(",") if row.kind is Kind.WORDS else [text]
            if not set(words) <= set(row.values):
                how = "some of" if row.kind is Kind.WORDS else "one of"
                known = ", ".join(row.values)
                raise ValueError(f'The quirk "{row.name}" takes {how} {known}, not "{text}".')
            value = frozenset(words) if row.kind is Kind.WORDS else text
    return value


def _number(row: QuirkRow, text: str) -> int:
    number = None
    if row.kind is Kind.DURATION:
        if found := _TIME.fullmatch(text):
            number = int(found[1]) * _UNIT_SECONDS[found[2]]
            if abs(number) > _LONGEST_SECONDS:
                raise ValueError(f'The quirk "{row.name}" takes 3650d at most, not "{text}".')
    elif _NUMBER.fullmatch(text):
        number = int(text)
    if number is None or (row.least is not None and number < row.least):
        wanted = "a whole number" if row.kind is Kind.NUMBER else "a time such as 90s, 45m or 2h"
        bound = "" if row.least is None else f" of {row.least} or more"
        raise ValueError(f'The quirk "{row.name}" takes {wanted}{bound}, not "{text}".')
    return number
