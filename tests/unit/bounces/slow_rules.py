"""The rules of the package, tried one after the other with Python's `re`: slow and obvious.

Texts are prepared as the rules assume: lower case, addresses as `<addr>`, reply codes taken out,
what stands before the reply cut off, and the stage of the dialogue told apart.
"""

import re
import tomllib
from importlib.resources import files
from typing import Any, NamedTuple

FILES = ("cpanel.toml", "exim.toml", "receivers.toml", "general.toml", "codes.toml")
CONDITIONS = ("text", "code", "enhanced", "stage")

STAGES = {
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
_ADDRESS = re.compile(r"<?\b[\w.+=/'-]+@[\w.-]+\b>?")
_CODE = re.compile(
    r"(?:^|[\s:'\"#(])([245]\d\d)(?:[ :-]+#?([245]\.\d{1,3}\.\d{1,3})\b)?(?=[\s:;'-]|$)"
)
_ENHANCED = re.compile(r"(?:^|[\s(#])([245]\.\d{1,3}\.\d{1,3})(?=[\s);:]|$)")
_WRAPPER = re.compile(
    r"(?:smtp|lmtp) error from remote (?:mail )?server[^:]*?"
    r"(?:(?: mail from| rcpt to):<[^>]*>[^:]*)?: ?"
)
_HOST = re.compile(r"^host \S+ ?[\[(][^\])]*[\])](?: said| refused to talk to me)?: ?")
_CODES_IN_TEXT = re.compile(
    r"(?:^|(?<= ))[245]\d\d(?:-(?= ?[245]\.)| |-|$)(?:#?[245]\.\d{1,3}\.\d{1,3}(?=[ :;]|$) ?)?"
)


class Reply(NamedTuple):
    """A diagnostic text, prepared for the rules."""

    text: str
    code: str
    enhanced: str
    stage: str


def rules() -> list[dict[str, Any]]:
    """All rules of the package in the order in which they are tried, each with its `file`."""
    data = files("cpanel_mail_exporter.bounces") / "data"
    return [
        {"file": name, **rule}
        for name in FILES
        for rule in tomllib.loads((data / name).read_text(encoding="utf-8"))["rule"]
    ]


def pattern(condition: str | list[str]) -> re.Pattern[str]:
    r"""One pattern of a condition, whose alternatives may be written one a line.

    ASCII, as RE2 has it: `\w` and `\b` know no other letters.
    """
    alternatives = [condition] if isinstance(condition, str) else condition
    return re.compile("|".join(f"(?:{one})" for one in alternatives), re.ASCII)


def prepare(raw: str) -> Reply:
    """The parts of a text as a mail server reported it."""
    text = _without_mojibake(raw).replace("\\n", "\n").lower()
    stage = next((name for name, words in STAGES.items() if re.search(words, text)), "")
    text = re.sub(r"\(in reply to [^)]*\)\s*$", "", " ".join(text.split()))
    if wrapper := _WRAPPER.search(text):
        text = text[wrapper.end() :]
    text = _ADDRESS.sub("<addr>", _HOST.sub("", text))
    code = enhanced = ""
    if found := _CODE.search(text):
        code, enhanced = found[1], found[2] or ""
    if not enhanced and (alone := _ENHANCED.search(text)):
        enhanced = alone[1]
    if found:
        text = _CODES_IN_TEXT.sub("", _reply_within(text, found.start(1), code))
    return Reply(text.strip(), code, enhanced, stage)


def _without_mojibake(raw: str) -> str:
    """UTF-8 that was read as Latin-1 on its way, put right."""
    try:
        return raw if raw.isascii() else raw.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return raw


def _reply_within(text: str, start: int, code: str) -> str:
    """The reply alone, without what a pipelining server answered to later commands."""
    reply = text[start:]
    later = re.search(
        rf"(?<=\S) (?!{code})[245]\d\d[ -](?:[245]\.\d\.\d|error|need|bad|rcpt)", reply[4:]
    )
    if later:
        reply = reply[: later.start() + 4]
    return reply if len(re.findall(r"[^\W\d_]", reply)) >= 3 else text


class SlowRules:
    """Rules in their order; the first whose conditions all hold names the reason."""

    def __init__(self) -> None:
        self._rules = [
            (rule, {key: pattern(rule[key]) for key in CONDITIONS if key in rule})
            for rule in rules()
            if "router" not in rule
        ]

    def rule(self, raw: str) -> dict[str, Any]:
        """The rule for a text, an empty one (`reason` `other`) where none fits."""
        reply = prepare(raw)
        for rule, conditions in self._rules:
            if all(_holds(key, condition, reply) for key, condition in conditions.items()):
                return rule
        return {"name": "", "reason": "other"}


def _holds(key: str, condition: re.Pattern[str], reply: Reply) -> bool:
    if key == "text":
        return condition.search(reply.text) is not None
    return condition.fullmatch(getattr(reply, key)) is not None
