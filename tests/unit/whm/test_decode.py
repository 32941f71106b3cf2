"""What single rows and envelopes of WHM come to: every quirk that was seen or can be feared."""

from typing import Any

import msgspec
import pytest

from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord, LimitUse, UserStat
from cpanel_mail_exporter.whm.decode import (
    NotJsonText,
    Rows,
    UnexpectedShape,
    Verdict,
    delivery_rows,
    judge,
    limit_reached,
    limit_use,
    mended,
    text,
    user_stat_rows,
    whole_number,
)

WHM_NAMES = {
    "delivered_to": "deliveredto",
    "delivery_domain": "deliverydomain",
    "delivery_user": "deliveryuser",
    "msg_id": "msgid",
    "sender_auth": "senderauth",
    "sender_host": "senderhost",
    "sender_ip": "senderip",
    "time": "actiontime",
}
"""Labels that WHM calls otherwise."""

EMPTY = DeliveryRecord(*[""] * 22, None, None)
ZERO = dict.fromkeys(
    ("send_count", "success_count", "fail_count", "defer_count", "defer_fail_count", "total_size"),
    0,
)


def deliveries(*rows: dict[str, Any]) -> Rows[DeliveryRecord]:
    return delivery_rows(msgspec.json.encode(rows))


def delivery(**fields: Any) -> DeliveryRecord:
    """The record of a row; a router, taken out again, makes it a row even if all else is empty."""
    rows = deliveries({"router": "x", **fields})
    assert rows.rejected == 0
    return rows.records[0] if "router" in fields else rows.records[0]._replace(router="")


def stats(*rows: dict[str, Any]) -> Rows[UserStat]:
    return user_stat_rows(msgspec.json.encode(rows))


def stat(**fields: Any) -> UserStat:
    named = any(key.replace("_", "").lower() in {"user", "domain"} for key in fields)
    rows = stats(fields if named else {**fields, "USER": ""})
    assert rows.rejected == 0
    return rows.records[0]


# Rows of emailtrack_search


@pytest.mark.parametrize("label", DELIVERY_LABELS)
def test_each_field_lands_in_its_own_label_and_no_other(label: str) -> None:
    expected = EMPTY._replace(**{label: "x"})
    assert delivery(**{label: "x"}) == expected
    assert delivery(**{WHM_NAMES.get(label, label): "x"}) == expected


@pytest.mark.parametrize("label", WHM_NAMES)
def test_whm_s_own_name_of_a_field_goes_before_the_label_s(label: str) -> None:
    both = delivery(**{label: "label's", WHM_NAMES[label]: "whm's"})
    assert both == EMPTY._replace(**{label: "whm's"})


@pytest.mark.parametrize("label", WHM_NAMES)
def test_a_null_under_whm_s_name_leaves_the_label_s_name_to_speak(label: str) -> None:
    both = delivery(**{label: "label's", WHM_NAMES[label]: None})
    assert both == EMPTY._replace(**{label: "label's"})


@pytest.mark.parametrize("name", ["email", "spamscore", "ACTIONTIME", "unheard_of"])
@pytest.mark.parametrize("value", ["x", 5, None, {"a": [1]}, [{}]])
def test_fields_that_are_no_labels_are_passed_over_whatever_they_hold(
    name: str, value: object
) -> None:
    assert delivery(**{name: value}) == EMPTY


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("", ""),
        (None, ""),
        (0, "0"),
        (27356, "27356"),
        (-5, "-5"),
        (2**63, "9223372036854775808"),
        (27356.0, "27356"),
        (0.5, "0.5"),
        (True, "1"),
        (False, "0"),
        ("  as it is ", "  as it is "),
        ("naïve 邮件 \U0001f4e7", "naïve 邮件 \U0001f4e7"),
        ('quote " backslash \\ newline \n', 'quote " backslash \\ newline \n'),
    ],
)
def test_any_scalar_is_a_label_value(value: object, label: str) -> None:
    assert delivery(size=value) == EMPTY._replace(size=label)


