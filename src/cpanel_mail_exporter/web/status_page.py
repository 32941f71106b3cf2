"""Server views in, one page of HTML out: every server with its state in words, the worst first.

Readable without script, on a phone, in light and dark, and with thousands of servers: it is cut
into pages, and `?q=` finds servers by any text shown for them. Everything that comes from outside
is escaped, isolated in its writing direction and bounded in length.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from cpanel_mail_exporter.web.markup import (
    LONGEST_FILTER,
    Sheet,
    age,
    link,
    moment,
    page_number,
    pages,
    search_form,
    text,
)
from cpanel_mail_exporter.web.ports import Health, ServerView

PAGE_SERVERS = 100
_NUMBER = re.compile(r"[0-9]+")


class Link(NamedTuple):
    """A further link; *address* begins with `/` or `https://`."""

    text: str
    address: str


OWN_LINKS = (
    Link("/metrics", "/metrics"),
    Link("/debug/bounces", "/debug/bounces"),
    Link("/debug/cardinality", "/debug/cardinality"),
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
        self._sheet = Sheet("status_page.html")
        self.headers = self._sheet.headers
        self._version = version
        self._links = (*OWN_LINKS, *links)

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
        number = page_number(page, last)
        shown = found[(number - 1) * PAGE_SERVERS : number * PAGE_SERVERS]
        return self._sheet.filled(
            title=_title(views),
            heading="cpanel_mail_exporter",
            moment=f"Version {text(self._version)} &middot; {moment(now_unix)}",
            links="\n".join(link(words, address) for words, address in self._links),
            summary=_summary(views),
            filter=_filter(wanted, len(found), len(views)),
            servers=_table(shown, now_unix),
            pages=pages("/", number, last, wanted),
        )


def _padded(number: re.Match[str]) -> str:
    """Makes web9 come before web10."""
    return number[0].lstrip("0").rjust(20, "0")


def _is_found(view: ServerView, folded: str) -> bool:
    if not folded:
        return True
    shown = [view.name, view.endpoint_authority, view.health.name, view.state]
    shown += [f"{name}={value}" for name, value in view.labels]
    shown += [f"{name}: {state}" for name, state in view.collectors]
    return any(folded in one.casefold() for one in shown)


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
    return search_form(
        "/",
        wanted=wanted,
        title="Find servers",
        hint="Name, label or state",
        result=f"{found} of {total}",
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
        f'<span class="label"><bdi>{text(name)}={text(value)}</bdi></span>'
        for name, value in view.labels
    )
    collectors = "".join(
        f"<li><bdi>{text(name)}</bdi>: <bdi>{text(state)}</bdi></li>"
        for name, state in view.collectors
    )
    success = view.last_success_unix
    following = view.next_poll_unix
    probe = "/probe?target=" + quote(view.name, safe="", errors="replace")
    return (
        f'<tr><td class="name">{link(view.name, probe)}'
        f'<div class="quiet"><bdi>{text(view.endpoint_authority)}</bdi></div>{labels}</td>'
        f"<td>{_health(view.health, view.health.name.capitalize())} "
        f"<bdi>{text(view.state)}</bdi>{f'<ul>{collectors}</ul>' if collectors else ''}</td>"
        f'<td class="time" data-title="Last success:">'
        f"{'never' if success is None else age(now_unix - success) + ' ago'}</td>"
        f'<td class="time" data-title="Next poll:">'
        f"{_when(following, now_unix)}</td></tr>"
    )


def _when(due_unix: float | None, now_unix: float) -> str:
    if due_unix is None:
        return "not planned"
    return "in " + age(due_unix - now_unix) if due_unix > now_unix else "now"


def _health(health: Health, words: str) -> str:
    return f'<span class="health {health.name.lower()}">{words}</span>'
