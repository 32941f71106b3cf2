"""What single rows and texts about accounts and services come to, whatever their members hold."""

from typing import Any

import msgspec
import pytest

from cpanel_mail_exporter.model.accounts import Account, UniqueRecipients
from cpanel_mail_exporter.model.services import Service
from cpanel_mail_exporter.whm.decode import (
    NotJsonText,
    Rows,
    UnexpectedShape,
    Verdict,
    account_rows,
    judge,
    judge_text,
    service_rows,
    unique_recipient_rows,
)


def accounts(*rows: Any) -> Rows[Account]:
    return account_rows(msgspec.json.encode(rows))


def unique(*rows: Any) -> Rows[UniqueRecipients]:
    return unique_recipient_rows(msgspec.json.encode(rows))


def services(*rows: Any) -> Rows[Service]:
    return service_rows(msgspec.json.encode(rows))


# Accounts


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        (200, 200),
        ("200", 200),
        (" 200 ", 200),
        (200.0, 200),
        (1, 1),
        ("unlimited", None),
        ("Unlimited", None),
        ("*unknown*", None),
        ("", None),
        (None, None),
        (0, None),
        ("0", None),
        (-1, None),
        (True, None),
        (0.5, None),
        ("many", None),
        (10**15, None),
        (2**70, None),
    ],
)
def test_only_a_whole_number_above_zero_is_a_limit(value: object, limit: int | None) -> None:
    row = {"user": "a", "max_email_per_hour": value, "max_defer_fail_percentage": value}
    account = Account("a", max_email_per_hour=limit, max_defer_fail_percentage=limit)
    assert accounts(row) == Rows([account], 0)


@pytest.mark.parametrize(
    ("value", "is_so"),
    [
        (1, True),
        ("1", True),
        (True, True),
        (0, False),
        ("0", False),
        (False, False),
        (None, None),
        ("", None),
        ("no", None),
        (0.5, None),
    ],
)
def test_a_state_that_is_neither_yes_nor_no_is_unknown(value: object, is_so: bool | None) -> None:
    for member, name in (
        ("outgoing_mail_suspended", "is_outgoing_suspended"),
        ("outgoing_mail_hold", "is_outgoing_held"),
        ("suspended", "is_suspended"),
    ):
        states = {name: is_so}
        assert accounts({"user": "a", member: value}) == Rows([Account("a", **states)], 0)


def test_what_is_absent_or_named_unknown_is_told_as_nothing() -> None:
    assert accounts({"user": "a"}) == Rows([Account("a")], 0)
    unknown = {"user": "a", "domain": "*unknown*", "owner": None, "plan": {"x": [{}]}, "uid": "5"}
    assert accounts(unknown) == Rows([Account("a")], 0)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"domain": "example.com"},
        {"user": None},
        {"user": ""},
        {"user": "*unknown*"},
        {"user": []},
        {"user": "b", "max_email_per_hour": [200]},
        {"user": "b", "suspended": {}},
        [],
        None,
        7,
        "row",
    ],
)
def test_a_bad_account_loses_itself_alone_and_is_counted(bad: object) -> None:
    assert accounts({"user": "a"}, bad, {"user": "c"}) == Rows([Account("a"), Account("c")], 1)


# Unique recipients


@pytest.mark.parametrize(("value", "count"), [(120, 120), ("120", 120), (120.0, 120), (0, 0)])
def test_a_count_of_recipients_may_be_a_text(value: object, count: int) -> None:
    row = {"user": "a", "unique_sender_recipient_count": value}
    assert unique(row) == Rows([UniqueRecipients("a", count)], 0)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"user": "b"},
        {"unique_sender_recipient_count": 5},
        {"user": "", "unique_sender_recipient_count": 5},
        {"user": "b", "unique_sender_recipient_count": None},
        {"user": "b", "unique_sender_recipient_count": "many"},
        {"user": "b", "unique_sender_recipient_count": -1},
        {"user": "b", "unique_sender_recipient_count": 0.5},
        {"user": "b", "unique_sender_recipient_count": 10**15},
        {"user": ["b"], "unique_sender_recipient_count": 5},
        [],
        None,
    ],
)
def test_a_row_without_a_user_or_a_count_is_no_zero(bad: object) -> None:
    good = {"user": "a", "unique_sender_recipient_count": 1}
    assert unique(good, bad) == Rows([UniqueRecipients("a", 1)], 1)


# Services


