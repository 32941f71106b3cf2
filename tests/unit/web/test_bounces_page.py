"""The page of unexplained texts shows them by server, and how to explain them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.bounces.classifier import Classifier, mistaken_examples
from cpanel_mail_exporter.bounces.rules import rules_from_toml
from cpanel_mail_exporter.config.bounce_files import package_rules
from cpanel_mail_exporter.web.bounces_page import EXAMPLE_RULE, PAGE_TEXTS, BouncesPage
from cpanel_mail_exporter.web.ports import ServerTexts, UnexplainedText
from tests.unit.web.test_status_page import KNOWN_ELEMENTS, Outline

NOW = 1_795_252_447.0
CLOSED = UnexplainedText("559 Our desk is closed", "559", "google", 1_234, int(NOW) - 12)
FISHING = UnexplainedText("Gone fishing", "", "other", 1, int(NOW) - 7_200)


def outline(*servers: ServerTexts, rules_file: str = "", **options: str) -> Outline:
    return Outline(BouncesPage(rules_file).render(servers, NOW, **options))


def test_texts_stand_below_their_server_with_count_and_age() -> None:
    page = outline(ServerTexts("web1", [CLOSED, FISHING]), ServerTexts("web2", [FISHING]))
    assert [row.strip() for row in page.rows] == [
        "559 Our desk is closed559google1,23412 s ago",
        "Gone fishingnoneother12 h ago",
        "Gone fishingnoneother12 h ago",
    ]
    assert "3 kinds of text 1,236 events 2 servers" in page.text
    assert page.text.index("web1") < page.text.index("web2")
    assert page.links == ["/", "/metrics"]


def test_it_is_said_why_there_is_nothing() -> None:
    assert "Every failure and deferral so far is explained" in outline(ServerTexts("web1", [])).text
    assert "Delivery events aren't counted" in outline().text
    page = outline(ServerTexts("web1", [CLOSED]), wanted="nothing like it")
    assert "No text is found by these words." in page.text


def test_the_file_for_rules_is_named() -> None:
    page = outline(ServerTexts("web1", [CLOSED]), rules_file="/etc/own.toml")
    assert "Write a rule into /etc/own.toml:" in page.text
    assert "explain --bounces.rules-file /etc/own.toml" in page.text
    assert "name it by --bounces.rules-file" in outline(ServerTexts("web1", [CLOSED])).text


def test_the_rule_that_is_shown_is_one() -> None:
    rules = rules_from_toml(EXAMPLE_RULE, "")
    assert mistaken_examples(rules, Classifier([*rules, *package_rules()])) == []


def test_texts_are_found_by_any_word_shown_for_them() -> None:
    servers = (ServerTexts("web1", [CLOSED, FISHING]), ServerTexts("web2", [FISHING]))
    for wanted, rows in (("DESK", 1), ("559", 1), ("google", 1), ("web2", 1), ("fishing", 2)):
        assert len(outline(*servers, wanted=wanted).rows) == rows, wanted


def test_many_texts_are_cut_into_pages() -> None:
    many = [FISHING._replace(text=f"text {n}") for n in range(PAGE_TEXTS + 1)]
    first, last = outline(ServerTexts("web1", many)), outline(ServerTexts("web1", many), page="2")
    assert (len(first.rows), len(last.rows)) == (PAGE_TEXTS, 1)
    assert "/debug/bounces?page=2" in first.links
    assert "Page 2 of 2" in last.text


@given(st.text(max_size=700), st.text(max_size=30), st.text(max_size=30))
@settings(deadline=None)
def test_no_text_breaks_out_of_its_place(text: str, name: str, wanted: str) -> None:
    page = outline(
        ServerTexts(name, [FISHING._replace(text=text, code=name, provider=text)]),
        rules_file=name,
        wanted=wanted,
    )
    own = {"code", "details", "h2", "ol", "pre", "summary"}
    assert page.elements <= KNOWN_ELEMENTS | own
