"""What a server's filters and totals go by is concluded from real rows only."""

from dataclasses import replace

import pytest

from cpanel_mail_exporter.model.deliveries import ActionFilter, GoesBy
from cpanel_mail_exporter.model.query import Totals
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord
from cpanel_mail_exporter.polling.learning import (
    Evidence,
    Facts,
    acted,
    action_filter,
    candidate,
    ends_belong,
    fits,
    sent,
)

NOW = 100_000


def delivery(send_unix: int, action_unix: int, *, type_: str = "success") -> DeliveryRecord:
    texts = ("",) * len(DELIVERY_LABELS)
    return DeliveryRecord(*texts, send_unix, action_unix)._replace(type=type_)


DEFERRED = delivery(50_000, 50_900, type_="defer")


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([], None),
        ([delivery(50_000, 50_059)], None),
        ([delivery(50_000, 50_060)], 50_060),
        ([delivery(99_000, 99_500)], None),
        ([delivery(98_000, 99_399), DEFERRED], 99_399),
        ([delivery(1, 2)._replace(send_unix=None), DEFERRED], 50_900),
    ],
    ids=["none", "too near", "apart", "too new", "the newest", "no time"],
)
def test_a_row_to_learn_from_is_at_rest_and_its_instants_are_apart(
    records: list[DeliveryRecord], found: int | None
) -> None:
    row_found = candidate(records, NOW)
    assert (row_found and row_found.action_unix) == found


@pytest.mark.parametrize(
    ("answered", "works"),
    [
        ([DEFERRED], ActionFilter.WORKS),
        ([DEFERRED, delivery(50_899, 50_902)], ActionFilter.WORKS),
        ([], ActionFilter.FAILS),
        ([delivery(50_900, 50_901)], ActionFilter.FAILS),
        ([DEFERRED, delivery(50_900, 60_000)], ActionFilter.FAILS),
    ],
    ids=["found alone", "ends included", "not found", "by send time", "ignored"],
)
def test_a_filter_works_if_it_lets_through_the_row_and_nothing_of_another_time(
    answered: list[DeliveryRecord], works: ActionFilter
) -> None:
    assert action_filter(DEFERRED, answered) is works


def test_totals_fit_rows_with_the_ends_or_without() -> None:
    rows = [DEFERRED, delivery(49_999, 50_900), delivery(50_001, 50_900, type_="failure")]
    assert fits(Totals(defer=1), 50_000, rows, sent)
    assert fits(Totals(success=1, failure=1, defer=1), 50_000, rows, sent)
    assert fits(Totals(success=1, failure=1, defer=1), 50_900, rows, acted)
    assert not fits(Totals(), 50_000, rows, sent)
    assert not fits(Totals(success=1, defer=1), 50_000, rows, sent)


@pytest.mark.parametrize(
    ("totals", "belong"),
    [(Totals(defer=1), True), (Totals(sent=3), False), (Totals(defer=2), None)],
)
def test_a_range_from_a_second_to_itself_tells_whether_ends_belong(
    totals: Totals, belong: bool | None
) -> None:
    assert ends_belong(totals, 50_000, [DEFERRED, delivery(50_001, 50_900)]) is belong


@pytest.mark.parametrize(
    ("by_send", "by_action", "vote"),
    [
        (True, False, GoesBy.SENT),
        (False, True, GoesBy.ACTED),
        (True, True, GoesBy.UNKNOWN),
        (False, False, GoesBy.UNKNOWN),
        (True, None, GoesBy.SENT),
        (False, None, GoesBy.ACTED),
    ],
)
def test_a_vote_needs_one_instant_to_fit_and_not_the_other(
    by_send: bool, by_action: bool | None, vote: GoesBy
) -> None:
    assert Evidence(by_send, by_action, None).vote is vote


BY_SEND = Evidence(True, False, False)
BY_ACTION = Evidence(False, True, True)
NEITHER = Evidence(False, False, True)


def test_two_agreeing_votes_in_a_row_decide_and_one_never_does() -> None:
    facts = Facts()
    for evidence in (BY_SEND, BY_ACTION, BY_SEND, NEITHER):
        facts = facts.after(ActionFilter.WORKS, evidence, NOW)
        assert facts.totals is GoesBy.UNKNOWN
    facts = facts.after(ActionFilter.WORKS, BY_SEND, NOW)
    assert facts == Facts(GoesBy.SENT, ActionFilter.WORKS, False, learned_unix=NOW)
    once = facts.after(ActionFilter.FAILS, BY_ACTION, NOW + 5)
    assert (once.totals, once.action_filter) == (GoesBy.SENT, ActionFilter.FAILS)
    twice = once.after(ActionFilter.FAILS, BY_ACTION, NOW + 9)
    assert (twice.totals, twice.learned_unix, twice.ends_belong) == (GoesBy.ACTED, NOW + 9, None)


def test_what_is_known_is_looked_at_again_daily_and_when_the_clock_was_set_back() -> None:
    facts = Facts(GoesBy.SENT, ActionFilter.WORKS, learned_unix=NOW)
    assert [facts.is_due(NOW + 86_399), facts.is_due(NOW + 86_400)] == [False, True]
    assert facts.is_due(NOW - 1)
    assert replace(facts, totals=GoesBy.UNKNOWN).is_due(NOW)
    assert replace(facts, action_filter=ActionFilter.UNKNOWN).is_due(NOW)


@pytest.mark.parametrize(
    ("facts", "exact"),
    [
        (Facts(GoesBy.SENT, ends_belong=True), True),
        (Facts(GoesBy.SENT, ends_belong=False), True),
        (Facts(GoesBy.SENT), False),
        (Facts(GoesBy.ACTED, ends_belong=True), False),
        (Facts(ends_belong=True), False),
    ],
)
def test_totals_are_exact_where_both_their_instant_and_their_ends_are_known(
    facts: Facts, exact: bool
) -> None:
    assert facts.totals_are_exact is exact
