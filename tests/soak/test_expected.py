"""The expected figures of hand-written rows: what a run is compared with must itself be right."""

from typing import Any

from tests.soak.expected import (
    DEFERRALS,
    FAILURES,
    SMTP_REPLIES,
    Row,
    activity,
    attempts,
    numbers,
    pairs,
)
from tests.soak.laws import CAPPED, DOUBLED, EXACT, LAWS, QUIRKS, REPLACED, Readings, differences
from whm_simulator.api.quirk_table import QUIRK_ROWS

T = 1_000_000
UNTOUCHED = {"lacking-acl", "version-shape", "limits", "bounce-sender", "user-rows"}
"""Quirks of functions that the ledger doesn't ask, or of members that it doesn't read."""


PUT_OFF = (
    "SMTP error from remote mail server after RCPT TO:<a@gmail.example>: host mx1.example.net "
    "[192.0.2.25]: 452 4.2.2 mailbox full"
)


def row(kind: str = "success", acted: int = 10, **other: Any) -> Row:
    return {
        "msgid": "m1",
        "recipient": "a@gmail.example",
        "deliveredto": "a@gmail.example",
        "deliveryuser": "-remote-",
        "user": "office1",
        "domain": "example.com",
        "router": "dkim_lookuphost",
        "transport": "dkim_remote_smtp",
        "transport_is_remote": 1,
        "host": "alt1.gmail-smtp-in.l.google.com",
        "sendunixtime": T,
        "actionunixtime": T + acted,
        "size": 5000,
        "type": kind,
        "message": "Accepted",
    } | other


def test_what_an_account_did_is_told_in_whole_hours() -> None:
    nowhere = {"transport": "", "deliveryuser": "", "host": None}
    rows = [
        row("success", 3_599),
        row("success", 3_600 - T % 3_600),
        row("defer", 3_700, user="shop1"),
        row("failure", 5, sendunixtime=T + 3_695, actionunixtime=T + 3_700, user="shop1"),
        row("failure", 3_700, router="enforce_mail_permissions", **nowhere),
        row("success", 3_700, transport_is_remote=0),
        row("success", 3_700, user="-remote-"),
        row("inprogress", 3_700),
    ]
    assert activity(rows, T + 1) == {
        ("activity", pairs(user="office1", what="delivered")): 2,
        ("activity", pairs(user="office1", what="stopped")): 1,
        ("activity", pairs(user="shop1", what="deferred")): 1,
        ("activity", pairs(user="shop1", what="failed")): 1,
        ("activity", pairs(user="shop1", what="tried")): 1,
    }
    assert activity(rows[:2], T + 3_600) == {}


def test_all_samples_of_a_delivery_after_a_deferral() -> None:
    rows = [row("defer", 3, host=None, message=PUT_OFF), row("success", 10)]
    out = pairs(direction="outbound")
    size_and_up = ["16384", "65536", "262144", "1.04858e+06", "4.1943e+06", "1.04858e+07"]
    times = ["15", "30", "60", "300", "900", "1800", "3600", "14400", "43200", "86400"]
    way = {"direction": "outbound"}
    tried = pairs(reason="mailbox_full", severity="soft", provider="other", **way)
    assert numbers(rows, 0) == {
        ("cpanel_mail_delivery_events_total", pairs(outcome="defer", provider="other", **way)): 1,
        (
            "cpanel_mail_delivery_events_total",
            pairs(outcome="success", provider="google", **way),
        ): 1,
        ("cpanel_mail_delivery_deferrals_total", tried): 1,
        ("cpanel_mail_smtp_replies_total", pairs(code="452", enhanced_code="4.2.2")): 1,
        **{
            (
                "cpanel_mail_user_delivery_events_total",
                pairs(user="office1", domain="example.com", outcome=outcome),
            ): 1
            for outcome in ("defer", "success")
        },
        **{
            ("cpanel_mail_message_size_bytes_bucket", pairs(le=le, **way)): 1
            for le in [*size_and_up, "2.62144e+07", "5.24288e+07", "inf"]
        },
        ("cpanel_mail_message_size_bytes_sum", out): 5000,
        ("cpanel_mail_message_size_bytes_count", out): 1,
        **{
            (
                "cpanel_mail_time_to_deliver_seconds_bucket",
                pairs(le=le, provider="google", **way),
            ): 1
            for le in [*times, "172800", "345600", "inf"]
        },
        ("cpanel_mail_time_to_deliver_seconds_sum", pairs(provider="google", **way)): 10,
        ("cpanel_mail_time_to_deliver_seconds_count", pairs(provider="google", **way)): 1,
    }
    tried = attempts(rows, 0, T + 10)
    assert tried["cpanel_mail_delivery_attempts_sum", out] == 2
    assert ("cpanel_mail_delivery_attempts_bucket", pairs(le="1", **way)) not in tried
    assert attempts(rows, 0, T + 9) == {}
    assert attempts(rows, T + 4, T + 10) == tried, "deferrals before the counting are attempts too"
    assert attempts(rows, T + 11, T + 12) == {}
    assert numbers(rows, T + 11) == {}


