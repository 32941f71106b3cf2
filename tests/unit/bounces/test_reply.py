"""The reply is found within what a mail server wrote around it, and numbers aren't taken for it."""

import pytest

from cpanel_mail_exporter.bounces.reply import Reply, read_reply
from cpanel_mail_exporter.bounces.skeleton import Skeletons


def reply(text: str) -> Reply:
    return read_reply(Skeletons().of(text))


EXIM = "SMTP error from remote mail server after RCPT TO:<bob@example.com>: host mx.example.com "


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            EXIM + "[192.0.2.25]: 550 5.1.1 <bob@example.com>: User unknown",
            Reply("<addr>: user unknown", "550", "5.1.1", "rcpt"),
            id="Exim",
        ),
        pytest.param(
            EXIM + "[192.0.2.25]: 550-5.1.1 No such user.\\n550 5.1.1 See the help",
            Reply("no such user. see the help", "550", "5.1.1", "rcpt"),
            id="several lines, with a written line break",
        ),
        pytest.param(
            EXIM + "[192.0.2.25]: 550-No such user\n550-5.1.1 here\n550 5.1.1 at all",
            Reply("no such user here at all", "550", "5.1.1", "rcpt"),
            id="several lines, with a real line break",
        ),
        pytest.param(
            "SMTP error from remote mail server after RCPT TO:<bob@example.com>: 550 Your host "
            "h.example.org [192.0.2.25]: not welcome",
            Reply("your host h [0.0.0.0]: not welcome", "550", "", "rcpt"),
            id="Exim's log, where the host stands in a field of its own",
        ),
        pytest.param(
            EXIM + "[2001:db8::25]: 451 4.7.1 Greylisted",
            Reply("greylisted", "451", "4.7.1", "rcpt"),
            id="IPv6",
        ),
        pytest.param(
            "SMTP error from remote mail server after pipelined MAIL FROM:<a@example.org> "
            "SIZE=550: host mx.example.com [192.0.2.25]: 421 Try again later",
            Reply("try again later", "421", "", "mail"),
            id="a size that looks like a code",
        ),
        pytest.param(
            "SMTP error from remote mail server after end of data: host mx.example.com "
            "[192.0.2.25]: 554 Refused",
            Reply("refused", "554", "", "data"),
            id="end of data",
        ),
        pytest.param(
            "host mx.example.com [192.0.2.25]\n SMTP error from remote mail server after MAIL "
            "FROM:<a@example.org>: 553 5.1.8 Refused",
            Reply("refused", "553", "5.1.8", "mail"),
            id="Exim of old, the host first",
        ),
        pytest.param(
            "host mx.example.com[192.0.2.25] said: 452 4.2.2 Mailbox full (in reply to RCPT TO "
            "command)",
            Reply("mailbox full", "452", "4.2.2", "rcpt"),
            id="Postfix",
        ),
        pytest.param(
            "192.0.2.25 does not like recipient. Remote host said: 550 No mailbox here",
            Reply("no mailbox here", "550", "", "rcpt"),
            id="qmail",
        ),
        pytest.param(
            "smtp; 550 5.1.1 User unknown", Reply("user unknown", "550", "5.1.1", ""), id="a DSN's"
        ),
        pytest.param(
            "5.1.0 - Unknown address error 550-'5.1.1 User unknown' (delivery attempts: 0)",
            Reply("'5.1.1 user unknown' (delivery attempts: 0)", "550", "5.1.0", ""),
            id="an appliance's",
        ),
        pytest.param("421", Reply("", "421", "", ""), id="a code alone"),
        pytest.param("Connection refused", Reply("connection refused"), id="no reply at all"),
        pytest.param("", Reply(""), id="nothing"),
    ],
)
def test_the_reply_is_found_within_its_wrapper(text: str, found: Reply) -> None:
    assert reply(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "<550@example.com>: User unknown",
        "bob.550@example.com is unknown",
        "550.example.com doesn't answer",
        "connect to mx550.example.com [198.51.100.55]:25: timed out",
        "connect to 450.451.example.net: timed out",
        "connect to [192.0.2.25]:465: timed out",
        "retry in 450 seconds",
        "after 500 attempts",
        "the size was 512",
        "a limit of 550 messages",
        "too large: 500 kb",
        "id 550e8400-e29b-41d4-a716-446655440000 failed",
        "Exim 4.96 says no",
        "version 5.7.12.3 is too old",
        "see https://example.com/550/help",
    ],
)
def test_numbers_elsewhere_are_no_codes(text: str) -> None:
    assert reply(text)[1:3] == ("", "")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("No mailbox here (#5.1.1)", ("", "5.1.1")),
        ("Try again [#4.1.9].", ("", "4.1.9")),
        ("ERROR_CODE :550, ERROR_CODE :5.1.1 User unknown", ("550", "5.1.1")),
        ("The server returned: [554 5.4.6 Too many hops]", ("554", "5.4.6")),
        ("550 550 5.7.1 Refused", ("550", "5.7.1")),
        ("571 Refused", ("571", "")),
        ("452. 4.3.1 Insufficient storage", ("452", "4.3.1")),
        ("250 Ok", ("", "")),
        ("- 4.16.55.1; see the page", ("", "")),
    ],
)
def test_codes_are_found_where_people_put_them(text: str, codes: tuple[str, str]) -> None:
    assert reply(text)[1:3] == codes


def test_what_a_pipelining_server_says_to_later_commands_is_left_out() -> None:
    text = "550 5.1.1 User unknown 503 5.5.1 Error: need RCPT command"
    assert reply(text) == Reply("user unknown", "550", "5.1.1", "")
