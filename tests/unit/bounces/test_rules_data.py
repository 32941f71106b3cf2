"""The rules as data: each does what its example shows, and all know what receivers say."""

import csv
import re
from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from cpanel_mail_exporter import bounces
from cpanel_mail_exporter.bounces.rules import PACKAGE_FILES, rules_from_toml
from cpanel_mail_exporter.config.bounce_files import package_rules
from tests.unit.bounces.slow_rules import CONDITIONS, SlowRules, rules

TESTS = Path(__file__).parents[2]
PUBLISHED = TESTS / "bounces" / "published.tsv"
SIMULATED = TESTS.parent / "src" / "whm_simulator" / "world" / "replies.tsv"

REASONS = {
    "unknown_user",
    "inactive_user",
    "domain_not_found",
    "not_accepting",
    "mailbox_full",
    "too_large",
    "expired",
    "network",
    "tls",
    "greylisted",
    "rate_limited",
    "blocklisted",
    "reputation",
    "spam_content",
    "virus",
    "content",
    "auth_failed",
    "ptr_missing",
    "policy",
    "sender_rejected",
    "relay_denied",
    "local_limit",
    "local_policy",
    "protocol",
    "remote_error",
}
KEYS = {"file", "name", "reason", "example", "router", *CONDITIONS}
SIMULATED_VALUES = {
    "own_ip": "192.0.2.7",
    "address": "ann@example.com",
    "sender": "bob@example.org",
    "sender_domain": "example.org",
    "domain": "example.com",
    "user": "alice",
    "code": "k12si3456",
    "number": "125",
    "limit": "100",
    "percent": "125",
}


def test_patterns_that_no_start_checks_are_sound() -> None:
    read = []
    for name in PACKAGE_FILES:
        text = files(bounces).joinpath(name).read_text(encoding="utf-8")
        read += rules_from_toml(text, name.rpartition("/")[2])
    assert tuple(read) == package_rules()


@pytest.fixture(scope="module")
def slow() -> SlowRules:
    return SlowRules()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def alternatives(rule: dict[str, Any], key: str) -> list[str]:
    condition = rule.get(key, [])
    return [condition] if isinstance(condition, str) else condition


def test_names_are_unique_and_in_kebab_case() -> None:
    names = Counter(rule["name"] for rule in rules())
    assert [name for name, times in names.items() if times > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", name)] == []


def test_every_reason_has_a_rule_and_every_rule_a_reason() -> None:
    assert {rule["reason"] for rule in rules()} == REASONS


def test_rules_hold_known_keys_a_condition_and_an_example() -> None:
    wrong = [
        rule["name"]
        for rule in rules()
        if not KEYS.issuperset(rule)
        or not {"text", "code", "enhanced"}.intersection(rule)
        or not rule.get("example")
    ]
    assert wrong == []


def test_patterns_are_what_re2_takes() -> None:
    """No lookaround and no backreference, and counted repeats that stay small."""
    foreign = re.compile(r"(?<!\\)\(\?(?!:)|\\[1-9]|\{\d{4,}|\{\d*,\d{4,}\}")
    wrong = [
        (rule["name"], key)
        for rule in rules()
        for key in (*CONDITIONS, "router")
        for one in alternatives(rule, key)
        if foreign.search(one)
    ]
    assert wrong == []


def test_patterns_are_written_in_lower_case() -> None:
    """Texts come in lower case; a capital letter would never match."""
    classes = re.compile(r"\\[wsdbWSDB]")
    wrong = [
        rule["name"]
        for rule in rules()
        for one in alternatives(rule, "text")
        if (plain := classes.sub("", one)) != plain.lower()
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "rule", [rule for rule in rules() if "router" not in rule], ids=lambda rule: rule["name"]
)
def test_an_example_is_classified_by_its_rule(rule: dict[str, str], slow: SlowRules) -> None:
    found = slow.rule(rule["example"])
    assert (found["name"], found["reason"]) == (rule["name"], rule["reason"])


def test_simulated_replies_mean_what_the_simulator_says(slow: SlowRules) -> None:
    wrong = []
    for row in rows(SIMULATED):
        text = re.sub(r"\{(\w+)\}", lambda m: SIMULATED_VALUES[m[1]], row["text"])
        if (found := slow.rule(text))["reason"] != row["reason"]:
            wrong.append((text, found["name"], row["reason"]))
    assert wrong == []


def test_published_replies_are_understood(slow: SlowRules) -> None:
    """99 of 100; the few others are kept to be seen, not tuned away."""
    published = rows(PUBLISHED)
    wrong = [
        (row["text"], found["name"], row["accepted_classes"])
        for row in published
        if (found := slow.rule(row["text"]))["reason"] not in row["accepted_classes"].split()
    ]
    assert len(wrong) <= len(published) // 100, wrong


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(
            "550 5.1.1 <spam-virus@example.com>: Recipient address rejected: User unknown",
            "unknown_user",
            id="words within an address say nothing",
        ),
        pytest.param(
            "550 5.1.1 User unknown. See http://antispam.example.com/policy/blacklist.html",
            "unknown_user",
            id="words within a help page's address say nothing",
        ),
        pytest.param(
            "host spamfilter.example.com [192.0.2.4]: 550 No such user",
            "unknown_user",
            id="words within a host's name say nothing",
        ),
        pytest.param(
            "550 5.1.1 <bob@example.com>: Recipient address rejected: Mailbox full",
            "mailbox_full",
            id="the text goes before the enhanced code",
        ),
        pytest.param(
            "550 5.1.0 <ann@example.org>: Sender address rejected: User unknown in local table",
            "sender_rejected",
            id="an unknown sender is no unknown recipient",
        ),
        pytest.param(
            "554 5.7.1 <bob@example.com>: Recipient address rejected: blocked using a.example.net",
            "blocklisted",
            id="a list's name goes before the address that was refused",
        ),
        pytest.param("550 5.7.25 See you", "ptr_missing", id="the enhanced code without words"),
        pytest.param("452 See you", "remote_error", id="the reply code without words"),
        pytest.param("Gone fishing", "other", id="neither words nor codes"),
    ],
)
def test_traps(text: str, reason: str, slow: SlowRules) -> None:
    assert slow.rule(text)["reason"] == reason
