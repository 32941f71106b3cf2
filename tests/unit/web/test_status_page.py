"""The status page tells every server's state to a person, whatever the names and texts hold."""

import html
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.web.ports import Health, ServerView
from cpanel_mail_exporter.web.status_page import PAGE_SERVERS, Link, StatusPage

NOW = 1_795_252_447.0
VIEW = ServerView(
    name="web1",
    endpoint_authority="web1.example.com:2087",
    labels=(("region", "eu"),),
    was_polled=True,
    state="last poll 12 s ago was complete",
    last_success_unix=NOW - 12,
    next_poll_unix=NOW + 48,
    collectors=(("user_stats", "12 rows"), ("email_logs", "40 rows")),
    health=Health.GOOD,
)


class Outline(HTMLParser):
    """Elements, links and visible text of a page; fails on tags that don't match."""

    VOID = ("meta", "input")

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.rows: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page.decode())
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self._open.append(tag)
        if tag == "tr" and "tbody" in self._open:
            self.rows.append("")

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "style" not in self._open:
            self.text += data
        if "tbody" in self._open and self.rows:
            self.rows[-1] += data


def outline(*views: ServerView, **options: str) -> Outline:
    return Outline(StatusPage("1.2.3").render(views, NOW, **options))


KNOWN_ELEMENTS = {
    "a", "bdi", "body", "button", "div", "form", "h1", "head", "header", "html", "input", "li",
    "main", "meta", "nav", "p", "span", "style", "table", "tbody", "td", "th", "thead", "title",
    "tr", "ul",
}  # fmt: skip


def test_a_server_is_one_row_with_state_and_times_in_words() -> None:
    page = outline(VIEW)
    row = (
        "web1web1.example.com:2087region=eu"
        "Good last poll 12 s ago was complete"
        "user_stats: 12 rowsemail_logs: 40 rows"
        "12 s ago"
        "in 48 s\n"
    )
    assert page.rows == [row]
    assert "Version 1.2.3" in page.text
    assert "2026-11-21 09:14:07 UTC" in page.text
    own = ["/metrics", "/debug/bounces", "/debug/cardinality", "/sd", "/-/healthy", "/-/ready"]
    assert page.links == [*own, "/probe?target=web1"]


def test_what_never_happened_is_said() -> None:
    page = outline(replace(VIEW, last_success_unix=None, next_poll_unix=None))
    assert page.rows[0].endswith("nevernot planned\n")


def test_a_poll_that_is_due_is_now() -> None:
    assert outline(replace(VIEW, next_poll_unix=NOW - 5)).rows[0].endswith("now\n")


def test_the_worst_come_first() -> None:
    views = [
        replace(VIEW, name=name, health=health)
        for name, health in [
            ("good-10", Health.GOOD),
            ("waiting", Health.WAITING),
            ("good-9", Health.GOOD),
            ("good", Health.GOOD),
            ("failing", Health.FAILING),
            ("incomplete", Health.INCOMPLETE),
        ]
    ]
    rows = outline(*views).rows
    assert [row.split("web1.")[0] for row in rows] == [
        "failing",
        "incomplete",
        "waiting",
        "good",
        "good-9",
        "good-10",
    ]


def test_the_title_and_the_summary_count_the_servers_by_state() -> None:
    page = outline(VIEW, VIEW, replace(VIEW, health=Health.FAILING))
    assert "1 failing - cpanel_mail_exporter" in page.text
    assert "3 servers 1 failing 2 good" in page.text
    assert "1 server 1 good" in outline(VIEW).text


def test_further_links_are_shown() -> None:
    page = Outline(
        StatusPage("1", [Link("Docs & more", "https://example.com/?a=1&b")]).render([], NOW)
    )
    assert "https://example.com/?a=1&b" in page.links
    assert "Docs & more" in page.text


def many(count: int) -> list[ServerView]:
    return [replace(VIEW, name=f"web{n:04}") for n in range(count)]


