"""The skeleton of a delivery's text -> the reply in it: words, codes, and what it answered.

Exim, Postfix, qmail and others wrap what a receiver said in words of their own; these are cut off,
so that they aren't taken for the receiver's. A number is a reply code only where a reply begins:
at the start, after what introduces one, or before an enhanced code; never within a name or an
address, nor before a unit.
"""

import re
from typing import Literal, NamedTuple

Stage = Literal["", "connect", "helo", "tls", "mail", "rcpt", "data"]

STAGES: tuple[Stage, ...] = ("connect", "helo", "tls", "mail", "rcpt", "data")
"""Parts of the dialogue that a reply may answer, in the order they are looked for."""


class Reply(NamedTuple):
    """What a text holds.

    Attributes:
        text: what was said, without the wrapper and without codes.
        code: reply code such as `550`, empty without one.
        enhanced: enhanced status code such as `5.1.1`, empty without one.
        stage: what was answered, empty where the text doesn't say.
    """

    text: str
    code: str = ""
    enhanced: str = ""
    stage: Stage = ""


_STAGE_WORDS: dict[Stage, str] = {
    "connect": r"after initial connection|refused to talk to me|but greeting failed",
    "helo": r"after (?:ehlo|helo)|in reply to (?:ehlo|helo)",
    "tls": r"after starttls|in reply to starttls",
    "mail": (
        r"after (?:pipelined )?mail from|in reply to mail from|\[mail_from\]|sender was rejected"
    ),
    "rcpt": (
        r"after (?:pipelined )?rcpt to|in reply to rcpt to|did not like our rcpt to"
        r"|does not like recipient|\[rcpt_to\]"
    ),
    "data": (
        r"after (?:pipelined )?(?:sending )?data|end of data|in reply to (?:end of )?data"
        r"|after i sent the message"
    ),
}
_STAGES = [(stage, re.compile(_STAGE_WORDS[stage])) for stage in STAGES]
_IN_REPLY_TO = re.compile(r"\(in reply to [^)]*\)$")
_WRAPPER = re.compile(
    r"(?:smtp|lmtp) error from remote (?:mail )?(?:server|mailer)[^:]*?"
    r"(?:(?: mail from| rcpt to): ?<[^>]*>[^:]*)?: ?"
)
_HOST = re.compile(r"^host \S+ ?[\[(][^\])]*[\])](?::\d+)?(?: said| refused to talk to me)?: ?")

_ENHANCED_CODE = r"[45]\.[0-7]\.\d{1,3}"
_SAID = r"\b(?:said|status|error|code|reply|replied|returned|response|result|smtp)"
# Where a reply begins for sure any code of its first digit is one; elsewhere those of SMTP are.
_AT_START = rf"(?:^|^[\"'<(\[]|{_SAID}[:;,=]? ?[\"'<(\[]?)(?P<first>[45]\d\d)"
_BEFORE_ENHANCED = rf"[\s:;\"'<>(\[#](?P<second>[45][0-5]\d)(?=[ :-]+#?{_ENHANCED_CODE}\b)"
_NOT_A_COUNT = (
    r"(?![ -]?(?:[kmg]i?b|bytes?|seconds?|secs?|minutes?|mins?|hours?|days?|messages|e?-?mails"
    r"|recipients|connections|times|attempts|percent|per)\b)"
)
_AFTER_A_SIGN = rf"(?:[:;=>] ?|[\"'<(\[]|(?<=[\s(\[])#)(?P<third>[45][0-5]\d){_NOT_A_COUNT}"
_IN_PASSING = (
    r"(?<!\bin)(?<!\bto)(?<!after)(?<!of)(?<!than)(?<!limit)(?<!\bis)(?<!for)(?<!port)(?<!over)"
    rf" (?P<fourth>[45][0-5]\d)(?=[ -][\"'a-z<]){_NOT_A_COUNT}"
)
_REPLY_CODE = re.compile(
    rf"(?:{_AT_START}|{_BEFORE_ENHANCED}|{_AFTER_A_SIGN}|{_IN_PASSING})(?=[\s:;'\"<,)\]-]|\.?(?:\s|$))"
    rf"(?:[ :-]+#?(?P<enhanced>{_ENHANCED_CODE})\b)?"
)
_POSITIONS = ("first", "second", "third", "fourth")
_ENHANCED_ALONE = re.compile(rf"(?:^|[\s(#\[:;])({_ENHANCED_CODE})(?=[\s);:\]]|$)")
_CODES_IN_TEXT = re.compile(
    r"(?:^|(?<= ))[245]\d\d(?:-(?= ?[245]\.)| |-|$)(?:#?[245]\.\d{1,3}\.\d{1,3}(?=[ :;]|$) ?)?"
)
_LATER_REPLY = r"(?<=\S) (?!%s)[245]\d\d[ -](?:[245]\.\d\.\d|error|need|bad|rcpt)"
_LETTER = re.compile(r"[^\W\d_]")
_FEWEST_LETTERS = 3


def read_reply(skeleton: str) -> Reply:
    """The reply within a text as `skeleton` made it."""
    stage = _stage(skeleton)
    text = _IN_REPLY_TO.sub("", skeleton).rstrip()
    if wrapper := _WRAPPER.search(text):
        text = text[wrapper.end() :]
    text = _HOST.sub("", text)
    code = enhanced = position = ""
    found = _REPLY_CODE.search(text)
    if found:
        position = next(name for name in _POSITIONS if found[name])
        code = found[position]
        enhanced = found["enhanced"] or ""
    if not enhanced and (alone := _ENHANCED_ALONE.search(text)):
        enhanced = alone[1]
    if found:
        text = _CODES_IN_TEXT.sub("", _reply_within(text, found.start(position), code))
    return Reply(text.strip(), code, enhanced, stage)


def _stage(skeleton: str) -> Stage:
    for stage, words in _STAGES:
        if words.search(skeleton):
            return stage
    return ""


def _reply_within(text: str, start: int, code: str) -> str:
    """The reply alone, without what a pipelining server answered to later commands.

    The whole text where the reply says nothing: the words then stand before it.
    """
    reply = text[start:]
    later = re.search(_LATER_REPLY % code, reply[4:])
    if later:
        reply = reply[: later.start() + 4]
    return reply if len(_LETTER.findall(reply)) >= _FEWEST_LETTERS else text
