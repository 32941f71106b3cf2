"""The configuration file: what a whole one gives, and what is accepted beside the usual."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cpanel_mail_exporter.config.problems import ConfigError
from cpanel_mail_exporter.config.reference import EXAMPLE
from cpanel_mail_exporter.config.settings import (
    DeliveryEventsSettings,
    EmailLogsSettings,
    FurtherSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    TlsSettings,
    TokenSource,
    UserStatsSettings,
    WhereSettings,
)
from cpanel_mail_exporter.metrics.catalogue import PROCESS_FAMILIES
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.model.window import Rolling, Today

Loaded = Callable[..., Settings]
Said = Callable[..., list[str]]

SERVER = "servers: [{name: web1, endpoint: web1.example.com, token_env: WEB1_TOKEN}]\n"
ENVIRON = {"WEB1_TOKEN": "EXAMPLETOKEN", "WEB2_TOKEN": "OTHERTOKEN"}


@pytest.fixture
def of_file(loaded: Loaded, tmp_path: Path) -> Callable[[str], Settings]:
    def load_text(text: str) -> Settings:
        file = tmp_path / "config.yml"
        file.write_text(text, encoding="utf-8")
        return loaded("--config.file", str(file), environ=ENVIRON)

    return load_text


def test_a_file_with_everything_gives_all_of_it(
    of_file: Callable[[str], Settings], tmp_path: Path, certificates: Path
) -> None:
    (tmp_path / "web1.token").write_text("FILETOKEN\r\n")
    (tmp_path / "web1.token").chmod(0o600)
    (tmp_path / "ca.pem").write_bytes((certificates / "ca.pem").read_bytes())
    text = """\
servers:
  - name: "Büro 1"
    endpoint: http://Web1.Example.com/
    user: reseller
    token_file: web1.token
    timezone: Europe/Berlin
    tls_config: {ca_file: ca.pem, server_name: Mail.Example.com, insecure_skip_verify: yes}
    labels: {region: eu, "on": "5", tier: 'a "b"', rack: r1}
  - {name: web2, endpoint: "[2001:DB8::1]:2083", token_env: WEB2_TOKEN}
server_label: true
poll_interval: 1m30s
request_timeout: 500ms
stale_after: 1h
user_stats: {window: 24h, labels: [owner, primary_domain], user_series: 8}
email_logs:
  {window: 1h, types: [defer, inprogress], labels: [user, domain], privacy: domain,
   where: {domain: [A.example], user: [b, c], direction: [outbound, internal],
           not_domain: [D.example], not_user: [e]},
   max_series: 0, max_series_total: 7}
