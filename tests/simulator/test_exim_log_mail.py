"""A main log becomes the rows, sums and queue that WHM would show of it, at any instant."""

import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whm_simulator.exim_log.log_mail import LogMail
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import AccountCard, Queued, Span
from whm_simulator.mail.sums import Reached, Sender, Sums, sums_of

HOSTNAME = "mx.example.net"
START_UNIX = 1_795_252_440
END_UNIX = START_UNIX + 10_000
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def id_of(sent_unix: int, number: int = 0) -> str:
    """The id that Exim gives the *number*-th message of a second."""
    digits, rest = "", sent_unix
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _DIGITS[digit] + digits
    return f"{digits}-0001kG-{number:02d}"


def line(at_unix: int, rest: str, zone: tzinfo = UTC) -> str:
    wall = datetime.fromtimestamp(at_unix, zone)
    return f"{wall:%Y-%m-%d %H:%M:%S} {rest}"


ONE, TWO, THREE = (id_of(START_UNIX, number) for number in (1, 2, 3))


def lines(*timed: tuple[int, str]) -> list[str]:
    """Lines of a log by seconds since its start."""
    return [line(START_UNIX + seconds, rest) for seconds, rest in timed]


def text(log: Sequence[str]) -> str:
    return "".join(f"{entry}\n" for entry in log)


def mail_of(
    folder: Path, log: Sequence[str], *, zone: tzinfo = UTC, domains: str | None = None
) -> LogMail:
    path = folder / "mainlog"
    path.write_text(text(log))
    if domains is None:
        return LogMail(path, zone, HOSTNAME)
    (folder / "userdomains").write_text(domains)
    return LogMail(path, zone, HOSTNAME, folder / "userdomains")


SOME_DAY = lines(
    (0, (f"{ONE} <= shop@example.com H=(client.example.org) [198.51.100.7]:38459 P=esmtpsa"
        " A=dovecot_login:shop@example.com S=1234 for Amy@Example.NET list@example.com"
        " late@example.org")),
    (1, (f"{ONE} => amy@example.net <Amy@Example.NET> R=lookuphost T=remote_smtp"
        ' H=mx1.example.net [2001:db8::25] C="250 OK"')),
    (2, f"{ONE} => ben <list@example.com> R=virtual_user T=virtual_userdelivery"),
    (3, (f"{ONE} ** gone@example.net <list@example.com> R=lookuphost T=remote_smtp"
        r" H=mx1.example.net [192.0.2.25]: SMTP error: 550-5.1.1 no\n550 5.1.1 user")),
    (4, f"{TWO} <= <> R={ONE} U=mailnull P=local S=900 for shop@example.com"),
    (5, f"{ONE} == late@example.org R=lookuphost T=remote_smtp defer (111): Connection refused"),
    (6, f"{TWO} ** shop@example.com F=<> R=virtual_aliases_nostar: No Such User Here"),
    (6, f"{TWO} Frozen (delivery error message)"),
    (7, (f"{THREE} <= spam@example.org H=mail.example.org [203.0.113.9] P=esmtp S=77"
        " for ben@example.com")),
    (900, f"{TWO} Message is frozen"),
    (901, f"{ONE} => late@example.org R=lookuphost T=remote_smtp H=mx2.example.org [192.0.2.26]"),
    (901, f"{ONE} Completed"),
    (905, f"{THREE} => ben <ben@example.com> R=virtual_user T=virtual_userdelivery"),
    (905, f"{THREE} Completed"),
    (950, f"{TWO} removed by root"),
    (950, f"{TWO} Completed"),
)  # fmt: skip
SHOP = {
    "user": "shop1",
    "domain": "example.com",
    "sender": "shop@example.com",
    "email": "shop@example.com",
    "senderauth": "dovecot_login",
    "senderhost": "(client.example.org)",
    "senderip": "198.51.100.7",
    "sendunixtime": START_UNIX,
    "size": 1234,
    "spamscore": 0,
    "msgid": ONE,
}
ELSEWHERE = {
    "deliverydomain": None,
    "deliveryuser": "-remote-",
    "router": "lookuphost",
    "transport": "remote_smtp",
    "transport_is_remote": 1,
}
HERE = {
    "deliverydomain": "example.com",
    "deliveryuser": "shop1",
    "host": "localhost",
    "ip": "127.0.0.1",
    "router": "virtual_user",
    "transport": "virtual_userdelivery",
    "transport_is_remote": 0,
    "message": "Accepted",
    "type": "success",
}


