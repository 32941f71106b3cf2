"""What the ledger is told of an event comes from rules and tables, which can be read again."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from threading import Thread

import pytest

from cpanel_mail_exporter.app.meaning import build_meaning
from cpanel_mail_exporter.app.reload import read_again, reload_signal
from cpanel_mail_exporter.config.problems import ConfigError
from cpanel_mail_exporter.config.settings import BouncesSettings
from cpanel_mail_exporter.model.reason import Reason
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord

TEXT = "559 Our desk is closed"


def record(**fields: str) -> DeliveryRecord:
    texts = dict.fromkeys(DELIVERY_LABELS, "") | {"type": "failure"} | fields
    return DeliveryRecord(*texts.values(), send_unix=1, action_unix=1)


def rule(reason: str) -> str:
    return f"[[rule]]\nname = 'mine'\nreason = '{reason}'\ntext = 'desk is closed'\n"


def test_a_record_gets_reason_severity_and_codes() -> None:
    found = build_meaning().reason(record(message="550 5.1.1 User unknown"))
    assert found == Reason("unknown_user", "hard", "550", "5.1.1")


def test_this_servers_own_refusals_are_told_by_text_or_router() -> None:
    meaning = build_meaning()
    limit = "Domain example.com has exceeded the max emails per hour (5/5 (100%)) allowed."
    assert meaning.reason(record(message=limit)).reason == "local_limit"
    held = record(message="Not now.", router="enforce_mail_permissions")
    assert meaning.reason(held).reason == "local_policy"


def test_providers_are_known_by_exchanger_and_by_domain() -> None:
    meaning = build_meaning()
    assert meaning.provider("mx1.mail.protection.outlook.com", "example.com") == "microsoft"
    assert meaning.provider("", "web.de") == "gmx_webde"
    assert meaning.provider("mx.example.com", "example.com") == "other"


async def test_a_good_file_is_taken_over_and_one_line_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    file = tmp_path / "rules.toml"
    file.write_text(rule("policy"))
    meaning = build_meaning(BouncesSettings(rules_file=file))
    assert meaning.reason(record(message=TEXT)).reason == "policy"
    file.write_text(rule("greylisted"))
    await read_again(meaning)
    assert meaning.reason(record(message=TEXT)).reason == "greylisted"
    assert [entry.getMessage() for entry in caplog.records] == [
        "rules and providers were read again; own rules: 1, own names of providers: 0"
    ]


async def test_a_bad_file_changes_nothing_and_one_sentence_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(rule("policy"))
    meaning = build_meaning(BouncesSettings(rules_file=file))
    file.write_text(rule("nonsense") + "typo = 1\n")
    await read_again(meaning)
    assert meaning.reason(record(message=TEXT)).reason == "policy"
    [line] = [entry.getMessage() for entry in caplog.records]
    assert line.startswith(f"{file}: mine: there is no key 'typo';")
    assert line.endswith(
        " (and 1 more mistakes: see check-config); the rules and providers known so far stay in use"
    )


async def test_sighup_makes_it_read_again_while_the_program_runs(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(rule("policy"))
    meaning = build_meaning(BouncesSettings(rules_file=file))
    file.write_text(rule("greylisted"))
    said: list[int] = []

    async def say_series() -> None:
        said.append(1)

    with reload_signal(meaning, say_series):
        os.kill(os.getpid(), signal.SIGHUP)
        # The loop hears the signal in one turn, and starts the reading in the next.
        while not (reading := [t for t in asyncio.all_tasks() if t.get_name() == "reload"]):  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.gather(*reading)
    assert meaning.reason(record(message=TEXT)).reason == "greylisted"
    assert said == [1]
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL


def test_a_bad_file_at_start_is_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="can't read"):
        build_meaning(BouncesSettings(rules_file=tmp_path / "none.toml"))


def test_several_threads_may_ask_while_files_are_read_again(tmp_path: Path) -> None:
    """Each answer is that of the old rules or of the new, and none fails."""
    file = tmp_path / "rules.toml"
    file.write_text(rule("policy"))
    meaning = build_meaning(BouncesSettings(rules_file=file))
    found: set[str] = set()

    def ask() -> None:
        for number in range(2_000):
            text = f"{TEXT} {'x' * (number % 300)}"
            found.add(meaning.reason(record(message=text)).reason)

    threads = [Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    file.write_text(rule("greylisted"))
    for _ in range(3):
        meaning.read_again()
    for thread in threads:
        thread.join()
    assert found <= {"policy", "greylisted"}
    assert meaning.reason(record(message=TEXT)).reason == "greylisted"
