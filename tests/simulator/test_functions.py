"""The functions' own parameters, and that their figures agree with each other."""

from collections import Counter
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.conftest import ALL_TYPES, NOW_UNIX, Ask, asker, filters, make_world
from whm_simulator.mail.rows import TYPES
from whm_simulator.world.stream import World

BUSY = make_world(history_seconds=4 * 3600, rate_per_minute=30)
ask_busy = asker(BUSY)

ROW_KINDS: dict[str, tuple[type, ...]] = {
    "actiontime": (str, type(None)),
    "actionunixtime": (int, type(None)),
    "deliveredto": (str, type(None)),
    "deliverydomain": (str, type(None)),
    "deliveryuser": (str, type(None)),
    "domain": (str,),
    "email": (str,),
    "host": (str, type(None)),
    "ip": (str, type(None)),
    "message": (str, type(None)),
    "msgid": (str,),
    "recipient": (str,),
    "router": (str, type(None)),
    "sender": (str,),
    "senderauth": (str,),
    "senderhost": (str,),
    "senderip": (str,),
    "sendunixtime": (int,),
    "size": (int,),
    "spamscore": (int,),
    "transport": (str, type(None)),
    "transport_is_remote": (int,),
    "type": (str,),
    "user": (str,),
}
"""Members of a row in the known samples, in their order, and the kinds of their values."""


def rows_of(ask: Ask, **params: object) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = ask("emailtrack_search", **params)["data"]["records"]
    return records


def test_rows_have_the_members_and_kinds_of_the_known_samples() -> None:
    rows = rows_of(ask_busy, **ALL_TYPES)
    assert rows
    for row in rows:
        assert list(row) == list(ROW_KINDS)
        for name, kinds in ROW_KINDS.items():
            assert type(row[name]) in kinds, name
        assert row["size"] >= 1
        assert row["transport_is_remote"] in (0, 1)


def test_nothing_is_found_unless_a_type_is_asked_for() -> None:
    assert ask_busy("emailtrack_search") == {
        "data": {"records": []},
        "metadata": {
            "command": "emailtrack_search",
            "reason": "OK",
            "result": 1,
            "version": 1,
            "overflowed": 0,
        },
    }


@pytest.mark.parametrize("wanted", TYPES)
def test_each_type_flag_brings_its_type_alone(wanted: str) -> None:
    expected = [row for row in rows_of(ask_busy, **ALL_TYPES) if row["type"] == wanted]
    assert rows_of(ask_busy, **{wanted: 1}) == expected
    assert expected
    others = {name: 1 for name in TYPES if name != wanted}
    assert rows_of(ask_busy, **others, **{wanted: 0}) == [
        row for row in rows_of(ask_busy, **ALL_TYPES) if row["type"] != wanted
    ]


def test_unsorted_rows_come_newest_first() -> None:
    sent = [row["sendunixtime"] for row in rows_of(ask_busy, **ALL_TYPES)]
    assert sent == sorted(sent, reverse=True)


def test_delivery_types_part_the_rows_that_have_a_transport() -> None:
    everything = rows_of(ask_busy, **ALL_TYPES, deliverytype="all")
    remote = rows_of(ask_busy, **ALL_TYPES, deliverytype="remote")
    local = rows_of(ask_busy, **ALL_TYPES, deliverytype="local")
    assert remote == [row for row in everything if row["transport_is_remote"]]
    assert local == [
        row for row in everything if row["transport"] and not row["transport_is_remote"]
    ]
    assert remote
    assert local


@pytest.mark.parametrize("most", [1, 5, 10**6])
def test_the_cap_keeps_the_newest_of_each_type_and_says_when_it_cuts(most: int) -> None:
    everything = rows_of(ask_busy, **ALL_TYPES)
    answer = ask_busy("emailtrack_search", **ALL_TYPES, max_results_by_type=most)
    expected = []
    counts: Counter[str] = Counter()
    for row in everything:
        counts[row["type"]] += 1
        if counts[row["type"]] <= most:
            expected.append(row)
    assert answer["data"]["records"] == expected
    assert answer["metadata"]["overflowed"] == int(len(expected) < len(everything))


def test_filters_come_before_the_cap() -> None:
    old = filters(("sendunixtime", "lt", NOW_UNIX - 3 * 3600))
    rows = rows_of(ask_busy, success=1, max_results_by_type=3, **old)
    assert len(rows) == 3
    assert all(row["sendunixtime"] < NOW_UNIX - 3 * 3600 for row in rows)


instants = st.integers(NOW_UNIX - 4 * 3600 - 100, NOW_UNIX + 100)


