"""A stand-in for the recipient makes texts equal, and changes nothing that is decided of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.bounces.skeleton import LONGEST_READ, LONGEST_WORD, Skeletons
from cpanel_mail_exporter.bounces.stand_in import with_stand_in

SKELETONS = Skeletons()
AMY = "amy@example.com"
WRAPPED = (
    "SMTP error from remote mail server after RCPT TO:<{to}>: host mx1.example.net [192.0.2.25]: "
    '550-5.1.1 The email account "{to}" does not exist'
)


def test_texts_that_differ_in_whom_they_name_become_equal() -> None:
    pairs = [("amy@example.com", "bob@example.org"), ("a.b@example.net", "c'd@e-f.example")]
    for one, other in pairs:
        texts = {with_stand_in(WRAPPED.format(to=to), to) for to in (one, other)}
        assert len(texts) == 1


@pytest.mark.parametrize(
    ("text", "recipient"),
    [
        ("550 No such user", AMY),
        (f"550 x{AMY} is unknown", AMY),
        (f"550 {AMY}.", AMY),
        (f"550 {AMY}{AMY}", AMY),
        (f"550 \\n{AMY}", AMY),
        (f"SMTP error from remote {AMY} after: 550 No", AMY),
        ("550 amy is unknown", "amy"),
        ("550 -amy@example.com", "-amy@example.com"),
        ("550 a@b@example.com", "a@b@example.com"),
        ("550 a@b", "a@b"),
        ("550 SIZE=a@example.com", "SIZE=a@example.com"),
        ("550 ämy@example.com", "ämy@example.com"),
        ("(" * LONGEST_WORD + AMY, AMY),
        ("word " * (LONGEST_READ // 5) + AMY, AMY),
        ("", ""),
    ],
)
def test_what_is_not_surely_an_address_by_itself_stays(text: str, recipient: str) -> None:
    assert with_stand_in(text, recipient) == text


_RECIPIENTS = st.one_of(
    st.sampled_from((AMY, "a@b.c", "host@x.y", "SIZE=a@x.y", "1.2.3.4@x.y", "RCPT@TO", "a@b\nc")),
    st.from_regex(r"\A[aB1_.+='-]{1,9}@[aB1_.-]{1,9}\Z"),
)
_PIECES = st.sampled_from(
    [
        *("SMTP error from remote mail server after ", "RCPT TO:", "host ", " [192.0.2.25]", ": "),
        *("<", ">", '"', " ", ".", "=", "@", "\\n", "\\", "\t", "(", "550-5.1.1 ", "x", "ä", "Ã¤"),
        *("FROM=", " SIZE=", "12345678", "id1a2b3c4d5e", "\ud83d", ",", ";", "\xa0", "-", "'"),
    ]
)


@given(st.data(), _RECIPIENTS)
def test_the_skeleton_is_the_same(data: st.DataObject, recipient: str) -> None:
    pieces = data.draw(st.lists(st.one_of(_PIECES, st.just(recipient)), max_size=12))
    long = data.draw(st.sampled_from(("", "x" * 80, "(" * (LONGEST_WORD - 9), "w " * 995)))
    text = long + "".join(pieces)
    assert SKELETONS.of(with_stand_in(text, recipient)) == SKELETONS.of(text)