@pytest.mark.parametrize("row", [{}, {"account": "b", "sent": 5}, {"user": None, "size": ""}])
def test_a_row_without_anything_known_is_rejected(row: dict[str, Any]) -> None:
    assert deliveries(row, {"size": 1.5}) == Rows([EMPTY._replace(size="1.5")], 1)
    assert deliveries(row, {"size": 1}) == Rows([EMPTY._replace(size="1")], 1)


@pytest.mark.parametrize("row", [{}, {"account": "b", "SENDCOUNT": 5}])
def test_a_row_of_nobody_is_no_row_of_user_stats(row: dict[str, Any]) -> None:
    assert stats(row).rejected == 1
    assert stats({**row, "USER": "b"}).rejected == 0
    assert stats({"USER": "b", **{f"X{n}COUNT": 1 for n in range(200)}}).rejected == 1


def test_numbers_too_large_for_a_machine_word_are_still_text() -> None:
    rows = delivery_rows(b'[{"size": 123456789012345678901234567890}]')
    assert rows == Rows([EMPTY._replace(size="123456789012345678901234567890")], 0)


@pytest.mark.parametrize("value", [{}, {"a": 1}, [], ["x"]])
@pytest.mark.parametrize("label", DELIVERY_LABELS)
def test_an_object_or_list_in_a_field_rejects_exactly_that_row(label: str, value: object) -> None:
    rows = deliveries({"message": "before"}, {label: value}, {"message": "after"})
    assert rows == Rows([EMPTY._replace(message="before"), EMPTY._replace(message="after")], 1)


@pytest.mark.parametrize("row", [b"null", b"5", b'"text"', b"[]", b"true", b'[{"size": 1}]'])
def test_what_is_no_object_is_a_rejected_row(row: bytes) -> None:
    rows = delivery_rows(b'[{"size": 1},' + row + b',{"size": 2}]')
    assert rows == Rows([EMPTY._replace(size="1"), EMPTY._replace(size="2")], 1)


@pytest.mark.parametrize(
    ("value", "label", "instant"),
    [
        (1795252440, "1795252440", 1795252440),
        ("1795252440", "1795252440", 1795252440),
        (" 1795252440 ", " 1795252440 ", 1795252440),
        (1795252440.0, "1795252440", 1795252440),
        (1795252440.5, "1795252440.5", None),
        (None, "", None),
        ("", "", None),
        (0, "0", None),
        ("0", "0", None),
        (-1, "-1", None),
        ("2026-11-21 09:14:07", "2026-11-21 09:14:07", None),
        (1795252440000, "1795252440000", None),
        (2**63, "9223372036854775808", None),
        ("٣", "٣", None),
    ],
)
def test_a_time_that_cannot_be_read_leaves_its_row_in_place(
    value: object, label: str, instant: int | None
) -> None:
    assert delivery(sendunixtime=value) == EMPTY._replace(sendunixtime=label, send_unix=instant)
    assert delivery(actionunixtime=value) == EMPTY._replace(
        actionunixtime=label, action_unix=instant
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (rb"\ud800", "\ufffd"),
        (rb"\udfff", "\ufffd"),
        (rb"\uD83D\uDCE7", "\U0001f4e7"),
        (rb"\ud800\ud83d\udce7", "\ufffd\U0001f4e7"),
        (rb"\ud83dx\udce7", "\ufffdx\ufffd"),
        (rb"\udce7\ud83d", "\ufffd\ufffd"),
        (rb"\\ud800", "\\ud800"),
        (rb"\\\ud800", "\\\ufffd"),
        (b"\xff", "\ufffd"),
        (b"caf\xe9", "caf\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"\xf0\x9f\x93", "\ufffd"),
        (b"a\x00b\x1fc\nd\te", "a b c d e"),
        (b"\x7f", "\x7f"),
        (rb"550 one\n550 two", "550 one\n550 two"),
        (rb"550 one\\n550 two", "550 one\\n550 two"),
    ],
)
def test_what_json_may_not_hold_becomes_the_replacement_character_or_a_space(
    raw: bytes, message: str
) -> None:
    row = b'{"message":"' + raw + b'"}'
    mended_record = EMPTY._replace(message=message)
    assert delivery_rows(b"[" + row + b"]") == Rows([mended_record], 0)
    # beside a bad row, and beside a row with another fault, it is found on another way
    assert delivery_rows(b"[" + row + b',{"message":[]}]') == Rows([mended_record], 1)
    assert delivery_rows(b'[{"message":{}},{"user":"\xff"},' + row + b"]") == Rows(
        [EMPTY._replace(user="\ufffd"), mended_record], 1
    )


