"""Masked labels name nobody, and stay as useful as they can."""

from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition.log_privacy import SAYS_WHO, LabelMask, domains_only, hashed
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord
from tests.unit.exposition.records import delivery

KEY = bytes(range(32))
WHO = delivery(
    delivered_to="bob@example.org",
    delivery_domain="",
    delivery_user="-remote-",
    message="550 5.1.1 Bob Smith is gone",
    recipient="Bob@Example.org",
    router="dkim_lookuphost",
    sender="shop@example.com",
    sender_auth="dovecot_login",
    sender_host="(bobs-laptop)",
    sender_ip="2001:db8::7",
)


def by_name(mask: LabelMask, record: DeliveryRecord) -> dict[str, str]:
    return dict(zip(DELIVERY_LABELS, mask.values(record), strict=True))


def own_hash(value: str) -> str:
    return blake2b(value.encode(), key=KEY, digest_size=8).hexdigest()


def test_hashes_stand_for_whole_values_and_all_other_labels_stay() -> None:
    expected = dict(zip(DELIVERY_LABELS, WHO[:22], strict=True))
    expected |= {name: own_hash(expected[name]) for name in SAYS_WHO - {"sender_auth"}}
    assert by_name(hashed(KEY), WHO) == expected


def test_of_addresses_the_domain_is_left_and_of_other_marks_nothing() -> None:
    expected = dict(zip(DELIVERY_LABELS, WHO[:22], strict=True))
    expected |= {"message": "", "sender_host": "", "sender_ip": ""}
    expected |= {
        "delivered_to": "example.org",
        "recipient": "example.org",
        "sender": "example.com",
    }
    assert by_name(domains_only(), WHO) == expected


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("bob@example.org", "example.org"),
        ("<bob@EXAMPLE.org>", "example.org"),
        ('"bob@home"@example.org', "example.org"),
        ("bounce+bob=example.com@list.example.net", "list.example.net"),
        ("bob@bücher.example", "bücher.example"),
        ("bob", ""),
        ("@", ""),
        ("bob@", ""),
        ("/srv/mail/example.com/bob", ""),
        ("|/usr/local/bin/filter bob@example.com x", ""),
        ("bob@[192.0.2.1]", ""),
        ("bob@192.0.2.1", ""),
        ("bob@example.org (Bob Smith)", ""),
        ("bob@-bob -", ""),
        ("<>", ""),
        ("", ""),
    ],
)
def test_a_domain_is_what_follows_the_last_at_and_looks_like_one(address: str, domain: str) -> None:
    assert by_name(domains_only(), delivery(recipient=address))["recipient"] == domain


@pytest.mark.parametrize("way", ["localuser", "dovecot_login", "dovecot_plain", "courier_plain"])
def test_the_name_of_a_way_to_log_in_stays(way: str) -> None:
    for mask in (hashed(KEY), domains_only()):
        assert by_name(mask, delivery(sender_auth=way))["sender_auth"] == way


@pytest.mark.parametrize("login", ["bob", "dovecot_login:bob", "bob@example.com", "Bob_login"])
def test_any_other_login_may_be_a_name(login: str) -> None:
    record = delivery(sender_auth=login)
    assert by_name(hashed(KEY), record)["sender_auth"] == own_hash(login)
    assert by_name(domains_only(), record)["sender_auth"] == ""


def test_an_address_where_none_is_expected_is_masked_too() -> None:
    others = [name for name in DELIVERY_LABELS if name not in SAYS_WHO]
    record = delivery()._replace(**dict.fromkeys(others, "bob@example.org"))
    assert {by_name(hashed(KEY), record)[name] for name in others} == {own_hash("bob@example.org")}
    assert {by_name(domains_only(), record)[name] for name in others} == {"example.org"}
    for name in others:
        single = by_name(domains_only(), delivery()._replace(**{name: "bob@example.org"}))
        assert single[name] == "example.org"


def test_another_key_gives_other_hashes() -> None:
    masks = [hashed(KEY), hashed(bytes(32))]
    one, other = (by_name(mask, WHO) for mask in masks)
    assert all(one[name] != other[name] for name in SAYS_WHO - {"sender_auth"})


MARK = "zqmark"
NAMES = st.text(st.characters(codec="utf-8"), max_size=8)


@given(NAMES, NAMES, st.sampled_from(sorted(SAYS_WHO)), st.sampled_from(["", "@example.org"]))
def test_no_mark_is_left_of_any_local_part_or_text(
    before: str, after: str, label: str, domain: str
) -> None:
    value = f"{before}{MARK}{after}"
    # What follows an @ is a domain, and stays.
    value = value.replace("@", "a") + domain
    record = delivery(message="")._replace(**{label: value})
    for mask in (hashed(KEY), domains_only()):
        assert MARK not in " ".join(mask.values(record)), mask


@given(st.lists(st.text(max_size=5), min_size=22, max_size=22))
def test_equal_values_have_equal_hashes_and_different_ones_others(values: list[str]) -> None:
    record = DeliveryRecord._make([*values, None, None])
    masked = hashed(KEY).values(record)
    assert [not value for value in masked] == [not value for value in values]
    of_hash = {}
    for name, value, shown in zip(DELIVERY_LABELS, values, masked, strict=True):
        if name in SAYS_WHO - {"sender_auth"}:
            assert of_hash.setdefault(shown, value) == value
