"""Bytes that are nearly JSON -> bytes that are."""

import re

_CONTROLS_TO_SPACE = bytes(max(byte, 32) for byte in range(256))
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
    rb"|\\.",
    re.DOTALL,
)


def mended(body: bytes) -> bytes:
    """Make JSON readable that holds what JSON may not: such bytes become U+FFFD or a space.

    Invalid UTF-8 and lone surrogate escapes are replaced by U+FFFD, raw control characters by a
    space. Mail holds any bytes, and WHM hands them on.
    """
    clean = body.decode("utf-8", "replace").encode().translate(_CONTROLS_TO_SPACE)
    return _ESCAPES.sub(_without_lone_surrogate, clean)


def _without_lone_surrogate(match: re.Match[bytes]) -> bytes:
    escape = match[0]
    return b"\\ufffd" if len(escape) == len(b"\\ud800") else escape