@pytest.mark.parametrize(
    ("members", "is_running"),
    [
        ({"installed": 1, "enabled": 1, "monitored": 1, "running": 1}, True),
        ({"installed": "1", "enabled": "1", "monitored": "1", "running": "0"}, False),
        ({"installed": 1, "enabled": 1, "monitored": 0}, None),
        ({"installed": 1, "enabled": 1, "monitored": 1, "running": None}, None),
        ({"installed": 1, "enabled": 1, "running": "perhaps"}, None),
        ({"installed": 1, "enabled": 0, "monitored": 0}, False),
        ({"installed": "0", "enabled": 1}, False),
        ({"enabled": 0, "running": 1}, True),
        ({}, None),
    ],
)
def test_a_service_runs_as_it_is_told_and_not_at_all_when_switched_off(
    members: dict[str, object], is_running: bool | None
) -> None:
    assert services({"name": "exim", **members}) == Rows([Service("exim", is_running)], 0)


@pytest.mark.parametrize("bad", [{}, {"name": ""}, {"name": None}, {"name": []}, [], None])
def test_a_service_without_a_name_is_rejected(bad: object) -> None:
    found = services(bad, {"name": "exim", "running": 1})
    assert found == Rows([Service("exim", is_running=True)], 1)


@pytest.mark.parametrize("decode", [account_rows, unique_recipient_rows, service_rows])
@pytest.mark.parametrize("body", [b"", b"{}", b"null", b'[{"user":"a"}', b"<html>"])
def test_what_is_no_list_is_no_json_of_rows(decode: Any, body: bytes) -> None:
    with pytest.raises(NotJsonText):
        decode(body)


# Envelopes


def test_rows_are_found_under_the_member_that_is_asked_for_and_no_other() -> None:
    body = b'{"data":{"acct":[{"user":"a"}],"records":[]},"metadata":{"result":1,"overflowed":1}}'
    verdict = judge(body, "acct")
    assert (verdict.is_cut, list(map(bytes, verdict.rows or []))) == (True, [b'{"user":"a"}'])
    assert judge(body) == Verdict(None, rows=[], is_cut=True)
    with pytest.raises(UnexpectedShape, match=r"^data holds no list of payload$"):
        judge(body, "payload")


@pytest.mark.parametrize("data", ["null", "[]", "{}", '{"acct":null}', '{"acct":{}}', '"acct"'])
def test_an_answer_without_its_list_is_told_from_an_empty_one(data: str) -> None:
    with pytest.raises(UnexpectedShape, match=r"^data holds no list of acct$"):
        judge(f'{{"data":{data},"metadata":{{"result":1}}}}'.encode(), "acct")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('{"data":{"version":"11.138.0.6"}}', "11.138.0.6"),
        ('{"data":{"version":" 11.138.0.6\\n"},"metadata":{"result":"1"}}', "11.138.0.6"),
        ('{"data":{"version":11.5}}', "11.5"),
        ('{"cpanelresult":{"data":{"version":"11"},"error":null}}', "11"),
        ('{"cpanelresult":{"data":{"version":"11"}},"data":{"version":"12"}}', "12"),
    ],
)
def test_a_text_is_found_in_either_envelope(body: str, text: str) -> None:
    assert judge_text(body.encode(), "version") == (Verdict(None), text)


@pytest.mark.parametrize(
    "body",
    [
        '{"metadata":{"result":1}}',
        '{"data":null}',
        '{"data":{}}',
        '{"data":{"version":null}}',
        '{"data":{"version":""}}',
        '{"data":{"version":" "}}',
        '{"data":{"version":["11"]}}',
        '{"data":{"version":"' + "1" * 256 + '"}}',
        '{"cpanelresult":{"apiversion":"2"}}',
        '{"cpanelresult":{"data":[]}}',
        "[]",
    ],
)
def test_an_answer_without_its_text_is_of_another_shape(body: str) -> None:
    with pytest.raises(UnexpectedShape):
        judge_text(body.encode(), "version")


def test_a_refused_text_is_a_refusal() -> None:
    refused = b'{"data":{"version":"11"},"metadata":{"result":0,"reason":"No"}}'
    assert judge_text(refused, "version") == (Verdict("No"), "")
    denied = b'{"cpanelresult":{"error":"Access denied","data":{"version":"11"}}}'
    verdict = Verdict("Access denied", is_login_refusal=True)
    assert judge_text(denied, "version") == (verdict, "")
