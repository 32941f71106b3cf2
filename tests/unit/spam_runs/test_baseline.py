"""What is usual follows day and week, and odd hours don't move it."""

import pytest

from cpanel_mail_exporter.spam_runs.activity import HourActivity
from cpanel_mail_exporter.spam_runs.baseline import Baseline, History, baseline, quantile

HOUR, DAY, WEEK = 3_600, 86_400, 7 * 86_400
MONDAY = 1_793_577_600
NOW = MONDAY + 28 * DAY + 9 * HOUR + 1_234
UNTIL = MONDAY + 28 * DAY + 6 * HOUR


def of(tried: int, **more: int) -> HourActivity:
    return HourActivity(tried=tried, peak=tried, **more)


def test_without_a_past_nothing_is_usual() -> None:
    assert baseline(History({}, UNTIL, UNTIL), NOW) == Baseline()
    assert baseline(History(), NOW) == Baseline()


def test_an_account_that_never_sent_is_known_to_send_nothing() -> None:
    assert baseline(History({}, MONDAY, UNTIL), NOW) == Baseline(experience=1.0)
    assert baseline(History({}, UNTIL - 36 * HOUR, UNTIL), NOW) == Baseline(experience=0.5)


def test_what_is_usual_by_day_isnt_by_night() -> None:
    hours = {
        MONDAY + n * HOUR: of(200 if 8 <= n % 24 < 18 else 10, networks=4) for n in range(28 * 24)
    }
    past = History(hours, MONDAY, UNTIL)
    noon, night = (baseline(past, NOW + n * HOUR).recipients for n in (3, 17))
    assert noon == pytest.approx(200)
    assert 10 <= night < 20


def test_a_mailing_of_every_week_is_usual_at_its_hour_alone() -> None:
    hours = {MONDAY + week * WEEK + 9 * HOUR: of(5_000) for week in range(4)}
    past = History(hours, MONDAY, UNTIL)
    assert baseline(past, NOW).recipients > 3_000
    assert baseline(past, NOW + DAY).recipients == 0
    assert baseline(past, NOW + 6 * HOUR).recipients == 0


def test_a_few_odd_hours_change_nothing() -> None:
    hours = {MONDAY + n * HOUR: of(50, networks=3, addresses=2) for n in range(28 * 24)}
    usual = baseline(History(hours, MONDAY, UNTIL), NOW)
    odd = {**hours, **{MONDAY + 20 * DAY + n * HOUR: of(9_000, networks=99) for n in range(5)}}
    assert baseline(History(odd, MONDAY, UNTIL), NOW) == usual
    assert (usual.recipients, usual.networks, usual.addresses) == (pytest.approx(50), 3, 2)


def test_hours_that_arent_known_yet_are_left_out() -> None:
    hours = {UNTIL + n * HOUR: of(9_000, delivered=9_000) for n in range(3)}
    assert baseline(History(hours, MONDAY, UNTIL), NOW) == Baseline(experience=1.0)


def test_the_share_of_unknown_recipients_is_that_of_all_the_past() -> None:
    hours = {MONDAY: of(9, delivered=5, failed=4, unknown=3), UNTIL - HOUR: of(1, failed=1)}
    found = baseline(History(hours, MONDAY, UNTIL), NOW)
    assert (found.final, found.unknown) == (10, 3)


@pytest.mark.parametrize(
    ("values", "count", "share", "expected"),
    [
        ([5], 1, 0.9, 5.0),
        ([1, 2, 3, 4], 4, 0.5, 2.5),
        ([4, 4, 4, 4], 12, 0.75, 4.0),
        ([4, 4, 4], 12, 0.75, 1.0),
        ([8], 2, 0.5, 4.0),
    ],
)
def test_quantiles_lie_between_neighbours(
    values: list[int], count: int, share: float, expected: float
) -> None:
    assert quantile(values, count, share) == expected
