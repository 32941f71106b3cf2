"""Families are allowed and denied by regular expressions for whole names."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cpanel_mail_exporter.config.family_patterns import parse_family_patterns_text
from cpanel_mail_exporter.config.settings import FurtherSettings, Settings

Loaded = Callable[..., Settings]
Said = Callable[..., list[str]]
SERVER = ("--endpoint=web1.example.com", "--apikey=EXAMPLETOKEN")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("email_\x00logs", "'email_\\x00logs' holds a control character; leave it out"),
        ("", "names no family; write one or more, or leave it out"),
        ("email_log", "'email_log' fits no family; did you mean 'email_log.*'?"),
        ("emial_logs", "'emial_logs' fits no family; did you mean 'email_logs'?"),
        (
            "cpanel_mail_queue_*",
            "'cpanel_mail_queue_*' fits no family; did you mean 'cpanel_mail_queue_.*'?",
        ),
        (
            "*_logs",
            (
                "'*_logs' isn't a regular expression: no argument for repetition operator: *; "
                "did you mean '.*_logs'?"
            ),
        ),
        (
            "time_to",
            "'time_to' fits no family; did you mean '.*time_to.*'?",
        ),
        (
            "cpanel_mail_time_to_fail_seconds_bucket",
            (
                "'cpanel_mail_time_to_fail_seconds_bucket' fits no family; did you mean "
                "'cpanel_mail_time_to_fail_seconds'?"
            ),
        ),
        ("xyzzy", "'xyzzy' fits no family; docs/reference/families.md lists those there are"),
        (
            "(",
            (
                "'(' isn't a regular expression: missing ): (; write one such as "
                "cpanel_mail_queue_.*"
            ),
        ),
    ],
)
def test_a_pattern_that_fits_nothing_is_a_mistake_that_says_what_was_meant(
    text: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        parse_family_patterns_text(text)


def test_commas_separate_patterns_and_equal_ones_count_once() -> None:
    assert parse_family_patterns_text("email_logs, cpanel_mail_up,email_logs") == (
        "email_logs",
        "cpanel_mail_up",
    )


def test_what_would_fill_hidden_families_alone_is_not_asked(loaded: Loaded) -> None:
    denied = "email_.*,cpanel_mail_queue_.*,cpanel_mail_account.*,cpanel_mail_delivery_.*"
    settings = loaded(*SERVER, f"--families.deny={denied}")
    assert settings.user_stats.window is None
    assert settings.email_logs.window is None
    assert settings.further == FurtherSettings(
        mail_queue=False, accounts=False, unique_recipients=False
    )
    assert settings.delivery_events.is_enabled, "what isn't counted today is missing later"


def test_hiding_all_that_is_asked_for_is_a_mistake(said: Said, tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    off = ("delivery_events", "mail_queue", "accounts", "unique_recipients", "services")
    file.write_text(
        "servers: [{name: web1, endpoint: web1.example.com, token_env: WEB1_TOKEN}]\n"
        + "".join(f"{name}: off\n" for name in off)
        + "families: {allow: [cpanel_mail_up], deny: [xyzzy]}\n"
    )
    assert said("--config.file", str(file), environ={"WEB1_TOKEN": "EXAMPLETOKEN"}) == [
        (
            f"{file}:7: families.allow: hides every family that a collector which isn't off could "
            "fill, so nothing would be asked; show one of them, or switch delivery_events on"
        ),
        (
            f"{file}:7: families.deny: 'xyzzy' fits no family; "
            "docs/reference/families.md lists those there are"
        ),
    ]


def test_hiding_what_alerts_need_is_warned_of(loaded: Loaded) -> None:
    settings = loaded(*SERVER, "--families.deny=cpanel_mail_up,process_.*,cpanel_mail_series_.*")
    assert [warning for warning in settings.warnings if "families" in warning] == [
        (
            "families.allow and families.deny hide cpanel_mail_series_wanted, cpanel_mail_up: "
            "alerts can't tell then that a poll failed or that series were cut"
        )
    ]
    assert not any("families" in warning for warning in loaded(*SERVER).warnings)