def test_a_failure_has_a_reason_and_a_row_of_another_type_has_none() -> None:
    refused = PUT_OFF.replace("452 4.2.2 mailbox full", "550 no such user")
    rows = [row(kind, message=refused) for kind in ("failure", "success", "archived", "inprogress")]
    reason = {"reason": "unknown_user", "severity": "hard"}
    place = pairs(provider="google", direction="outbound", **reason)
    told = {key: n for key, n in numbers(rows, 0).items() if key[0] in {FAILURES, *NOT_FAILED}}
    assert told == {(FAILURES, place): 1, (SMTP_REPLIES, pairs(code="550", enhanced_code="")): 1}
    assert numbers([row("failure", transport=None, deliveryuser="x")], 0).keys() >= {
        (FAILURES, pairs(reason="other", severity="soft", provider="local", direction="internal"))
    }


NOT_FAILED = {DEFERRALS, SMTP_REPLIES}


def test_directions_by_sender_transport_and_recipient() -> None:
    ways = {
        (("user", "-remote-"), ("transport_is_remote", 0)): "inbound",
        (("user", "-remote-"), ("transport_is_remote", 1)): "forwarded",
        (("user", "office1"), ("transport_is_remote", 0)): "internal",
        (("transport", None), ("deliveryuser", "office2")): "internal",
        (("transport", None), ("deliveryuser", "-remote-")): "outbound",
        (("transport", None), ("deliveryuser", None)): "unknown",
        (("transport", None), ("router", "enforce_mail_permissions_x"), ("deliveryuser", None)): (
            "outbound"
        ),
    }
    for other, way in ways.items():
        [place] = [
            dict(labels)["direction"]
            for name, labels in numbers([row(**dict(other))], 0)
            if name == "cpanel_mail_delivery_events_total"
        ]
        assert place == way, other


def test_a_number_that_is_off_by_one_is_a_difference() -> None:
    rows = [row("defer", 3), row("success", 10)]
    readings = Readings(rows, rows, since_unix=0, end_unix=T + 10 + 3_900)
    good = numbers(rows, 0) | attempts(rows, 0, T + 10)
    assert differences("web1", EXACT, readings, good) == []
    for key in good:
        for value in (good[key] - 1, good[key] + 1):
            [found] = differences("web1", EXACT, readings, {**good, key: value})
            assert found[2:] == (good[key], good[key], value)
    [more] = differences("web1", EXACT, readings, {**good, ("cpanel_mail_new", ()): 1})
    assert more.at_most == 0


def test_what_the_other_laws_allow() -> None:
    rows = [row("defer", 3), row("success", 10)]
    left = rows[1:]
    readings = Readings(rows, left, since_unix=0, end_unix=T + 10 + 3_900)
    for seen in (rows, left):
        good = numbers(seen, 0) | attempts(seen, 0, T + 10)
        assert differences("web1", REPLACED, readings, good) == []
        assert differences("web1", CAPPED, readings, good) == []
    assert differences("web1", CAPPED, readings, {}) == []
    assert differences("web1", REPLACED, readings, {}) != []
    twice = numbers([*rows, *rows], 0) | attempts([*rows, *rows], 0, T + 10)
    assert differences("web1", CAPPED, readings, twice) != []
    # A failure that the server shows under another word is no outcome there.
    reworded = Readings(
        [*rows, row("failure", 10, msgid="m2")],
        [*left, row("rejected", 10, msgid="m2")],
        since_unix=0,
        end_unix=T + 10 + 3_900,
    )
    seen_before = [*rows, row("rejected", 10, msgid="m2")]
    good = numbers(seen_before, 0) | attempts(seen_before, 0, T + 10)
    assert differences("web1", REPLACED, reworded, good) == []
    both = Readings(rows, rows, since_unix=0, end_unix=T + 10 + 3_900)
    assert differences("web1", DOUBLED, both, twice) == []


def test_every_quirk_has_its_law_or_is_none_of_the_ledgers_business() -> None:
    judged = {text.partition("=")[0] for text in QUIRKS}
    assert judged | UNTOUCHED == {quirk.name for quirk in QUIRK_ROWS}
    assert not judged & UNTOUCHED
    assert set(QUIRKS.values()) <= LAWS.keys()
