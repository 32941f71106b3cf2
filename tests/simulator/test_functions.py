"""The functions' own parameters and answers, whole, over mail that is written by hand."""

from functools import partial
from typing import Any

import msgspec
import pytest

from tests.simulator.hand_mail import (
    EVERY_TYPE,
    NOW_UNIX,
    SMALL,
    HandMail,
    attempt,
    body,
    filters,
    found,
)
from whm_simulator.mail.rows import FIELDS, TYPES
from whm_simulator.mail.source import AccountCard

ask = partial(body, SMALL)
search = partial(found, SMALL)


def good(command: str, **others: object) -> dict[str, Any]:
    return {"command": command, "reason": "OK", "result": 1, "version": 1, **others}


def refusal(command: str, reason: str) -> dict[str, Any]:
    return {"metadata": {"command": command, "reason": reason, "result": 0, "version": 1}}


def test_rows_stand_in_the_answer_as_they_are_newest_first() -> None:
    assert ask("emailtrack_search", EVERY_TYPE) == {
        "data": {"records": msgspec.to_builtins(SMALL.rows(NOW_UNIX)[::-1])},
        "metadata": good("emailtrack_search", overflowed=0),
    }


def test_nothing_is_found_unless_a_type_is_asked_for() -> None:
    assert ask("emailtrack_search") == {
        "data": {"records": []},
        "metadata": good("emailtrack_search", overflowed=0),
    }


@pytest.mark.parametrize("wanted", TYPES)
def test_each_type_flag_brings_its_type_alone(wanted: str) -> None:
    expected = [row for row in search() if row["type"] == wanted]
    assert expected
    assert ask("emailtrack_search", {wanted: 1})["data"]["records"] == expected
    assert search({wanted: 0}) == [row for row in search() if row["type"] != wanted]


@pytest.mark.parametrize(
    ("kind", "messages"),
    [
        ("all", "m8 m9 m7 m6 m5 m4 m3 m2 m2 m2 m1 m1"),
        ("", "m8 m9 m7 m6 m5 m4 m3 m2 m2 m2 m1 m1"),
        ("remote", "m2 m2 m2 m1"),
        ("local", "m7 m3 m1"),
    ],
)
def test_delivery_types_part_the_rows_that_have_a_transport(kind: str, messages: str) -> None:
    assert [row["msgid"] for row in search({"deliverytype": kind})] == messages.split()


@pytest.mark.parametrize(
    ("most", "messages", "overflowed"),
    [
        (1, "m8 m7 m6 m2", 1),
        (2, "m8 m9 m7 m6 m5 m3 m2", 1),
        (5, "m8 m9 m7 m6 m5 m4 m3 m2 m2 m2 m1 m1", 0),
    ],
)
def test_the_cap_keeps_the_newest_of_each_type_and_says_when_it_cuts(
    most: int, messages: str, overflowed: int
) -> None:
    answer = ask("emailtrack_search", {**EVERY_TYPE, "max_results_by_type": most})
    assert [row["msgid"] for row in answer["data"]["records"]] == messages.split()
    assert answer["metadata"] == good("emailtrack_search", overflowed=overflowed)


def test_filters_come_before_the_cap() -> None:
    old = filters(("sendunixtime", "lt", NOW_UNIX - 500))
    answer = ask("emailtrack_search", {"success": 1, "max_results_by_type": 3, **old})
    assert [row["msgid"] for row in answer["data"]["records"]] == ["m3", "m2", "m1"]
    assert answer["metadata"]["overflowed"] == 1


@pytest.mark.parametrize(
    ("conditions", "messages"),
    [
        ([("actionunixtime", "gt_equal", NOW_UNIX - 300)], "m7 m6 m2"),
        ([("actionunixtime", "lt", NOW_UNIX - 790)], "m1 m1"),
        ([("actionunixtime", "==", NOW_UNIX - 790)], "m2"),
        # Sent and refused in the same second.
        ([("actionunixtime", "==", NOW_UNIX - 300)], "m6"),
        ([("actionunixtime", "lt_equal", NOW_UNIX - 500), ("type", "eq", "failure")], "m4 m2"),
        (
            [
                ("actionunixtime", "gt", NOW_UNIX - 790),
                ("sendunixtime", "lt_equal", NOW_UNIX - 600),
            ],
            "m3 m2 m2",
        ),
    ],
)
def test_filters_on_both_times(conditions: list[tuple[str, str, object]], messages: str) -> None:
    assert [row["msgid"] for row in search(filters(*conditions))] == messages.split()


