"""What is hidden, and what need not be asked then."""

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.metrics.selection import (
    FILLED_BY,
    NAMES,
    hidden,
    idle_collectors,
    possible,
    shown,
)
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.model.outcome import (
    ACCOUNTS,
    COLLECTORS,
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    USER_STATS,
)
from cpanel_mail_exporter.publishing.process import ProcessFigures

SETS = st.frozensets(st.sampled_from(NAMES))


def test_every_family_of_the_process_can_be_hidden() -> None:
    assert [part.family.name for part in ProcessFigures().collect()] == list(
        catalogue.PROCESS_FAMILIES
    )


def test_each_family_is_filled_by_one_collector_or_is_always_there() -> None:
    assert set(FILLED_BY) == set(COLLECTORS)
    filled = [name for names in FILLED_BY.values() for name in names]
    assert len(filled) == len(set(filled))
    always = [name for name in NAMES if name not in filled]
    assert [name for name in always if name.startswith("email_")] == []
    assert {"cpanel_mail_up", "cpanel_mail_series", "process_open_fds"} <= set(always)
    assert "cpanel_mail_ledger_size_bytes" in FILLED_BY[DELIVERY_EVENTS]


def test_without_patterns_nothing_is_hidden_and_deny_wins_over_allow() -> None:
    assert hidden([], []) == frozenset()
    assert hidden([], ["email_logs"]) == {"email_logs"}
    assert hidden(["email_logs", "cpanel_mail_up"], ["email_logs"]) == set(NAMES) - {
        "cpanel_mail_up"
    }
    assert hidden(["email_logs"], ["email_logs"]) == set(NAMES)


def test_a_pattern_is_for_the_whole_name() -> None:
    assert hidden([], ["cpanel_mail_series"]) == {"cpanel_mail_series"}


@given(SETS)
def test_a_collector_is_idle_only_if_nothing_of_it_is_shown(
    hidden_families: frozenset[str],
) -> None:
    for name in idle_collectors(hidden_families):
        assert FILLED_BY[name] <= hidden_families
    assert DELIVERY_EVENTS not in idle_collectors(frozenset(NAMES))
    assert idle_collectors(frozenset(NAMES)) == set(COLLECTORS) - {DELIVERY_EVENTS}


def test_sums_by_user_are_asked_while_use_of_limits_is_shown() -> None:
    own = FILLED_BY[USER_STATS]
    assert USER_STATS not in idle_collectors(own)
    assert USER_STATS in idle_collectors(own | FILLED_BY[ACCOUNTS])
    assert idle_collectors(FILLED_BY[EMAIL_LOGS]) == {EMAIL_LOGS}


@given(SETS)
def test_families_of_collectors_that_are_off_are_not_expected(
    hidden_families: frozenset[str],
) -> None:
    assert possible(COLLECTORS, hidden_families) == set(NAMES) - hidden_families
    assert not possible([USER_STATS], frozenset()) & FILLED_BY[EMAIL_LOGS]


def test_nothing_is_told_about_a_hidden_family() -> None:
    families = [
        FamilySamples(catalogue.EMAIL_LOGS, [((), 1)]),
        FamilySamples(catalogue.SERIES, [(("email_logs",), 3), (("email_user_stats",), 4)]),
        FamilySamples(catalogue.UP, [((), 1)]),
    ]
    assert shown(families, frozenset()) == families
    assert shown(families, frozenset({"email_logs"})) == [
        FamilySamples(catalogue.SERIES, [(("email_user_stats",), 4)]),
        FamilySamples(catalogue.UP, [((), 1)]),
    ]
