"""A label set without series is shown until a scrape could see its last values."""

from cpanel_mail_exporter.ledger.departures import Departures


def at_its_last(_: str) -> bool:
    return True


def test_last_values_stay_from_the_first_publication_for_the_delay() -> None:
    leaving: Departures[str] = Departures(60, 0)
    assert leaving.leave("a") == []
    assert leaving.next_unix is None, "nothing was published yet"
    assert leaving.published(1_000, at_its_last) == []
    assert leaving.next_unix == 1_060
    assert leaving.published(1_059, at_its_last) == []
    assert "a" in leaving
    assert leaving.published(1_060, at_its_last) == ["a"]
    assert (len(leaving), leaving.next_unix) == (0, None)


def test_a_publication_that_shows_earlier_values_does_not_count() -> None:
    leaving: Departures[str] = Departures(60, 0)
    leaving.leave("a")
    leaving.published(1_000, lambda _: False)
    assert leaving.next_unix is None
    leaving.published(1_010, at_its_last)
    assert leaving.published(1_069, at_its_last) == []
    assert leaving.published(1_070, at_its_last) == ["a"]


def test_a_set_that_stays_after_all_does_not_leave() -> None:
    leaving: Departures[str] = Departures(60, 0)
    leaving.leave("a")
    leaving.published(1_000, at_its_last)
    leaving.stay("a")
    assert "a" not in leaving
    leaving.leave("a")
    assert leaving.published(1_070, at_its_last) == [], "it leaves anew"


def test_there_are_never_more_than_the_limit() -> None:
    leaving: Departures[str] = Departures(60, 2)
    assert [leaving.leave(key) for key in "abcd"] == [[], [], ["a"], ["b"]]
    assert len(leaving) == 2


def test_a_clock_set_back_keeps_nothing() -> None:
    leaving: Departures[str] = Departures(60, 0)
    leaving.leave("a")
    leaving.published(1_000, at_its_last)
    assert leaving.published(10, at_its_last) == ["a"]
