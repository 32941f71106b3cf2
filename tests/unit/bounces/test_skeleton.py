"""Texts of one kind have one skeleton, and what may be a receiver's code stays in it."""

import pytest

from cpanel_mail_exporter.bounces.skeleton import LONGEST_READ, Skeletons

SKELETONS = Skeletons()


@pytest.mark.parametrize(
    ("text", "skeleton"),
    [
        ("User  <Bob@Example.com>\tunknown", "user <addr> unknown"),
        ("one\\r\\ntwo\\nthree\nfour", "one two three four"),
        ("[192.0.2.25] and 2001:db8::25.", "[0.0.0.0] and 0::0."),
        (
            ("SMTP error from remote mail server after RCPT TO:<bob@example.com>: host "
            "mx9.example.com [192.0.2.25]: 550 No"),
            "smtp error from remote mail server after rcpt to: 550 no",
        ),
        ("host mx9.example.com[192.0.2.25] said: 550 No", "host h [0.0.0.0] said: 550 no"),
        ("k12si3456789pgb.77 - gsmtp", "id - gsmtp"),
        ("size 10485761 id 08de2dc1a2b3c4d5 S3140 c=r0301 OFR004_104 [TSS04]",
         "size 000000 id id s3140 c=r0301 ofr004_104 [tss04]"),
        ("550-Requested action not taken", "550-requested action not taken"),
        ("EmpfÃ¤nger unbekannt", "empfänger unbekannt"),
        ("Empfänger unbekannt", "empfänger unbekannt"),
        ("", ""),
    ],
)  # fmt: skip
def test_what_differs_from_mail_to_mail_is_masked(text: str, skeleton: str) -> None:
    assert SKELETONS.of(text) == skeleton


def test_a_text_is_read_as_far_as_the_bound_and_no_further() -> None:
    start = "word " * (LONGEST_READ // 5)
    assert SKELETONS.of(start + "x" * 1_000_000) == start.strip()


def test_halves_of_characters_do_no_harm() -> None:
    assert SKELETONS.of("no \ud83d user") == "no ? user"