def test_rows_have_all_of_whms_fields(tmp_path: Path) -> None:
    mail = mail_of(tmp_path, SOME_DAY, domains="example.com: shop1\n")
    assert mail.rows(START_UNIX + 7) == [
        Row(
            **SHOP,
            **ELSEWHERE,
            actiontime="2026-11-21 09:14:01",
            actionunixtime=START_UNIX + 1,
            recipient="Amy@Example.NET",
            deliveredto="amy@example.net",
            host="mx1.example.net",
            ip="2001:db8::25",
            message="Accepted",
            type="success",
        ),
        Row(
            **SHOP,
            **HERE,
            actiontime="2026-11-21 09:14:02",
            actionunixtime=START_UNIX + 2,
            recipient="list@example.com",
            deliveredto="ben@example.com",
        ),
        Row(
            **SHOP,
            **ELSEWHERE,
            actiontime="2026-11-21 09:14:03",
            actionunixtime=START_UNIX + 3,
            recipient="list@example.com",
            deliveredto="gone@example.net",
            host="mx1.example.net",
            ip="192.0.2.25",
            message=r"SMTP error: 550-5.1.1 no\n550 5.1.1 user",
            type="failure",
        ),
        Row(
            **SHOP,
            **ELSEWHERE,
            actiontime="2026-11-21 09:14:05",
            actionunixtime=START_UNIX + 5,
            recipient="late@example.org",
            deliveredto=None,
            host=None,
            ip=None,
            message="Connection refused",
            type="defer",
        ),
        Row(
            actiontime="2026-11-21 09:14:06",
            actionunixtime=START_UNIX + 6,
            deliveredto=None,
            deliverydomain="example.com",
            deliveryuser="shop1",
            domain="-system-",
            email="Mailer-Daemon@mx.example.net",
            host=None,
            ip=None,
            message="No Such User Here",
            msgid=TWO,
            recipient="shop@example.com",
            router="virtual_aliases_nostar",
            sender="",
            senderauth="",
            senderhost="localhost",
            senderip="127.0.0.1",
            sendunixtime=START_UNIX + 4,
            size=900,
            spamscore=0,
            transport=None,
            transport_is_remote=0,
            type="failure",
            user="mailnull",
        ),
        Row(
            actiontime=None,
            actionunixtime=None,
            deliveredto=None,
            deliverydomain=None,
            deliveryuser=None,
            domain="",
            email="spam@example.org",
            host=None,
            ip=None,
            message=None,
            msgid=THREE,
            recipient="ben@example.com",
            router=None,
            sender="spam@example.org",
            senderauth="",
            senderhost="mail.example.org",
            senderip="203.0.113.9",
            sendunixtime=START_UNIX + 7,
            size=77,
            spamscore=0,
            transport=None,
            transport_is_remote=0,
            type="inprogress",
            user="-remote-",
        ),
    ]


def test_the_queue_is_what_isnt_done_yet(tmp_path: Path) -> None:
    mail = mail_of(tmp_path, SOME_DAY, domains="example.com: shop1\n")
    mail.rows(END_UNIX).clear()  # the list was the caller's own
    one = Queued(ONE, "shop@example.com", ("late@example.org",), 1234, START_UNIX, False, "shop1")
    two = Queued(TWO, "", ("shop@example.com",), 900, START_UNIX + 4, True, "mailnull")
    three = Queued(
        THREE, "spam@example.org", ("ben@example.com",), 77, START_UNIX + 7, False, "-remote-"
    )
    assert mail.queue(START_UNIX + 7) == [one, two, three]
    assert mail.queue(START_UNIX + 904) == [two, three]
    assert mail.queue(START_UNIX + 949) == [two]
    assert mail.queue(START_UNIX + 950) == []
    assert mail.queue(START_UNIX - 1) == []


