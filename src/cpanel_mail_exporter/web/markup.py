"""Pieces that the pages are made of: text from outside made fit for HTML, links, and their policy.

Everything that comes from outside is escaped and bounded in length; links isolate it in its writing
direction.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlencode

LONGEST_TEXT = 600
LONGEST_FILTER = 200
_UNFIT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls, overrides of the writing direction, and halves of characters."""


class Sheet:
    """A page's own part, in the frame and the style that all pages share.

    Args:
        template: name of the file of its own part.

    Attributes:
        headers: the policy under which its style, and nothing else, is allowed.
    """

    def __init__(self, template: str) -> None:
        self._frame = Template(_read("page.html"))
        self._main = Template(_read(template))
        self._style = _read("page.css")
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self.headers: Mapping[str, str] = {
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
                "base-uri 'none'; frame-ancestors 'none'"
            )
        }

    def filled(
        self, *, title: str, heading: str, moment: str, links: str, summary: str, **parts: str
    ) -> bytes:
        """The page as UTF-8.

        All are HTML: what stands in the frame, and *parts*, which go to their places in the page's
        own part.
        """
        return self._frame.substitute(
            title=title,
            style=self._style,
            heading=heading,
            moment=moment,
            links=links,
            summary=summary,
            main=self._main.substitute(parts),
        ).encode()


def _read(name: str) -> str:
    """A file that lies beside this module."""
    return Path(__file__).with_name(name).read_text("utf-8")


def age(seconds: float) -> str:
    """A span as people say it, in its largest whole unit.

    >>> [age(seconds) for seconds in (0.2, 59, 60, 7199, 86400 * 3)]
    ['0 s', '59 s', '1 min', '1 h', '3 d']
    """
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(max(0.0, seconds))} s"


def moment(now_unix: float) -> str:
    """An instant in UTC."""
    return datetime.fromtimestamp(now_unix, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def text(outside: str) -> str:
    """Text from outside, fit to stand in HTML, in an attribute as well."""
    if len(outside) > LONGEST_TEXT:
        outside = outside[:LONGEST_TEXT] + "\u2026"
    return escape(_UNFIT.sub("\ufffd", outside))


def link(words: str, address: str) -> str:
    """A link; both may come from outside."""
    return f'<a href="{text(address)}"><bdi>{text(words)}</bdi></a>'


LINKS_BACK = link("Status", "/") + "\n" + link("/metrics", "/metrics")
"""For the pages beside the status page."""


def page_number(sent: str, last: int) -> int:
    """The page that was asked for; anything that isn't one means the first or the last."""
    return min(last, max(1, int(sent) if sent.isdecimal() and len(sent) < 10 else 1))


def pages(path: str, number: int, last: int, wanted: str) -> str:
    """Links to the pages beside *number* of those that *wanted* finds; nothing if it is alone."""
    if last == 1:
        return ""

    def to(page: int, words: str) -> str:
        query = {"q": wanted, "page": str(page)} if wanted else {"page": str(page)}
        address = f"{path}?{urlencode(query, errors='replace')}"
        return link(words, address) if 1 <= page <= last else ""

    return (
        f'<nav class="pages" aria-label="Pages">{to(number - 1, "Previous")}'
        f"<span>Page {number} of {last}</span>{to(number + 1, 'Next')}</nav>"
    )


def search_form(path: str, *, wanted: str, title: str, hint: str, result: str) -> str:
    """A field to find by text, and beside it what the text that stands in it found."""
    found = f'<span class="quiet">{result}</span> {link("Show all", path)}' if wanted else ""
    return (
        f'<form action="{path}" method="get" role="search">'
        f'<input type="search" name="q" maxlength="{LONGEST_FILTER}" aria-label="{title}" '
        f'placeholder="{hint}" value="{text(wanted)}">'
        f"<button>Find</button>{found}</form>"
    )