def test_three_thousand_servers_come_in_pages() -> None:
    views = many(3000)
    page = outline(*views, page="2")
    assert [row[:7] for row in page.rows] == [f"web{n:04}" for n in range(100, 200)]
    assert "Page 2 of 30" in page.text
    assert page.links[-2:] == ["/?page=1", "/?page=3"]
    assert len(StatusPage("1").render(views, NOW)) < 120_000


@pytest.mark.parametrize(
    ("asked", "shown"),
    [("1", 1), ("30", 30), ("0", 1), ("31", 30), ("-1", 1), ("x", 1), ("", 1), ("9" * 5000, 1),
     ("\u0663", 3), ("\u00b2", 1), ("1e3", 1)],
)  # fmt: skip
def test_any_page_number_gives_a_page(asked: str, shown: int) -> None:
    page = outline(*many(3000), page=asked)
    assert f"Page {shown} of 30" in page.text
    assert len(page.rows) == PAGE_SERVERS


@pytest.mark.parametrize(
    "wanted", ["DB7", "db7.example", "region=us", "gone fishing", "failing", "email_logs: denied"]
)
def test_a_server_is_found_by_any_text_shown_for_it(wanted: str) -> None:
    other = replace(
        VIEW,
        name="db7",
        endpoint_authority="db7.example.com:2087",
        labels=(("region", "us"),),
        state="Gone fishing",
        collectors=(("email_logs", "denied"),),
        health=Health.FAILING,
    )
    page = outline(*many(50), other, wanted=wanted)
    assert [row[:3] for row in page.rows] == ["db7"]
    assert "1 of 51" in page.text


def test_the_filter_stays_while_paging() -> None:
    page = outline(*many(3000), wanted="web & 1", page="1")
    assert page.rows == []
    assert "No server is found by this text." in page.text
    page = outline(*[replace(v, state="a & b") for v in many(300)], wanted="a & b", page="2")
    assert page.links[-2:] == ["/?q=a+%26+b&page=1", "/?q=a+%26+b&page=3"]


HOSTILE = st.text() | st.sampled_from(
    ['"><script>alert(1)</script>', "</style><b>", "<!--", "&lt;", "javascript:alert(1)", "'",
     "\ud800", "\x00\x1b[31m", "\u202egnp.exe", "\u2069\u2066", "${style}", "$style", "x" * 5000]
)  # fmt: skip


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@settings(max_examples=200)
def test_hostile_text_stays_text(
    name: str, label: str, state: str, words: str, wanted: str
) -> None:
    view = replace(
        VIEW,
        name=name,
        endpoint_authority=words,
        labels=((label, state),),
        state=state,
        collectors=((label, words),),
    )
    raw = StatusPage(name).render([view] * 11, NOW, wanted=wanted, page=words)
    page = Outline(raw)
    assert page.elements <= KNOWN_ELEMENTS
    assert not {name for name in page.attributes if name.startswith("on")}
    assert all(re.match(r"/|https://", link) for link in page.links)
    assert not re.search(
        "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page.text
    )
    assert len(raw) < 200_000


def test_text_is_shown_as_it_is() -> None:
    state = 'said <b>"no"</b> & left'
    assert state in outline(replace(VIEW, state=state)).rows[0]


def test_long_text_is_cut_visibly() -> None:
    assert "x" * 600 + "\u2026" in outline(replace(VIEW, state="x" * 601)).rows[0]
    assert "\u2026" not in outline(replace(VIEW, state="x" * 600)).rows[0]


def test_the_policy_allows_the_page_s_style_and_nothing_else() -> None:
    page = StatusPage("1")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    raw = page.render([VIEW], NOW).decode()
    assert raw.count("<style>") == 1
    assert "style=" not in raw
    assert "<script" not in raw
    assert html.escape("'") not in raw.split("</style>")[0]
