"""Files of rules and providers are checked with the rest, and told by file and rule."""

from pathlib import Path

import pytest

from cpanel_mail_exporter.config.bounce_files import read_bounce_files
from cpanel_mail_exporter.config.flags import parse
from cpanel_mail_exporter.config.load import load
from cpanel_mail_exporter.config.problems import ConfigError
from cpanel_mail_exporter.config.settings import BouncesSettings

RULE = "[[rule]]\nname = 'mine'\nreason = 'policy'\ntext = 'closed'\nexample = 'We are closed'\n"


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    file = tmp_path / "rules.toml"
    file.write_text(RULE)
    return file


def test_without_files_the_packages_are_known() -> None:
    known = read_bounce_files(BouncesSettings())
    assert (known.own_rules, known.own_places) == (0, 0)
    assert known.classifier.classify("User unknown").reason.reason == "unknown_user"
    assert known.providers.of("aspmx.l.google.com", "example.com") == "google"


def test_own_files_go_before_the_packages(rules: Path, tmp_path: Path) -> None:
    providers = tmp_path / "providers.toml"
    providers.write_text("[partner]\nmx = ['l.google.com']\ndomains = ['example.com']\n")
    known = read_bounce_files(BouncesSettings(rules, providers))
    assert (known.own_rules, known.own_places) == (1, 2)
    found = known.classifier.classify("We are closed, user unknown")
    assert found.reason.reason == "policy"
    assert found.rule is not None
    assert (found.rule.origin, found.rule.name) == ("", "mine")
    assert known.providers.of("aspmx.l.google.com", "") == "partner"


def test_all_mistakes_of_both_files_are_told_by_file_and_rule(rules: Path, tmp_path: Path) -> None:
    rules.write_text(RULE.replace("policy", "polcy"))
    providers = tmp_path / "providers.toml"
    providers.write_text("[a]\nmx = 'x'\n")
    with pytest.raises(ConfigError) as caught:
        read_bounce_files(BouncesSettings(rules, providers))
    assert str(caught.value).splitlines() == [
        f"{rules}: mine: 'polcy' is no reason; did you mean 'policy'?",
        f'{providers}: a.mx: must be a list; write ["example.com"]',
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, ("bounces.rules_file: can't read {file}: no such file or directory; check the path, "
               "and that the exporter's user may read it")),
        (b"\xff", "bounces.rules_file: {file} isn't UTF-8 text; save the file as UTF-8"),
        (b"name", ("{file}: this isn't TOML: Expected '=' after a key in a key/value pair (at end "
                  "of document); correct that place")),
        (
            RULE.replace("We are closed", "Gone fishing").encode(),
            ("{file}: mine: its example is decided by no rule; correct the pattern or the example, "
            "or move the rule up"),
        ),
    ],
)  # fmt: skip
def test_a_file_that_cant_be_used_gets_one_sentence(
    rules: Path, content: bytes | None, sentence: str
) -> None:
    rules.unlink()
    if content is not None:
        rules.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_bounce_files(BouncesSettings(rules))
    assert str(caught.value) == sentence.format(file=rules)


def test_check_config_tells_mistakes_of_rules_with_those_of_the_rest(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text("[[rule]]\nname = 'a'\nreason = 'policy'\n")
    file = tmp_path / "config.yml"
    file.write_text("servers: []\nbounces: {rules_file: own.toml}\n")
    with pytest.raises(ConfigError) as caught:
        load(parse(["check-config", str(file)], {}), {}, reserved_labels=frozenset())
    assert str(caught.value).splitlines() == [
        f"{file}:1: servers: is empty; name at least one server",
        f"{tmp_path}/own.toml: a: fits every text; give it a condition such as text = '...'",
    ]
