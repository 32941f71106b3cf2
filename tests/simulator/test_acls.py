"""Who may call what, and what a reseller sees."""

from functools import partial
from typing import Any

import pytest

from tests.simulator.hand_mail import (
    EVERY_TYPE,
    NOW_UNIX,
    SMALL,
    HandMail,
    attempt,
    body,
    found,
)
from whm_simulator.api.acls import NEEDED
from whm_simulator.api.functions import FUNCTIONS, call
from whm_simulator.api.quirks import Quirks
from whm_simulator.api.visit import Caller, Visit

EVER = {"start_time": 1, "end_time": NOW_UNIX}
PARAMS: dict[str, dict[str, object]] = {
    "get_unique_recipient_count_per_sender_for_user": {**EVER, "user": "alpha"},
    "get_unique_sender_recipient_count_per_user": EVER,
}
ACLS = ("track-email", "list-accts", "all", "mailcheck")
MAY = {
    "applist": {*ACLS, ""},
    "emailtrack_search": {"track-email", "all"},
    "emailtrack_stats": {"track-email", "all"},
    "emailtrack_user_stats": {"track-email", "all"},
    "fetch_mail_queue": {"all"},
    "get_unique_recipient_count_per_sender_for_user": {"all"},
    "get_unique_sender_recipient_count_per_user": {"all"},
    "gethostname": {*ACLS, ""},
    "listaccts": {"list-accts", "all"},
    "servicestatus": {"all"},
    "version": {*ACLS, ""},
}


def test_every_function_has_its_privilege() -> None:
    assert set(NEEDED) == set(FUNCTIONS) == set(MAY)


@pytest.mark.parametrize("function", MAY)
@pytest.mark.parametrize("acl", [*ACLS, ""])
@pytest.mark.parametrize("user", ["root", "reseller1"])
def test_a_privilege_lets_its_functions_be_called_and_no_others(
    function: str, acl: str, user: str
) -> None:
    caller = Caller(user, frozenset({acl} - {""}))
    answer = body(SMALL, function, PARAMS.get(function, {}), caller=caller)
    if acl in MAY[function]:
        assert answer["metadata"]["result"] == 1
    else:
        assert answer == {
            "metadata": {
                "command": function,
                "reason": "Permission denied",
                "result": 0,
                "version": 1,
            }
        }


@pytest.mark.parametrize("lacking_acl", ["result_0", "403"])
def test_a_lacking_privilege_is_a_403_on_some_servers(lacking_acl: str) -> None:
    quirks = Quirks(lacking_acl=lacking_acl)
    params = {"api.version": "1"}
    clerk = Visit(SMALL, NOW_UNIX, Caller("root", frozenset({"track-email"})), quirks)
    assert call(clerk, "fetch_mail_queue", params).is_denied is (lacking_acl == "403")
    assert not call(clerk, "emailtrack_stats", params).is_denied
    assert not call(clerk, "no_such_function", params).is_denied
    assert not call(clerk, "emailtrack_stats", {**params, "endtime": "x"}).is_denied


RESELLER = Caller("reseller1")
ask = partial(body, SMALL, caller=RESELLER)


def test_a_reseller_sees_rows_of_its_accounts_alone() -> None:
    seen = [(row["msgid"], row["recipient"]) for row in found(SMALL, caller=RESELLER)]
    assert seen == [
        ("m9", "info@gamma.example.net"),
        ("m7", "info@beta.example.org"),
        ("m5", "dan@example.net"),
        ("m4", "dan@example.net"),
        ("m2", "bob@example.net"),
        ("m2", "carol@example.net"),
        ("m2", "bob@example.net"),
        ("m1", "info@beta.example.org"),
    ]


def test_mail_that_an_account_has_sent_on_to_elsewhere_is_not_delivered_to_it() -> None:
    forwarded = attempt(
        "m1", -9, "eve@example.net", "info@beta.example.org", -8, deliveryuser="-remote-"
    )
    mail = HandMail([forwarded])
    assert found(mail, caller=RESELLER) == []
    assert [row["type"] for row in found(mail, caller=RESELLER, now_unix=NOW_UNIX - 9)] == [
        "inprogress"
    ]


def records(function: str, **params: object) -> list[dict[str, Any]]:
    data = ask(function, params)["data"]
    [found] = data.values()
    return list(found)


def test_a_resellers_totals_are_those_of_the_rows_it_sees() -> None:
    by_user = records("emailtrack_user_stats")
    assert [(r["USER"], r["OWNER"], r["SENDCOUNT"], r["SUCCESSCOUNT"]) for r in by_user] == [
        ("-remote-", "root", 2, 1),
        ("alpha", "root", 1, 1),
        ("beta", "reseller1", 2, 1),
        ("gamma", "reseller1", 1, 0),
    ]
    [whole] = records("emailtrack_stats")
    assert (whole["SENDCOUNT"], whole["SUCCESSCOUNT"], whole["FAILCOUNT"]) == (6, 3, 3)
    assert (whole["DEFERCOUNT"], whole["INPROGRESSCOUNT"]) == (1, 1)


def test_a_reseller_sees_its_accounts_alone() -> None:
    assert [account["user"] for account in records("listaccts")] == ["beta", "gamma"]
    assert body(SMALL, "listaccts", caller=Caller("reseller3"))["data"] == {"acct": []}


def test_a_resellers_queue_has_its_mail_and_its_recipients_of_others_mail() -> None:
    assert [(one["msgid"], one["recipients"]) for one in records("fetch_mail_queue")] == [
        ("m0", ["info@beta.example.org"]),
        ("m9", ["info@gamma.example.net"]),
    ]


def test_a_resellers_unique_counts_are_those_of_the_rows_it_sees() -> None:
    assert records("get_unique_sender_recipient_count_per_user", **EVER) == [
        {"unique_sender_recipient_count": 2, "user": "-remote-"},
        {"unique_sender_recipient_count": 1, "user": "alpha"},
        {"unique_sender_recipient_count": 3, "user": "beta"},
        {"unique_sender_recipient_count": 1, "user": "gamma"},
    ]
    assert records("get_unique_recipient_count_per_sender_for_user", **EVER, user="alpha") == [
        {"sender": "info@alpha.example.com", "unique_recipient_count": 1}
    ]


@pytest.mark.parametrize("remote_user", ["-remote-", "null", "empty"])
def test_a_resellers_view_does_not_depend_on_how_outside_parties_are_named(
    remote_user: str,
) -> None:
    quirks = Quirks(remote_user=remote_user)
    plain = [row["msgid"] for row in found(SMALL, caller=RESELLER)]
    assert [row["msgid"] for row in found(SMALL, caller=RESELLER, quirks=quirks)] == plain


def test_a_reseller_without_accounts_sees_nothing_and_no_error() -> None:
    nobody = Caller("reseller3")
    assert body(SMALL, "emailtrack_search", EVERY_TYPE, caller=nobody)["data"] == {"records": []}
    assert body(SMALL, "emailtrack_user_stats", caller=nobody)["data"] == {"records": []}
    assert body(SMALL, "fetch_mail_queue", caller=nobody)["data"] == {"records": []}
    assert body(SMALL, "gethostname", caller=nobody)["data"] == {"hostname": "host1.example.net"}