def test_sums_and_accounts_are_those_of_the_rows(tmp_path: Path) -> None:
    mail = mail_of(
        tmp_path, SOME_DAY, domains="example.com: shop1\nexample.org: shop1\n*: nobody\n"
    )
    assert mail.sums(END_UNIX) == sums_of(mail.rows(END_UNIX))
    assert mail.sums(END_UNIX) == {
        Sender("shop1", "example.com"): Sums(3, 1, 1, 0, 1, 1234),
        Sender("mailnull", "-system-"): Sums(0, 0, 1, 0, 1, 900),
        Sender("-remote-", ""): Sums(1, 0, 0, 0, 1, 77),
    }
    assert mail.accounts(END_UNIX) == [
        AccountCard("shop1", "example.com", domains=("example.com", "example.org"))
    ]
    assert {mail.reason(row) for row in mail.rows(END_UNIX)} == {None}


def test_a_limit_that_was_reached_shows_in_the_sums(tmp_path: Path) -> None:
    mail = mail_of(
        tmp_path,
        lines(
            (0, f"{ONE} <= a@example.org U=office P=local S=5 for b@example.net"),
            (
                1,
                (
                    f"{ONE} ** b@example.net R=enforce_mail_permissions: Domain example.org has"
                    " exceeded the max emails per hour (150/150 (100%)) allowed. Message discarded."
                ),
            ),
        ),
    )
    assert mail.sums(END_UNIX) == {
        Sender("office", "example.org"): Sums(
            0, 0, 1, 0, 1, 5, max_emails=Reached(START_UNIX, ["150/150", "(100%)"][0])
        )
    }


def test_what_comes_after_the_instant_asked_about_doesnt_exist_yet(tmp_path: Path) -> None:
    """A log asked about the past answers as it would have then."""
    whole = mail_of(tmp_path, SOME_DAY)
    (tmp_path / "then").mkdir()
    for count in range(len(SOME_DAY) + 1):
        known = SOME_DAY[:count]
        if count < len(SOME_DAY) and known and SOME_DAY[count][:19] == known[-1][:19]:
            continue
        now_unix = START_UNIX - 1
        if known:
            now_unix = int(datetime.fromisoformat(known[-1][:19] + "+00:00").timestamp())
        then = mail_of(tmp_path / "then", known)
        assert whole.rows(now_unix) == then.rows(now_unix) == then.rows(END_UNIX)
        assert whole.queue(now_unix) == then.queue(now_unix) == then.queue(END_UNIX)
        assert whole.accounts(now_unix) == then.accounts(now_unix)


@given(st.integers(-2, 1000), st.integers(-2, 1000), st.integers(0, 1000))
@settings(deadline=None)
def test_spans_are_the_same_rows_cut(tmp_path_factory, first: int, last: int, now: int) -> None:
    mail = mail_of(tmp_path_factory.getbasetemp(), SOME_DAY)
    span = Span(START_UNIX + first, START_UNIX + last)
    rows = mail.rows(START_UNIX + now)
    assert mail.rows(START_UNIX + now, span) == [
        row for row in rows if span.first_unix <= row.sendunixtime <= span.last_unix
    ]
    assert mail.rows(START_UNIX + now, None, span) == [
        row
        for row in rows
        if row.actionunixtime and span.first_unix <= row.actionunixtime <= span.last_unix
    ]


DOMAINS = "example.com: shop1\nshop.example: shop1\nexample.org: office\n"
SHOP1, SHOP2, OFFICE = (
    ("shop1", "example.com"),
    ("shop1", "shop.example"),
    ("office", "example.org"),
)
REMOTE_SENDER, ROOT, MAILNULL = ("-remote-", ""), ("root", "-system-"), ("mailnull", "-system-")


