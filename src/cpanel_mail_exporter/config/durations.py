"""Durations as Prometheus writes them (`1h30m`), and windows (`today`, a duration, `off`)."""

import re

from cpanel_mail_exporter.config.problems import quoted
from cpanel_mail_exporter.model.window import Rolling, Today, Window

_MILLISECONDS = {
    "y": 365 * 86_400_000,
    "w": 7 * 86_400_000,
    "d": 86_400_000,
    "h": 3_600_000,
    "m": 60_000,
    "s": 1_000,
    "ms": 1,
}
_DURATION = re.compile("".join(rf"(?:(?P<{unit}>[0-9]{{1,18}}){unit})?" for unit in _MILLISECONDS))

# What fits into Prometheus' own 64 bits of nanoseconds.
_MOST_MILLISECONDS = (2**63 - 1) // 1_000_000


def parse_duration(text: str) -> float:
    """Seconds of a duration such as `1h30m`, `90s`, `500ms`, `1d`, `1w`, `1y` or `0`.

    Units stand in descending order, each at most once; a day has 24 hours, a year 365 days.

    Raises:
        ValueError: it isn't one, or is longer than about 292 years.

    >>> parse_duration("1h30m")
    5400.0
    """
    if text == "0":
        return 0.0
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"{quoted(text)} isn't a duration; write one such as 90s, 1h30m or 500ms")
    milliseconds = sum(
        int(number) * _MILLISECONDS[unit]
        for unit, number in match.groupdict().items()
        if number is not None
    )
    if milliseconds > _MOST_MILLISECONDS:
        raise ValueError(f"{quoted(text)} is too long; the longest duration is 292y")
    return milliseconds / 1000


def format_duration(seconds: float) -> str:
    """The duration of *seconds* (0 or more), to the millisecond, that parse_duration reads back.

    >>> format_duration(5400)
    '1h30m'
    """
    rest = round(seconds * 1000)
    if rest < 0:
        raise ValueError("a duration can't be negative")
    if rest == 0:
        return "0s"
    text = ""
    for unit, milliseconds in _MILLISECONDS.items():
        count, left = divmod(rest, milliseconds)
        # Years and weeks only where they come out even: 8d says more than 1w1d.
        if count and not (unit in {"y", "w"} and left):
            text += f"{count}{unit}"
            rest = left
    return text


def parse_window(text: str) -> Window | None:
    """The window that `today`, a duration of whole seconds, or `off` (None) means.

    Raises:
        ValueError: it is none of these.
    """
    word = text.lower()
    if word == "today":
        return Today()
    if word == "off":
        return None
    try:
        seconds = parse_duration(text)
    except ValueError:
        raise ValueError(
            f"{quoted(text)} isn't a window; write today, a duration such as 24h, or off"
        ) from None
    if seconds < 1 or not seconds.is_integer():
        raise ValueError(
            f"{quoted(text)} is no window; a duration of 1s or more in whole seconds is"
        )
    return Rolling(int(seconds))
