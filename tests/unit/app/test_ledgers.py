"""Settings become ledgers, a warning, or one sentence on why they can't."""

import logging
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from cpanel_mail_exporter.app.ledgers import open_ledgers
from cpanel_mail_exporter.config.problems import ConfigError
from cpanel_mail_exporter.config.settings import (
    DeliveryEventsSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    TokenSource,
)
from cpanel_mail_exporter.ledger.ledger import LedgerTerms
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.secret import Secret

SERVERS = tuple(
    ServerSettings(
        name, Endpoint("https", f"{name}.example.com", 2087), TokenSource(Secret("x")), UTC
    )
    for name in ("web1", "web2")
)


def settings(path: Path, given_at: str | None = None, **changes: Any) -> Settings:
    return Settings(SERVERS, True, storage=StorageSettings(path, given_at), **changes)


def test_each_server_has_a_ledger_that_keeps_what_it_learned(tmp_path: Path) -> None:
    for now in (1_000, 2_000):
        ledgers = open_ledgers(settings(tmp_path))
        assert list(ledgers.by_server) == ["web1", "web2"]
        assert ledgers.by_server["web1"].begin(now) == 1_000
        ledgers.close()
    assert (tmp_path / "web1.sqlite").exists()


@pytest.mark.parametrize(
    ("interval_seconds", "once", "delay_seconds"),
    [(5.0, False, 10.0), (60.0, False, 60.0), (5.0, True, None)],
)
def test_terms_follow_the_settings(
    tmp_path: Path, interval_seconds: float, once: bool, delay_seconds: float | None
) -> None:
    wanted = settings(
        tmp_path,
        poll_interval_seconds=interval_seconds,
        delivery_events=DeliveryEventsSettings(user_series=7),
    )
    ledgers = open_ledgers(wanted, once=once)
    terms = LedgerTerms(user_limit=7, birth_delay_seconds=delay_seconds)
    assert [ledger.terms for ledger in ledgers.by_server.values()] == [terms, terms]
    ledgers.close()


def test_once_and_without_counting_nothing_is_written(tmp_path: Path) -> None:
    off = settings(tmp_path / "a", delivery_events=DeliveryEventsSettings(is_enabled=False))
    assert open_ledgers(off).by_server == {}
    ledgers = open_ledgers(settings(tmp_path / "b"), once=True)
    ledgers.by_server["web1"].begin(5)
    ledgers.close()
    assert list(tmp_path.iterdir()) == []


def test_a_default_path_that_cannot_be_written_gives_way_to_memory_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING):
        ledgers = open_ledgers(settings(tmp_path / "file" / "data"))
    assert ledgers.by_server["web1"].begin(5) == 5
    assert [record.getMessage() for record in caplog.records] == [
        (
            f"storage path {tmp_path}/file/data can't be written: Not a directory; give the "
            "exporter's user a folder it may write to; until then what is counted is kept in "
            "memory alone: after each start counters begin at 0, and what happens while the "
            "exporter is down is never counted"
        )
    ]


def test_a_given_path_that_cannot_be_written_is_a_mistake_in_the_settings(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        open_ledgers(settings(tmp_path / "file" / "data", "--storage.path"))
    assert str(caught.value) == (
        f"--storage.path: storage path {tmp_path}/file/data can't be written: Not a directory; "
        "give the exporter's user a folder it may write to"
    )


@pytest.mark.parametrize("given_at", [None, "--storage.path"])
def test_a_server_that_is_in_use_elsewhere_is_said_in_one_sentence(
    tmp_path: Path, given_at: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def in_use(*_: object) -> None:
        raise BlockingIOError

    monkeypatch.setattr("cpanel_mail_exporter.storage.folder.fcntl.lockf", in_use)
    with pytest.raises(ConfigError) as caught:
        open_ledgers(settings(tmp_path, given_at))
    assert str(caught.value) == (
        f"{given_at or 'storage'}: {tmp_path}/web1.sqlite is in use by another process; "
        "end the other process, or give this one another storage path"
    )
