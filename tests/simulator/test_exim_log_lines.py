"""Lines of Exim's main log, most of them written by a real Exim 4.96, and what each of them says.

Addresses of the machine they were made on are replaced by those for documentation.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from whm_simulator.exim_log.events import (
    Arrival,
    Attempt,
    Ended,
    Event,
    Freeze,
    Peer,
    RecipientAdded,
    Rejected,
    SenderChanged,
    Settled,
)
from whm_simulator.exim_log.line import Entry, read_line
from whm_simulator.exim_log.stamps import Stamp

ID = "1xVdYX-0001kG-2l"
LONG_ID = "1wtYVW-0000000GFxD-3Ryp"
TIME = "2026-11-23 23:34:41"

ARRIVALS = [
    (
        "<= bob@example.com U=root P=local S=289 for a@example.net",
        Arrival(ID, "bob@example.com", "", None, "root", "local", "", "", 289, ("a@example.net",)),
    ),
    (
        (
            "<= bob@example.com H=(client.example.org) [198.51.100.7]:38459 I=[192.0.2.1]:2599"
            " P=esmtpa"
            " L.- A=dovecot_login:bob@example.com S=237 M8S=0 RT=0.001s id=abc@x"
            r' T="h\303\251llo \"for you\" A=x S=9 for me" from <bob@example.com>'
            " for a@example.net d@example.org"
        ),
        Arrival(
            ID,
            "bob@example.com",
            "",
            Peer("(client.example.org)", "198.51.100.7"),
            "",
            "esmtpa",
            "dovecot_login",
            "bob@example.com",
            237,
            ("a@example.net", "d@example.org"),
        ),
    ),
    (
        (
            "<= <> R=1xVdYX-0001kO-2t U=Debian-exim P=local S=1947"
            ' T="Mail delivery failed: returning message to sender" from <> for "first'
            ' last"@example.com'
        ),
        Arrival(
            ID,
            "",
            "1xVdYX-0001kO-2t",
            None,
            "Debian-exim",
            "local",
            "",
            "",
            1947,
            ('"first last"@example.com',),
        ),
    ),
    (
        (
            '<= "first last"@example.com U=root P=local S=299 for "o brien"@example.net'
            r' "a\"b"@example.net plain@example.net "x: y"@example.net'
        ),
        Arrival(
            ID,
            '"first last"@example.com',
            "",
            None,
            "root",
            "local",
            "",
            "",
            299,
            (
                '"o brien"@example.net',
                r'"a\"b"@example.net',
                "plain@example.net",
                '"x: y"@example.net',
            ),
        ),
    ),
    (
        (
            "<= remote@example.org H=mail.example.org ([IPv6:2001:db8::1]) [2001:db8::9]:60365"
            " U=mailer"
            " P=esmtps X=TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256 CV=no"
            ' DN="/CN=a b S=5" K S=266 DKIM=example.org id=<x@y> for bob@example.com'
        ),
        Arrival(
            ID,
            "remote@example.org",
            "",
            Peer("mail.example.org", "2001:db8::9"),
            "mailer",
            "esmtps",
            "",
            "",
            266,
            ("bob@example.com",),
        ),
    ),
    (
        "(= remote@example.org H=([192.0.2.34]) [198.51.100.8] P=esmtp S=272",
        Arrival(
            ID,
            "remote@example.org",
            "",
            Peer("([192.0.2.34])", "198.51.100.8"),
            "",
            "esmtp",
            "",
            "",
            272,
        ),
    ),
    (
        "<= remote@example.org H=[198.51.100.8] P=smtp",
        Arrival(ID, "remote@example.org", "", Peer("", "198.51.100.8"), "", "smtp"),
    ),
    (
        (
            "<= почта@example.org A=dovecot_plain:анна@example.com:анна@example.com P=utf8esmtpa"
            " S=5"
            ' T="for" for 山田@example.net'
        ),
        Arrival(
            ID,
            "почта@example.org",
            "",
            None,
            "",
            "utf8esmtpa",
            "dovecot_plain",
            "анна@example.com",
            5,
            ("山田@example.net",),
        ),
    ),
    ("<= bob@example.com", Arrival(ID, "bob@example.com")),
]
REMOTE = {"router": "lookuphost", "transport": "remote_smtp"}
MX = Peer("mx.example.net", "192.0.2.25")
GONE = (
    "SMTP error from remote mail server after RCPT TO:<n@example.net>: 550-5.1.1 <n@example.net>:"
    r" The email account\n550-5.1.1 does not exist.\n550 5.1.1 Learn more"
)
DELIVERIES = [
    (
        (
            "=> a@example.net F=<bob@example.com> P=<bob@example.com> R=lookuphost T=remote_smtp"
            " S=249"
            " H=mx.example.net [192.0.2.25]:25* I=[192.0.2.1]:38808 X=TLS1.3:AES256:256 CV=yes L K"
            r' C="250 2.0.0 Ok: queued \"as\" R=x \\x" QT=0.018s DT=0.004s'
        ),
        Attempt(
            ID,
            "=>",
            "a@example.net",
            sender="bob@example.com",
            peer=MX,
            confirmation=r'250 2.0.0 Ok: queued "as" R=x \x',
            **REMOTE,
        ),
    ),
    (
        "-> b@example.net R=lookuphost T=remote_smtp H=mx.example.net DS [2001:db8::25] A=plain:me",
        Attempt(ID, "->", "b@example.net", peer=Peer("mx.example.net", "2001:db8::25"), **REMOTE),
    ),
    (
        (
            ">> cut@example.net F=<remote@example.org> R=lookuphost T=remote_smtp"
            ' H=mx.example.net [192.0.2.25] C="250 OK"'
        ),
        Attempt(
            ID,
            ">>",
            "cut@example.net",
            sender="remote@example.org",
            peer=MX,
            confirmation="250 OK",
            **REMOTE,
        ),
    ),
    (
        (
            "*> a@example.net F=<> R=lookuphost T=remote_smtp H=mx.example.net [192.0.2.25]"
            ' C="delivery bypassed by -N option"'
        ),
        Attempt(
            ID,
            "*>",
            "a@example.net",
            sender="",
            peer=MX,
            confirmation="delivery bypassed by -N option",
            **REMOTE,
        ),
    ),
    (
        (
            "=> bob (deeper@example.com, sales@example.com) <deep@example.com> F=<x@example.com>"
            " R=virtual_user T=dovecot_virtual_delivery H=localhost DT=0s"
        ),
        Attempt(
            ID,
            "=>",
            "bob",
            "deep@example.com",
            ("deeper@example.com", "sales@example.com"),
            "x@example.com",
            "virtual_user",
            "dovecot_virtual_delivery",
            Peer("localhost", ""),
        ),
    ),
    (
        '=> o brien@example.net <"o brien"@example.net> F=<"first last"@example.com> R=r T=t',
        Attempt(
            ID,
            "=>",
            "o brien@example.net",
            '"o brien"@example.net',
            sender='"first last"@example.com',
            router="r",
            transport="t",
        ),
    ),
    (
        "=> |/bin/cat --help T=x <pipe@example.com> F=<ann@example.com> R=lists T=to_pipe QT=1s",
        Attempt(
            ID,
            "=>",
            "|/bin/cat --help T=x",
            "pipe@example.com",
            sender="ann@example.com",
            router="lists",
            transport="to_pipe",
        ),
    ),
    (
        "=> :blackhole: <hole@example.com> R=lists",
        Attempt(ID, "=>", ":blackhole:", "hole@example.com", router="lists"),
    ),
    (
        "=> discarded (system filter)",
        Attempt(ID, "=>", "discarded", parents=("system filter",)),
    ),
]
FAILURES = [
    (
        (
            f"** n@example.net F=<bob@example.com> R=lookuphost T=remote_smtp H=mx.example.net"
            f" [192.0.2.25]:2511 X=TLS1.3:AES256:256 CV=yes: {GONE} DT=1m2s"
        ),
        Attempt(ID, "**", "n@example.net", sender="bob@example.com", peer=MX, text=GONE, **REMOTE),
    ),
    (
        "** jim@example.net <jim@example.com>: unknown mail domain",
        Attempt(ID, "**", "jim@example.net", "jim@example.com", text="unknown mail domain"),
    ),
    (
        "** z@example.org F=<bob@example.com>: Unrouteable address DT=0s",
        Attempt(ID, "**", "z@example.org", sender="bob@example.com", text="Unrouteable address"),
    ),
    (
        '** x: y@example.net <"x: y"@example.net> F=<> R=lookuphost T=remote_smtp: a R=b: c',
        Attempt(
            ID,
            "**",
            "x: y@example.net",
            '"x: y"@example.net',
            sender="",
            text="a R=b: c",
            **REMOTE,
        ),
    ),
    (
        (
            "** a@example.net R=dnslookup T=remote_smtp: SMTP error from remote mailer after"
            " pipelined"
            " RCPT TO:<a@example.net>: host mx.example.net [192.0.2.25]: 553 5.3.0 unknown"
        ),
        Attempt(
            ID,
            "**",
            "a@example.net",
            router="dnslookup",
            transport="remote_smtp",
            peer=MX,
            text="SMTP error from remote mailer after pipelined RCPT TO:<a@example.net>:"
            " host mx.example.net [192.0.2.25]: 553 5.3.0 unknown",
        ),
    ),
    (
        (
            "** |/bin/false: x <broken@example.com> F=<> R=lists T=to_pipe: Child process of"
            " to_pipe"
            " transport returned 1 from command: /bin/false"
        ),
        Attempt(
            ID,
            "**",
            "|/bin/false: x",
            "broken@example.com",
            sender="",
            router="lists",
            transport="to_pipe",
            text="Child process of to_pipe transport returned 1 from command: /bin/false",
        ),
    ),
    (
        (
            "** user@example.com R=enforce_mail_permissions: Domain example.com has exceeded the"
            " max"
            " defers and failures per hour (5/5 (100%)) allowed. Message discarded."
        ),
        Attempt(
            ID,
            "**",
            "user@example.com",
            router="enforce_mail_permissions",
            text="Domain example.com has exceeded the max defers and failures per hour (5/5 (100%))"
            " allowed. Message discarded.",
        ),
    ),
]
DEFERRALS = [
    (
        (
            "== d@example.net R=lookuphost T=remote_smtp defer (-44) H=mx.example.net"
            " [192.0.2.25]:2511"
            " I=[192.0.2.1]:1 DT=0.000s: SMTP error from remote mail server after RCPT"
            " TO:<d@example.net>: 451 4.7.1 <d@example.net>: Greylisted DT=0s"
        ),
        Attempt(
            ID,
            "==",
            "d@example.net",
            peer=MX,
            errno=-44,
            text="SMTP error from remote mail server after RCPT TO:<d@example.net>: 451 4.7.1"
            " <d@example.net>: Greylisted",
            **REMOTE,
        ),
    ),
    (
        "== y@example.net R=lookuphost T=remote_smtp defer (111): Connection refused DT=0s",
        Attempt(ID, "==", "y@example.net", errno=111, text="Connection refused", **REMOTE),
    ),
    (
        (
            "== h@example.net R=lookuphost T=remote_smtp defer (110): Connection timed out"
            " H=mx.example.net [192.0.2.25]:25 DT=1s: SMTP timeout after RCPT TO:<h@example.net>"
        ),
        Attempt(
            ID,
            "==",
            "h@example.net",
            peer=MX,
            errno=110,
            text="SMTP timeout after RCPT TO:<h@example.net>",
            **REMOTE,
        ),
    ),
    (
        (
            "== a@example.net R=lookuphost T=remote_smtp defer (-53): retry time not reached for"
            " any"
            " host for 'example.net'"
        ),
        Attempt(
            ID,
            "==",
            "a@example.net",
            errno=-53,
            text="retry time not reached for any host for 'example.net'",
            **REMOTE,
        ),
    ),
    (
        "== a@example.net R=lists defer (-1): not now: ask again",
        Attempt(ID, "==", "a@example.net", router="lists", errno=-1, text="not now: ask again"),
    ),
    (
        "== a@example.net routing defer (-51): retry time not reached",
        Attempt(ID, "==", "a@example.net", errno=-51, text="retry time not reached"),
    ),
    (
        (
            "== full@example.com <list@example.com> R=quota T=quota_delivery defer (-22): mailbox"
            " is"
            " full (MTA-imposed quota exceeded while writing to tmp/x)"
        ),
        Attempt(
            ID,
            "==",
            "full@example.com",
            "list@example.com",
            router="quota",
            transport="quota_delivery",
            errno=-22,
            text="mailbox is full (MTA-imposed quota exceeded while writing to tmp/x)",
        ),
    ),
]
REMARKS: list[tuple[str, Event]] = [
    ("Completed", Ended(ID)),
    ("Completed QT=2.124s", Ended(ID)),
    ("removed by root", Ended(ID)),
    ("Frozen (delivery error message)", Freeze(ID, True)),
    ("frozen by ACL", Freeze(ID, True)),
    ("Message is frozen", Freeze(ID, True)),
    ("unfrozen by root", Freeze(ID, False)),
    ("Unfrozen by forced delivery", Freeze(ID, False)),
    ("address <e@example.net> marked delivered by root", Settled(ID, "e@example.net")),
    ("a@example.net <list@example.com>: error ignored", Settled(ID, "a@example.net")),
    ("recipient <z@example.net> added by root", RecipientAdded(ID, "z@example.net")),
    ("sender address changed to <ann@example.com> by root", SenderChanged(ID, "ann@example.com")),
    (
        "H=(a) [192.0.2.4] F=<b@example.org> rejected after DATA: no: spam",
        Rejected(ID, Peer("(a)", "192.0.2.4"), "b@example.org", "after DATA", "", "no: spam"),
    ),
]


@pytest.mark.parametrize(
    ("rest", "event"), [*ARRIVALS, *DELIVERIES, *FAILURES, *DEFERRALS, *REMARKS]
)
def test_a_line_says_exactly_this(rest: str, event: Event) -> None:
    assert read_line(f"{TIME} {ID} {rest}".encode()) == Entry(Stamp(TIME), event)


@pytest.mark.parametrize(
    ("front", "stamp"),
    [
        (f"{TIME} {ID}", Stamp(TIME)),
        (f"{TIME}.713 {ID}", Stamp(TIME)),
        (f"{TIME} +0100 {ID}", Stamp(TIME, "+0100")),
        (f"{TIME}.713 -0330 [9713] {ID}", Stamp(TIME, "-0330")),
        (f"{TIME} [1] {ID}", Stamp(TIME)),
        (f"\0\0\0{TIME} {ID}", Stamp(TIME)),
    ],
)
def test_what_stands_before_the_id_depends_on_log_selectors(front: str, stamp: Stamp) -> None:
    assert read_line(f"{front} Completed".encode()) == Entry(stamp, Ended(ID))


def test_ids_have_16_characters_or_23_since_exim_4_97() -> None:
    assert read_line(f"{TIME} {LONG_ID} Completed".encode()) == Entry(Stamp(TIME), Ended(LONG_ID))


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            (
                "H=([IPv6:2001:db8::1]) [2001:db8::7]:60365 I=[192.0.2.1]:25 F=<r@example.org>"
                " rejected"
                " RCPT <bad@example.com>: no such person here"
            ),
            Rejected(
                "",
                Peer("([IPv6:2001:db8::1])", "2001:db8::7"),
                "r@example.org",
                "RCPT",
                "bad@example.com",
                "no such person here",
            ),
        ),
        (
            (
                "H=mail.example.org [192.0.2.4] X=TLS1.3:AES256:256 CV=no temporarily rejected MAIL"
                " <r@example.org>: later"
            ),
            Rejected(
                "", Peer("mail.example.org", "192.0.2.4"), None, "MAIL", "r@example.org", "later"
            ),
        ),
        (
            "rejected EHLO from [192.0.2.4]: syntactically invalid argument(s): a b",
            Rejected(
                "",
                None,
                None,
                "EHLO from [192.0.2.4]",
                "",
                "syntactically invalid argument(s): a b",
            ),
        ),
    ],
)
def test_a_refusal_needs_no_id(line: str, event: Event) -> None:
    assert read_line(f"{TIME} {line}".encode()) == Entry(Stamp(TIME), event)


@pytest.mark.parametrize(
    "rest",
    [
        "exim 4.96 daemon started: pid=6868, no queue runs",
        "Start queue run: pid=6722",
        "cwd=/var/spool/exim 3 args: /usr/sbin/exim -Mc 1avJcc-0003Py-15",
        f"{ID} SMTP connection outbound 1461741057 {ID} example.com a@example.com",
        f"{ID} H=mx.example.net [192.0.2.25] Connection refused",
        f"{ID} no immediate delivery: queued by ACL",
        f"{ID} cancelled by root",
        f"{ID} {ID} no recipients found in headers",
        f"{ID} == a@example.net R=cut",
        f"{ID} => a@example.n",
        f"{ID} **",
        f"{ID} ",
        f"{ID} <= ",
    ],
)
def test_other_lines_and_lines_cut_short_say_nothing(rest: str) -> None:
    assert read_line(f"{TIME} {rest}".encode()) is None


def test_a_line_cut_off_by_a_crash_doesnt_take_the_next_one_with_it() -> None:
    whole = f"{TIME} {ID} => b@example.com R=r T=t"
    cut = f"2026-11-23 23:34:40 {LONG_ID} => a@exam"
    assert read_line(f"{cut}{whole}".encode()) == read_line(whole.encode())
    assert read_line(f"{cut}{cut}{whole}".encode()) == read_line(whole.encode())


def test_bytes_that_are_no_text_become_a_mark_in_their_place() -> None:
    line = f"{TIME} {ID} => caf".encode() + b"\xe9@example.com R=r T=t"
    assert read_line(line) == Entry(
        Stamp(TIME), Attempt(ID, "=>", "caf\ufffd@example.com", router="r", transport="t")
    )


_PIECES = st.sampled_from(
    [
        TIME,
        ID,
        LONG_ID,
        " ",
        "<= ",
        "=> ",
        "== ",
        "** ",
        "<",
        ">",
        '"',
        "\\",
        "(",
        ")",
        "[",
        "]",
        ": ",
        "=",
        "H=",
        "R=a",
        "T=b",
        "F=<",
        " for ",
        " from ",
        "defer (",
        "C=",
        "@",
        "Completed",
        "rejected ",
        "|",
        "\x00",
        "DT=0s",
        "S=99999999999999999999999",
        "[::1]:25",
        ": error ignored",
    ]
)


@given(st.lists(_PIECES | st.text(max_size=5), max_size=40).map("".join))
@example(f"{TIME} {ID} == a defer (99999999999999999999999): x")
def test_no_line_of_known_pieces_raises(rest: str) -> None:
    for front in (b"", f"{TIME} {ID} ".encode(), f"{TIME} {ID} ** ".encode()):
        read_line(front + rest.encode("utf-8", "surrogatepass"))


@given(st.binary(max_size=300))
def test_no_bytes_raise(line: bytes) -> None:
    for front in (b"", f"{TIME} {ID} <= ".encode(), f"{TIME} {ID} => ".encode()):
        read_line(front + line)
