"""A new series is shown at what it stood at, until a scrape has had time to see that."""

from cpanel_mail_exporter.ledger.births import Births


def test_a_series_is_shown_at_its_baseline_once_and_for_the_delay() -> None:
    births: Births[str] = Births(60)
    births.born("a", 0)
    births.born("b", 7)
    assert births.next_unix is None
    assert births.published(1_000) == {"a": 0, "b": 7}
    assert births.next_unix == 1_060
    births.born("a", 5)
    assert births.published(1_059) == {"a": 0, "b": 7}
    assert births.published(1_060) == {}
    assert births.next_unix is None


def test_without_a_delay_it_is_still_shown_once() -> None:
    births: Births[str] = Births(0)
    births.born("a", 0)
    assert births.published(1_000) == {"a": 0}
    assert births.published(1_000) == {}


def test_the_delay_begins_with_the_first_publication() -> None:
    births: Births[str] = Births(60)
    births.born("a", 0)
    births.published(1_000)
    births.born("b", 0)
    assert births.published(1_060) == {"b": 0}
    assert births.next_unix == 1_120


def test_a_series_that_is_gone_is_not_shown_at_its_baseline() -> None:
    births: Births[str] = Births(60)
    births.born("a", 0)
    births.published(1_000)
    births.gone("a")
    births.gone("never")
    assert (births.published(1_001), births.next_unix) == ({}, None)


def test_a_clock_set_back_ends_the_delay() -> None:
    births: Births[str] = Births(60)
    births.born("a", 0)
    births.published(1_000)
    assert births.published(500) == {}
