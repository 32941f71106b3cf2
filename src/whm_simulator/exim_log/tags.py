"""The fields of a log line: ``R=router``, ``H=host [address]:port``, ``C="..."`` and the like.

The letters are those of the section "Summary of Fields in Log Lines" of Exim's specification, and
values look as a real Exim 4.96 wrote them with every log selector on.
"""

import re
from typing import NamedTuple

from whm_simulator.exim_log.events import Peer

_NAME = re.compile(r" ([A-Z][A-Za-z0-9]{0,4}|id\*?)=")
_MARK = re.compile(r" [A-Z][A-Za-z0-9.*-]*(?=[ :]|$)")
"""A field that is only there or not, such as ``K``, ``L.-``, ``DS`` or ``PRDR``."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKETED = re.compile(r"<(.*?)>(?=[ :]|$)")
_WORD = re.compile(r"\S*?(?=: | |:?$)")
_PEER = re.compile(
    r"(?:(?P<name>[^\s()\[\]]+)(?: DS)? )?"
    r"(?:(?P<helo>\(.{0,300}?\)) (?=\[))?"
    r"\[(?P<ip>[0-9A-Fa-f.:]+)\](?::\d+)?\*?(?=[ :]|$)"
)


class Tags(NamedTuple):
    """Fields by name with quotes and brackets taken off, and the place where they end."""

    values: dict[str, str]
    peer: Peer | None
    end: int


def read_tags(text: str, start: int) -> Tags:
    """The fields of *text* from *start*, where a space stands before the first one.

    They end at the first thing that is none, such as a colon or an ordinary word.
    """
    values: dict[str, str] = {}
    peer = None
    place = start
    while True:
        name = _NAME.match(text, place)
        if name is None:
            mark = _MARK.match(text, place)
            if mark is None:
                return Tags(values, peer, place)
            place = mark.end()
            continue
        key, place = name[1], name.end()
        if key == "H" and (found := _PEER.match(text, place)):
            peer = Peer(found["name"] or found["helo"] or "", found["ip"])
            place = found.end()
        elif found := _QUOTED.match(text, place):
            values[key], place = found[0][1:-1], found.end()
        elif found := _BRACKETED.match(text, place):
            values[key], place = found[1], found.end()
        elif found := _WORD.match(text, place):
            values[key], place = found[0], found.end()
            if key == "H":
                peer = Peer(found[0], "")
