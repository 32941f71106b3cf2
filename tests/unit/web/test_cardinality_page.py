"""The page of series shows what there are many of, what that costs, and what reduces it."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.web.cardinality_page import PAGE_SERVERS, SHOWN_LABELS, CardinalityPage
from cpanel_mail_exporter.web.ports import CardinalityFigures, FamilyFigures, ServerFigures
from tests.unit.web.test_status_page import KNOWN_ELEMENTS, Outline

NOW = 1_795_252_447.0
LOGS = FamilyFigures(
    name="email_logs",
    series=40_000,
    most=50_000,
    is_bounded=True,
    labels=[("msg_id", 9_990), ("recipient", 812), ("type", 1)],
    sampled=10_000,
    setting="email_logs.max_series",
    flag="email-logs.max-series",
)
STATS = LOGS._replace(
    name="email_user_stats", series=600, most=None, is_bounded=False, sampled=600, flag="",
    setting="user_stats.user_series",
)  # fmt: skip
UP = FamilyFigures("cpanel_mail_up", 3, 3, True, (), 0, "", "")
SERVERS = [
    ServerFigures("web1", 40_500, [("email_logs", 40_000), ("email_user_stats", 490)]),
    ServerFigures("web2", 103, [("email_user_stats", 100)]),
]
SIZES = {("text", "identity"): 27_400_000, ("text", "gzip"): 5_600}


@dataclass(frozen=True)
class Given:
    families: tuple[FamilyFigures, ...] = (LOGS, STATS, UP)
    servers: tuple[ServerFigures, ...] = tuple(SERVERS)
    hidden: tuple[str, ...] = ()

    def outline(self, **options: str) -> Outline:
        figures = CardinalityFigures(self.families, self.servers, 11, SIZES, self.hidden, 4.2)
        return Outline(CardinalityPage().render(figures, NOW, **options))


def test_families_stand_with_labels_bounds_cost_and_settings() -> None:
    page = Given().outline()
    assert [row.strip() for row in page.rows] == [
        (
            "email_logsmsg_id at least 9,990recipient at least 812"
            "Values by label, in a sample of 10,000 series40,00050,000440-600 MB"
            "email_logs.max_series--email-logs.max-series"
        ),
        "email_user_statsmsg_id 9,990recipient 812600no bound6.6-9.0 MBuser_stats.user_series",
        "cpanel_mail_up3333-45 kBfamilies.deny--families.deny",
        "web140,500446-608 MBemail_logs 40,000email_user_stats 490",
        "web21031.1-1.5 MBemail_user_stats 100",
    ]
    assert "40,603 series 447-609 MB in Prometheus 2 servers" in page.text
    assert "/metrics 27.4 MB, 5.6 kB as gzip 11 of the exporter itself" in page.text
    assert "2026-11-21 09:14:07 UTC, counted 4 s ago" in page.text
    assert page.links == ["/", "/metrics", "/probe?target=web1", "/probe?target=web2"]


def test_only_the_labels_with_most_values_are_named() -> None:
    labels = [(f"label{n}", 90 - n) for n in range(SHOWN_LABELS + 3)]
    (row,) = Given((LOGS._replace(labels=labels, sampled=40_000),), ()).outline().rows
    assert f"label{SHOWN_LABELS - 1} " in row
    assert f"label{SHOWN_LABELS} " not in row
    assert "3 more" in row
    assert "at least" not in row


def test_it_is_said_what_is_hidden_and_where_nothing_is() -> None:
    assert (
        "Hidden now: email_logs, process_open_fds."
        in Given(hidden=("email_logs", "process_open_fds")).outline().text
    )
    page = Given((), ()).outline()
    assert "Nothing is published yet." in page.text
    assert "No server is found by this text." in page.text


def test_thousands_of_servers_are_cut_into_pages_and_found_by_name() -> None:
    many = tuple(ServerFigures(f"web{n}", 3_000 - n, ()) for n in range(3_000))
    first = Given((), many).outline()
    assert len(first.rows) == PAGE_SERVERS
    assert f"Page 1 of {3_000 // PAGE_SERVERS}" in first.text
    assert "/debug/cardinality?page=2" in first.links
    found = Given((), many).outline(wanted="WEB299")
    assert len(found.rows) == 11
    assert "11 of 3000" in found.text


@given(st.text(max_size=200), st.text(max_size=30))
@settings(deadline=None)
def test_no_text_breaks_out_of_its_place(text: str, wanted: str) -> None:
    page = Given(
        (LOGS._replace(name=text, labels=[(text, 3)], setting=text, flag=text),),
        (ServerFigures(text, 3, [(text, 3)]),),
        (text,),
    ).outline(wanted=wanted)
    own = {"code", "details", "h2", "ol", "pre", "summary"}
    assert page.elements <= KNOWN_ELEMENTS | own
