"""Texts that nobody has a rule for: counted by kind, the newest kept."""

from contextlib import nullcontext

from cpanel_mail_exporter.ledger.unclassified import (
    KEPT_TEXTS,
    Unclassified,
    UnclassifiedTexts,
    Unexplained,
)
from tests.unit.exposition.records import delivery

T = 1_000_000


def event(message: str, when: int = T, code: str = "", provider: str = "other") -> Unexplained:
    return Unexplained(delivery(message=message), when, code, provider)


def test_texts_that_differ_in_whom_they_are_about_are_one_kind() -> None:
    texts = UnclassifiedTexts(nullcontext())
    texts.note([event("<a@example.net> is odd", T + 5), event("the moon", code="554")])
    texts.note([])
    texts.note([event("<b@example.net> is odd", T + 3)])
    assert texts.newest() == [
        Unclassified("<ADDRESS> is odd", "", "other", events=2, last_unix=T + 5),
        Unclassified("the moon", "554", "other", events=1, last_unix=T),
    ]


def test_code_and_provider_make_a_kind_too() -> None:
    texts = UnclassifiedTexts(nullcontext())
    texts.note([event("odd"), event("odd", code="550"), event("odd", provider="google")])
    assert [(kind.code, kind.provider, kind.events) for kind in texts.newest()] == [
        ("", "google", 1),
        ("550", "other", 1),
        ("", "other", 1),
    ]


def test_those_that_came_last_are_kept() -> None:
    texts = UnclassifiedTexts(nullcontext())
    words = [chr(97 + n // 26) + chr(97 + n % 26) for n in range(KEPT_TEXTS + 5)]
    texts.note(map(event, words[:KEPT_TEXTS]))
    texts.note([event(words[0])])
    texts.note(map(event, words[KEPT_TEXTS:]))
    kept = [kind.text for kind in texts.newest()]
    assert kept == [*reversed(words[KEPT_TEXTS:]), words[0], *reversed(words[6:KEPT_TEXTS])]


def test_what_is_given_is_the_readers_own() -> None:
    texts = UnclassifiedTexts(nullcontext())
    texts.note([event("odd")])
    texts.newest().clear()
    assert len(texts.newest()) == 1
