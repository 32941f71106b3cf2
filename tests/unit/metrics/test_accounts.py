"""Limits of accounts and their use become families by user; the unknown isn't shown as none."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.metrics.accounts import AccountFacts, accounts
from cpanel_mail_exporter.model.accounts import Account, LastHour, UniqueRecipients
from cpanel_mail_exporter.model.records import LimitUse, UserStat

PREFIX = "cpanel_mail_account_"
HOURLY_LIMIT = PREFIX + "hourly_limit_messages"
HOURLY_SENT = PREFIX + "hourly_sent_messages"
MAX_RATIO = PREFIX + "max_defer_fail_ratio"
RATIO = PREFIX + "defer_fail_ratio"
SUSPENDED = PREFIX + "outgoing_suspended"
HELD = PREFIX + "outgoing_held"
UNIQUE = PREFIX + "unique_recipients"
ACCOUNTS = "cpanel_mail_accounts"


def shown(limit: int = 0, **facts: Any) -> dict[str, dict[str, float]]:
    """Samples of every family by their label, in order; whole, so nothing unexpected hides."""
    families = accounts(AccountFacts(**facts), limit=limit).families
    assert all(len(part.family.labels) == 1 for part in families)
    return {
        part.family.name: {labels[0]: value for labels, value in part.samples}  # type: ignore[misc]
        for part in families
    }


def stat(
    user: str, emails: LimitUse | None = None, defer_fail: LimitUse | None = None, domain: str = ""
) -> UserStat:
    uses = {"reached_maxemails": emails, "reached_maxdeferfail": defer_fail}
    told = {flag: use for flag, use in uses.items() if use is not None}
    return UserStat(domain, user, "root", "", {}, limit_uses=told)


def account(
    user: str, *states: str, hourly: int | None = None, percentage: int | None = None
) -> Account:
    return Account(
        user,
        max_email_per_hour=hourly,
        max_defer_fail_percentage=percentage,
        is_suspended="suspended" in states,
        is_outgoing_suspended="refused" in states,
        is_outgoing_held="held" in states,
    )


def test_nothing_known_gives_no_family() -> None:
    found = accounts(AccountFacts(), limit=5)
    assert (found.families, found.wanted) == ([], {})


def test_an_empty_server_gives_its_families_without_users() -> None:
    none: dict[str, float] = {}
    assert shown(accounts=[], stats=[], last_hour={}, unique=[]) == {
        HOURLY_LIMIT: none,
        MAX_RATIO: none,
        HOURLY_SENT: none,
        RATIO: none,
        SUSPENDED: none,
        HELD: none,
        ACCOUNTS: {"active": 0, "suspended": 0, "outgoing_suspended": 0, "outgoing_held": 0},
        UNIQUE: none,
    }


def test_accounts_show_finite_limits_and_the_states_that_hold() -> None:
    listed = [
        account("shop", hourly=200, percentage=60),
        account("free"),
        account("bad", "refused", percentage=100),
        account("slow", "held", hourly=1),
    ]
    assert shown(accounts=listed) == {
        HOURLY_LIMIT: {"shop": 200, "slow": 1},
        MAX_RATIO: {"bad": 1.0, "shop": 0.6},
        SUSPENDED: {"bad": 1},
        HELD: {"slow": 1},
        ACCOUNTS: {"active": 2, "suspended": 0, "outgoing_suspended": 1, "outgoing_held": 1},
    }


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ((), "active"),
        (("held",), "outgoing_held"),
        (("refused",), "outgoing_suspended"),
        (("refused", "held"), "outgoing_suspended"),
        (("suspended",), "suspended"),
        (("suspended", "held"), "suspended"),
        (("suspended", "refused", "held"), "suspended"),
    ],
)
def test_an_account_is_in_one_state_the_one_that_stops_most(
    states: tuple[str, ...], state: str
) -> None:
    counts = shown(accounts=[account("a", *states)])[ACCOUNTS]
    assert counts == {
        "active": 0,
        "suspended": 0,
        "outgoing_suspended": 0,
        "outgoing_held": 0,
    } | {state: 1}


def test_a_state_that_the_server_tells_of_no_account_isn_t_shown_as_zero() -> None:
    told = [Account("a", is_suspended=False), Account("b")]
    assert shown(accounts=told)[ACCOUNTS] == {"active": 2, "suspended": 0}


def test_what_the_server_tells_of_a_limit_goes_before_what_was_counted_here() -> None:
    stats = [
        stat("shop", LimitUse(150, 150), LimitUse(5, 5, 80.0)),
        stat("news", LimitUse(0, 100), LimitUse(7, 5)),
        stat("blog"),
    ]
    last_hour = {
        "shop": LastHour(160, 1, 1),
        "news": LastHour(40, 5, 5),
        "blog": LastHour(10, 0, 0),
    }
    assert shown(stats=stats, last_hour=last_hour) == {
        HOURLY_SENT: {"blog": 10, "news": 40, "shop": 150},
        RATIO: {"news": 0.2, "shop": 0.8},
    }


def test_use_is_shown_from_either_source_alone() -> None:
    assert shown(stats=[stat("a", LimitUse(5, 5))]) == {HOURLY_SENT: {"a": 5}, RATIO: {}}
    assert shown(last_hour={"a": LastHour(0, 1, 2)}) == {HOURLY_SENT: {}, RATIO: {"a": 1.0}}


def test_of_several_domains_the_one_that_sent_most_counts() -> None:
    stats = [
        stat("a", LimitUse(100, 100), LimitUse(5, 5, 50.0), "example.com"),
        stat("a", LimitUse(120, 100), LimitUse(9, 5, 40.0), "example.net"),
        stat("a", domain="example.org"),
    ]
    assert shown(stats=stats) == {HOURLY_SENT: {"a": 120}, RATIO: {"a": 0.5}}


def test_numbers_that_make_no_sense_are_not_shown() -> None:
    stats = [stat("a", LimitUse(-3, 5), LimitUse(3, -1, -300.0))]
    last_hour = {"b": LastHour(-1, 0, 0), "c": LastHour(0, 0, 0)}
    assert shown(stats=stats, last_hour=last_hour) == {HOURLY_SENT: {}, RATIO: {}}


def test_pseudo_users_of_the_server_are_shown_and_the_rest_of_the_world_isn_t() -> None:
    last_hour = {user: LastHour(2, 2, 0) for user in ("root", "nobody", "-remote-", "")}
    unique = [UniqueRecipients(user, 3) for user in ("mailnull", "root", "-remote-", "")]
    assert shown(last_hour=last_hour, unique=unique) == {
        HOURLY_SENT: {"nobody": 2, "root": 2},
        RATIO: {"nobody": 0.5, "root": 0.5},
        UNIQUE: {"mailnull": 3, "root": 3},
    }


def test_recipients_of_a_user_told_twice_are_added_up_and_none_are_not_shown() -> None:
    unique = [UniqueRecipients("a", 3), UniqueRecipients("b", 0), UniqueRecipients("a", 4)]
    assert shown(unique=unique) == {UNIQUE: {"a": 7}}


# Bounds


def test_of_too_many_users_the_nearest_to_their_limit_and_the_highest_are_kept_in_turns() -> None:
    listed = [account(user, hourly=hourly) for user, hourly in LIMITS.items()]
    last_hour = {user: LastHour(sent) for user, sent in SENT.items()}
    found = shown(2, accounts=listed, last_hour=last_hour)
    assert (found[HOURLY_SENT], found[HOURLY_LIMIT]) == (
        {"loud": 900, "near": 9},
        {"far": 1000, "near": 10},
    )
    found = shown(3, accounts=listed, last_hour=last_hour)
    assert found[HOURLY_SENT] == {"far": 100, "loud": 900, "near": 9}
    assert found[HOURLY_LIMIT] == {"far": 1000, "idle": 5, "near": 10}
    wanted = accounts(AccountFacts(accounts=listed, last_hour=last_hour), limit=2).wanted
    assert wanted == {
        HOURLY_LIMIT: 4,
        MAX_RATIO: 0,
        HOURLY_SENT: 4,
        RATIO: 0,
        SUSPENDED: 0,
        HELD: 0,
    }


LIMITS = {"near": 10, "far": 1000, "idle": 5, "zoe": 7}
SENT = {"near": 9, "far": 100, "loud": 900, "free": 50}


def test_of_too_many_recipients_and_states_the_highest_and_the_first_are_kept() -> None:
    unique = [UniqueRecipients(user, count) for user, count in (("a", 1), ("b", 9), ("c", 5))]
    listed = [account(user, "refused", "held") for user in "cab"]
    found = shown(2, accounts=listed, unique=unique)
    assert found[UNIQUE] == {"b": 9, "c": 5}
    assert (found[SUSPENDED], found[HELD]) == ({"a": 1, "b": 1}, {"a": 1, "b": 1})
    assert found[ACCOUNTS]["outgoing_suspended"] == 3


users = st.sampled_from([*"abcdefgh", "root", "-remote-", ""])
whole = st.integers(0, 20)
hours = st.dictionaries(users, st.builds(LastHour, whole, whole, whole))
uses = st.none() | st.builds(
    LimitUse, st.integers(-5, 30), st.integers(-5, 30), st.none() | st.floats(-300, 300)
)
finite = st.none() | st.integers(1, 20)
flags = st.none() | st.booleans()
listings = st.lists(
    st.builds(Account, users, st.just(""), st.just(""), finite, finite, flags, flags, flags),
    max_size=10,
)


@settings(deadline=None, max_examples=200)
@given(
    st.none() | listings,
    st.none() | st.lists(st.builds(stat, users, uses, uses), max_size=6),
    st.none() | hours,
    st.none() | st.lists(st.builds(UniqueRecipients, users, whole), max_size=6),
    st.integers(0, 6),
)
def test_no_family_is_above_its_bound_or_shows_a_zero_and_each_use_has_its_limit(
    listed: list[Account] | None,
    stats: list[UserStat] | None,
    last_hour: Mapping[str, LastHour] | None,
    unique: list[UniqueRecipients] | None,
    limit: int,
) -> None:
    facts = AccountFacts(listed, stats, last_hour, unique)
    unbounded = shown(accounts=listed, stats=stats, last_hour=last_hour, unique=unique)
    bounded = shown(limit, accounts=listed, stats=stats, last_hour=last_hour, unique=unique)
    wanted = accounts(facts, limit=limit).wanted
    assert bounded.keys() == unbounded.keys() == wanted.keys() | ({ACCOUNTS} & unbounded.keys())
    for name, count in wanted.items():
        assert count == len(unbounded[name])
        assert len(bounded[name]) == min(limit or count, count)
        assert bounded[name].items() <= unbounded[name].items()
        assert list(bounded[name]) == sorted(bounded[name])
        assert all(value > 0 for value in bounded[name].values())
    for use, its_limit in ((HOURLY_SENT, HOURLY_LIMIT), (RATIO, MAX_RATIO)):
        limited = bounded.get(use, {}).keys() & unbounded.get(its_limit, {}).keys()
        assert limited <= bounded.get(its_limit, {}).keys()
    if listed is not None:
        assert sum(bounded[ACCOUNTS].values()) == len(listed)