def test_no_mended_text_holds_half_a_surrogate() -> None:
    for first in range(0xD7, 0xE1):
        body = rf'[{{"message":"\u{first:02x}00\u{first:02x}ff"}}]'.encode()
        delivery_rows(body).records[0].message.encode()


def test_mending_leaves_good_json_as_it_is() -> None:
    body = '{"é": "\U0001f4e7 \\ud83d\\udce7 \\\\ud800 \\" \\n"}'.encode()
    assert mended(body) == body


@pytest.mark.parametrize(
    "array",
    [
        b"",
        b"[",
        b"{}",
        b"null",
        b'[{"a":1}',
        b'[{"a":1},]',
        b'[{"a":1}]]',
        b'[{"a":tru}]',
        b'[{"a":"\\q"}]',
        b'[{"a":"\\u12"}]',
        b"[{'a':1}]",
        b"\xff\xfe[\x00]\x00",
        b"[" * 100_000,
        b'[{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}]",
    ],
)
def test_what_is_no_array_of_json_is_no_json(array: bytes) -> None:
    for decode in (delivery_rows, user_stat_rows):
        with pytest.raises(NotJsonText, match=r"^the rows are no JSON$"):
            decode(array)


# Rows of emailtrack_user_stats


@pytest.mark.parametrize(
    "key", ["SENDCOUNT", "sendcount", "SEND_COUNT", "send_count", "SendCount", "_S_END_COUNT_"]
)
def test_keys_match_whatever_their_case_and_underscores(key: str) -> None:
    assert stat(**{key: 7}).counts == {**ZERO, "send_count": 7}


@pytest.mark.parametrize("key", ["PRIMARY_DOMAIN", "primarydomain", "PrimaryDomain"])
def test_texts_match_whatever_the_case_and_underscores_of_their_keys(key: str) -> None:
    record = stat(**{key: "example.com"})
    assert record == UserStat(
        domain="",
        user="",
        owner="",
        primary_domain="example.com",
        counts=ZERO,
        flags={},
        unreadable_flags=2,
    )


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (None, 0),
        ("", 0),
        (0, 0),
        ("0", 0),
        (12, 12),
        ("12", 12),
        (" 12 ", 12),
        (12.0, 12),
        ("12.0", 12),
        ("1.5e3", 1500),
        (0.5, 0.5),
        ("-3", -3),
        (True, 1),
        (2**70, 2**70),
    ],
)
def test_a_count_is_read_whatever_kind_of_number_it_is(value: object, count: float) -> None:
    body = str(value) if value == 2**70 else msgspec.json.encode(value).decode()
    rows = user_stat_rows(f'[{{"USER": "", "FAILCOUNT": {body}}}]'.encode())
    assert rows.rejected == 0
    assert rows.records[0].counts == {**ZERO, "fail_count": count}
    assert type(rows.records[0].counts["fail_count"]) is type(count)


@pytest.mark.parametrize(
    "value",
    [
        '"many"',
        '"0x10"',
        '"1e999"',
        '"12 MB"',
        '"nan"',
        '"inf"',
        "1e999",
        "9" * 400,
        "-" + "9" * 400,
        "9" * 5_000,
        "{}",
        "[]",
        "[1]",
    ],
)
def test_a_count_that_is_no_finite_number_rejects_exactly_its_row(value: str) -> None:
    rows = user_stat_rows(f'[{{"USER":"a"}},{{"TOTALSIZE":{value}}},{{"USER":"b"}}]'.encode())
    assert ([record.user for record in rows.records], rows.rejected) == (["a", "b"], 1)


@pytest.mark.parametrize("key", ["DOMAIN", "USER", "OWNER", "PRIMARY_DOMAIN"])
@pytest.mark.parametrize("value", [{}, [], ["example.com"]])
def test_an_object_or_list_for_a_text_rejects_exactly_its_row(key: str, value: object) -> None:
    rows = stats({"USER": "a"}, {key: value}, {"USER": "b"})
    assert ([record.user for record in rows.records], rows.rejected) == (["a", "b"], 1)