def user_record(user: str, **members: object) -> dict[str, Any]:
    zeros = dict.fromkeys(
        ("DEFERCOUNT", "DEFERFAILCOUNT", "FAILCOUNT", "REACHED_MAXDEFERFAIL", "REACHED_MAXEMAILS",
         "SUCCESSCOUNT"), 0,
    )  # fmt: skip
    return {**zeros, "OWNER": "root", "USER": user, **members}


def test_user_stats_whole() -> None:
    assert ask("emailtrack_user_stats") == {
        "data": {
            "records": [
                user_record(
                    "-remote-", DOMAIN="", PRIMARY_DOMAIN="", SENDCOUNT=4, SUCCESSCOUNT=2,
                    FAILCOUNT=1, DEFERFAILCOUNT=1,
                    TOTALSIZE=sum(1000 + sent % 977 for sent in (-600, -300, -200, -5)),
                ),
                user_record(
                    "alpha", DOMAIN="alpha.example.com", PRIMARY_DOMAIN="alpha.example.com",
                    SENDCOUNT=2, SUCCESSCOUNT=2, TOTALSIZE=2000 + -1000 % 977 + -5 % 977,
                ),
                user_record(
                    "beta", DOMAIN="beta.example.org", PRIMARY_DOMAIN="beta.example.org",
                    OWNER="reseller1", SENDCOUNT=2, SUCCESSCOUNT=1, DEFERCOUNT=1, FAILCOUNT=2,
                    DEFERFAILCOUNT=3, REACHED_MAXDEFERFAIL="5/5 (100%)",
                    TOTALSIZE=2000 + -800 % 977 + -400 % 977,
                ),
                user_record(
                    "gamma", DOMAIN="gamma.example.net", PRIMARY_DOMAIN="gamma.example.net",
                    OWNER="reseller1", SENDCOUNT=1, FAILCOUNT=1, DEFERFAILCOUNT=1,
                    REACHED_MAXEMAILS="150/100", TOTALSIZE=1000 + -500 % 977,
                ),
            ]
        },
        "metadata": good("emailtrack_user_stats", overflowed=0),
    }  # fmt: skip


def user_stats(**params: object) -> dict[str, int]:
    records = ask("emailtrack_user_stats", params)["data"]["records"]
    return {record["USER"]: record["SENDCOUNT"] for record in records}


def test_user_stats_of_a_range_include_both_ends() -> None:
    start, end = NOW_UNIX - 800, NOW_UNIX - 500
    assert user_stats(starttime=start, endtime=end) == {"-remote-": 1, "beta": 1, "gamma": 1}
    assert user_stats(starttime=start + 1, endtime=end - 1) == {"-remote-": 1}


def test_user_stats_of_one_sender_and_of_delivery_types() -> None:
    assert user_stats(sender="shop@beta.example.org") == {"beta": 2}
    assert user_stats(sender="nobody@example.com") == {}
    assert user_stats(deliverytype="remote") == {"alpha": 1, "beta": 1}
    assert user_stats(deliverytype="local") == {"-remote-": 2, "alpha": 1}
    assert user_stats(deliverytype="remote-or-faildefer") == {
        "-remote-": 1, "alpha": 1, "beta": 2, "gamma": 1,
    }  # fmt: skip


def test_mail_of_no_account_is_shown_under_its_first_domain() -> None:
    mail = HandMail(
        [
            attempt("m1", -9, "a@b.example.net", "x@example.net", -8, user="root", domain="b"),
            attempt("m2", -8, "a@a.example.net", "x@example.net", -8, user="root", domain="a"),
        ],
        cards=(),
    )
    [record] = body(mail, "emailtrack_user_stats")["data"]["records"]
    assert (record["DOMAIN"], record["PRIMARY_DOMAIN"], record["SENDCOUNT"]) == ("a", "", 2)


def test_a_limit_shows_only_while_a_refused_message_is_in_the_range() -> None:
    def reached(**params: object) -> object:
        found = ask("emailtrack_user_stats", {**params, **filters(("USER", "eq", "gamma"))})
        return [record["REACHED_MAXEMAILS"] for record in found["data"]["records"]]

    assert reached(endtime=NOW_UNIX - 500) == ["150/100"]
    assert reached(endtime=NOW_UNIX - 501) == reached(starttime=NOW_UNIX - 499) == []