@pytest.mark.parametrize(
    ("arrival", "with_file", "without_file"),
    [
        ("a@example.org A=dovecot_login:b@shop.example", SHOP2, ("shop.example", "shop.example")),
        ("a@example.org A=dovecot_login:shop1", SHOP1, ("shop1", "example.org")),
        ("a@shop.example A=dovecot_login:shop1", SHOP2, SHOP2),
        ("a@example.org A=cram", OFFICE, ("example.org", "example.org")),
        ("a@shop.example U=shop1 P=local", SHOP2, SHOP2),
        ("shop1@mx.example.net U=shop1 P=local", SHOP1, ("shop1", "-system-")),
        ("a@example.com U=mailman P=local", SHOP1, ("mailman", "-system-")),
        ("root@mx.example.net U=root P=local", ROOT, ROOT),
        ("x@example.net U=cron7 P=local", ("cron7", "-system-"), ("cron7", "example.net")),
        ("<> R=1xVdYX-0001kO-2t U=mailnull P=local", MAILNULL, MAILNULL),
        ("a@example.com H=x [192.0.2.4] P=esmtp", REMOTE_SENDER, REMOTE_SENDER),
        ("a@example.com H=localhost [127.0.0.1] U=office P=smtp", OFFICE, REMOTE_SENDER),
        ("<> H=x [192.0.2.4] P=esmtp", REMOTE_SENDER, REMOTE_SENDER),
    ],
)
def test_whose_mail_it_is(
    tmp_path: Path, arrival: str, with_file: tuple[str, str], without_file: tuple[str, str]
) -> None:
    log = lines((0, f"{ONE} <= {arrival} S=1 for c@example.net"))
    for domains, owner in ((DOMAINS, with_file), (None, without_file)):
        (row,) = mail_of(tmp_path, log, domains=domains).rows(END_UNIX)
        assert (row.user, row.domain) == owner


@pytest.mark.parametrize(
    ("transport", "host", "is_remote"),
    [
        ("dkim_remote_smtp", "H=mx.example.net [192.0.2.25]", 1),
        ("outbound_relay", "H=mx.example.net [192.0.2.25]", 1),
        ("remote_smtp", "", 1),
        ("dovecot_virtual_delivery", "H=localhost [127.0.0.1]", 0),
        ("dovecot_delivery", "H=localhost", 0),
        ("mailbox", "", 0),
    ],
)
def test_a_delivery_is_remote_by_its_host_or_transport(
    tmp_path: Path, transport: str, host: str, is_remote: int
) -> None:
    log = lines((0, f"{ONE} => a@example.net R=r T={transport} {host}".rstrip()))
    (row,) = mail_of(tmp_path, log).rows(END_UNIX)
    assert row.transport_is_remote == is_remote


LOCAL = "R=virtual_user T=virtual_userdelivery"
REMOTE = "R=lookuphost T=remote_smtp"