delivery_events: {enabled: yes, backfill: true, look_back: 30d, user_series: 0, reply_series: 9}
spam_runs: {max_accounts: 3}
storage: {path: ../mail}
families: {allow: ["cpanel_mail_.*", email_logs], deny: [email_logs, cpanel_mail_queue_b.*]}
"""
    assert of_file(text) == Settings(
        servers=(
            ServerSettings(
                name="Büro 1",
                endpoint=Endpoint("http", "web1.example.com", 2086),
                token=TokenSource(Secret("FILETOKEN"), tmp_path / "web1.token"),
                timezone=ZoneInfo("Europe/Berlin"),
                user="reseller",
                tls=TlsSettings(tmp_path / "ca.pem", "mail.example.com", True),
                labels=(("region", "eu"), ("on", "5"), ("tier", 'a "b"'), ("rack", "r1")),
            ),
            ServerSettings(
                name="web2",
                endpoint=Endpoint("https", "2001:db8::1", 2083),
                token=TokenSource(Secret("OTHERTOKEN")),
                timezone=ZoneInfo("UTC"),
            ),
        ),
        server_label=True,
        poll_interval_seconds=90.0,
        request_timeout_seconds=0.5,
        stale_after_seconds=3600.0,
        # The sums by user tell of limits too, and those are shown.
        user_stats=UserStatsSettings(Rolling(86400), ("owner", "primary_domain"), 8),
        email_logs=EmailLogsSettings(
            None,
            ("defer", "inprogress"),
            0,
            7,
            WhereSettings(
                ("a.example",), ("b", "c"), ("outbound", "internal"), ("d.example",), ("e",)
            ),
            ("domain", "user"),
            "domain",
        ),
        delivery_events=DeliveryEventsSettings(
            is_enabled=True,
            backfill=True,
            look_back_seconds=30 * 86_400,
            user_series=0,
            reply_series=9,
        ),
        storage=StorageSettings(
            tmp_path / "../mail", f"{tmp_path / 'config.yml'}:22: storage.path"
        ),
        max_spam_run_accounts=3,
        hidden_families=frozenset(
            (
                *PROCESS_FAMILIES,
                "email_user_stats",
                "email_flag_stats",
                "email_user_info",
                "email_logs",
                "cpanel_mail_queue_bytes",
                "cpanel_mail_queue_bounce_messages",
            )
        ),
    )


def test_the_example_of_the_reference_page_can_be_used(
    of_file: Callable[[str], Settings], tmp_path: Path
) -> None:
    (tmp_path / "web1.token").write_text("FILETOKEN\n")
    for name in ("rules.toml", "providers.toml"):
        (tmp_path / name).write_text("")
    assert [server.name for server in of_file(EXAMPLE).servers] == ["web1", "web2"]


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("", Today()),
        ("email_logs: {}\n", Today()),
        ("email_logs: off\n", None),
        ("email_logs: Off\n", None),
        ('email_logs: "off"\n', None),
        ("email_logs: {window: off}\n", None),
        ("email_logs: {window: OFF}\n", None),
        ('email_logs: {window: "off"}\n', None),
        ("email_logs: {window: today}\n", Today()),
        ("email_logs: {window: 1d}\n", Rolling(86400)),
    ],
)
def test_off_is_off_although_yaml_reads_it_as_false(
    of_file: Callable[[str], Settings], text: str, window: Any
) -> None:
    assert of_file(SERVER + text).email_logs.window == window
    assert of_file(SERVER + text.replace("email_logs", "user_stats")).user_stats.window == window


@pytest.mark.parametrize(
    ("interval", "stale_after_seconds"), [("1s", 300.0), ("100s", 300.0), ("101s", 303.0)]
)
def test_stale_after_is_the_larger_of_three_intervals_and_five_minutes(
    of_file: Callable[[str], Settings], interval: str, stale_after_seconds: float
) -> None:
    settings = of_file(f"{SERVER}poll_interval: {interval}\n")
    assert settings.stale_after_seconds == stale_after_seconds


def test_stale_after_is_compared_with_the_interval_that_counts(said: Said, tmp_path: Path) -> None:
    file = tmp_path / "config.yml"
    file.write_text(f"{SERVER}poll_interval: 1m\nstale_after: 1m\n")
    assert said("--config.file", str(file), "--poll.interval=2m", environ=ENVIRON) == [
        (
            f"{file}:3: stale_after: 1m is shorter than the poll interval of 2m, "
            "so gauges would vanish between polls; write 3 intervals or more"
        )
    ]


def test_a_single_server_may_go_without_the_label_server(
    of_file: Callable[[str], Settings],
) -> None:
    assert of_file(SERVER).server_label
    assert not of_file(f"{SERVER}server_label: false\n").server_label


def test_a_byte_order_mark_is_no_mistake(of_file: Callable[[str], Settings]) -> None:
    assert of_file("\ufeff" + SERVER).servers[0].name == "web1"


def test_an_anchor_that_nothing_refers_to_is_no_mistake(
    of_file: Callable[[str], Settings],
) -> None:
    text = SERVER.replace("web1,", "&a web1,") + "poll_interval: &a 5s\n"
    assert of_file(text).poll_interval_seconds == 5


def test_relative_paths_start_at_the_files_folder(
    loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/t").write_text("FILETOKEN")
    (tmp_path / "etc/c.yml").write_text("servers: [{name: a, endpoint: h, token_file: t}]")
    monkeypatch.chdir(tmp_path)
    assert loaded("check-config", "etc/c.yml").servers[0].token.file == Path("etc/t")


def test_secrets_that_everyone_can_read_are_warned_of_once(
    loaded: Loaded, tmp_path: Path, certificates: Path
) -> None:
    token, key = tmp_path / "t", tmp_path / "web.key"
    token.write_text("FILETOKEN")
    key.write_bytes((certificates / "web.key").read_bytes())
    (tmp_path / "web.yml").write_text(
        f"tls_server_config: {{cert_file: {certificates}/web.crt, key_file: web.key}}"
    )
    (tmp_path / "c.yml").write_text(
        "servers: [{name: a, endpoint: h, token_file: t}, {name: b, endpoint: h, token_file: t}]"
    )
    line = (f"--config.file={tmp_path}/c.yml", f"--web.config.file={tmp_path}/web.yml")
    for file in (token, key):
        file.chmod(0o644)
    assert loaded(*line).warnings == (
        (
            f"every user of this machine can read {token}, which holds a token; "
            f"run: chmod o-rwx {token}"
        ),
        (
            f"every user of this machine can read {key}, which holds a private key; "
            f"run: chmod o-rwx {key}"
        ),
    )
    for file in (token, key):
        file.chmod(0o640)
    assert loaded(*line).warnings == ()


def test_a_zone_that_is_not_there_is_warned_of_unless_a_flag_names_one(loaded: Loaded) -> None:
    line = ("--endpoint=h", "--apikey=EXAMPLETOKEN")
    assert loaded(*line, environ={"TZ": "Mars/Olympus"}).warnings == (
        (
            "TZ is 'Mars/Olympus', which names no time zone, so days begin at midnight UTC; "
            "set TZ or --timezone to one such as Europe/Berlin"
        ),
    )
    assert loaded(*line, "--timezone=UTC", environ={"TZ": "Mars/Olympus"}).warnings == ()


@pytest.mark.parametrize("kind", ["folder", "pipe", "huge"])
def test_a_config_file_that_is_no_small_file_is_refused_without_waiting(
    said: Said, tmp_path: Path, kind: str
) -> None:
    file = tmp_path / "c.yml"
    if kind == "folder":
        file.mkdir()
        why = (
            f"can't read {file}: is a directory; "
            "check the path, and that the exporter's user may read it"
        )
    elif kind == "pipe":
        os.mkfifo(file)
        why = f"can't read {file}: it isn't a regular file; give a file's path"
    else:
        file.write_bytes(b"#" * (1024 * 1024 + 1))
        why = f"{file} is larger than 1048576 bytes; check that it's the right one"
    assert said("check-config", str(file)) == [f"check-config: {why}"]


FAMILIES = (
    "user_stats", "email_logs", "delivery_events", "mail_queue", "accounts", "unique_recipients",
    "services", "server_info",
)  # fmt: skip


def test_switching_everything_off_is_a_mistake(of_file: Callable[[str], Settings]) -> None:
    with pytest.raises(ConfigError) as caught:
        of_file(SERVER + "".join(f"{name}: off\n" for name in FAMILIES))
    (problem,) = caught.value.problems
    assert problem.place.path == "server_info"
    assert problem.sentence == (
        "is off as well as all other families, so nothing would be asked; switch one of "
        "user_stats, email_logs, delivery_events, mail_queue, accounts, unique_recipients, "
        "services and server_info on"
    )


def test_where_type_is_another_name_for_types(of_file: Callable[[str], Settings]) -> None:
    where = of_file(f"{SERVER}email_logs: {{where: {{type: [failure]}}}}\n").email_logs
    assert where == of_file(f"{SERVER}email_logs: {{types: [failure]}}\n").email_logs
    assert where.types == ("failure",)


def test_no_label_at_all_is_a_choice_too(of_file: Callable[[str], Settings]) -> None:
    assert of_file(f"{SERVER}email_logs: {{labels: []}}\n").email_logs.labels == ()


@pytest.mark.parametrize("on", FAMILIES)
def test_one_family_alone_is_enough(of_file: Callable[[str], Settings], on: str) -> None:
    settings = of_file(SERVER + "".join(f"{name}: off\n" for name in FAMILIES if name != on))
    further = settings.further
    assert (
        settings.user_stats.window is not None,
        settings.email_logs.window is not None,
        settings.delivery_events.is_enabled,
        further.mail_queue,
        further.accounts,
        further.unique_recipients,
        further.services,
        further.server_info,
    ) == tuple(name == on for name in FAMILIES)


def test_bounds_on_series_are_read_beside_the_switch(of_file: Callable[[str], Settings]) -> None:
    further = of_file(
        SERVER + "mail_queue: {user_series: 7}\naccounts: {enabled: false, max_series: 0}\n"
    ).further
    assert further == FurtherSettings(accounts=False, queue_users=7, account_series=0)


@pytest.mark.parametrize(
    ("text", "is_enabled"),
    [
        ("delivery_events: {}\n", True),
        ("delivery_events: off\n", False),
        ("delivery_events: {enabled: off}\n", False),
        ("delivery_events: {look_back: 1d}\n", True),
    ],
)
def test_delivery_events_are_on_unless_switched_off(
    of_file: Callable[[str], Settings], text: str, is_enabled: bool
) -> None:
    assert of_file(SERVER + text).delivery_events.is_enabled == is_enabled


def test_a_storage_path_tells_where_it_was_given(
    loaded: Loaded, of_file: Callable[[str], Settings], tmp_path: Path
) -> None:
    """So that the default can give way to memory, and what was asked for never does."""
    assert of_file(SERVER).storage == StorageSettings(Path("data"), None)
    text = f"{SERVER}storage: {{path: kept}}\n"
    file = tmp_path / "config.yml"
    assert of_file(text).storage == StorageSettings(tmp_path / "kept", f"{file}:2: storage.path")
    line = ("--config.file", str(file))
    by_variable = {**ENVIRON, "CPANEL_MAIL_STORAGE_PATH": "data"}
    assert loaded(*line, environ=by_variable).storage == StorageSettings(
        Path("data"), "CPANEL_MAIL_STORAGE_PATH"
    )
    by_flag = loaded(*line, "--storage.path=/srv/mail", environ=by_variable)
    assert by_flag.storage == StorageSettings(Path("/srv/mail"), "--storage.path")
