"""Figures of series in, one page of HTML out: families and servers, the largest first.

For those whose Prometheus has grown: what has how many series, what that costs, which labels make
it many, and which setting makes it less. Servers are cut into pages, and `?q=` finds them.
"""

from collections.abc import Sequence
from urllib.parse import quote

from cpanel_mail_exporter.metrics.bounds import cost
from cpanel_mail_exporter.web.markup import (
    LINKS_BACK,
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
from cpanel_mail_exporter.web.ports import CardinalityFigures, FamilyFigures, ServerFigures

PATH = "/debug/cardinality"
PAGE_SERVERS = 100
SHOWN_LABELS = 6
_HIDES = "families.deny"
_EXAMPLE = "cpanel_mail_account_recent_.*"


class CardinalityPage:
    """The page at `/debug/cardinality`.

    Attributes:
        headers: the policy under which its style, and nothing else, is allowed.
    """

    def __init__(self) -> None:
        self._sheet = Sheet("cardinality_page.html")
        self.headers = self._sheet.headers

    def render(
        self, figures: CardinalityFigures, now_unix: float, *, wanted: str = "", page: str = ""
    ) -> bytes:
        """The page as UTF-8.

        Args:
            figures: what was counted.
            now_unix: the wall clock.
            wanted: only servers in whose name this is found, whatever its case.
            page: number of the page of servers as sent; anything that isn't one means the first or
                the last.
        """
        wanted = wanted.strip()[:LONGEST_FILTER]
        servers = figures.servers
        found = [one for one in servers if wanted.casefold() in one.name.casefold()]
        last = max(1, -(-len(found) // PAGE_SERVERS))
        number = page_number(page, last)
        shown = found[(number - 1) * PAGE_SERVERS : number * PAGE_SERVERS]
        series = sum(one.series for one in figures.families)
        return self._sheet.filled(
            title=f"{series:,} series - cpanel_mail_exporter",
            heading="Series, and what they cost",
            moment=f"{moment(now_unix)}, counted {age(figures.age_seconds)} ago",
            links=LINKS_BACK,
            summary=_summary(figures, series),
            example=text(_EXAMPLE),
            hidden=_hidden(figures.hidden),
            families=_families(figures.families),
            filter=_filter(wanted, len(found), len(servers)),
            servers=_servers(shown),
            pages=pages(PATH, number, last, wanted),
        )


def _summary(figures: CardinalityFigures, series: int) -> str:
    servers = len(figures.servers)
    words = [
        f"{series:,} series",
        f"{cost(series)} in Prometheus",
        f"{servers:,} server{'' if servers == 1 else 's'}",
    ]
    plain = figures.sizes_bytes.get(("text", "identity"))
    packed = figures.sizes_bytes.get(("text", "gzip"))
    if plain is not None and packed is not None:
        words.append(f"/metrics {_size(plain)}, {_size(packed)} as gzip")
    words.append(f"{figures.own_series} of the exporter itself")
    return " ".join(f"<span>{one}</span>" for one in words)


def _size(size_bytes: int) -> str:
    """A size as people say it.

    >>> _size(940), _size(68_700_000)
    ('0.9 kB', '68.7 MB')
    """
    unit, size = ("MB", 1e6) if size_bytes >= 1e6 else ("kB", 1e3)
    return f"{size_bytes / size:,.1f} {unit}"


def _hidden(names: Sequence[str]) -> str:
    if not names:
        return ""
    listed = ", ".join(f"<code>{text(name)}</code>" for name in names)
    return f"<p>Hidden now: {listed}.</p>"


def _families(families: Sequence[FamilyFigures]) -> str:
    rows = "\n".join(map(_family, families))
    if not rows:
        return '<div class="frame"><p class="none">Nothing is published yet.</p></div>'
    titles = ("Family", "Series", "At most", "In Prometheus", "What reduces it")
    return _table(titles, rows)


def _family(one: FamilyFigures) -> str:
    most = f"{one.most:,}" if one.most is not None else "" if one.is_bounded else "no bound"
    return (
        f'<tr><td class="series"><bdi>{text(one.name)}</bdi>{_labels(one)}</td>'
        f'<td class="count" data-title="Series:">{one.series:,}</td>'
        + (f'<td class="count" data-title="At most:">{most}</td>' if most else "<td></td>")
        + f'<td class="count" data-title="In Prometheus:">{cost(one.series)}</td>'
        f'<td class="quiet">{_setting(one)}</td></tr>'
    )


def _labels(one: FamilyFigures) -> str:
    """The labels with most values; a sample tells the least there can be."""
    if not one.sampled:
        return ""
    is_sample = one.sampled < one.series
    told = [
        f'<span class="label">{text(label)} {"at least " if is_sample else ""}{values:,}</span>'
        for label, values in one.labels[:SHOWN_LABELS]
        if values > 1
    ]
    more = sum(values > 1 for _, values in one.labels[SHOWN_LABELS:])
    if more:
        told.append(f'<span class="label">{more} more</span>')
    sample = f"Values by label, in a sample of {one.sampled:,} series" if is_sample else ""
    quiet = f'<div class="quiet">{sample}</div>' if sample else ""
    return f"<div>{''.join(told)}</div>{quiet}"


def _setting(one: FamilyFigures) -> str:
    """Key and flag of the bound, or else how the family is hidden."""
    key = one.setting or _HIDES
    flag = one.flag if one.setting else _HIDES
    told = [key, f"--{flag}"] if flag else [key]
    return "".join(f"<div><code>{text(words)}</code></div>" for words in told)


def _filter(wanted: str, found: int, total: int) -> str:
    if total <= 10 and not wanted:
        return ""
    return search_form(
        PATH, wanted=wanted, title="Find servers", hint="Name", result=f"{found} of {total}"
    )


def _servers(servers: Sequence[ServerFigures]) -> str:
    if not servers:
        return '<div class="frame"><p class="none">No server is found by this text.</p></div>'
    rows = "\n".join(
        f'<tr><td class="series">{link(one.name, _probe(one.name))}</td>'
        f'<td class="count" data-title="Series:">{one.series:,}</td>'
        f'<td class="count" data-title="In Prometheus:">{cost(one.series)}</td>'
        f'<td class="quiet">{_largest(one)}</td></tr>'
        for one in servers
    )
    return _table(("Server", "Series", "In Prometheus", "Largest families"), rows)


def _largest(one: ServerFigures) -> str:
    return "".join(f"<div><bdi>{text(name)}</bdi> {count:,}</div>" for name, count in one.largest)


def _probe(name: str) -> str:
    return "/probe?target=" + quote(name, safe="", errors="replace")


def _table(titles: Sequence[str], rows: str) -> str:
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    return (
        f'<div class="frame"><table class="texts"><thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{rows}\n</tbody></table></div>"
    )
