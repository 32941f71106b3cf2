"""Much mail and foreign mail together are a run of spam; either alone isn't."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.spam_runs.activity import Window
from cpanel_mail_exporter.spam_runs.baseline import Baseline
from cpanel_mail_exporter.spam_runs.signals import (
    ALARMING_SCORE,
    Parts,
    Signals,
    signals,
)
from cpanel_mail_exporter.spam_runs.sketch import FEW_BITS, MANY_BITS, sketch

SHOP = Baseline(recipients=40, networks=4, addresses=3, final=20_000, unknown=400, experience=1)


def lately(
    tried: int,
    unknown: float = 0,
    networks: int = 3,
    addresses: int = 2,
    recipients: int | None = None,
    undelivered: int = 0,
) -> Window:
    """Ten minutes in which *unknown* is a share, and all but *undelivered* have an outcome."""
    final = tried - undelivered
    return Window(
        tried=tried,
        delivered=final * (1 - unknown),
        failed=final * unknown,
        unknown=final * unknown,
        networks=sketch(map("net{}".format, range(networks)), FEW_BITS),
        addresses=sketch(map("from{}".format, range(addresses)), FEW_BITS),
        recipients=sketch(
            map("to{}".format, range(tried if recipients is None else recipients)), MANY_BITS
        ),
    )


def score(window: Window, usual: Baseline = SHOP) -> float:
    found = signals("acc1", window, usual)
    return 0.0 if found is None else found.score


def test_a_run_of_spam_is_told_with_all_that_shows_it() -> None:
    assert signals("acc1", lately(200, unknown=0.2, networks=30), SHOP) == Signals(
        user="acc1",
        recipients=200,
        usual_recipients=40,
        unknown_recipient_ratio=pytest.approx(0.2),
        unique_recipients=pytest.approx(200, abs=12),
        networks=pytest.approx(30, abs=4),
        sending_addresses=2,
        parts=Parts(1.0, 1.0, 1.0, 0.0, 1.0),
        score=1.0,
    )


@pytest.mark.parametrize(
    ("window", "usual"),
    [
        pytest.param(lately(8_000, unknown=0.04), SHOP, id="a campaign to a kept list"),
        pytest.param(lately(8_000, unknown=0.04), Baseline(), id="the same, of a stranger"),
        pytest.param(
            lately(3_000, unknown=0.01, addresses=1_000), SHOP, id="a sender for each recipient"
        ),
        pytest.param(
            lately(600, unknown=0.15), Baseline(final=9_000, unknown=1_350, experience=1),
            id="a forum that is always answered so",
        ),
        pytest.param(lately(600, unknown=0.14), Baseline(experience=1), id="a new forum"),
        pytest.param(
            lately(900, networks=12), Baseline(), id="an office, when nothing is known yet"
        ),
        pytest.param(
            lately(500, unknown=1, recipients=3, addresses=1), SHOP, id="a script gone wild"
        ),
        pytest.param(lately(40, unknown=0.3, networks=30), SHOP, id="a bad day of little mail"),
    ],
)  # fmt: skip
def test_what_isnt_a_run_of_spam_doesnt_alarm(window: Window, usual: Baseline) -> None:
    assert score(window, usual) < ALARMING_SCORE


@pytest.mark.parametrize(
    ("window", "usual"),
    [
        pytest.param(lately(200, unknown=0.2, networks=0), SHOP, id="from a hacked script"),
        pytest.param(lately(200, unknown=0.02, networks=40), SHOP, id="to a list that is clean"),
        pytest.param(
            lately(400, unknown=0.25, networks=1), Baseline(experience=1), id="of a new account"
        ),
        pytest.param(lately(400, networks=60), Baseline(), id="when nothing is known yet"),
        pytest.param(
            lately(150, networks=40, undelivered=140), SHOP, id="that receivers put off"
        ),
    ],
)  # fmt: skip
def test_a_run_of_spam_alarms_whichever_way_it_shows(window: Window, usual: Baseline) -> None:
    assert score(window, usual) >= ALARMING_SCORE


def test_who_sends_little_isnt_looked_at() -> None:
    assert signals("acc1", lately(19, unknown=1, networks=19), Baseline()) is None
    assert signals("acc1", lately(20, unknown=1, networks=20), Baseline()) is not None


def test_few_outcomes_have_no_share() -> None:
    found = signals("acc1", lately(40, unknown=1, undelivered=21), SHOP)
    assert found is not None
    assert (found.unknown_recipient_ratio, found.parts.unknown_recipients) == (None, 0.0)


NUMBERS = st.integers(0, 5_000)


@given(
    st.builds(lately, NUMBERS, st.floats(0, 1), st.integers(0, 300), st.integers(0, 300)),
    st.builds(
        Baseline, st.floats(0, 1e6), st.floats(0, 500), st.floats(0, 500), NUMBERS,
        st.just(0), st.floats(0, 1),
    ),
)  # fmt: skip
def test_scores_and_parts_are_between_0_and_1(window: Window, usual: Baseline) -> None:
    found = signals("acc1", window, usual)
    if found is not None:
        assert all(0 <= part <= 1 for part in (*found.parts, found.score))
        assert found.score == found.parts.score


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.integers(0, 4), st.floats(0, 1))
def test_no_part_lowers_the_score_by_rising(values: list[float], place: int, other: float) -> None:
    low, high = sorted((values[place], other))
    scores = [
        Parts(*(value if n == place else own for n, own in enumerate(values))).score
        for value in (low, high)
    ]
    assert scores[0] <= scores[1] + 1e-9
