"""What a text says about whom is masked, what it says about why stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.ledger.masking import LONGEST_READ, LONGEST_SHOWN, masked
from tests.unit.exposition.records import delivery

WRAPPED = (
    "SMTP error from remote mail server after RCPT TO:<amy.berg@example.net>: "
    "host mx7.example.net [192.0.2.77]: "
)
MASKED = "SMTP error from remote mail server after RCPT TO:<ADDRESS>: host HOST [IP]: "


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # Whom it is about.
        ("<amy.berg@example.net> is away", "<ADDRESS> is away"),
        ("no amy+shop@example.net here", "no ADDRESS here"),
        ("no (amy@xn--bcher-kva.example), really", "no (ADDRESS), really"),
        ("mailbox:amy@example.net;x", "mailbox:ADDRESS;x"),
        ('no "amy berg"@example.net here', "no ADDRESS here"),
        ("no prvs=1=amy=example.com@example.net", "no ADDRESS"),
        ("see https://w.example/?e=amy%40example.com now", "see https:ADDRESS now"),
        ("no grüße@example.net here", "no ADDRESS here"),
        ("RCPT TO:<postmaster>: no", "RCPT TO:<ADDRESS>: no"),
        ("MAIL FROM:<> no", "MAIL FROM:<ADDRESS> no"),
        ("MAIL FROM: <amy berg> no", "MAIL FROM:<ADDRESS> no"),
        ("<amy.berg>: not here", "<ADDRESS>: not here"),
        ("user amy.berg isn't here", "user ADDRESS isn't here"),
        ("user amy.berg.", "user ADDRESS."),
        ("user amy.bergmann isn't yours", "user amy.bergmann isn't yours"),
        ("shop is suspended", "ADDRESS is suspended"),
        # Where it came from, in Exim's wrapper only.
        (WRAPPED + "550 no", MASKED + "550 no"),
        ("host mx7.example.net [2001:db8::77]: 421 no", "host HOST [IP]: 421 no"),
        ("connect to host mx7.example.net failed", "connect to host mx7.example.net failed"),
        ("your host [192.0.2.8] and 198.51.100.9.", "your host [IP] and IP."),
        ("listed: 2001:db8:1::8f, at bl.example.org", "listed: IP, at bl.example.org"),
        # Which one it is.
        ("queued as 4Fx2kT1Vz2z9s on mx.example.net", "queued as ID on mx.example.net"),
        ("try after 86400 s, code 1310", "try after ID s, code 1310"),
        ("d9443c01a7336-22bc4b2si123.456 - gsmtp", "ID.456 - gsmtp"),
        # Why.
        ("550-5.7.26 unauthenticated (S3150)", "550-5.7.26 unauthenticated (S3150)"),
        ("554 5.7.1 [TS01] AUP#1310 (AS8522)", "554 5.7.1 [TS01] AUP#1310 (AS8522)"),
        ("RFC5321 and postmaster: see https://support.example/x", None),
        ("451 4.7.1: try later: :: ...", None),
        ("a\n b\t c ", "a b c"),
        ("", ""),
    ],
)
def test_whom_it_is_about_is_masked_and_why_stays(text: str, wanted: str | None) -> None:
    record = delivery(
        message=text,
        recipient="amy.berg@example.net",
        delivered_to="",
        sender="shop@example.com",
    )
    assert masked(record) == (text if wanted is None else wanted)


def test_short_local_parts_are_no_words_to_look_for() -> None:
    record = delivery(message="no a here", recipient="a@example.net", delivered_to="no@x.example")
    assert masked(record) == "no a here"


def test_a_long_text_is_cut_and_half_an_address_never_stays() -> None:
    head = "x " * (LONGEST_READ // 2 - 4)
    cut = masked(delivery(message=head + "amy.bergmann@example.net and more"))
    assert cut == ("x " * LONGEST_SHOWN)[: LONGEST_SHOWN - 1] + "…"
    for place in range(60):
        text = "y" * (LONGEST_SHOWN - place) + " amy.bergmann@example.net"
        shown = masked(delivery(message=text))
        assert "amy" not in shown
        assert len(shown) <= LONGEST_SHOWN
    for place in range(LONGEST_READ - 30, LONGEST_READ + 1):
        # What is looked at ends somewhere in the address; what stands before it shrinks.
        text = "z" * (place - 10) + "@x.example amy.bergmann@example.net"
        assert masked(delivery(message=text)) in {"ADDRESS", "ADDRESS ADDRESS"}


@given(
    st.text(st.sampled_from("ab1 :.<>[]@%4\"'-,;\n\ud800é"), max_size=60),
    st.text(st.sampled_from("abc.+-_1"), min_size=1, max_size=20),
)
def test_no_local_part_before_an_at_sign_ever_stays(around: str, local_part: str) -> None:
    secret = f"k{local_part}k"
    shown = masked(delivery(message=f"{around} {secret}@example.net {around}"))
    assert secret not in shown


@pytest.mark.parametrize(
    "piece", ["@", "%40", '"', '"a ', "1", ":", "1.", "<", "TO:<", "host ", "a1-"]
)
def test_hostile_texts_cost_little(piece: str) -> None:
    """Only LONGEST_READ characters are looked at, by patterns that don't look back far."""
    assert len(masked(delivery(message=piece * 200_000))) <= LONGEST_SHOWN