def test_stats_whole() -> None:
    assert ask("emailtrack_stats") == {
        "data": {
            "records": [
                {
                    "DEFERCOUNT": 1,
                    "DEFERFAILCOUNT": 5,
                    "FAILCOUNT": 4,
                    "INPROGRESSCOUNT": 2,
                    "SENDCOUNT": 9,
                    "SUCCESSCOUNT": 5,
                    "TOTALSIZE": 14960,
                }
            ]
        },
        "metadata": good("emailtrack_stats"),
    }


def test_stats_of_no_mail_are_null_as_in_the_known_sample() -> None:
    assert ask("emailtrack_stats", {"starttime": NOW_UNIX + 1})["data"]["records"] == [
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
    [record] = ask("emailtrack_stats", {"nosize": 1, "nosuccess": 1})["data"]["records"]
    assert list(record) == [
        "DEFERCOUNT", "DEFERFAILCOUNT", "FAILCOUNT", "INPROGRESSCOUNT", "SENDCOUNT",
    ]  # fmt: skip


def test_stats_of_a_user_and_of_a_range_by_either_name() -> None:
    [record] = ask("emailtrack_stats", {"user": "beta"})["data"]["records"]
    assert (record["SENDCOUNT"], record["DEFERFAILCOUNT"]) == (2, 3)
    start, end = NOW_UNIX - 800, NOW_UNIX - 500
    new = ask("emailtrack_stats", {"starttime": start, "endtime": end})
    assert new["data"]["records"][0]["SENDCOUNT"] == 3
    assert ask("emailtrack_stats", {"startdate": start, "enddate": end}) == new
    both = {"starttime": start, "startdate": 1, "endtime": end, "enddate": 2}
    assert ask("emailtrack_stats", both) == new


def test_the_queue_whole() -> None:
    assert ask("fetch_mail_queue") == {
        "data": {
            "records": [
                {
                    "frozen": 1,
                    "msgid": "m0",
                    "recipients": ["gone@example.org", "info@beta.example.org"],
                    "sender": "",
                    "size": 4807,
                    "time": NOW_UNIX - 90_000,
                    "user": "mailnull",
                },
                {
                    "frozen": 0,
                    "msgid": "m8",
                    "recipients": ["amy@example.net"],
                    "sender": "ann@shop.example.com",
                    "size": 1000,
                    "time": NOW_UNIX - 5,
                    "user": "alpha",
                },
                {
                    "frozen": 0,
                    "msgid": "m9",
                    "recipients": ["info@gamma.example.net"],
                    "sender": "eve@example.net",
                    "size": 1000,
                    "time": NOW_UNIX - 5,
                    "user": None,
                },
            ]
        },
        "metadata": good("fetch_mail_queue"),
    }


PER_USER = "get_unique_sender_recipient_count_per_user"
PER_SENDER = "get_unique_recipient_count_per_sender_for_user"
EVER = {"start_time": 1, "end_time": NOW_UNIX}


def test_unique_counts_whole() -> None:
    assert ask(PER_USER, EVER) == {
        "data": {
            "payload": [
                {"unique_sender_recipient_count": 4, "user": "-remote-"},
                {"unique_sender_recipient_count": 3, "user": "alpha"},
                {"unique_sender_recipient_count": 3, "user": "beta"},
                {"unique_sender_recipient_count": 1, "user": "gamma"},
            ]
        },
        "metadata": good(PER_USER),
    }
    assert ask(PER_SENDER, {**EVER, "user": "alpha"}) == {
        "data": {
            "payload": [
                {"sender": "ann@shop.example.com", "unique_recipient_count": 1},
                {"sender": "info@alpha.example.com", "unique_recipient_count": 2},
            ]
        },
        "metadata": good(PER_SENDER),
    }
    assert ask(PER_SENDER, {**EVER, "user": "nobody"}) == {
        "data": {"payload": []},
        "metadata": good(PER_SENDER),
    }


def test_unique_counts_count_a_recipient_once_and_keep_to_their_range() -> None:
    mail = HandMail(
        [
            attempt("m1", -9, "a@alpha.example.com", "x@example.net", -8),
            attempt("m2", -7, "a@alpha.example.com", "x@example.net", -6),
            attempt("m3", -5, "b@alpha.example.com", "x@example.net", -4),
            attempt("m4", -3, "b@alpha.example.com", "y@example.net", -2),
        ]
    )

    def pairs(start: int, end: int) -> int:
        span = {"start_time": NOW_UNIX + start, "end_time": NOW_UNIX + end}
        [record] = body(mail, PER_USER, span)["data"]["payload"]
        count: int = record["unique_sender_recipient_count"]
        return count

    assert (pairs(-9, 0), pairs(-9, -7), pairs(-7, -5), pairs(-7, -3)) == (3, 1, 2, 3)


@pytest.mark.parametrize(
    ("function", "params", "missing"),
    [
        (PER_USER, {}, "start_time"),
        (PER_USER, {"start_time": 1}, "end_time"),
        (PER_USER, {"end_time": 1, "start_time": ""}, "start_time"),
        (PER_SENDER, {"start_time": 1, "end_time": 1}, "user"),
        (PER_SENDER, {"user": "alpha"}, "start_time"),
    ],
)
def test_a_required_argument_is_asked_for(
    function: str, params: dict[str, object], missing: str
) -> None:
    assert ask(function, params) == refusal(function, f'Provide the "{missing}" argument.')


def test_one_service() -> None:
    assert ask("servicestatus", {"service": "exim"}) == {
        "data": {
            "service": [
                {
                    "display_name": "Exim Mail Server",
                    "enabled": 1,
                    "installed": 1,
                    "monitored": 1,
                    "name": "exim",
                    "running": 1,
                }
            ]
        },
        "metadata": good("servicestatus"),
    }
    assert ask("servicestatus", {"service": "eximstats"})["data"] == {"service": []}


def test_all_services_and_none_running_that_is_not_monitored() -> None:
    services = ask("servicestatus")["data"]["service"]
    assert [service["name"] for service in services] == [
        "clamd", "cphulkd", "exim", "exim-altport", "imap", "lmtp", "mailman", "pop", "spamd",
        "tailwatchd",
    ]  # fmt: skip
    assert {service["monitored"] for service in services} == {0, 1}
    for service in services:
        assert ("running" in service) is (service["monitored"] == 1)
        assert service["monitored"] <= service["enabled"] <= service["installed"]


def test_small_functions() -> None:
    assert ask("gethostname") == {
        "data": {"hostname": "host1.example.net"},
        "metadata": good("gethostname"),
    }
    assert ask("version") == {"data": {"version": "11.138.0.6"}, "metadata": good("version")}
    assert ask("applist") == {
        "data": {
            "app": [
                "applist",
                "emailtrack_search",
                "emailtrack_stats",
                "emailtrack_user_stats",
                "fetch_mail_queue",
                "get_unique_recipient_count_per_sender_for_user",
                "get_unique_sender_recipient_count_per_user",
                "gethostname",
                "listaccts",
                "servicestatus",
                "version",
            ]
        },
        "metadata": good("applist"),
    }


@pytest.mark.parametrize(
    ("function", "params", "reason"),
    [
        ("emailtrack_search", {"deliverytype": "no"}, "must be one of all, remote, local."),
        ("emailtrack_search", {"max_results_by_type": "x"}, 'must be a whole number, not "x".'),
        ("emailtrack_search", {"max_results_by_type": -1}, "must not be negative."),
        ("emailtrack_search", {"success": "yes"}, 'must be a whole number, not "yes".'),
        ("emailtrack_user_stats", {"starttime": "today"}, 'be a whole number, not "today".'),
        ("emailtrack_stats", {"deliverytype": "no"}, "remote, remote-or-faildefer, local."),
        (PER_USER, {"start_time": "today", "end_time": 1}, 'whole number, not "today".'),
        ("listaccts", {"searchtype": "plan"}, "one of domain, owner, user, ip, package."),
        ("listaccts", {"searchmethod": "glob"}, "must be one of exact, regex."),
        ("listaccts", {"searchtype": "user", "search": "("}, 'no regular expression: "(".'),
    ],
)
def test_a_malformed_parameter_is_refused_in_the_envelope(
    function: str, params: dict[str, object], reason: str
) -> None:
    answer = ask(function, params)
    assert answer["metadata"]["reason"].endswith(reason)
    assert answer == refusal(function, answer["metadata"]["reason"])


@pytest.mark.parametrize(
    ("function", "version", "shown"),
    [("no_such_function", "1", "1"), ("version", "2", "2"), ("version", "", "")],
)
def test_an_unknown_function_or_version_of_the_api(function: str, version: str, shown: str) -> None:
    assert ask(function, [("api.version", version)]) == refusal(
        function,
        f'Unknown app ("{function}") requested for this version ({shown}) of the API.',
    )


def test_a_large_answer_in_pieces_is_the_same_json() -> None:
    mail = HandMail([attempt(f"m{i}", -i, "", "x@example.net", 0) for i in range(2500)])
    rows = found(mail)
    assert rows == msgspec.to_builtins(mail.rows(NOW_UNIX)[::-1])
    assert len(rows) == 2500


@pytest.mark.parametrize("field", FIELDS)
def test_rows_can_be_filtered_by_any_field(field: str) -> None:
    assert search(filters((field, "eq", "no such value"))) == []


CARD = AccountCard(
    "beta", "beta.example.org", "reseller1", ("beta.example.org", "b.example.org"), 150, 60,
    is_suspended=True, is_outgoing_suspended=True, is_outgoing_held=True,
)  # fmt: skip


def test_an_account_with_limits_and_all_that_can_be_wrong_with_it() -> None:
    [account] = body(HandMail([], [CARD]), "listaccts")["data"]["acct"]
    assert account["unix_startdate"] < account["suspendtime"] < NOW_UNIX
    made_up = {
        name: account.pop(name)
        for name in ("diskused", "inodesused", "ip", "ipv6", "plan", "startdate", "suspendtime",
                     "uid", "unix_startdate")
    }  # fmt: skip
    unlimited = (
        "disklimit", "inodeslimit", "max_emailacct_quota", "maxaddons", "maxftp", "maxlst",
        "maxparked", "maxpop", "maxsql", "maxsub",
    )  # fmt: skip
    assert account == {
        **dict.fromkeys(unlimited, "unlimited"),
        "backup": 0,
        "child_nodes": [],
        "domain": "beta.example.org",
        "email": "owner@beta.example.org",
        "is_locked": 0,
        "legacy_backup": 0,
        "mailbox_format": "maildir",
        "max_defer_fail_percentage": 60,
        "max_email_per_hour": 150,
        "min_defer_fail_to_trigger_protection": "5",
        "outgoing_mail_hold": 1,
        "outgoing_mail_suspended": 1,
        "owner": "reseller1",
        "partition": "home",
        "shell": "/usr/local/cpanel/bin/noshell",
        "suspended": 1,
        "suspendreason": "Unpaid",
        "temporary": 0,
        "theme": "jupiter",
        "user": "beta",
    }
    assert made_up["diskused"].endswith("M")
    assert made_up["plan"].startswith("reseller1_")
    assert made_up["uid"].isdecimal()
    again = body(HandMail([], [CARD]), "listaccts", now_unix=NOW_UNIX + 86_400)
    [later] = again["data"]["acct"]
    assert later == account | made_up, "what is made up stays"


def test_an_account_without_limits_says_unlimited() -> None:
    [account] = body(HandMail([], [AccountCard("x", "x.example.com")]), "listaccts")["data"]["acct"]
    assert account["max_email_per_hour"] == account["max_defer_fail_percentage"] == "unlimited"
    assert (account["suspended"], account["suspendreason"]) == (0, "not suspended")
    assert account["suspendtime"] is None


def users(*params: tuple[str, object]) -> str:
    return " ".join(account["user"] for account in ask("listaccts", params)["data"]["acct"])


IP = {record["user"]: record["ip"] for record in ask("listaccts")["data"]["acct"]}


@pytest.mark.parametrize(
    ("kind", "text", "method", "expected"),
    [
        ("user", "a$", "", "alpha beta delta gamma"),
        ("user", "^.?eta", "", "beta"),
        ("user", "ETA", "regex", "beta"),
        ("user", "beta", "exact", "beta"),
        ("user", "bet", "exact", ""),
        ("owner", "reseller", "regex", "beta delta gamma"),
        ("owner", "root", "exact", "alpha"),
        ("domain", r"shop\.example", "", "alpha"),
        ("domain", "shop.example.com", "exact", "alpha"),
        ("ip", IP["beta"], "exact", "beta gamma"),
        ("package", "^reseller2_", "regex", "delta"),
        ("user", "", "", "alpha beta delta gamma"),
        ("", "beta", "", "alpha beta delta gamma"),
    ],
)
def test_accounts_are_searched_by_each_kind_and_method(
    kind: str, text: str, method: str, expected: str
) -> None:
    assert users(("searchtype", kind), ("search", text), ("searchmethod", method)) == expected


@pytest.mark.parametrize(
    "params",
    [
        [("want", "user,owner")],
        [("want", "owner, user,no_such_member")],
        [("want", "user"), ("want", "owner")],
        [("want-1", "user"), ("want-2", "owner")],
    ],
)
def test_wanted_members_are_listed_or_repeated(params: list[tuple[str, object]]) -> None:
    assert ask("listaccts", params)["data"]["acct"] == [
        {"owner": "root", "user": "alpha"},
        {"owner": "reseller1", "user": "beta"},
        {"owner": "reseller2", "user": "delta"},
        {"owner": "reseller1", "user": "gamma"},
    ]
