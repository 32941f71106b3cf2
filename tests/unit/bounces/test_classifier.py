"""The first rule that fits decides, whatever is cached, and caches stay bounded."""

from pathlib import Path

import pytest

from cpanel_mail_exporter.bounces.classifier import Classifier, mistaken_examples
from cpanel_mail_exporter.bounces.rules import rules_from_toml
from cpanel_mail_exporter.config.bounce_files import package_rules
from tests.bounces.cases import COLLECTED, PUBLISHED, read_cases
from tests.unit.bounces.slow_rules import SlowRules


def classifier(toml: str) -> Classifier:
    return Classifier([*rules_from_toml(toml, ""), *package_rules()])


def rule(reason: str, *conditions: str) -> str:
    return "\n".join(["[[rule]]", f'name = "{reason.replace("_", "-")}-rule"',
                      f'reason = "{reason}"', *conditions, ""])  # fmt: skip


@pytest.mark.parametrize("path", [PUBLISHED, COLLECTED], ids=lambda path: path.stem)
def test_the_rules_tried_one_by_one_give_the_same(path: Path) -> None:
    """The prefilter, skeletons and caches change nothing but the time it takes."""
    if not path.exists():
        pytest.skip(f"there is no {path.name} beside the checkout")
    fast, slow = Classifier(package_rules()), SlowRules()
    different = []
    for case in read_cases(path):
        decided = fast.classify(case.text).rule
        expected = slow.rule(case.text)["name"]
        if (decided.name if decided else "") != expected:
            different.append((case.text, decided, expected))
    assert different == []


def test_every_example_of_the_package_is_decided_by_its_own_rule() -> None:
    assert mistaken_examples(package_rules(), Classifier(package_rules())) == []


def test_an_own_rule_goes_before_the_packages() -> None:
    text = "550 5.1.1 User unknown"
    assert classifier("").classify(text).reason.reason == "unknown_user"
    own = classifier(rule("policy", "text = 'user unknown'"))
    assert own.classify(text).reason == ("policy", "block", "550", "5.1.1")


def test_an_own_rule_by_code_goes_before_the_packages_rules_by_words() -> None:
    own = classifier(rule("policy", "code = '559'"))
    assert own.classify("559 User unknown").reason.reason == "policy"
    assert own.classify("550 User unknown").reason.reason == "unknown_user"


def test_all_conditions_must_hold() -> None:
    own = classifier(rule("relay_denied", "text = 'closed'", "code = '4..'", "type = 'defer'"))
    assert own.classify("450 We are closed", type="defer").reason.reason == "relay_denied"
    assert own.classify("450 We are closed", type="failure").reason.reason != "relay_denied"
    assert own.classify("550 We are closed", type="defer").reason.reason != "relay_denied"


def test_the_router_tells_this_servers_own_refusals() -> None:
    text = "Something nobody has a rule for"
    found = Classifier(package_rules())
    assert found.classify(text, "enforce_mail_permissions").reason.reason == "local_policy"
    assert found.classify(text, "lookuphost").reason.reason == "other"


def test_texts_of_one_kind_are_looked_at_once() -> None:
    found = Classifier(package_rules())
    for number in range(1_000):
        found.classify(
            f"SMTP error from remote mail server after RCPT TO:<u{number}@example.com>: host "
            f"mx.c{number}.example [192.0.2.{number % 250}]: 550 5.1.1 <u{number}@example.com>: "
            "User unknown"
        )
    assert found.looked_at == 1


def test_routers_that_no_rule_asks_for_share_what_is_known() -> None:
    found = Classifier(package_rules())
    for number in range(1_000):
        found.classify("User unknown", f"router{number}", "defer")
    assert found.looked_at == 1


def test_hostile_texts_dont_fill_the_memory() -> None:
    """Neither more texts than the caches hold, nor longer ones, are kept."""
    found = Classifier([])
    for number in range(20_000):
        found.classify(f"word{chr(97 + number % 26)} " * 3 + "".join(
            chr(97 + int(digit)) for digit in str(number)))  # fmt: skip
    for number in range(100):
        found.classify(f"{chr(97 + number % 26)} long " * 10_000)
    caches = (found._of_text.cache_info(), found._of_skeleton.cache_info())
    assert [(info.currsize, info.maxsize) for info in caches] == [(8_192, 8_192)] * 2


def test_an_example_that_another_rule_decides_is_told() -> None:
    text = rule("policy", "text = 'sunday'", 'example = "User unknown"')
    [own] = rules_from_toml(text, "")
    assert mistaken_examples([own], Classifier([own, *package_rules()])) == [
        (
            "policy-rule: its example is decided by the rule unknown-user-plain; "
            "correct the pattern or the example, or move the rule up"
        )
    ]
