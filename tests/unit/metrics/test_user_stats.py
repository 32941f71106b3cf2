"""Records of emailtrack_user_stats become three families; records alike in labels are one."""

import math
from typing import Any

import pytest

from cpanel_mail_exporter.metrics.user_stats import SERIES_OF_A_USER, user_stats, widest_users
from cpanel_mail_exporter.model.family import Sample
from cpanel_mail_exporter.model.records import STAT_TYPES, UserStat


def stat(
    domain: str = "example.com",
    user: str = "user1",
    *,
    owner: str = "root",
    primary_domain: str = "example.com",
    counts: tuple[float, ...] = (1, 2, 3, 4, 5, 6),
    more: dict[str, float] | None = None,
    **flags: bool,
) -> UserStat:
    named = {**dict(zip(STAT_TYPES, counts, strict=True)), **(more or {})}
    return UserStat(domain, user, owner, primary_domain, named, flags)


def families(*records: UserStat, extra: tuple[str, ...] = ()) -> dict[str, Any]:
    """Label names and samples by family, in order; whole, so nothing unexpected hides."""
    return {
        part.family.name: (part.family.labels, list(part.samples))
        for part in user_stats(records, extra)
    }


def six(*key: str, values: tuple[float, ...], after: tuple[str, ...] = ()) -> list[Sample]:
    return [
        ((*key, stat_type, *after), value)
        for stat_type, value in zip(STAT_TYPES, values, strict=True)
    ]


STATS_LABELS = ("domain", "user", "stat_type")
FLAG_LABELS = ("domain", "user", "flag")
INFO_LABELS = ("domain", "user", "owner", "primary_domain")


def test_no_records_give_families_without_samples() -> None:
    assert families() == {
        "email_user_stats": (STATS_LABELS, []),
        "email_flag_stats": (FLAG_LABELS, []),
        "email_user_info": (INFO_LABELS, []),
    }


def test_one_record_gives_six_samples_its_flags_and_its_info() -> None:
    record = stat(reached_maxemails=True, reached_maxdeferfail=False)
    assert families(record) == {
        "email_user_stats": (
            STATS_LABELS,
            six("example.com", "user1", values=(1, 2, 3, 4, 5, 6)),
        ),
        "email_flag_stats": (
            FLAG_LABELS,
            [
                (("example.com", "user1", "reached_maxemails"), 1),
                (("example.com", "user1", "reached_maxdeferfail"), 0),
            ],
        ),
        "email_user_info": (INFO_LABELS, [(("example.com", "user1", "root", "example.com"), 1)]),
    }


def test_a_flag_that_could_not_be_read_has_no_sample() -> None:
    flags = families(stat(reached_maxdeferfail=True))["email_flag_stats"]
    assert flags == (FLAG_LABELS, [(("example.com", "user1", "reached_maxdeferfail"), 1)])


def test_records_alike_in_domain_and_user_are_added_up_where_the_first_stands() -> None:
    found = families(
        stat(counts=(1, 1, 1, 1, 1, 10), reached_maxemails=False),
        stat(user="user2"),
        stat(counts=(2, 0, 0, 0, 0, 0.5), owner="reseller1", reached_maxemails=True),
    )
    assert found["email_user_stats"][1] == [
        *six("example.com", "user1", values=(3, 1, 1, 1, 1, 10.5)),
        *six("example.com", "user2", values=(1, 2, 3, 4, 5, 6)),
    ]
    assert found["email_flag_stats"][1] == [(("example.com", "user1", "reached_maxemails"), 1)]
    assert found["email_user_info"][1] == [
        (("example.com", "user1", "root", "example.com"), 1),
        (("example.com", "user2", "root", "example.com"), 1),
        (("example.com", "user1", "reseller1", "example.com"), 1),
    ]


def test_a_reached_limit_is_not_forgotten_by_a_later_record() -> None:
    found = families(stat(reached_maxemails=True), stat(reached_maxemails=False))
    assert found["email_flag_stats"][1] == [(("example.com", "user1", "reached_maxemails"), 1)]


def test_user_and_domain_are_not_mixed_up() -> None:
    """("a", "bc") and ("ab", "c") are two users."""
    found = families(stat("a", "bc"), stat("ab", "c"), stat("", "-remote-"))
    users = [key[:2] for key, _ in found["email_user_stats"][1]]
    assert list(dict.fromkeys(users)) == [("a", "bc"), ("ab", "c"), ("", "-remote-")]


def test_further_counts_and_sizes_come_after_the_six() -> None:
    found = families(
        stat(more={"inprogress_count": 7}), stat(more={"largest_size": 8, "inprogress_count": 1})
    )
    assert found["email_user_stats"][1] == [
        *six("example.com", "user1", values=(2, 4, 6, 8, 10, 12)),
        (("example.com", "user1", "inprogress_count"), 8),
        (("example.com", "user1", "largest_size"), 8),
    ]


