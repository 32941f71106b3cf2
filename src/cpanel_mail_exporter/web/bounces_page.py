"""Texts that no rule explains in, one page of HTML out: by server, the newest first.

For those who are asked at night why so much is `other`: what was said, how often, by whom, and
how to teach the exporter what it means. Cut into pages, and `?q=` finds texts.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from cpanel_mail_exporter.web.markup import (
    LINKS_BACK,
    LONGEST_FILTER,
    Sheet,
    age,
    moment,
    page_number,
    pages,
    search_form,
    text,
)
from cpanel_mail_exporter.web.ports import ServerTexts, UnexplainedText

PATH = "/debug/bounces"
PAGE_TEXTS = 200

EXAMPLE_RULE = """\
[[rule]]
name = "partner-closed-on-sunday"
reason = "greylisted"
text = 'mail desk is closed'
example = "450 Our mail desk is closed today"
"""
"""What the page shows as a rule; a test holds it to be one."""


class _Row(NamedTuple):
    server: str
    text: UnexplainedText


class BouncesPage:
    """The page at `/debug/bounces`.

    Args:
        rules_file: the operator's own file of rules, empty if none is set.

    Attributes:
        headers: the policy under which its style, and nothing else, is allowed.
    """

    def __init__(self, rules_file: str) -> None:
        self._sheet = Sheet("bounces_page.html")
        self.headers = self._sheet.headers
        self._rules_file = rules_file

    def render(
        self, servers: Sequence[ServerTexts], now_unix: float, *, wanted: str = "", page: str = ""
    ) -> bytes:
        """The page as UTF-8.

        Args:
            servers: all whose delivery events are counted, each with its texts, newest first.
            now_unix: the moment that "12 s ago" is counted from.
            wanted: only texts in which this is found, or all of a server in whose name it is.
            page: number of the page as sent; anything that isn't one means the first or the last.
        """
        wanted = wanted.strip()[:LONGEST_FILTER]
        rows = [_Row(server.name, one) for server in servers for one in server.texts]
        found = [row for row in rows if _is_found(row, wanted.casefold())]
        last = max(1, -(-len(found) // PAGE_TEXTS))
        number = page_number(page, last)
        shown = found[(number - 1) * PAGE_TEXTS : number * PAGE_TEXTS]
        events = sum(row.text.events for row in rows)
        return self._sheet.filled(
            title=f"{len(rows)} unexplained - cpanel_mail_exporter",
            heading="Replies that no rule explains",
            moment=moment(now_unix),
            links=LINKS_BACK,
            summary=_summary(len(rows), events, len(servers)),
            open=" open" if rows else "",
            file=_file(self._rules_file),
            flag=f"--bounces.rules-file {text(self._rules_file or 'rules.toml')}",
            rule=text(EXAMPLE_RULE.strip()),
            filter=_filter(wanted, len(found), len(rows)),
            servers=_sections(shown, now_unix, wanted, are_counted=bool(servers)),
            pages=pages(PATH, number, last, wanted),
        )


def _summary(texts: int, events: int, servers: int) -> str:
    return (
        f"<span>{texts:,} kind{'' if texts == 1 else 's'} of text</span> "
        f"<span>{events:,} event{'' if events == 1 else 's'}</span> "
        f"<span>{servers:,} server{'' if servers == 1 else 's'}</span>"
    )


def _file(rules_file: str) -> str:
    if rules_file:
        return f"<code><bdi>{text(rules_file)}</bdi></code>"
    return (
        "a file of your own, such as <code>rules.toml</code>, and name it by "
        "<code>--bounces.rules-file</code> or as <code>bounces: {rules_file: rules.toml}</code>"
    )


def _is_found(row: _Row, folded: str) -> bool:
    one = row.text
    return not folded or any(
        folded in part.casefold() for part in (row.server, one.text, one.code, one.provider)
    )


def _filter(wanted: str, found: int, total: int) -> str:
    if total <= 10 and not wanted:
        return ""
    return search_form(
        PATH,
        wanted=wanted,
        title="Find texts",
        hint="Words, code, provider or server",
        result=f"{found} of {total}",
    )


def _sections(rows: Iterable[_Row], now_unix: float, wanted: str, *, are_counted: bool) -> str:
    sections = [
        f"<h2><bdi>{text(server)}</bdi></h2>\n{_table(group, now_unix)}"
        for server, group in groupby(rows, key=lambda row: row.server)
    ]
    if sections:
        return "\n".join(sections)
    if wanted:
        why = "No text is found by these words."
    elif are_counted:
        why = "Every failure and deferral so far is explained by a rule."
    else:
        why = "Delivery events aren't counted, so nothing is kept here: see delivery_events."
    return f'<div class="frame"><p class="none">{why}</p></div>'


def _table(rows: Iterable[_Row], now_unix: float) -> str:
    titles = ("Text", "Code", "Provider", "Events", "Last")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = "\n".join(_row(row.text, now_unix) for row in rows)
    return (
        f'<div class="frame"><table class="texts"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _row(one: UnexplainedText, now_unix: float) -> str:
    said = f"<bdi>{text(one.text)}</bdi>" if one.text else '<span class="quiet">empty</span>'
    return (
        f'<tr><td class="said">{said}</td>'
        f'<td data-title="Code:">{text(one.code) or "none"}</td>'
        f'<td data-title="Provider:">{text(one.provider)}</td>'
        f'<td data-title="Events:">{one.events:,}</td>'
        f'<td class="time" data-title="Last:">{age(now_unix - one.last_unix)} ago</td></tr>'
    )
