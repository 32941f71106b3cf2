"""The reason of each failure and deferral is the class of the text that it was made from."""

import re
from collections import defaultdict

import pytest

from tests.simulator.conftest import NOW_UNIX, make_world
from whm_simulator.mail.rows import Row
from whm_simulator.world.incidents import BadDay, Compromise
from whm_simulator.world.places import PLACES
from whm_simulator.world.replies import (
    ALL_TEMPLATES,
    MANNERS,
    Template,
    pattern_of,
    reason_of,
    worded,
)
from whm_simulator.world.stream import World

CLASSES = {
    "unknown_user", "inactive_user", "domain_not_found", "not_accepting", "mailbox_full",
    "too_large", "expired", "network", "tls", "greylisted", "rate_limited", "blocklisted",
    "reputation", "spam_content", "virus", "content", "auth_failed", "ptr_missing", "policy",
    "sender_rejected", "relay_denied", "local_limit", "local_policy", "protocol", "remote_error",
    "other",
}  # fmt: skip
"""The classes that the project knows."""

PATTERNS = [(re.compile(pattern_of(template)), template) for template in ALL_TEMPLATES]
NAMES = {
    "sender": "o'neil@shop1.example.com", "sender_domain": "shop1.example.com",
    "host": "mx.example.net", "ip": "2001:db8::25", "user": "shop1",
}  # fmt: skip
ADDRESSES = ['"first last"@example.net', "山田@例え.example", "anna+tag@down.example.net"]


def filled(template: Template, address: str) -> str:
    if template.text.startswith("Domain "):
        return template.text.format(sender_domain="a.example", number=125, limit=100, percent=125)
    return worded(template, 0x1A2B3C, address=address, **NAMES)


@pytest.mark.parametrize("template", ALL_TEMPLATES, ids=range(len(ALL_TEMPLATES)))
def test_a_text_has_the_class_of_its_template_and_fits_no_other_class(template: Template) -> None:
    assert template.reason in CLASSES - {"other"}
    for address in ADDRESSES:
        message = filled(template, address)
        assert "{" not in message
        assert {t.reason for pattern, t in PATTERNS if pattern.fullmatch(message)} == {
            template.reason
        }


def test_every_failure_and_deferral_of_a_busy_day_has_exactly_one_class() -> None:
    world = make_world(
        rate_per_minute=30,
        compromises=(
            Compromise("web1", "shop1", NOW_UNIX - 9000, seconds=3600),
            Compromise("web1", "forum1", NOW_UNIX - 9000, seconds=3600),
        ),
        bad_days=(BadDay("microsoft", NOW_UNIX - 7200),),
    )
    fitting: dict[str, set[str]] = defaultdict(set)
    rows = world.rows(NOW_UNIX)
    for row in rows:
        if row.type not in ("failure", "defer"):
            assert world.reason(row) is None
            continue
        assert row.message
        for pattern, template in PATTERNS:
            if pattern.fullmatch(row.message):
                fitting[row.message].add(template.reason)
        assert fitting[row.message] == {world.reason(row)}
    assert len(fitting) > 1000
    assert CLASSES - {reason for reasons in fitting.values() for reason in reasons} <= {
        "other", "expired", "tls", "protocol", "not_accepting",
    }, "patience ends after days, and some are rare"  # fmt: skip


def test_a_text_from_elsewhere_has_no_reason(world: World) -> None:
    failed = next(row for row in world.rows(NOW_UNIX) if row.type == "failure")
    assert reason_of(_with(failed, "550 something else")) is None
    assert reason_of(_with(failed, f"{failed.message} ")) is None


def _with(row: Row, message: str) -> Row:
    values = {name: getattr(row, name) for name in row.__struct_fields__}
    return Row(**{**values, "message": message})


def test_every_receiver_has_words_for_every_occasion() -> None:
    assert {place.kind for place in PLACES} <= MANNERS.keys()
    for place in PLACES:
        manners = MANNERS[place.kind]
        assert manners.unknown_user
        assert manners.refusals
        assert manners.deferrals
        assert set(manners.spam_refusals) <= set(manners.refusals)
        assert set(manners.rate_deferrals) <= set(manners.deferrals)
    assert sum(place.weight for place in PLACES) == pytest.approx(1)


def test_codes_agree_with_outcomes() -> None:
    """Whoever refuses says 5xx, whoever puts off says 4xx, in every line of the answer."""
    for manners in MANNERS.values():
        for digit, templates in (
            ("5", manners.unknown_user + manners.refusals), ("4", manners.deferrals),
        ):  # fmt: skip
            for template in templates:
                if template.stage in ("exim", "transport", "route"):
                    continue
                answer = re.split(r"(?:RCPT TO:<\{address\}>|data|connection|\[\{ip\}\]): ",
                                  template.text, maxsplit=1)[1]  # fmt: skip
                lines = re.split(r"\\n(?=\d)", answer)
                assert all(re.match(digit + r"\d\d-", line) for line in lines[:-1]), template
                assert re.match(digit + r"\d\d ", lines[-1]), template


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("email account that you tried to reach does not exist", "unknown_user"),
        ("DMARC policy. Please contact the administrator", "auth_failed"),
        ("unusual rate of unsolicited mail", "rate_limited"),
        ("does not have a PTR record", "ptr_missing"),
        ("blocked using Spamhaus", "blocklisted"),
        ("Greylisted", "greylisted"),
        ("[TSS04] Messages from", "reputation"),
        ("Mailbox is full / Blocks limit exceeded", "mailbox_full"),
        ("retry timeout exceeded", "expired"),
        ("Connection timed out", "network"),
        ("Unrouteable address", "domain_not_found"),
        ("exceeded the max emails per hour", "local_limit"),
        ("exceeded the max defers and failures per hour", "local_limit"),
        ("outgoing mail suspension", "local_policy"),
    ],
)
def test_well_known_texts_have_the_class_that_anyone_would_give(part: str, reason: str) -> None:
    assert {t.reason for t in ALL_TEMPLATES if part in t.text} == {reason}
