"""Server views in, one page of HTML out: every server with its state in words, the worst first.

Readable without script, on a phone, in light and dark, and with thousands of servers: it is cut
into pages, and `?q=` finds servers by any text shown for them. Everything that comes from outside
is escaped, isolated in its writing direction and bounded in length.
"""

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from string import Template
from typing import NamedTuple
from urllib.parse import quote, urlencode

from cpanel_mail_exporter.web.ports import Health, ServerView

PAGE_SERVERS = 100
LONGEST_TEXT = 600
LONGEST_FILTER = 200
_UNFIT = (
    *(code for code in (*range(32), *range(127, 160)) if code not in b"\t\n\r"),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),
)
_REPLACED = dict.fromkeys(_UNFIT, "\ufffd")
"""Controls, overrides of the writing direction, and halves of characters."""
_NUMBER = re.compile(r"[0-9]+")


class Link(NamedTuple):
    """A further link; *address* begins with `/` or `https://`."""

    text: str
    address: str


OWN_LINKS = (
    Link("/metrics", "/metrics"),
    Link("/sd", "/sd"),
    Link("/-/healthy", "/-/healthy"),
    Link("/-/ready", "/-/ready"),
)


class StatusPage:
    """The page at `/`.

    Attributes:
        headers: the policy under which its style, and nothing else, is allowed.
    """

    def __init__(self, version: str, links: Sequence[Link] = ()) -> None:
        here = files(__package__)
        self._template = Template(here.joinpath("status_page.html").read_text("utf-8"))
        self._style = here.joinpath("status_page.css").read_text("utf-8")
        self._version = version
        self._links = (*OWN_LINKS, *links)
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        self.headers: Mapping[str, str] = {
            "Content-Security-Policy": (
                f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
                "base-uri 'none'; frame-ancestors 'none'"
            )
        }

    def render(
        self, views: Sequence[ServerView], now_unix: float, *, wanted: str = "", page: str = ""
    ) -> bytes:
        """The page as UTF-8.

        Args:
            views: all servers.
            now_unix: the moment that "12 s ago" is counted from.
            wanted: only servers in which this text is found, whatever its case.
            page: number of the page as sent; anything that isn't one means the first or the last.
        """
        wanted = wanted.strip()[:LONGEST_FILTER]
        found = sorted(
            (view for view in views if _is_found(view, wanted.casefold())),
            key=lambda view: (view.health, _NUMBER.sub(_padded, view.name)),
        )
        last = max(1, -(-len(found) // PAGE_SERVERS))
        number = min(last, max(1, int(page) if page.isdecimal() and len(page) < 10 else 1))
        shown = found[(number - 1) * PAGE_SERVERS : number * PAGE_SERVERS]
        html = self._template.substitute(
            title=_title(views),
            style=self._style,
            version=_text(self._version),
            moment=datetime.fromtimestamp(now_unix, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
            links="\n".join(_link(text, address) for text, address in self._links),
            summary=_summary(views),
            filter=_filter(wanted, len(found), len(views)),
            servers=_table(shown, now_unix),
            pages=_pages(number, last, wanted),
        )
        return html.encode()


def age(seconds: float) -> str:
    """A span as people say it, in its largest whole unit.

    >>> [age(seconds) for seconds in (0.2, 59, 60, 7199, 86400 * 3)]
    ['0 s', '59 s', '1 min', '1 h', '3 d']
    """
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{int(max(0.0, seconds))} s"


def _padded(number: re.Match[str]) -> str:
    """Makes web9 come before web10."""
    return number[0].lstrip("0").rjust(20, "0")


def _is_found(view: ServerView, folded: str) -> bool:
    if not folded:
        return True
    shown = [view.name, view.endpoint_authority, view.health.name, view.state]
    shown += [f"{name}={value}" for name, value in view.labels]
    shown += [f"{name}: {state}" for name, state in view.collectors]
    return any(folded in text.casefold() for text in shown)


def _title(views: Sequence[ServerView]) -> str:
    failing = sum(view.health is Health.FAILING for view in views)
    return f"{failing} failing - cpanel_mail_exporter" if failing else "cpanel_mail_exporter"


def _summary(views: Sequence[ServerView]) -> str:
    count = Counter(view.health for view in views)
    total = f"<span>{len(views)} server{'' if len(views) == 1 else 's'}</span>"
    return " ".join(
        [total, *(_health(h, f"{count[h]} {h.name.lower()}") for h in Health if count[h])]
    )


def _filter(wanted: str, found: int, total: int) -> str:
    if total <= 10 and not wanted:
        return ""
    result = (
        f'<span class="quiet">{found} of {total}</span> {_link("Show all", "/")}' if wanted else ""
    )
    return (
        '<form action="/" method="get" role="search">'
        f'<input type="search" name="q" maxlength="{LONGEST_FILTER}" aria-label="Find servers" '
        f'placeholder="Name, label or state" value="{_text(wanted)}">'
        f"<button>Find</button>{result}</form>"
    )


def _table(views: Iterable[ServerView], now_unix: float) -> str:
    rows = "\n".join(_row(view, now_unix) for view in views)
    if not rows:
        return '<div class="frame"><p class="none">No server is found by this text.</p></div>'
    titles = ("Server", "State", "Last success", "Next poll")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return (
        f'<div class="frame"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(view: ServerView, now_unix: float) -> str:
    labels = "".join(
        f'<span class="label"><bdi>{_text(name)}={_text(value)}</bdi></span>'
        for name, value in view.labels
    )
    collectors = "".join(
        f"<li><bdi>{_text(name)}</bdi>: <bdi>{_text(state)}</bdi></li>"
        for name, state in view.collectors
    )
    success = view.last_success_unix
    following = view.next_poll_unix
    probe = "/probe?target=" + quote(view.name, safe="", errors="replace")
    return (
        f'<tr><td class="name">{_link(view.name, probe)}'
        f'<div class="quiet"><bdi>{_text(view.endpoint_authority)}</bdi></div>{labels}</td>'
        f"<td>{_health(view.health, view.health.name.capitalize())} "
        f"<bdi>{_text(view.state)}</bdi>{f'<ul>{collectors}</ul>' if collectors else ''}</td>"
        f'<td class="time" data-title="Last success:">'
        f"{'never' if success is None else age(now_unix - success) + ' ago'}</td>"
        f'<td class="time" data-title="Next poll:">'
        f"{_when(following, now_unix)}</td></tr>"
    )


def _when(due_unix: float | None, now_unix: float) -> str:
    if due_unix is None:
        return "not planned"
    return "in " + age(due_unix - now_unix) if due_unix > now_unix else "now"


def _pages(number: int, last: int, wanted: str) -> str:
    if last == 1:
        return ""

    def to(page: int, text: str) -> str:
        query = {"q": wanted, "page": str(page)} if wanted else {"page": str(page)}
        return _link(text, f"/?{urlencode(query, errors='replace')}") if 1 <= page <= last else ""

    return (
        f'<nav class="pages" aria-label="Pages">{to(number - 1, "Previous")}'
        f"<span>Page {number} of {last}</span>{to(number + 1, 'Next')}</nav>"
    )


def _health(health: Health, words: str) -> str:
    return f'<span class="health {health.name.lower()}">{words}</span>'


def _link(text: str, address: str) -> str:
    return f'<a href="{_text(address)}"><bdi>{_text(text)}</bdi></a>'


def _text(text: str) -> str:
    """Text from outside, fit to stand in HTML, in an attribute as well."""
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT] + "\u2026"
    return escape(text.translate(_REPLACED))
