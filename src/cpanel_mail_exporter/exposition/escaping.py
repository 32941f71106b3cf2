"""Escapes of the exposition formats, and numbers as they are written there."""

import sys

_LARGEST = int(sys.float_info.max)


def label_value(value: str) -> str:
    r"""A label value as it stands between quotes; both formats escape the same three characters.

    >>> print(label_value('a "b" \\ c'))
    a \"b\" \\ c
    """
    # str.replace looks for a character many times faster than str.translate maps them.
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


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