def test_numbers_for_texts_are_texts() -> None:
    record = stat(DOMAIN=1, USER=2.0, OWNER=True, PRIMARY_DOMAIN=None)
    assert (record.domain, record.user, record.owner, record.primary_domain) == ("1", "2", "1", "")


def test_further_numbers_whose_keys_end_in_count_or_size_come_after_the_six() -> None:
    record = stat(
        INPROGRESSCOUNT=3,
        LARGEST_SIZE="4",
        SENDCOUNT=1,
        COUNT=9,
        SIZE=9,
        COUNTER=9,
        BOUNCECOUNT="many",
        SPAMCOUNT=None,
        HAMCOUNT={},
        HUGECOUNT="1e999",
    )
    assert list(record.counts.items()) == [
        *{**ZERO, "send_count": 1}.items(),
        ("inprogress_count", 3),
        ("largest_size", 4),
    ]


@pytest.mark.parametrize(
    ("value", "reached"),
    [
        (0, False),
        ("0", False),
        (" 0 ", False),
        (0.0, False),
        (False, False),
        (1, True),
        ("1", True),
        (True, True),
        (-1, True),
        (150, True),
        ("150/150", True),
        ("149/150", False),
        ("5/5 (100%)", True),
        ("4/5 (80%)", False),
        ("5/5(100%)", True),
        (" 5 / 5 ( 100 % ) ", True),
        ("7/5 (140.5%)", True),
        ("125/100 (125%)", True),
        ("3/-1 (-300%)", False),
        ("3/0", False),
        ("-1/5", False),
        ("0/0", False),
    ],
)
def test_a_limit_is_reached_where_use_is_at_least_a_limit_above_zero(
    value: object, reached: bool
) -> None:
    assert limit_reached(value) is reached
    record = stat(REACHED_MAXEMAILS=value, REACHED_MAXDEFERFAIL=0)
    assert (record.flags, record.unreadable_flags) == (
        {"reached_maxemails": reached, "reached_maxdeferfail": False},
        0,
    )


@pytest.mark.parametrize(
    ("value", "use"),
    [
        ("150/150", LimitUse(150, 150)),
        ("5/5 (100%)", LimitUse(5, 5, 100.0)),
        ("125/100 (125%)", LimitUse(125, 100, 125.0)),
        ("3/-1 (-300%)", LimitUse(3, -1, -300.0)),
        (" 7 / 5 ( 140.5 ) ", LimitUse(7, 5, 140.5)),
    ],
)
def test_the_numbers_of_a_limit_text_are_kept(value: str, use: LimitUse) -> None:
    assert limit_use(value) == use
    record = stat(REACHED_MAXEMAILS=0, REACHED_MAXDEFERFAIL=value)
    assert record.limit_uses == {"reached_maxdeferfail": use}


@pytest.mark.parametrize("value", [0, 1, "1", True, None, "", "150", "5/5 (1.2.3%)", [], {}])
def test_a_limit_without_two_numbers_tells_no_use(value: object) -> None:
    assert limit_use(value) is None
    assert stat(REACHED_MAXEMAILS=value, REACHED_MAXDEFERFAIL=value).limit_uses == {}


def test_a_limit_that_is_null_is_not_reached() -> None:
    record = stat(REACHED_MAXEMAILS=None, REACHED_MAXDEFERFAIL=None)
    assert record.flags == {"reached_maxemails": False, "reached_maxdeferfail": False}
    assert record.unreadable_flags == 0


@pytest.mark.parametrize(
    "value",
    ["", "yes", "unlimited", "150 of 150", "150/", "/150", "1/2/3", "5/5 (100%", 0.5, {}, [], [1],
     "1" * 30 + "/1"],
)  # fmt: skip
def test_a_limit_text_that_is_not_understood_gives_no_flag_and_is_counted(value: object) -> None:
    assert limit_reached(value) is None
    record = stat(REACHED_MAXEMAILS=value, REACHED_MAXDEFERFAIL=1)
    assert (record.flags, record.unreadable_flags) == ({"reached_maxdeferfail": True}, 1)


