"""What single values may be: one function each, text in, checked value or ValueError out.

The sentence of an error is written for flags, variables and files alike; it names no place.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from cpanel_mail_exporter.config.durations import format_duration, parse_duration
from cpanel_mail_exporter.config.endpoint import parse_host
from cpanel_mail_exporter.config.problems import quoted, suggestion
from cpanel_mail_exporter.config.settings import LogFormat, LogLevel, Privacy
from cpanel_mail_exporter.ledger.counters import DIRECTIONS
from cpanel_mail_exporter.model.query import DELIVERY_TYPES
from cpanel_mail_exporter.model.records import DELIVERY_LABELS

LONGEST_NAME = 100
_LEAST_LOOK_BACK_SECONDS, _MOST_LOOK_BACK_SECONDS = 86_400, 30 * 86_400
USER_LABELS: tuple[str, ...] = ("owner", "primary_domain")

_TRUTHS = {"true": True, "1": True, "yes": True, "on": True}
_FALSEHOODS = {"false": False, "0": False, "no": False, "off": False}
_LEVELS: dict[str, LogLevel] = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "warn": "warning",
    "error": "error",
}
_PRIVACY: dict[str, Privacy] = {"full": "full", "hash": "hash", "domain": "domain"}
_FORMATS: dict[str, LogFormat] = {"logfmt": "logfmt", "json": "json"}


def holds_control(text: str) -> bool:
    """Whether C0 or C1 characters are in it, or halves of surrogate pairs, which no UTF-8 has."""
    return re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text) is not None


def parse_text(text: str) -> str:
    """Any text but the empty one."""
    if not text:
        raise ValueError("is empty; write a value or leave it out")
    return text


def parse_path(text: str) -> Path:
    """A path; whether something is there is seen where it is read."""
    if not text or "\0" in text:
        raise ValueError("isn't a path; write that of a file or folder")
    return Path(text)


def parse_bool(text: str) -> bool:
    """True or false, in any of the usual words."""
    word = text.lower()
    if word in _TRUTHS:
        return True
    if word in _FALSEHOODS:
        return False
    raise ValueError(f"{quoted(text)} is neither true nor false; write one of these")


def parse_count(text: str) -> int:
    """A whole number from 0 up."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,9}", text):
        raise ValueError(f"{quoted(text)} isn't a plain whole number; write 0 or more")
    return int(text)


def parse_positive_count(text: str) -> int:
    """A whole number from 1 up."""
    count = parse_count(text)
    if count < 1:
        raise ValueError(f"{quoted(text)} is too small; write 1 or more")
    return count


def parse_poll_interval(text: str) -> float:
    """A duration of 1s or more, in seconds."""
    seconds = parse_duration(text)
    if seconds < 1:
        raise ValueError(f"{format_duration(seconds)} is too short; write 1s or more")
    return seconds


def parse_timeout(text: str) -> float:
    """A duration longer than 0, in seconds."""
    seconds = parse_duration(text)
    if seconds <= 0:
        raise ValueError("0 leaves no time at all; write a duration such as 30s")
    return seconds


def parse_look_back(text: str) -> int:
    """A duration of 1d to 30d, in whole seconds."""
    seconds = parse_duration(text)
    if not _LEAST_LOOK_BACK_SECONDS <= seconds <= _MOST_LOOK_BACK_SECONDS:
        raise ValueError(f"{format_duration(seconds)} isn't within 1d to 30d; write one such as 5d")
    return int(seconds)


def parse_server_name(text: str) -> str:
    """The operator's name for a server: it becomes a label value and part of an address."""
    if not 1 <= len(text) <= LONGEST_NAME:
        raise ValueError(f"a server's name has 1 to {LONGEST_NAME} characters; choose such a name")
    if "/" in text or holds_control(text):
        raise ValueError("a server's name can't hold '/' or control characters; leave them out")
    return text


def parse_user(text: str) -> str:
    """A WHM user; goes into an HTTP header, before a colon."""
    if not re.fullmatch(r"[!-9;-~]{1,100}", text):
        raise ValueError(
            "isn't a WHM user name; write 1 to 100 letters, digits or signs, without ':' and spaces"
        )
    return text