@pytest.mark.parametrize(
    ("rests", "open_recipients"),
    [
        pytest.param(["<= s@x.example S=1"], (), id="nobody is named by the log"),
        pytest.param(["<= s@x.example S=1", "Completed"], None, id="all is done"),
        pytest.param(["<= s@x.example S=1 for a@y.example", "removed by root"], None, id="removed"),
        pytest.param(
            ["<= s@x.example S=1 for l@x.example", f"=> a <l@x.example> {LOCAL}"],
            None,
            id="delivered, and about to be completed",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for l@x.example b@y.example",
                f"== a@y.example <l@x.example> {REMOTE} defer (111): Connection refused",
                f"=> c@y.example <l@x.example> {REMOTE} H=h [192.0.2.1]",
            ],
            ("b@y.example", "l@x.example"),
            id="a list is open until all of its members are served",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for l@x.example b@y.example",
                f"== a@y.example <l@x.example> {REMOTE} defer (111): Connection refused",
                f"** a@y.example <l@x.example> {REMOTE}: retry timeout exceeded",
            ],
            ("b@y.example",),
            id="given up",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for A@X.example b@y.example",
                f"== a@x.example <A@X.example> {LOCAL} defer (-22): mailbox is full",
                f"=> a <A@X.example> {LOCAL}",
            ],
            ("b@y.example",),
            id="a local delivery is logged without its domain",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for l@x.example b@y.example",
                f"== a@z.example <l@x.example> {LOCAL} defer (-22): mailbox is full",
                f"=> a <l@x.example> {LOCAL}",
            ],
            ("b@y.example",),
            id="even of another domain",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for a@x.example",
                f"== a@x.example {LOCAL} defer (-22): mailbox is full",
                "=> a <a@x.example> R=vacation T=autoreply",
            ],
            ("a@x.example",),
            id="one of two ways is still open",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for l@x.example b@y.example",
                "== l@x.example R=lists defer (-1): not now",
                f"=> a <l@x.example> {LOCAL}",
            ],
            ("b@y.example",),
            id="what could not be routed at first was routed later",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for a@y.example b@y.example",
                f"== a@y.example {REMOTE} defer (111): Connection refused",
                "** a@y.example: Unrouteable address",
            ],
            ("b@y.example",),
            id="what was routed at first could not be routed later",
        ),
        pytest.param(
            [
                "<= <> S=1 for a@y.example b@y.example",
                f"** a@y.example F=<> {REMOTE}: no",
                f"=> b@y.example F=<> {REMOTE} H=h [192.0.2.1]",
                "Frozen (delivery error message)",
            ],
            ("a@y.example",),
            id="the failed recipient of a bounce stays",
        ),
        pytest.param(
            [
                "<= <> S=1 for a@y.example b@y.example",
                f"** a@y.example F=<> {REMOTE}: no",
                f"** c@y.example <b@y.example> F=<> {REMOTE}: no",
                "a@y.example: error ignored",
            ],
            ("b@y.example",),
            id="unless its failure is ignored",
        ),
        pytest.param(
            [
                "<= <> S=1 for l@x.example",
                f"** c@y.example <l@x.example> F=<> {REMOTE}: no",
                "c@y.example <l@x.example>: error ignored",
            ],
            (),
            id="also that of a list's member",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for a@y.example",
                f"** a@y.example {REMOTE}: no",
                "Frozen",
            ],
            ("a@y.example",),
            id="frozen with nothing left to try",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for a@y.example b@y.example l@x.example",
                f"== a@y.example <l@x.example> {REMOTE} defer (111): Connection refused",
                f"=> b@y.example <l@x.example> {REMOTE} H=h [192.0.2.1]",
            ],
            ("l@x.example", "a@y.example"),
            id="recipients that are members of a list as well are served with it",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for a@y.example b@y.example",
                "address <a@y.example> marked delivered by root",
                "recipient <c@y.example> added by root",
            ],
            ("b@y.example", "c@y.example"),
            id="changed by hand",
        ),
        pytest.param(
            [f"== a@y.example {REMOTE} defer (111): Connection refused"],
            ("a@y.example",),
            id="its arrival stands in an older log",
        ),
        pytest.param(
            [
                "<= s@x.example S=1 for a@y.example",
                f"== a@y.example {REMOTE} defer (111): Connection refused",
                "address <a@y.example> marked delivered by root",
            ],
            (),
            id="all settled by hand: nobody is left, and Exim doesn't know yet",
        ),
        pytest.param(["Message is frozen"], (), id="found frozen, with nothing else known"),
        pytest.param(["cancelled by root"], None, id="nothing known at all"),
    ],
)
def test_who_is_still_in_the_queue(
    tmp_path: Path, rests: list[str], open_recipients: tuple[str, ...] | None
) -> None:
    log = lines(*((seconds, f"{ONE} {rest}") for seconds, rest in enumerate(rests)))
    found = [message.recipients for message in mail_of(tmp_path, log).queue(END_UNIX)]
    assert found == ([] if open_recipients is None else [open_recipients])


def test_frozen_and_thawed(tmp_path: Path) -> None:
    log = lines(
        (0, f"{ONE} <= s@example.com S=1 for a@example.net"),
        (10, f"{ONE} frozen by ACL"),
        (20, f"{ONE} Message is frozen"),
        (30, f"{ONE} unfrozen by root"),
        (30, f"{ONE} sender address changed to <t@example.com> by root"),
    )
    mail = mail_of(tmp_path, log)
    frozen = [mail.queue(START_UNIX + at)[0].is_frozen for at in (5, 10, 25, 30)]
    assert frozen == [False, True, True, False]
    assert mail.queue(END_UNIX)[0].sender == "t@example.com"