def test_absent_limits_are_counted() -> None:
    assert (stat(USER="a").flags, stat(USER="a").unreadable_flags) == ({}, 2)


# Envelopes

EMPTY_ANSWER = Verdict(None, rows=[])


@pytest.mark.parametrize("result", [b"1", b'"1"', b'" 1 "', b"1.0", b"true"])
def test_result_1_is_an_answer_however_it_is_written(result: bytes) -> None:
    body = b'{"data":{"records":[]},"metadata":{"result":' + result + b',"reason":"OK"}}'
    assert judge(body) == EMPTY_ANSWER


@pytest.mark.parametrize("result", [b"0", b'"0"', b"false", b"0.0", b"-1", b"2", b'"x"', b'""'])
@pytest.mark.parametrize("data", [b"", b'"data":{"records":[{}]},', b'"data":null,'])
def test_any_other_result_is_a_refusal_even_with_data(result: bytes, data: bytes) -> None:
    body = b"{" + data + b'"metadata":{"result":' + result + b',"reason":"No"}}'
    assert judge(body) == Verdict("No")


@pytest.mark.parametrize("reason", [b"null", b'""'])
def test_a_refusal_without_a_reason_says_so(reason: bytes) -> None:
    assert judge(b'{"metadata":{"result":0,"reason":' + reason + b"}}") == Verdict(
        "no reason given"
    )
    assert judge(b'{"metadata":{"result":0}}') == Verdict("no reason given")


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":{"records":[]}}',
        b'{"data":{"records":[]},"metadata":null}',
        b'{"data":{"records":[]},"metadata":{}}',
        b'{"data":{"records":[]},"metadata":{"result":null}}',
        b' \n{"x":[{}],"data":{"chunk":1,"records":[ ]},"cpanelresult":{}}\r\n ',
    ],
)
def test_records_without_a_word_on_the_result_are_taken_for_good(body: bytes) -> None:
    assert judge(body) == EMPTY_ANSWER


@pytest.mark.parametrize(
    ("overflowed", "is_cut"),
    [
        (b"0", False),
        (b'"0"', False),
        (b"null", False),
        (b'""', False),
        (b"false", False),
        (b"0.0", False),
        (b"1", True),
        (b'"1"', True),
        (b"250", True),
        (b"true", True),
        (b'"yes"', True),
    ],
)
def test_overflowed_that_is_not_0_means_that_rows_are_missing(
    overflowed: bytes, is_cut: bool
) -> None:
    body = b'{"data":{"records":[]},"metadata":{"result":1,"overflowed":' + overflowed + b"}}"
    assert judge(body) == Verdict(None, rows=[], is_cut=is_cut)


@pytest.mark.parametrize("error", ["Access denied", "ACCESS DENIED.", "Error: access denied"])
def test_a_refused_login_is_told_by_its_words(error: str) -> None:
    body = msgspec.json.encode({"cpanelresult": {"error": error, "data": {"result": "0"}}})
    assert judge(body) == Verdict(error, is_login_refusal=True)


def test_another_legacy_error_is_a_refusal_but_not_of_the_login() -> None:
    assert judge(b'{"cpanelresult":{"error":"Server busy"}}') == Verdict("Server busy")


@pytest.mark.parametrize(
    ("reason", "is_about_function"),
    [
        ("Permission denied", True),
        ("PERMISSION DENIED.", True),
        ('Unknown app ("listaccts") requested for this version (1) of the API.', True),
        ("You do not have the list-accts privilege.", True),
        ("This function requires the ACL all", True),
        ("Not authorized", True),
        ("The function is disabled by the server's role", True),
        ("Failed to open the queue", False),
        ("The service is temporarily unavailable", False),
        ("The eximstats service is not available", False),
        ('Provide the "start_time" argument.', False),
        ("The database is being imported", False),
        ("", False),
    ],
)
def test_a_refusal_of_the_function_is_told_by_its_words(
    reason: str, is_about_function: bool
) -> None:
    assert Verdict(reason).is_function_refusal is is_about_function


def test_an_answer_refuses_no_function() -> None:
    assert Verdict(None).is_function_refusal is False