@given(start=instants, end=instants, now=st.integers(NOW_UNIX - 600, NOW_UNIX))
@settings(max_examples=50, deadline=None)
def test_search_user_stats_and_stats_agree_for_any_interval(start: int, end: int, now: int) -> None:
    ask = asker(BUSY, now)
    span = filters(("sendunixtime", "gt_equal", start), ("sendunixtime", "lt_equal", end))
    rows = rows_of(ask, **ALL_TYPES, **span)
    by_user = ask("emailtrack_user_stats", starttime=start, endtime=end)["data"]["records"]
    [whole] = ask("emailtrack_stats", starttime=start, endtime=end)["data"]["records"]
    assert {record["USER"] for record in by_user} == {row["user"] for row in rows}
    for record in by_user:
        own = [row for row in rows if row["user"] == record["USER"]]
        kinds = Counter(row["type"] for row in own)
        sizes = {row["msgid"]: row["size"] for row in own}
        assert {name: record[name] for name in record if name.endswith(("COUNT", "SIZE"))} == {
            "SENDCOUNT": len(sizes),
            "SUCCESSCOUNT": kinds["success"],
            "DEFERCOUNT": kinds["defer"],
            "FAILCOUNT": kinds["failure"],
            "DEFERFAILCOUNT": kinds["defer"] + kinds["failure"],
            "TOTALSIZE": sum(sizes.values()),
        }
        assert {row["domain"] for row in own} == {record["DOMAIN"]}
        [alone] = ask("emailtrack_stats", starttime=start, endtime=end, user=record["USER"])[
            "data"
        ]["records"]
        waiting = alone.pop("INPROGRESSCOUNT")
        assert waiting == kinds["inprogress"]
        assert alone == {name: record[name] for name in alone}
    for name in ("SENDCOUNT", "SUCCESSCOUNT", "DEFERCOUNT", "FAILCOUNT", "TOTALSIZE"):
        assert (whole[name] or 0) == sum(record[name] for record in by_user)
    assert whole["INPROGRESSCOUNT"] == sum(row["type"] == "inprogress" for row in rows)


@pytest.mark.parametrize("kind", ["remote", "remote-or-faildefer", "local"])
def test_totals_by_delivery_type_agree_with_the_rows(kind: str) -> None:
    def belongs(row: dict[str, Any]) -> bool:
        if kind == "local":
            return bool(row["transport"]) and not row["transport_is_remote"]
        is_bad = kind == "remote-or-faildefer" and row["type"] in ("failure", "defer")
        return row["transport_is_remote"] == 1 or is_bad

    rows = [row for row in rows_of(ask_busy, **ALL_TYPES) if belongs(row)]
    [whole] = ask_busy("emailtrack_stats", deliverytype=kind)["data"]["records"]
    assert whole["SUCCESSCOUNT"] == sum(row["type"] == "success" for row in rows)
    assert whole["DEFERFAILCOUNT"] == sum(row["type"] in ("defer", "failure") for row in rows)
    by_user = ask_busy("emailtrack_user_stats", deliverytype=kind)["data"]["records"]
    assert sum(record["SENDCOUNT"] for record in by_user) == whole["SENDCOUNT"]


def test_user_stats_of_one_sender() -> None:
    rows = rows_of(ask_busy, **ALL_TYPES)
    sender = next(row["sender"] for row in rows if row["user"].startswith("office"))
    [record] = ask_busy("emailtrack_user_stats", sender=sender)["data"]["records"]
    own = [row for row in rows if row["sender"] == sender]
    assert record["SENDCOUNT"] == len({row["msgid"] for row in own})
    assert ask_busy("emailtrack_user_stats", sender="x@example.com")["data"]["records"] == []


def test_user_stats_have_the_members_of_the_known_samples(ask: Ask) -> None:
    answer = ask("emailtrack_user_stats")
    assert answer["metadata"] == {
        "command": "emailtrack_user_stats",
        "reason": "OK",
        "result": 1,
        "version": 1,
        "overflowed": 0,
    }
    by_user = {record["USER"]: record for record in answer["data"]["records"]}
    for record in by_user.values():
        assert list(record) == [
            "DEFERCOUNT", "DEFERFAILCOUNT", "DOMAIN", "FAILCOUNT", "OWNER", "PRIMARY_DOMAIN",
            "REACHED_MAXDEFERFAIL", "REACHED_MAXEMAILS", "SENDCOUNT", "SUCCESSCOUNT", "TOTALSIZE",
            "USER",
        ]  # fmt: skip
    outside, root = by_user["-remote-"], by_user["root"]
    assert (outside["DOMAIN"], outside["PRIMARY_DOMAIN"], outside["OWNER"]) == ("", "", "root")
    assert (root["DOMAIN"], root["PRIMARY_DOMAIN"]) == ("-system-", "")
    shop = by_user["shop1"]
    assert shop["DOMAIN"] == shop["PRIMARY_DOMAIN"] != ""


