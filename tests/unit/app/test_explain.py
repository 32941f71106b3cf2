"""`explain` says of each text what the exporter makes of it, for people and for programs."""

import io
import json
import sys
from pathlib import Path

import pytest

from cpanel_mail_exporter.app.explain import explain
from cpanel_mail_exporter.cli import main
from cpanel_mail_exporter.config.settings import BouncesSettings, ExplainSettings

TEXT = (
    "SMTP error from remote mail server after RCPT TO:<bob@example.com>: host aspmx.l.google.com "
    "[192.0.2.25]: 550-5.2.1 The email account that you tried to reach is inactive."
)


def said(text: str | None, lines: bytes = b"", **settings: object) -> str:
    out = io.StringIO()
    explain(ExplainSettings(text, BouncesSettings(), **settings), io.BytesIO(lines), out)
    return out.getvalue()


def test_a_text_is_explained_for_people() -> None:
    assert said(TEXT) == (
        "reason         inactive_user (hard): mailbox disabled, suspended or expired\n"
        "rule           google-disabled-user in receivers.toml\n"
        "reply code     550\n"
        "enhanced code  5.2.1\n"
        "provider       google\n"
    )


def test_what_no_rule_explains_is_said_to_be_so() -> None:
    assert said("Gone fishing") == (
        "reason         other (soft): none of these: no rule knows the text\n"
        "rule           none fits\n"
        "reply code     none\n"
        "enhanced code  none\n"
        "provider       other\n"
    )


def test_each_line_of_standard_input_gives_one_object_even_an_empty_one() -> None:
    lines = TEXT.encode() + b"\r\n\n\xff\xfe Mailbox full\nGone fishing"
    found = [json.loads(line) for line in said(None, lines, as_json=True).splitlines()]
    assert found[0] == {
        "reason": "inactive_user",
        "severity": "hard",
        "code": "550",
        "enhanced_code": "5.2.1",
        "provider": "google",
        "rule": "google-disabled-user",
        "file": "receivers.toml",
    }
    assert [one["reason"] for one in found] == ["inactive_user", "other", "mailbox_full", "other"]
    assert found[3]["rule"] is None


def test_host_and_domain_may_be_told() -> None:
    assert json.loads(said("x", as_json=True, domain="gmx.net"))["provider"] == "gmx_webde"
    assert json.loads(said(TEXT, as_json=True, host="mxs.mail.ru"))["provider"] == "mail_ru"


def test_the_router_may_be_told() -> None:
    assert json.loads(said("x", as_json=True, router="enforce_mail_permissions"))["rule"] == (
        "cpanel-mail-permissions"
    )


def test_an_own_rule_is_named_with_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[[rule]]\nname = 'mine'\nreason = 'policy'\ntext = 'fishing'\n")
    assert main(["explain", "--bounces.rules-file", str(file), "Gone", "fishing"]) == 0
    assert f"rule           mine in {file}\n" in capsys.readouterr().out


def test_a_bad_file_ends_it_with_its_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[[rule]]\n")
    assert main(["explain", "--bounces.rules-file", str(file), "x"]) == 2
    assert str(file) in capsys.readouterr().err


def test_standard_input_is_read_by_the_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"Mailbox full\n")))
    assert main(["explain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["reason"] == "mailbox_full"