def parse_tls_name(text: str) -> str:
    """The host name that a certificate must be for."""
    return parse_host(text)


def parse_types(words: Sequence[str]) -> tuple[str, ...]:
    """WHM's words for the kinds of rows wanted; at least one, each once."""
    if not words:
        raise ValueError("names no kind of delivery; name one or more, or write window: off")
    return _chosen(words, DELIVERY_TYPES, "a kind of delivery")


def parse_types_text(text: str) -> tuple[str, ...]:
    """The same, separated by commas."""
    return parse_types(_words(text))


def parse_event_type(text: str) -> str:
    """WHM's word for a failure or a deferral."""
    return _chosen([text], ("failure", "defer"), "a kind of trouble")[0]


def parse_user_labels(words: Sequence[str]) -> tuple[str, ...]:
    """Further labels of `email_user_stats`; none is fine."""
    return _chosen(words, USER_LABELS, "a label that can be added")


def parse_log_labels(words: Sequence[str]) -> tuple[str, ...]:
    """Labels of `email_logs`, in their usual order; none is fine, it gives one number."""
    chosen = _chosen(words, DELIVERY_LABELS, "a label of email_logs")
    return tuple(label for label in DELIVERY_LABELS if label in chosen)


def parse_log_labels_text(text: str) -> tuple[str, ...]:
    """The same, separated by commas."""
    return parse_log_labels(_words(text))


def parse_privacy(text: str) -> Privacy:
    """What is shown of people."""
    privacy = _PRIVACY.get(text)
    if privacy is None:
        raise ValueError(f"{quoted(text)} is no privacy; write full, hash or domain")
    return privacy


def parse_words(words: Sequence[str]) -> tuple[str, ...]:
    """Values of a label; at least one, each once."""
    if not words:
        raise ValueError("names nothing, so that nothing would fit; name one or more, or remove it")
    for at, word in enumerate(words):
        if not word or holds_control(word):
            raise ValueError(f"{quoted(word)} can't be a label's value; write another one")
        if word in words[:at]:
            raise ValueError(f"{quoted(word)} stands twice; keep one")
    return tuple(words)


def parse_words_text(text: str) -> tuple[str, ...]:
    """The same, separated by commas."""
    return parse_words(_words(text))


def parse_domains(words: Sequence[str]) -> tuple[str, ...]:
    """Mail domains; at least one, each once; in small letters."""
    for word in words:
        if "@" in word or "*" in word:
            raise ValueError(
                f"{quoted(word)} isn't a mail domain; write whole ones, such as example.com"
            )
    return parse_words([word.lower() for word in words])


def parse_domains_text(text: str) -> tuple[str, ...]:
    """The same, separated by commas."""
    return parse_domains(_words(text))


def parse_directions(words: Sequence[str]) -> tuple[str, ...]:
    """The ledger's words for which way mail goes; at least one, each once."""
    return _chosen(parse_words(words), DIRECTIONS, "a way that mail goes")


def parse_directions_text(text: str) -> tuple[str, ...]:
    """The same, separated by commas."""
    return parse_directions(_words(text))


def parse_log_level(text: str) -> LogLevel:
    """The least severe messages that are logged."""
    level = _LEVELS.get(text.lower())
    if level is None:
        raise ValueError(f"{quoted(text)} is no level; write debug, info, warning or error")
    return level


def parse_log_format(text: str) -> LogFormat:
    """How a line of the log is written."""
    log_format = _FORMATS.get(text.lower())
    if log_format is None:
        raise ValueError(f"{quoted(text)} is no log format; write logfmt or json")
    return log_format


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")] if text.strip() else []


def _chosen(words: Sequence[str], known: tuple[str, ...], what: str) -> tuple[str, ...]:
    for at, word in enumerate(words):
        if word not in known:
            near = suggestion(word, known) or f"; choose of {', '.join(known)}"
            raise ValueError(f"{quoted(word)} isn't {what}{near}")
        if word in words[:at]:
            raise ValueError(f"{quoted(word)} stands twice; keep one")
    return tuple(words)