def test_mail_passed_on_while_it_comes_in_is_logged_before_it_has_arrived(tmp_path: Path) -> None:
    log = lines(
        (5, f"{ONE} >> a@example.net R=r T=remote_smtp H=mx.example.net [192.0.2.25]"),
        (6, f"{ONE} <= s@example.org H=x [192.0.2.4] P=esmtp S=9 for a@Example.net"),
        (6, f"{ONE} Completed"),
        (3, f"{TWO} <= s@example.org H=x [192.0.2.4] P=esmtp S=9 for a@Example.net"),
    )
    mail = mail_of(tmp_path, log)
    waiting, passed_on = mail.rows(END_UNIX)
    assert waiting.msgid == TWO
    assert (passed_on.recipient, passed_on.sender, passed_on.size) == (
        "a@Example.net",
        "s@example.org",
        9,
    )
    assert passed_on.sendunixtime == START_UNIX + 6


def test_mail_that_came_before_the_log_began_was_sent_at_the_time_in_its_id(
    tmp_path: Path,
) -> None:
    log = lines(
        (900, f"{ONE} ** a@example.net F=<s@example.com> R=r T=remote_smtp: no"),
        (901, f"{ONE} Completed"),
        (902, f"{TWO} Completed"),
    )
    (row,) = mail_of(tmp_path, log, domains="example.com: shop1\n").rows(END_UNIX)
    assert (row.sendunixtime, row.sender, row.user) == (START_UNIX, "s@example.com", "shop1")


def test_mail_that_a_filter_throws_away_is_delivered_for_all_recipients(tmp_path: Path) -> None:
    log = lines(
        (0, f"{ONE} <= s@example.org S=9 for a@example.com b@example.com"),
        (1, f"{ONE} => discarded (system filter)"),
    )
    assert [
        (row.type, row.recipient, row.deliveredto) for row in mail_of(tmp_path, log).rows(END_UNIX)
    ] == [
        ("success", "a@example.com", "discarded"),
        ("success", "b@example.com", "discarded"),
    ]


BERLIN = ZoneInfo("Europe/Berlin")
CLOCKS_GO_BACK_UNIX = 1_792_890_000
"""2026-10-25 01:00 UTC: from here the hour from 2 to 3 o'clock comes again."""
CLOCKS_GO_FORWARD_UNIX = 1_774_746_000
"""2026-03-29 01:00 UTC: from here the clock shows 3 where 2 o'clock would be."""


@pytest.mark.parametrize("change_unix", [CLOCKS_GO_BACK_UNIX, CLOCKS_GO_FORWARD_UNIX])
@pytest.mark.parametrize("step", [60, 600, 1900])
def test_the_order_of_lines_tells_which_of_two_hours_it_is(
    tmp_path: Path, change_unix: int, step: int
) -> None:
    """Here no id helps: it is one message that is tried again and again."""
    times = range(change_unix - 4000, change_unix + 8000, step)
    rest = f"{id_of(change_unix - 9000)} == a@example.net R=r defer (-1): no"
    log = [line(at_unix, rest, BERLIN) for at_unix in times]
    rows = mail_of(tmp_path, log, zone=BERLIN).rows(END_UNIX)
    assert [row.actionunixtime for row in rows] == list(times)
    assert [row.actiontime for row in rows] == [entry[:19] for entry in log]


def test_an_id_tells_which_of_two_hours_it_is(tmp_path: Path) -> None:
    for at_unix in (CLOCKS_GO_BACK_UNIX - 1800, CLOCKS_GO_BACK_UNIX + 1800):
        log = [line(at_unix, f"{id_of(at_unix)} <= a@example.com S=1 for b@example.net", BERLIN)]
        (row,) = mail_of(tmp_path, log, zone=BERLIN).rows(END_UNIX)
        assert row.sendunixtime == at_unix


def test_processes_that_overtake_each_other_dont_shift_the_hour(tmp_path: Path) -> None:
    times = [CLOCKS_GO_BACK_UNIX + seconds for seconds in (-1, 2, -1, -5, 3, 1, -2, 4)]
    rest = f"{id_of(CLOCKS_GO_BACK_UNIX - 9000)} == a@example.net R=r defer (-1): no"
    rows = mail_of(tmp_path, [line(at_unix, rest, BERLIN) for at_unix in times], zone=BERLIN).rows(
        END_UNIX
    )
    assert [row.actionunixtime for row in rows] == times


