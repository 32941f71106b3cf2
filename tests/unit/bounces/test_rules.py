"""A file of rules is taken whole or refused with one sentence for each mistake."""

import pytest

from cpanel_mail_exporter.bounces.rules import (
    MOST_RULES,
    Rule,
    RuleMistakes,
    rules_from_toml,
)


def rule(*lines: str, name: str = "mine", reason: str = "policy") -> str:
    return "\n".join(["[[rule]]", f'name = "{name}"', f'reason = "{reason}"', *lines, ""])


def test_a_rule_has_what_its_table_says() -> None:
    text = rule("text = ['no', 'never']", "code = '55\\d'", "type = 'failure'", 'example = "No"')
    assert rules_from_toml(text, "r.toml") == (
        Rule("r.toml", "mine", "policy", "(?:no)|(?:never)", "(?:55\\d)", type="(?:failure)",
             example="No"),
    )  # fmt: skip


def test_no_rule_is_fine() -> None:
    assert rules_from_toml("# none yet", "") == ()


MISTAKES = {
    "no TOML": (
        "name =",
        "this isn't TOML: Invalid value (at end of document); correct that place",
    ),
    "one bracket": (
        "[rule]\nname = 'a'",
        "a rule begins with [[rule]], in two brackets; write these",
    ),
    "another table": ("[policy]", "'policy' is no rule; write each rule below a line [[rule]]"),
    "no name": (
        "[[rule]]\nreason = 'policy'\ntext = 'no'",
        'rule 1: has no fit name; write name = "..." with a-z, 0-9 and dashes between them',
    ),
    "an odd name": (
        rule("text = 'no'", name="My rule"),
        'rule 1: has no fit name; write name = "..." with a-z, 0-9 and dashes between them',
    ),
    "a name twice": (
        rule("text = 'no'") + rule("text = 'never'"),
        "mine: two rules have this name; rename one",
    ),
    "an unknown key": (
        rule("text = 'no'", "exmaple = 'no'"),
        "mine: there is no key 'exmaple'; did you mean 'example'?",
    ),
    "an unknown reason": (
        rule("text = 'no'", reason="polcy"),
        "mine: 'polcy' is no reason; did you mean 'policy'?",
    ),
    "no reason": ("[[rule]]\nname = 'mine'\ntext = 'no'", None),
    "the reason other": (rule("text = 'no'", reason="other"), None),
    "no condition": (rule(), "mine: fits every text; give it a condition such as text = '...'"),
    "a broken pattern": (
        rule("text = 'no(way'"),
        ("mine: text: 'no(way' can't be used as a regular expression: missing ): no(way; "
        "RE2's syntax is meant"),
    ),
    "a lookahead": (
        rule("text = 'no(?=way)'"),
        ("mine: text: 'no(?=way)' can't be used as a regular expression: invalid perl operator: "
        "(?=; RE2's syntax is meant"),
    ),
    "a pattern for everything": (
        rule("text = '.*'"),
        "mine: text: '.*' matches even the empty text, and so every one; write what must be there",
    ),
    "a capital letter": (
        rule("text = 'No\\S+'"),
        ("mine: text: 'No\\\\S+' holds a capital letter, and texts are compared in lower case; "
        "write it small"),
    ),
    "no text": (rule("text = 7"), "mine: text must be a text in quotes, or a list of such"),
    "a list of codes": (rule("code = ['550']"), "mine: code must be a text in quotes"),
    "an example that is none": (
        rule("text = 'no'", "example = 7"),
        "mine: example must be a text; write it in quotes",
    ),
    "too long a pattern": (
        rule(f"text = '{'x' * 4001}'"),
        (f"mine: text: '{'x' * 60}...' can't be used as a regular expression: is longer than 4000 "
        "characters; RE2's syntax is meant"),
    ),
    "too many": (
        "".join(rule("text = 'no'", name=f"n{n}") for n in range(MOST_RULES + 1)),
        "holds 1001 rules; keep 1000 at most",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_each_mistake_gets_one_sentence_with_file_and_rule(mistake: str) -> None:
    text, sentence = MISTAKES[mistake]
    with pytest.raises(RuleMistakes) as caught:
        rules_from_toml(text, "r.toml")
    assert len(caught.value.mistakes) == 1
    if sentence is not None:
        assert caught.value.mistakes == (f"r.toml: {sentence}",)


def test_all_mistakes_are_told_at_once() -> None:
    text = rule("text = '('", name="a") + rule(name="b")
    with pytest.raises(RuleMistakes) as caught:
        rules_from_toml(text, "r.toml")
    assert [line.split(":")[1] for line in caught.value.mistakes] == [" a", " b"]


def test_a_pattern_that_needs_too_much_memory_is_refused() -> None:
    with pytest.raises(RuleMistakes, match=r"mine: text: .* can't be used"):
        rules_from_toml(rule("text = '((a{1,100}){1,100}){1,100}'"), "r.toml")
