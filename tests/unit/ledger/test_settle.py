"""Attempts are observed when all earlier deferrals are known; what is old is forgotten."""

from cpanel_mail_exporter.ledger.change import Change, Known, Pending
from cpanel_mail_exporter.ledger.settle import forget, settle
from cpanel_mail_exporter.model.window import Slice

OUTBOUND = 1
ONE = Pending(action_unix=500, second=100, recipient=7, direction=OUTBOUND, copies=1)
TWO = Pending(action_unix=500, second=101, recipient=8, direction=OUTBOUND, copies=2)


def test_attempts_are_the_deferrals_until_then_and_one() -> None:
    known = Known(deferrals={7: {200: 1, 300: 2, 500: 1, 501: 9}, 9: {1: 5}})
    assert settle([ONE, TWO], known) == Change(
        settled=[ONE, TWO],
        counters={
            ("attempts_bucket", ("outbound", "1")): 2,
            ("attempts_bucket", ("outbound", "5")): 1,
            ("attempts_sum", ("outbound",)): 7,
        },
    )


def test_outcomes_of_mail_that_is_not_read_whole_stay_pending() -> None:
    change = settle([ONE, TWO], Known(), [Slice(0, 100), Slice(100, 101)])
    assert change.settled == [TWO]
    assert change.counters["attempts_sum", ("outbound",)] == 2
    assert settle([ONE], Known(), [Slice(100, 101)]).is_empty


def test_forgotten_recipients_are_deferred_no_more() -> None:
    known = Known(deferrals={7: {1: 1}, 8: {1: 1}, 9: {1: 1}}, final={8, 10})
    assert forget(known, 50) == Change(
        counters={("deferred_recipients", ()): -2}, forget_before_unix=50
    )
    assert forget(Known(final={8}), 50) == Change(forget_before_unix=50)
