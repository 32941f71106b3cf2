"""Identity, direction and provider: pure functions of one row."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.ledger.counters import DIRECTIONS
from cpanel_mail_exporter.ledger.direction import direction
from cpanel_mail_exporter.ledger.identity import (
    event_identity,
    home_second,
    message_identity,
    recipient_identity,
)
from cpanel_mail_exporter.ledger.provider import provider
from cpanel_mail_exporter.model.reason import Reason
from cpanel_mail_exporter.model.records import DeliveryRecord
from tests.unit.exposition.records import delivery
from tests.unit.ledger.mail import MEANING, WAYS, row

OF_IDENTITY = ("type", "msg_id", "recipient", "delivered_to", "transport", "host", "ip")
PINNED = (-247919787086478537, 327778348087320309, 8949824463983871001)
TEXTS = st.text(st.sampled_from("ab\0\x01(',\ud800é"), max_size=3)


def test_an_identity_depends_on_what_cannot_be_filled_in_later_and_on_nothing_else() -> None:
    plain = delivery()
    by_others = DeliveryRecord._fields[:22]
    for name in by_others:
        changed = plain._replace(**{name: "another"})
        is_other = event_identity(changed) != event_identity(plain)
        assert is_other == (name in OF_IDENTITY), name
    assert event_identity(delivery(send_unix=1)) != event_identity(plain)
    assert event_identity(delivery(action_unix=1)) != event_identity(plain)


def test_times_that_say_the_same_in_other_words_are_the_same() -> None:
    assert event_identity(delivery(sendunixtime="1763662998.0")) == event_identity(delivery())
    odd = [delivery(None, sendunixtime=text) for text in ("", "soon")]
    assert event_identity(odd[0]) != event_identity(odd[1])


@given(st.lists(st.tuples(*[TEXTS] * 7), unique=True, min_size=2, max_size=6))
def test_no_text_makes_two_rows_one(values: list[tuple[str, ...]]) -> None:
    """Neither separators inside a text nor halves of characters."""
    rows = [delivery(**dict(zip(OF_IDENTITY, one, strict=True))) for one in values]
    for one, other in combinations(rows, 2):
        assert event_identity(one) != event_identity(other)


def test_identities_are_pinned_since_files_hold_them() -> None:
    assert event_identity(delivery()) == PINNED[0]
    second, message = 1_795_252_000, "1wtYVW-0000000GFxD-3Ryp"
    assert message_identity(second, message) == PINNED[1]
    assert recipient_identity(second, message, "amy@example.net") == PINNED[2]


def test_a_row_is_kept_under_its_send_time_or_else_its_action_time() -> None:
    assert home_second(delivery(5, 7)) == 5
    assert home_second(delivery(None, 7)) == 7
    assert home_second(delivery(None, None)) is None


@pytest.mark.parametrize("way", sorted(WAYS))
def test_usual_rows(way: str) -> None:
    record = row(way, "success", 1, 1)
    _, wanted_direction, wanted_provider = WAYS[way]
    assert direction(record) == wanted_direction
    assert provider(record, direction(record), MEANING) == wanted_provider


NO_TRANSPORT = {"transport": "", "transport_is_remote": "0", "host": "", "router": ""}


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [
        ({"router": "enforce_mail_permissions", "user": "-remote-"}, "outbound"),
        ({"router": "enforce_mail_permissions_x", "user": ""}, "outbound"),
        ({"user": "acc1", "delivery_user": "-remote-"}, "outbound"),
        ({"user": "acc1", "delivery_user": "acc2"}, "internal"),
        ({"user": "-remote-", "delivery_user": "acc2"}, "inbound"),
        ({"user": "-remote-", "delivery_user": "-remote-"}, "forwarded"),
        ({"user": "acc1", "delivery_user": ""}, "unknown"),
        ({"user": "", "delivery_user": "acc2"}, "unknown"),
        ({"transport": "remote_smtp", "transport_is_remote": "", "user": "a"}, "outbound"),
        ({"transport": "virtual_userdelivery", "transport_is_remote": "", "user": "a"}, "internal"),
        ({"transport": "x", "transport_is_remote": "True", "user": "root"}, "outbound"),
        ({"transport": "remote_smtp", "transport_is_remote": "0", "user": "a"}, "internal"),
        ({"transport": "x", "transport_is_remote": "1", "user": ""}, "unknown"),
        (
            {"transport": "x", "transport_is_remote": "1", "router": "enforce_mail_permissions"},
            "outbound",
        ),
    ],
)
def test_rows_that_tell_less(labels: dict[str, str], wanted: str) -> None:
    assert direction(delivery(**(NO_TRANSPORT | labels))) == wanted


class Asked:
    """A Meaning that gives back what it was asked."""

    def reason(self, record: DeliveryRecord) -> Reason:
        raise AssertionError

    def provider(self, host: str, domain: str) -> str:
        return f"{host}|{domain}"


@pytest.mark.parametrize("way", ["outbound", "forwarded", "unknown"])
@pytest.mark.parametrize(
    ("host", "recipient", "delivered_to", "wanted"),
    [
        ("mx1.example.net", "a@example.net", "", "mx1.example.net|example.net"),
        ("", "list@example.com", "b@Example.ORG", "|Example.ORG"),
        ("", "list@example.com", "|/usr/bin/x", "|example.com"),
        ("", '"a@b"@example.net', "", "|example.net"),
        ("", "no address", "", "|no address"),
        ("", "", "", "|"),
    ],
)
def test_who_takes_mail_is_asked_by_exchanger_and_by_the_final_addresss_domain(
    way: str, host: str, recipient: str, delivered_to: str, wanted: str
) -> None:
    record = delivery(host=host, recipient=recipient, delivered_to=delivered_to)
    assert provider(record, way, Asked()) == wanted


@pytest.mark.parametrize("way", ["inbound", "internal"])
def test_the_server_itself_takes_mail_that_stays_on_it(way: str) -> None:
    record = delivery(host="alt1.gmail-smtp-in.l.google.com", recipient="a@gmail.example")
    assert provider(record, way, Asked()) == "local"


@given(st.builds(delivery, **dict.fromkeys(("user", "transport", "host", "recipient"), TEXTS)))
def test_any_row_has_a_direction(record: DeliveryRecord) -> None:
    assert direction(record) in DIRECTIONS