def test_an_offset_in_the_log_goes_before_the_servers_zone(tmp_path: Path) -> None:
    log = [
        f"2026-11-21 05:44:00.713 -0330 [77] {ONE} => a@example.net R=r T=t",
        f"2026-11-21 10:14:01 +0100 {ONE} => b@example.net R=r T=t",
    ]
    rows = mail_of(tmp_path, log, zone=BERLIN).rows(END_UNIX)
    assert [(row.actionunixtime, row.actiontime) for row in rows] == [
        (START_UNIX, "2026-11-21 10:14:00"),
        (START_UNIX + 1, "2026-11-21 10:14:01"),
    ]


GARBAGE = [
    b"\xff\xfe\x00",
    b"2026-13-45 09:14:00 " + ONE.encode() + b" Completed",
    b"2026-11-21 25:14:00 " + ONE.encode() + b" Completed",
    b"2026-11-21 09:14:99 " + ONE.encode() + b" Completed",
    b"x" * 3_000_000,
]


@given(st.lists(st.sampled_from(GARBAGE) | st.binary(max_size=60), max_size=6), st.data())
@settings(deadline=None, max_examples=40)
def test_a_line_that_is_no_line_is_all_that_is_lost(
    tmp_path_factory, garbage: list[bytes], data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    wanted = mail_of(folder, SOME_DAY).rows(END_UNIX)
    log = [entry.encode() for entry in SOME_DAY]
    for rubbish in garbage:
        log.insert(data.draw(st.integers(0, len(log))), rubbish.replace(b"\n", b" "))
    path = folder / "garbage"
    path.write_bytes(b"\n".join(log) + b"\n")
    assert LogMail(path, UTC, HOSTNAME).rows(END_UNIX) == wanted


@given(st.lists(st.integers(0, len(text(SOME_DAY))), max_size=12).map(sorted))
@settings(deadline=None)
def test_a_log_read_while_it_grows_is_the_same_as_one_read_at_once(
    tmp_path_factory, cuts: list[int]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    wanted = mail_of(folder, SOME_DAY)
    path = folder / "growing"
    path.write_bytes(b"")
    growing = LogMail(path, UTC, HOSTNAME)
    whole = text(SOME_DAY).encode()
    with path.open("ab", buffering=0) as log:
        for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
            log.write(whole[start:end])
            growing.queue(END_UNIX)
    assert growing.rows(END_UNIX) == wanted.rows(END_UNIX)
    assert growing.queue(END_UNIX) == wanted.queue(END_UNIX)


def test_each_call_reads_only_what_is_new(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = mail_of(tmp_path, SOME_DAY * 200)
    mail.rows(END_UNIX)
    read_bytes = 0
    pread = os.pread

    def counted(number: int, length: int, offset: int) -> bytes:
        nonlocal read_bytes
        found = pread(number, length, offset)
        read_bytes += len(found)
        return found

    monkeypatch.setattr(os, "pread", counted)
    with (tmp_path / "mainlog").open("a") as log:
        log.write(SOME_DAY[-1] + "\n")
    mail.rows(END_UNIX)
    assert read_bytes < 1000


def append(path: Path, log: Sequence[str]) -> None:
    with path.open("a") as file:
        file.write(text(log))


def test_a_log_is_followed_through_rotation(tmp_path: Path) -> None:
    """Exim goes on in the renamed file until it notices."""
    wanted = mail_of(tmp_path, SOME_DAY).rows(END_UNIX)
    mail = mail_of(tmp_path, SOME_DAY[:3])
    path = tmp_path / "mainlog"
    assert len(mail.rows(END_UNIX)) < len(wanted)
    path.rename(tmp_path / "mainlog.1")
    mail.rows(END_UNIX)
    append(tmp_path / "mainlog.1", SOME_DAY[3:5])
    append(path, SOME_DAY[5:])
    assert mail.rows(END_UNIX) == wanted


@pytest.mark.parametrize("shorter", [True, False])
def test_a_log_that_is_emptied_is_read_from_its_start(tmp_path: Path, shorter: bool) -> None:
    wanted = mail_of(tmp_path, SOME_DAY).rows(END_UNIX)
    first, second = (SOME_DAY[:9], SOME_DAY[9:]) if shorter else (SOME_DAY[:1], SOME_DAY[1:])
    mail = mail_of(tmp_path, first)
    mail.rows(END_UNIX)
    (tmp_path / "mainlog").write_text(text(second))
    assert (len(text(first)) > len(text(second))) is shorter
    assert mail.rows(END_UNIX) == wanted


def test_a_log_that_was_only_copied_to_another_place_is_not_read_twice(tmp_path: Path) -> None:
    mail = mail_of(tmp_path, SOME_DAY[:9])
    before = mail.rows(END_UNIX)
    (tmp_path / "copy").write_text(text(SOME_DAY[:9]))
    (tmp_path / "copy").rename(tmp_path / "mainlog")
    assert mail.rows(END_UNIX) == before
    append(tmp_path / "mainlog", SOME_DAY[9:])
    assert mail.rows(END_UNIX) == mail_of(tmp_path, SOME_DAY).rows(END_UNIX)


def test_a_log_that_vanishes_leaves_what_is_known(tmp_path: Path) -> None:
    mail = mail_of(tmp_path, SOME_DAY[:9])
    before = mail.rows(END_UNIX)
    (tmp_path / "mainlog").unlink()
    assert mail.rows(END_UNIX) == before
    (tmp_path / "mainlog").mkdir()
    assert mail.rows(END_UNIX) == before


def test_many_threads_see_whole_lines_only(tmp_path: Path) -> None:
    mail = mail_of(tmp_path, [])
    wrong: list[object] = []
    is_over = threading.Event()

    def look() -> None:
        try:
            while not is_over.is_set():
                rows = mail.rows(END_UNIX)
                wrong.extend(row for row in rows if row.recipient not in known)
                mail.queue(START_UNIX)
                mail.sums(END_UNIX)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is wrong
            wrong.append(error)

    known = {f"a{number}@example.net" for number in range(300)}
    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    with (tmp_path / "mainlog").open("a", buffering=1) as log:
        for number in range(300):
            msgid = id_of(START_UNIX + number)
            log.write(
                text(lines((number, f"{msgid} <= s@example.com S=1 for a{number}@example.net")))
            )
            log.write(text(lines((number, f"{msgid} => a{number}@example.net R=r T=t"))))
            log.write(text(lines((number, f"{msgid} Completed"))))
    is_over.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [row.recipient for row in mail.rows(END_UNIX)] == [
        f"a{number}@example.net" for number in range(300)
    ]


def test_a_mistake_is_told_in_one_sentence_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def problem(path: Path, domains: Path | None = None) -> str:
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared as a whole
            LogMail(path, UTC, HOSTNAME, domains)
        return str(caught.value)

    log, empty = tmp_path / "mainlog", tmp_path / "empty"
    log.touch()
    empty.write_text("# nothing\n*: nobody\n")
    os.mkfifo(tmp_path / "pipe")
    assert problem(tmp_path / "no") == (
        f"There is no file {tmp_path / 'no'}; name Exim's main log, such as /var/log/exim_mainlog."
    )
    assert problem(tmp_path) == (
        f"{tmp_path} is a folder; name the main log in it, such as {tmp_path / 'mainlog'}."
    )
    assert problem(tmp_path / "pipe") == (
        f"{tmp_path / 'pipe'} can't be read (it is no regular file);"
        " name a log file that this user may read."
    )
    assert problem(log, tmp_path / "no") == (
        f"{tmp_path / 'no'} can't be read (No such file or directory); name a copy of cPanel's"
        " /etc/userdomains, with a line domain: user for each domain."
    )
    assert problem(log, empty) == (
        f"{empty} names no domain; it needs a line domain: user for each, as in cPanel's"
        " /etc/userdomains."
    )

    def forbidden(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    assert problem(log) == (
        f"{log} can't be read (Permission denied); name a log file that this user may read."
    )