def test_reached_limits_are_zero_or_texts_like_the_known_ones(world: World, ask: Ask) -> None:
    by_user = {r["USER"]: r for r in ask("emailtrack_user_stats")["data"]["records"]}
    limits = {account.user: account for account in world.site.accounts}
    emails = {user: record["REACHED_MAXEMAILS"] for user, record in by_user.items()}
    defer_fails = {user: record["REACHED_MAXDEFERFAIL"] for user, record in by_user.items()}
    assert any(emails.values())
    assert any(defer_fails.values())
    for user, reached in emails.items():
        if reached == 0:
            continue
        number, limit = map(int, reached.split("/"))
        assert number >= limit == limits[user].max_email_per_hour
    for user, reached in defer_fails.items():
        if reached:
            limit = limits[user].max_defer_fail_per_hour
            assert reached == f"{limit}/{limit} (100%)"


def test_a_limit_shows_only_while_a_refused_message_is_in_the_range(ask: Ask) -> None:
    refused = {
        row["sendunixtime"]: row["message"]
        for row in rows_of(ask, **ALL_TYPES, **filters(("router", "begins", "enforce_mail")))[::-1]
        if "max emails per hour" in row["message"] and row["user"] == "forum1"
    }
    first = min(refused)

    def reached(end: int) -> object:
        params = {"starttime": 0, "endtime": end, **filters(("USER", "eq", "forum1"))}
        [record] = ask("emailtrack_user_stats", **params)["data"]["records"]
        return record["REACHED_MAXEMAILS"]

    assert reached(first - 1) == 0
    for sent in [first, *list(refused)[::40], max(refused)]:
        assert f" per hour ({reached(sent)} (" in refused[sent], "the newest refusal is shown"


def test_stats_of_no_mail_are_null_as_in_the_known_sample() -> None:
    assert ask_busy("emailtrack_stats", starttime=NOW_UNIX + 1)["data"]["records"] == [
        {
            "DEFERCOUNT": None,
            "DEFERFAILCOUNT": None,
            "FAILCOUNT": None,
            "INPROGRESSCOUNT": 0,
            "SENDCOUNT": 0,
            "SUCCESSCOUNT": None,
            "TOTALSIZE": None,
        }
    ]


def test_stats_leave_out_what_is_not_wanted() -> None:
    [record] = ask_busy("emailtrack_stats", nosize=1, nosuccess=1)["data"]["records"]
    assert list(record) == [
        "DEFERCOUNT", "DEFERFAILCOUNT", "FAILCOUNT", "INPROGRESSCOUNT", "SENDCOUNT",
    ]  # fmt: skip


def test_stats_know_both_names_of_their_range() -> None:
    start, end = NOW_UNIX - 5000, NOW_UNIX - 1000
    new = ask_busy("emailtrack_stats", starttime=start, endtime=end)
    assert ask_busy("emailtrack_stats", startdate=start, enddate=end) == new
    assert ask_busy("emailtrack_stats") != new


@pytest.mark.parametrize(
    ("function", "params", "reason"),
    [
        ("emailtrack_search", {"deliverytype": "no"}, "must be one of all, remote, local."),
        ("emailtrack_search", {"max_results_by_type": "x"}, 'must be a whole number, not "x".'),
        ("emailtrack_search", {"max_results_by_type": -1}, "must not be negative."),
        ("emailtrack_search", {"success": "yes"}, 'must be a whole number, not "yes".'),
        ("emailtrack_user_stats", {"starttime": "today"}, 'be a whole number, not "today".'),
        ("emailtrack_stats", {"deliverytype": "no"}, "remote, remote-or-faildefer, local."),
    ],
)
def test_a_malformed_parameter_is_refused_in_the_envelope(
    function: str, params: dict[str, object], reason: str
) -> None:
    answer = ask_busy(function, **params)
    assert answer["metadata"].pop("reason").endswith(reason)
    assert answer == {"metadata": {"command": function, "result": 0, "version": 1}}


def test_small_functions() -> None:
    good = {"reason": "OK", "result": 1, "version": 1}
    assert ask_busy("gethostname") == {
        "data": {"hostname": "web1.example.net"},
        "metadata": {"command": "gethostname", **good},
    }
    assert ask_busy("version") == {
        "data": {"version": "11.138.0.6"},
        "metadata": {"command": "version", **good},
    }
    assert ask_busy("applist") == {
        "data": {
            "app": [
                "applist",
                "emailtrack_search",
                "emailtrack_stats",
                "emailtrack_user_stats",
                "gethostname",
                "version",
            ]
        },
        "metadata": {"command": "applist", **good},
    }


@pytest.mark.parametrize(
    ("function", "version", "shown"),
    [("no_such_function", "1", "1"), ("version", "2", "2"), ("version", "", "")],
)
def test_an_unknown_function_or_version_of_the_api(function: str, version: str, shown: str) -> None:
    assert ask_busy(function, **{"api.version": version}) == {
        "metadata": {
            "command": function,
            "reason": f'Unknown app ("{function}") requested for this version ({shown}) '
            "of the API.",
            "result": 0,
            "version": 1,
        }
    }


def test_a_large_answer_in_pieces_is_the_same_json(ask: Ask, world: World) -> None:
    rows = rows_of(ask, **ALL_TYPES)
    assert len(rows) > 5000
    assert rows == msgspec.to_builtins(world.rows(NOW_UNIX)[::-1])