def test_extra_labels_come_last_and_tell_records_apart() -> None:
    found = families(
        stat(reached_maxemails=True), stat(owner="reseller1"), extra=("owner", "primary_domain")
    )
    assert found == {
        "email_user_stats": (
            (*STATS_LABELS, "owner", "primary_domain"),
            [
                *six("example.com", "user1", values=(1, 2, 3, 4, 5, 6), after=OWNED_BY_ROOT),
                *six(
                    "example.com",
                    "user1",
                    values=(1, 2, 3, 4, 5, 6),
                    after=("reseller1", "example.com"),
                ),
            ],
        ),
        "email_flag_stats": (
            (*FLAG_LABELS, "owner", "primary_domain"),
            [(("example.com", "user1", "reached_maxemails", *OWNED_BY_ROOT), 1)],
        ),
    }


OWNED_BY_ROOT = ("root", "example.com")


@pytest.mark.parametrize("extra", ["owner", "primary_domain"])
def test_with_one_extra_label_the_info_still_carries_the_other(extra: str) -> None:
    found = families(stat(primary_domain="example.org"), extra=(extra,))
    value = {"owner": "root", "primary_domain": "example.org"}[extra]
    assert found["email_user_stats"] == (
        (*STATS_LABELS, extra),
        six("example.com", "user1", values=(1, 2, 3, 4, 5, 6), after=(value,)),
    )
    assert found["email_user_info"][1] == [(("example.com", "user1", "root", "example.org"), 1)]


def test_extra_labels_in_the_other_order_keep_values_under_their_names() -> None:
    found = families(
        stat(owner="o", primary_domain="p", counts=(0,) * 6), extra=("primary_domain", "owner")
    )
    names, samples = found["email_user_stats"]
    assert dict(zip(names, samples[0][0], strict=True)) == {
        "domain": "example.com",
        "user": "user1",
        "stat_type": "send_count",
        "primary_domain": "p",
        "owner": "o",
    }


def test_absurd_numbers_become_infinite_instead_of_ending_the_program() -> None:
    huge = 10**308
    for counts in ((huge * 10**10, 0.5), (0.5, huge * 10**10)):
        records = [stat(counts=(0,) * 5 + (count,)) for count in counts]
        assert families(*records)["email_user_stats"][1][-1][1] == math.inf
    records = [stat(counts=(0,) * 5 + (count,)) for count in (0.5, -huge * 10**10)]
    assert families(*records)["email_user_stats"][1][-1][1] == -math.inf


def kept(pairs: int, *records: UserStat, extra: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """The pairs of domain and user that each family has within a budget, in order."""
    found = widest_users(user_stats(records, extra), pairs)
    return {
        part.family.name: list(dict.fromkeys(labels[:2] for labels, _ in part.samples))
        for part in found
    }


def test_within_a_budget_those_that_sent_most_are_kept_in_their_order() -> None:
    records = [
        stat(user="few", counts=(1, 9, 9, 9, 9, 9), reached_maxemails=True),
        stat(user="most", counts=(7, 0, 0, 0, 0, 0), reached_maxemails=True),
        stat(user="some", counts=(3, 0, 0, 0, 0, 0), reached_maxemails=True),
        stat(user="also", counts=(3, 0, 0, 0, 0, 0), reached_maxemails=True),
    ]
    names = ("email_user_stats", "email_flag_stats", "email_user_info")
    two = [("example.com", "most"), ("example.com", "also")]
    assert kept(2, *records) == dict.fromkeys(names, two)
    three = [("example.com", "most"), ("example.com", "some"), ("example.com", "also")]
    assert kept(3, *records) == dict.fromkeys(names, three)
    assert len(kept(4, *records)["email_user_stats"]) == 4


def test_a_pair_with_several_owners_counts_as_one_with_all_it_sent() -> None:
    records = [
        stat(user="a", owner="root", counts=(3, 0, 0, 0, 0, 0)),
        stat(user="a", owner="other", counts=(3, 0, 0, 0, 0, 0)),
        stat(user="b", counts=(5, 0, 0, 0, 0, 0)),
    ]
    assert kept(1, *records, extra=("owner",))["email_user_stats"] == [("example.com", "a")]
    found = widest_users(user_stats(records, ("owner",)), 1)
    assert len(found[0].samples) == 2 * len(STAT_TYPES)


def test_a_pair_has_as_many_series_as_is_said() -> None:
    for part in user_stats([stat(reached_maxemails=True, reached_maxdeferfail=False)], ()):
        assert len(part.samples) == SERIES_OF_A_USER[part.family.name]
