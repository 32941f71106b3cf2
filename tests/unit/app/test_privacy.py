"""Settings become a mask, a warning, or one sentence on why they can't."""

import logging
from datetime import UTC
from pathlib import Path

import pytest

from cpanel_mail_exporter.app.log_rows import shown_rows
from cpanel_mail_exporter.app.privacy import open_mask
from cpanel_mail_exporter.app.start_warnings import warn_of_open_port
from cpanel_mail_exporter.config.problems import ConfigError
from cpanel_mail_exporter.config.settings import (
    EmailLogsSettings,
    Privacy,
    ServerSettings,
    Settings,
    StorageSettings,
    TokenSource,
    WebSettings,
)
from cpanel_mail_exporter.exposition.log_privacy import domains_only
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.records import DELIVERY_LABELS
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.polling.shown_rows import CountSink
from cpanel_mail_exporter.polling.sinks import LineSink
from tests.unit.exposition.records import delivery

SERVER = ServerSettings(
    "web1", Endpoint("https", "web1.example.com", 2087), TokenSource(Secret("x")), UTC
)
_PRIVACIES: tuple[Privacy, ...] = ("full", "hash", "domain")


def settings(
    path: Path,
    privacy: Privacy = "hash",
    *,
    given_at: str | None = None,
    labels: tuple[str, ...] = DELIVERY_LABELS,
    host: str = "127.0.0.1",
) -> Settings:
    return Settings(
        (SERVER,),
        True,
        storage=StorageSettings(path, given_at),
        email_logs=EmailLogsSettings(privacy=privacy, labels=labels),
        web=WebSettings(host),
    )


def recipient_of(wanted: Settings) -> str:
    mask = open_mask(wanted)
    assert mask is not None
    return mask.values(delivery())[9]


def test_only_hashes_need_a_key(tmp_path: Path) -> None:
    path = tmp_path / "data"
    assert open_mask(settings(path, "full")) is None
    assert recipient_of(settings(path, "domain")) == "example.com"
    off = Settings((SERVER,), True, email_logs=EmailLogsSettings(None, privacy="hash"))
    assert open_mask(off) is None
    assert not path.exists()


def test_each_start_gives_the_same_hashes(tmp_path: Path) -> None:
    one, other = (recipient_of(settings(tmp_path / "data")) for _ in range(2))
    assert one == other
    assert recipient_of(settings(tmp_path / "another")) != one


def test_a_key_that_cannot_be_kept_lasts_as_long_as_the_process_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "data"
    with caplog.at_level(logging.WARNING):
        assert recipient_of(settings(path)) != recipient_of(settings(path))
    (said, _) = [record.getMessage() for record in caplog.records]
    assert said == (
        f"no key for hashes can be kept in {path}/privacy.key: Not a directory; until then each "
        "start makes a new key, and hashes in email_logs become other ones; give the exporter's "
        "user a storage.path it may write to"
    )


def test_a_path_that_was_asked_for_and_cannot_keep_the_key_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError) as caught:
        open_mask(settings(tmp_path / "file" / "data", given_at="--storage.path"))
    assert str(caught.value) == (
        f"--storage.path: no key for hashes can be kept in {tmp_path}/file/data/privacy.key: Not a "
        "directory; give the exporter's user a folder it may write to"
    )


@pytest.mark.parametrize("given_at", [None, "--storage.path"])
def test_a_spoilt_key_ends_the_start_rather_than_changing_all_hashes(
    tmp_path: Path, given_at: str | None
) -> None:
    (tmp_path / "privacy.key").write_text("x")
    with pytest.raises(ConfigError, match="isn't a key of 64 hexadecimal digits; put the right"):
        open_mask(settings(tmp_path, given_at=given_at))


def test_rows_are_counted_where_they_may_share_a_series() -> None:
    kinds = {
        (privacy, labels): type(
            shown_rows((), EmailLogsSettings(privacy=privacy, labels=labels), None)
        )
        for privacy in _PRIVACIES
        for labels in (DELIVERY_LABELS, ("type",))
    }
    assert kinds == {
        ("full", DELIVERY_LABELS): LineSink,
        ("hash", DELIVERY_LABELS): LineSink,
        ("domain", DELIVERY_LABELS): CountSink,
        ("full", ("type",)): CountSink,
        ("hash", ("type",)): CountSink,
        ("domain", ("type",)): CountSink,
    }
    assert shown_rows((), EmailLogsSettings(None), domains_only()) is None


@pytest.mark.parametrize(
    ("privacy", "labels", "is_warned"),
    [
        ("full", DELIVERY_LABELS, True),
        ("full", ("type", "sender_ip"), True),
        ("full", ("type", "domain"), False),
        ("hash", DELIVERY_LABELS, False),
        ("domain", DELIVERY_LABELS, False),
    ],
)
def test_an_open_port_is_told_where_people_can_be_read(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    privacy: Privacy,
    labels: tuple[str, ...],
    is_warned: bool,
) -> None:
    with caplog.at_level(logging.WARNING):
        warn_of_open_port(settings(tmp_path, privacy, labels=labels, host=""))
    assert bool(caplog.records) is is_warned