def test_a_legacy_envelope_without_error_leaves_the_word_to_the_rest() -> None:
    body = b'{"cpanelresult":{"error":""},"data":{"records":[]}}'
    assert judge(body) == EMPTY_ANSWER


@pytest.mark.parametrize(
    ("body", "oddity"),
    [
        (b"{}", "the answer has no data"),
        (b'{"metadata":{"result":1}}', "the answer has no data"),
        (b'{"cpanelresult":{}}', "the answer has no data"),
        (b'{"data":null}', "data holds no list of records"),
        (b'{"data":[]}', "data holds no list of records"),
        (b'{"data":{}}', "data holds no list of records"),
        (b'{"data":{"records":null}}', "data holds no list of records"),
        (b'{"data":{"records":{}}}', "data holds no list of records"),
        (b'{"data":{"records":"[]"}}', "data holds no list of records"),
        (b'{"data":{"records":[]},"metadata":[]}', "metadata is odd"),
        (b'{"data":{"records":[]},"metadata":"OK"}', "metadata is odd"),
        (b'{"data":{"records":[]},"metadata":{"result":[]}}', "metadata is odd"),
        (b'{"data":{"records":[]},"metadata":{"overflowed":{}}}', "metadata is odd"),
        (b'{"cpanelresult":null}', "cpanelresult is odd"),
        (b'{"cpanelresult":{"error":["Access denied"]}}', "cpanelresult is odd"),
        (b"[]", "not an object"),
        (b'[{"data":{"records":[]}}]', "not an object"),
        (b"null", "not an object"),
        (b"0", "not an object"),
        (b'"text"', "not an object"),
    ],
)
def test_json_of_another_shape_is_told_from_an_empty_answer(body: bytes, oddity: str) -> None:
    with pytest.raises(UnexpectedShape) as caught:
        judge(body)
    assert str(caught.value) == oddity


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"<html><body>Login</body></html>",
        b'{"data":{"records":[{"a":1},{"b":',
        b'{"data":{"records":[]}',
        b'{"data":{"records":[]}}}',
        b'{"data":{"records":[]}}{"data":{"records":[]}}',
        b"\xff\xfe\x00\x01",
        b"\x1f\x8b\x08\x00",
        b"[" * 200_000,
        b'{"data":' * 200_000,
    ],
)
def test_what_is_no_json_is_no_answer(body: bytes) -> None:
    with pytest.raises(NotJsonText, match=r"^the answer is no JSON$"):
        judge(body)


def test_the_reason_of_a_refusal_is_read_whatever_bytes_it_holds() -> None:
    body = b'{"metadata":{"result":0,"reason":"caf\xe9 \\ud800 a\x01b"}}'
    assert judge(body) == Verdict("caf\ufffd \ufffd a b")


def test_no_error_repeats_what_was_sent() -> None:
    for body in (b"MARKER", b'{"MARKER":1}', b'{"data":{"MARKER":1}}', b'{"data":"MARKER'):
        with pytest.raises((NotJsonText, UnexpectedShape)) as caught:
            judge(body)
        assert "MARKER" not in str(caught.value)


# Scalars


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (5, 5),
        ("5", 5),
        (" -5 ", -5),
        (5.0, 5),
        (5.5, None),
        (True, 1),
        (None, None),
        ("", None),
        ("-", None),
        ("--5", None),
        ("+5", None),
        ("5.0", None),
        ("0x5", None),
        ("5_000", None),
        ("²", None),
        ("٣", None),
        ("9" * 39, int("9" * 39)),
        ("9" * 40, None),
        (float("inf"), None),
        ([], None),
        ({}, None),
    ],
)
def test_whole_numbers_are_read_from_digits_alone(value: object, number: int | None) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize(
    ("value", "as_text"),
    [(None, ""), (True, "1"), (False, "0"), (7, "7"), (7.0, "7"), (-0.0, "0"), (7.25, "7.25"),
     (1e16, "10000000000000000"), (1e17, "1e+17"), (1e300, "1e+300"), ("1.0", "1.0")],
)  # fmt: skip
def test_scalars_are_written_without_a_needless_point(value: Any, as_text: str) -> None:
    assert text(value) == as_text
