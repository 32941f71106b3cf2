"""Escapes of the exposition formats, and numbers as they are written there."""

import sys

_LARGEST = int(sys.float_info.max)
_FIRST_WITH_EXPONENT = 1_000_000


def label_value(value: str) -> str:
    r"""A label value as it stands between quotes; both formats escape the same three characters.

    >>> print(label_value('a "b" \\ c'))
    a \"b\" \\ c
    """
    # str.replace looks for a character many times faster than str.translate maps them.
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def is_plain(text: str) -> bool:
    """Whether no character of a label value has to be escaped."""
    return not ('"' in text or "\\" in text or "\n" in text)


def help_text(value: str, *, quotes: bool) -> str:
    """A HELP text; OpenMetrics escapes quotes there too, the classic format doesn't."""
    if quotes:
        return label_value(value)
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def number(value: float) -> str:
    """A sample's value: whole numbers without point or exponent, others as short as is exact.

    >>> number(7301), number(7301.0), number(0.25), number(float("inf"))
    ('7301', '7301', '0.25', '+Inf')
    """
    if value != value:  # noqa: PLR0124 - the one test for NaN that needs no import
        return "NaN"
    if abs(value) > _LARGEST:  # Prometheus refuses the whole page for a number it can't hold
        return "+Inf" if value > 0 else "-Inf"
    whole = int(value)
    return str(whole) if whole == value else repr(value)


def bound(value: float) -> str:
    """A bucket's bound as `le` says it: always a float, so that both formats agree on the series.

    OpenMetrics asks for this form, and Prometheus 3 turns others into it.

    >>> bound(5), bound(0.25), bound(345_600), bound(1_048_576), bound(float("inf"))
    ('5.0', '0.25', '345600.0', '1.048576e+06', '+Inf')
    """
    if value == float("inf"):
        return "+Inf"
    digits = repr(float(value))
    if abs(value) < _FIRST_WITH_EXPONENT or "e" in digits:
        return digits
    whole = str(int(value))
    fraction = whole[1:].rstrip("0")
    return f"{whole[0]}{'.' if fraction else ''}{fraction}e+{len(whole) - 1:02}"
