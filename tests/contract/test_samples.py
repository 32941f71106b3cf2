"""Every published or observed answer of WHM decodes to exactly what it says, and to nothing else.

`samples.json` holds answers by title: those of cPanel's documentation and of public clients, the
rest composed after them.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from cpanel_mail_exporter.model.query import Totals
from cpanel_mail_exporter.model.records import STAT_TYPES, DeliveryRecord, LimitUse, UserStat
from cpanel_mail_exporter.whm.decode import (
    Rows,
    UnexpectedShape,
    Verdict,
    delivery_rows,
    judge,
    totals_rows,
    user_stat_rows,
)
from cpanel_mail_exporter.whm.stream import RowStream

SAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("samples.json").read_bytes())
LAYOUTS = {
    "compact": {"separators": (",", ":")},
    "indented": {"indent": 2},
    "not ASCII": {"ensure_ascii": False},
    "sorted": {"sort_keys": True},
}

AMY = DeliveryRecord(
    actionunixtime="1795252447",
    delivered_to="amy@example.net",
    delivery_domain="",
    delivery_user="-remote-",
    domain="example.com",
    host="mx1.example.net",
    ip="192.0.2.25",
    message="Accepted",
    msg_id="1wtYVW-0000000GFxD-3Ryp",
    recipient="amy@example.net",
    router="dkim_lookuphost",
    sender="shop@example.com",
    sender_auth="dovecot_login",
    sender_host="(client.example.org)",
    sender_ip="198.51.100.7",
    sendunixtime="1795252440",
    size="27356",
    time="2026-11-21 09:14:07",
    transport="dkim_remote_smtp",
    transport_is_remote="1",
    type="success",
    user="cpanel1",
    send_unix=1795252440,
    action_unix=1795252447,
)

DELIVERIES: dict[str, tuple[bool, list[DeliveryRecord]]] = {
    "emailtrack_search A - mixed page": (
        False,
        [
            AMY,
            DeliveryRecord(
                actionunixtime="1795252447",
                delivered_to="info@example.com",
                delivery_domain="example.com",
                delivery_user="cpanel1",
                domain="",
                host="localhost",
                ip="127.0.0.1",
                message="Accepted",
                msg_id="1wtYVS-0000000GFXp-0ZB0",
                recipient="info@example.com",
                router="virtual_user",
                sender="bob@example.org",
                sender_auth="",
                sender_host="mail.example.org",
                sender_ip="203.0.113.9",
                sendunixtime="1795252440",
                size="27356",
                time="2026-11-21 09:14:07",
                transport="dovecot_virtual_delivery",
                transport_is_remote="0",
                type="success",
                user="-remote-",
                send_unix=1795252440,
                action_unix=1795252447,
            ),
            AMY._replace(
                delivered_to="",
                host="alt3.gmail-smtp-in.l.google.com",
                message="SMTP error from remote mail server after end of data: 421-4.7.28 Gmail has"
                " detected an unusual rate of unsolicited mail ...",
                msg_id="1wtMbN-00000004FD2-1H7i",
                recipient="carol@gmail.example",
                transport="dkim_remote_forwarded_smtp",
                type="defer",
            ),
            AMY._replace(
                delivered_to="",
                host="gmail-smtp-in.l.google.com",
                message="SMTP error from remote mail server after RCPT TO:<dave@gmail.example>:"
                " 550-5.1.1 The email account that you tried to reach does not exist ...",
                msg_id="1wtcTj-00000008OnA-0eY6",
                recipient="dave@gmail.example",
                type="failure",
            ),
        ],
    ),
    "emailtrack_search B - cPanel-side refusal, delivery fields null": (
        False,
        [
            DeliveryRecord(
                actionunixtime="1328559471",
                delivered_to="",
                delivery_domain="",
                delivery_user="",
                domain="example.com",
                host="",
                ip="",
                message="Domain example.com has exceeded the max defers and failures per hour"
                " (5/5 (100%)) allowed. Message discarded.",
                msg_id="1RuV0Z-0005NR-BN",
                recipient="user@example.com",
                router="enforce_mail_permissions",
                sender="user@example.com",
                sender_auth="localuser",
                sender_host="localhost",
                sender_ip="127.0.0.1",
                sendunixtime="1328559471",
                size="1653",
                time="2012-02-06 14:17:51",
                transport="",
                transport_is_remote="0",
                type="failure",
                user="cpanel1",
                send_unix=1328559471,
                action_unix=1328559471,
            )
        ],
    ),
    "emailtrack_search C - empty window (or eximstats off)": (False, []),
    "emailtrack_search D - truncated": (
        True,
        [
            AMY,
            AMY._replace(
                delivered_to="erin@example.net",
                msg_id="1wtYVW-0000000GFxE-0AbC",
                recipient="erin@example.net",
            ),
        ],
    ),
    "emailtrack_search E - hostile types and an in-progress row": (
        False,
        [
            AMY,
            AMY._replace(
                actionunixtime="",
                delivered_to="",
                delivery_user="",
                host="",
                ip="",
                message="",
                msg_id="1x6mUB-00000006Pya-498Q",
                router="",
                time="",
                transport="",
                transport_is_remote="0",
                type="inprogress",
                action_unix=None,
            ),
        ],
    ),
}


def counts(*values: int) -> dict[str, int | float]:
    return dict(zip(STAT_TYPES, values, strict=True))


NO_LIMIT = {"reached_maxemails": False, "reached_maxdeferfail": False}
BOTH_LIMITS = {"reached_maxemails": True, "reached_maxdeferfail": True}

USER_STATS: dict[str, list[UserStat]] = {
    "emailtrack_user_stats A - normal": [
        UserStat("", "-remote-", "root", "", counts(634, 551, 83, 386, 469, 33506067), NO_LIMIT),
        UserStat("-system-", "root", "root", "", counts(24, 24, 0, 0, 0, 75129), NO_LIMIT),
        UserStat(
            "example.com",
            "user1",
            "reseller1",
            "example.com",
            counts(31, 34, 0, 0, 0, 85689191),
            NO_LIMIT,
        ),
    ],
    "emailtrack_user_stats B - limits reached (strings)": [
        UserStat(
            "example.com",
            "example",
            "root",
            "example.com",
            counts(150, 147, 3, 2, 5, 27444),
            BOTH_LIMITS,
            limit_uses={
                "reached_maxemails": LimitUse(150, 150),
                "reached_maxdeferfail": LimitUse(5, 5, 100.0),
            },
        )
    ],
    "emailtrack_user_stats C - as documented (ints)": [
        UserStat(
            "example.com",
            "example",
            "root",
            "example.com",
            counts(14, 14, 0, 0, 0, 27444),
            BOTH_LIMITS,
        )
    ],
    "emailtrack_user_stats D - empty": [],
}

REFUSALS: dict[str, Verdict] = {
    "error A - bad credentials: HTTP 403, Content-Type text/plain": Verdict(
        "Access denied", is_login_refusal=True
    ),
    "error B - unknown function: HTTP 200": Verdict(
        'Unknown app ("no_such_function") requested for this version (1) of the API.'
    ),
    "error C - function-level failure: HTTP 200": Verdict("Permission denied"),
    "get_unique_sender_recipient_count_per_user C - missing argument": Verdict(
        'Provide the "start_time" argument.'
    ),
}


def written(title: str, layout: str) -> bytes:
    return json.dumps(SAMPLES[title], **LAYOUTS[layout]).encode()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("title", DELIVERIES)
def test_every_answer_of_emailtrack_search_gives_exactly_its_rows(title: str, layout: str) -> None:
    stream = RowStream(delivery_rows)
    assert stream.feed(written(title, layout)) is None
    verdict, rows = stream.finish()
    is_cut, records = DELIVERIES[title]
    assert (verdict.refusal, verdict.is_login_refusal, verdict.is_cut) == (None, False, is_cut)
    assert rows == Rows(records, 0)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("title", USER_STATS)
def test_every_answer_of_emailtrack_user_stats_gives_exactly_its_sums(
    title: str, layout: str
) -> None:
    stream = RowStream(user_stat_rows)
    assert stream.feed(written(title, layout)) is None
    verdict, rows = stream.finish()
    assert (verdict.refusal, verdict.is_login_refusal, verdict.is_cut) == (None, False, False)
    assert rows == Rows(USER_STATS[title], 0)


def test_the_six_sums_come_in_the_order_they_are_shown() -> None:
    verdict = judge(written("emailtrack_user_stats A - normal", "sorted"))
    array = b"[" + b",".join(map(bytes, verdict.rows or [])) + b"]"
    assert [list(record.counts) for record in user_stat_rows(array).records] == [
        list(STAT_TYPES)
    ] * 3


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("title", REFUSALS)
def test_every_refusal_is_one_with_its_reason(title: str, layout: str) -> None:
    assert judge(written(title, layout)) == REFUSALS[title]


TOTALS = {
    "emailtrack_stats A - all users": Totals(sent=14, success=14, size_bytes=27444),
    "emailtrack_stats B - nosize=1, nosuccess=1": Totals(
        sent=640, failure=3, defer=12, defer_fail=15, in_progress=1
    ),
    "emailtrack_stats C - no mail: nulls": Totals(),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("title", TOTALS)
def test_every_answer_of_totals_is_one_record_of_what_it_says(title: str, layout: str) -> None:
    stream = RowStream(totals_rows)
    assert stream.feed(written(title, layout)) is None
    verdict, rows = stream.finish()
    assert (verdict.refusal, rows) == (None, Rows([TOTALS[title]], 0))


@pytest.mark.parametrize(
    ("row", "totals"),
    [
        ('{"SENDCOUNT":"7","TOTALSIZE":"9","OTHER":[]}', Totals(sent=7, size_bytes=9)),
        ('{"SENDCOUNT":"","SUCCESSCOUNT":2.0}', Totals(success=2)),
        ('{"SENDCOUNT":"many"}', None),
        ('{"SENDCOUNT":1.5}', None),
        ('{"SENDCOUNT":{}}', None),
        ('{"other":1}', None),
    ],
)
def test_totals_may_be_texts_and_what_is_no_number_is_no_zero(
    row: str, totals: Totals | None
) -> None:
    expected = Rows([], 1) if totals is None else Rows([totals], 0)
    assert totals_rows(f"[{row}]".encode()) == expected


RECORDS_OF_OTHERS = {
    "fetch_mail_queue A - documented example": 1,
    "fetch_mail_queue B - frozen bounce, many recipients": 2,
    "fetch_mail_queue C - empty queue": 0,
}
"""Other functions that answer `data.records`, and how many each."""

WITHOUT_RECORDS = {
    **dict.fromkeys(
        [
            "get_unique_sender_recipient_count_per_user A",
            "get_unique_sender_recipient_count_per_user B - several, with pseudo-user",
            "get_unique_recipient_count_per_sender_for_user A",
            "get_unique_recipient_count_per_sender_for_user B - several senders",
            "get_unique_recipient_count_per_sender_for_user C - none",
            "gethostname",
            "version A - API 1 shape",
            "servicestatus A - exim running",
            "servicestatus B - not monitored: no `running` key",
            "servicestatus C - switched off by server profile",
            "api_token_list",
            "applist",
            "listaccts A - mail-relevant columns only",
            "listaccts B - strings for numbers",
            "listaccts C - none visible",
        ],
        "data holds no list of records",
    ),
    "version B - legacy shape, HTTP 200": "the answer has no data",
}
"""Functions that answer something else, and what is said of it."""


@pytest.mark.parametrize("title", RECORDS_OF_OTHERS)
def test_records_of_other_functions_are_found(title: str) -> None:
    verdict = judge(written(title, "compact"))
    assert verdict.refusal is None
    assert len(verdict.rows or []) == RECORDS_OF_OTHERS[title]


@pytest.mark.parametrize("title", WITHOUT_RECORDS)
def test_answers_of_other_shapes_are_told_from_empty_ones(title: str) -> None:
    with pytest.raises(UnexpectedShape) as caught:
        judge(written(title, "compact"))
    assert str(caught.value) == WITHOUT_RECORDS[title]


def test_every_sample_is_used() -> None:
    assert set(SAMPLES) == {
        *DELIVERIES,
        *USER_STATS,
        *REFUSALS,
        *TOTALS,
        *RECORDS_OF_OTHERS,
        *WITHOUT_RECORDS,
    }
