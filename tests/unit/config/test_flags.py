"""Flags and variables: spelling, precedence, contradictions, and what is said about them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cpanel_mail_exporter.config import options
from cpanel_mail_exporter.config.arguments import help_text
from cpanel_mail_exporter.config.explain import load_explain
from cpanel_mail_exporter.config.flags import Invocation, parse
from cpanel_mail_exporter.config.load import load, load_demo
from cpanel_mail_exporter.config.options import FLAGGED, OPTIONS
from cpanel_mail_exporter.config.problems import ConfigError
from cpanel_mail_exporter.config.settings import (
    BouncesSettings,
    DeliveryEventsSettings,
    DemoSettings,
    EmailLogsSettings,
    ExplainSettings,
    FurtherSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    TlsSettings,
    TokenSource,
    UserStatsSettings,
    WebSettings,
)
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.model.window import Rolling

Loaded = Callable[..., Settings]
Said = Callable[..., list[str]]

ONE = ("--endpoint", "web1.example.com", "--apikey", "EXAMPLETOKEN")


def server(settings: Settings) -> ServerSettings:
    (only,) = settings.servers
    return only


def test_the_original_command_line_gives_one_server_without_a_label(loaded: Loaded) -> None:
    settings = loaded(
        "--endpoint", "web1.example.com:2087", "--apikey", "EXAMPLETOKEN", "--listen", "[::1]:0"
    )
    assert settings == Settings(
        servers=(
            ServerSettings(
                name="web1.example.com:2087",
                endpoint=Endpoint("https", "web1.example.com", 2087),
                token=TokenSource(Secret("EXAMPLETOKEN")),
                timezone=ZoneInfo("UTC"),
            ),
        ),
        server_label=False,
        web=WebSettings(host="::1", port=0),
        token_on_command_line=True,
    )


def test_defaults_of_the_options_are_those_of_the_settings() -> None:
    usual = Settings(servers=(), server_label=True)
    assert {option: option.parse(option.default) for option in FLAGGED if option.default} == {
        options.USER: "root",
        options.SKIP_VERIFY: TlsSettings().insecure_skip_verify,
        options.POLL_INTERVAL: usual.poll_interval_seconds,
        options.REQUEST_TIMEOUT: usual.request_timeout_seconds,
        options.USER_STATS_WINDOW: UserStatsSettings().window,
        options.USER_STATS_SERIES: UserStatsSettings().user_series,
        options.EMAIL_LOGS_WINDOW: EmailLogsSettings().window,
        options.EMAIL_LOGS_TYPES: EmailLogsSettings().types,
        options.EMAIL_LOGS_PRIVACY: EmailLogsSettings().privacy,
        options.MAX_SERIES: EmailLogsSettings().max_series,
        options.BACKFILL: DeliveryEventsSettings().backfill,
        options.MAIL_QUEUE_ENABLED: FurtherSettings().mail_queue,
        options.ACCOUNTS_ENABLED: FurtherSettings().accounts,
        options.UNIQUE_RECIPIENTS_ENABLED: FurtherSettings().unique_recipients,
        options.SERVICES_ENABLED: FurtherSettings().services,
        options.SERVER_INFO_ENABLED: FurtherSettings().server_info,
        options.STORAGE_PATH: StorageSettings().path,
        options.LISTEN: (WebSettings().host, WebSettings().port),
        options.LOG_LEVEL: usual.log_level,
        options.LOG_FORMAT: usual.log_format,
        options.DEMO_SERVERS: DemoSettings().servers,
        options.DEMO_SEED: DemoSettings().seed,
        options.NO_PROMETHEUS: not DemoSettings().with_prometheus,
        options.AS_JSON: ExplainSettings(None, usual.bounces).as_json,
    }


@pytest.fixture
def files(tmp_path: Path, certificates: Path) -> Path:
    (tmp_path / "token").write_text("FILETOKEN\n")
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "ca.pem").write_bytes((certificates / "ca.pem").read_bytes())
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{alice: $2b$10${'.' * 53}}}\n")
    (tmp_path / "config.yml").write_text(
        "servers: [{name: web1, endpoint: web9.example.com, token_file: token}]\n"
    )
    for name in ("rules.toml", "providers.toml"):
        (tmp_path / name).write_text("")
    return tmp_path


# Flag, value (@ is the folder of the files above), what is looked at, and what it is then.
SETTINGS: list[tuple[str, str, Callable[[Settings], Any], Any]] = [
    ("endpoint", "h:1", lambda s: server(s).endpoint, Endpoint("https", "h", 1)),
    ("user", "reseller", lambda s: server(s).user, "reseller"),
    ("apikey", "OTHERTOKEN", lambda s: server(s).token, TokenSource(Secret("OTHERTOKEN"))),
    ("apikey-file", "@/token", lambda s: server(s).token.value, Secret("FILETOKEN")),
    ("tls.ca-file", "@/ca.pem", lambda s: server(s).tls.ca_file is not None, True),
    ("tls.insecure-skip-verify", "true", lambda s: server(s).tls.insecure_skip_verify, True),
    ("config.file", "@/config.yml", lambda s: server(s).endpoint.host, "web9.example.com"),
    ("timezone", "Asia/Tokyo", lambda s: server(s).timezone, ZoneInfo("Asia/Tokyo")),
    ("poll.interval", "5s", lambda s: s.poll_interval_seconds, 5.0),
    ("request.timeout", "500ms", lambda s: s.request_timeout_seconds, 0.5),
    ("user-stats.window", "24h", lambda s: s.user_stats.window, Rolling(86400)),
    ("user-stats.user-series", "7", lambda s: s.user_stats.user_series, 7),
    ("email-logs.window", "off", lambda s: s.email_logs.window, None),
    ("email-logs.types", "success,failure", lambda s: s.email_logs.types, ("success", "failure")),
    ("email-logs.labels", "user, domain", lambda s: s.email_logs.labels, ("domain", "user")),
    ("email-logs.privacy", "hash", lambda s: s.email_logs.privacy, "hash"),
    (
        "email-logs.where.domain",
        "B.example,a.example",
        lambda s: s.email_logs.where.domains,
        ("b.example", "a.example"),
    ),
    (
        "email-logs.where.user",
        "a,-remote-",
        lambda s: s.email_logs.where.users,
        ("a", "-remote-"),
    ),
    (
        "email-logs.where.direction",
        "inbound",
        lambda s: s.email_logs.where.directions,
        ("inbound",),
    ),
    ("email-logs.max-series", "7", lambda s: s.email_logs.max_series, 7),
    ("backfill", "true", lambda s: s.delivery_events.backfill, True),
    ("mail-queue.enabled", "false", lambda s: s.further, FurtherSettings(mail_queue=False)),
    ("accounts.enabled", "false", lambda s: s.further, FurtherSettings(accounts=False)),
    (
        "unique-recipients.enabled",
        "false",
        lambda s: s.further,
        FurtherSettings(unique_recipients=False),
    ),
    ("services.enabled", "false", lambda s: s.further, FurtherSettings(services=False)),
    ("server-info.enabled", "false", lambda s: s.further, FurtherSettings(server_info=False)),
    (
        "families.allow",
        "email_.*, cpanel_mail_.*,process_.*",
        lambda s: s.hidden_families,
        frozenset(),
    ),
    (
        "families.deny",
        "process_open_fds,cpanel_mail_series",
        lambda s: s.hidden_families,
        frozenset({"process_open_fds", "cpanel_mail_series"}),
    ),
    ("storage.path", "x/y", lambda s: s.storage.path, Path("x/y")),
    ("bounces.rules-file", "@/rules.toml", lambda s: s.bounces.rules_file.name, "rules.toml"),
    (
        "bounces.providers-file",
        "@/providers.toml",
        lambda s: s.bounces.providers_file.name,
        "providers.toml",
    ),
    ("listen", "127.0.0.1:0", lambda s: (s.web.host, s.web.port), ("127.0.0.1", 0)),
    ("web.listen-address", ":1", lambda s: (s.web.host, s.web.port), ("", 1)),
    ("web.config.file", "@/web.yml", lambda s: list(s.web.basic_auth_users), ["alice"]),
    ("log.level", "warn", lambda s: s.log_level, "warning"),
    ("log.format", "json", lambda s: s.log_format, "json"),
]


def test_the_table_names_every_flag_that_is_not_for_the_demo_or_explain() -> None:
    others = {options.DEMO, options.EXPLAIN}
    flags = {f for o in FLAGGED if o.group not in others for f in o.flags}
    assert [flag for flag, *_ in SETTINGS] == sorted(flags, key=[r[0] for r in SETTINGS].index)


@pytest.mark.parametrize("spelling", ["--F V", "--F=V", "-F V", "-F=V", "variable"])
@pytest.mark.parametrize(("flag", "text", "look", "expected"), SETTINGS, ids=lambda v: str(v)[:20])
def test_every_flag_works_in_every_spelling_and_as_a_variable(
    loaded: Loaded,
    files: Path,
    flag: str,
    text: str,
    look: Callable[[Settings], Any],
    expected: Any,
    spelling: str,
) -> None:
    text = text.replace("@", str(files))
    rest: list[str] = []
    if flag not in {"endpoint", "config.file"}:
        rest += ["--endpoint=web1.example.com"]
    if flag not in {"apikey", "apikey-file", "config.file"}:
        rest += ["--apikey=EXAMPLETOKEN"]
    if spelling == "variable":
        name = "CPANEL_MAIL_" + flag.upper().replace(".", "_").replace("-", "_")
        settings = loaded(*rest, environ={name: text})
    else:
        if flag in {"tls.insecure-skip-verify", "backfill"} and spelling.endswith(" V"):
            spelling = spelling.removesuffix(" V")
        if flag.endswith(".enabled"):
            spelling = spelling.replace(" V", "=V")
        words = [part.replace("F", flag).replace("V", text) for part in spelling.split()]
        settings = loaded(*rest, *words)
    assert look(settings) == expected


def test_a_flag_wins_over_its_variable_that_over_the_file_and_that_over_the_default(
    loaded: Loaded, files: Path
) -> None:
    file = ("--config.file", str(files / "config.yml"))
    interval = {"CPANEL_MAIL_POLL_INTERVAL": "4s"}
    assert loaded(*file).poll_interval_seconds == 60
    with (files / "config.yml").open("a") as stream:
        stream.write("poll_interval: 3s\nemail_logs: off\n")
    assert loaded(*file).poll_interval_seconds == 3
    assert loaded(*file, environ=interval).poll_interval_seconds == 4
    assert loaded(*file, "--poll.interval=5s", environ=interval).poll_interval_seconds == 5
    assert loaded(*file).email_logs.window is None
    assert loaded(*file, "--email-logs.window=1h").email_logs.window == Rolling(3600)


def test_the_zone_flag_is_for_servers_without_a_zone_of_their_own(
    loaded: Loaded, files: Path
) -> None:
    (files / "config.yml").write_text(
        "servers:\n"
        "  - {name: a, endpoint: a.example.com, token_file: token}\n"
        "  - {name: b, endpoint: b.example.com, token_file: token, timezone: Asia/Tokyo}\n"
    )
    settings = loaded("--config.file", str(files / "config.yml"), "--timezone=Europe/Berlin")
    assert [str(s.timezone) for s in settings.servers] == ["Europe/Berlin", "Asia/Tokyo"]
    by_tz = loaded("--config.file", str(files / "config.yml"), environ={"TZ": ":America/Lima"})
    assert [str(s.timezone) for s in by_tz.servers] == ["America/Lima", "Asia/Tokyo"]


def test_an_empty_variable_counts_as_not_set(loaded: Loaded) -> None:
    assert server(loaded(*ONE, environ={"CPANEL_MAIL_USER": ""})).user == "root"


def test_only_a_token_on_the_command_line_is_marked_as_such(loaded: Loaded) -> None:
    by_variable = loaded("--endpoint=h", environ={"CPANEL_MAIL_APIKEY": "EXAMPLETOKEN"})
    assert not by_variable.token_on_command_line
    assert loaded(*ONE).token_on_command_line


@pytest.mark.parametrize("at", range(5))
def test_the_subcommand_stands_anywhere_among_the_flags(at: int) -> None:
    line = ["--endpoint=h", "--tls.insecure-skip-verify", "--apikey=x", "-user=y"]
    line.insert(at, "once")
    invocation = parse(line, {})
    assert invocation.command == "once"
    assert {o.flags[0]: g.text for o, g in invocation.values.items()} == {
        "endpoint": "h",
        "user": "y",
        "apikey": "x",
        "tls.insecure-skip-verify": "true",
    }


def test_a_true_or_false_flag_takes_no_word_after_it_but_what_follows_an_equals_sign(
    loaded: Loaded,
) -> None:
    assert parse(["--tls.insecure-skip-verify", "once"], {}).command == "once"
    assert not server(loaded(*ONE, "-tls.insecure-skip-verify=no")).tls.insecure_skip_verify


def test_max_series_takes_the_total_along_unless_that_is_written(
    loaded: Loaded, files: Path
) -> None:
    def both(*line: str) -> tuple[int, int]:
        logs = loaded(*line).email_logs
        return logs.max_series, logs.max_series_total

    assert both(*ONE) == (50_000, 50_000)
    assert both(*ONE, "--email-logs.max-series=7") == (7, 50_000)
    assert both(*ONE, "--email-logs.max-series=70000") == (70_000, 70_000)
    assert both(*ONE, "--email-logs.max-series=0") == (0, 0)
    with (files / "config.yml").open("a") as stream:
        stream.write("email_logs: {max_series: 0, max_series_total: 9}\n")
    assert both("--config.file", str(files / "config.yml")) == (0, 9)


MISTAKES: list[tuple[list[str], dict[str, str], list[str]]] = [
    (
        [],
        {},
        [
            (
                "command line: names no server; give --endpoint HOST:2087 and --apikey-file FILE "
                "for one, or --config.file FILE for many"
            )
        ],
    ),
    (["check-config"], {}, ["check-config: names no file; write: check-config FILE"]),
    (
        ["--endpoint=h"],
        {},
        [
            (
                "--endpoint: comes without a token; give --apikey-file FILE, "
                "or the token as CPANEL_MAIL_APIKEY"
            )
        ],
    ),
    (["--endpoint"], {}, ["--endpoint: needs a value; see --help"]),
    (
        ["--endp=h", "-apikeys", "SECRETWORD", "--xyzzy=SECRETWORD"],
        {},
        [
            "--endp: there is no such flag; did you mean '--endpoint'?",
            "--apikeys: there is no such flag; did you mean '--apikey'?",
            "--xyzzy: there is no such flag; see --help",
        ],
    ),
    (
        ["onces"],
        {},
        ["command line: holds a word that is no flag's value; did you mean 'once'?"],
    ),
    (
        [*ONE, "SECRETWORD"],
        {},
        ["command line: holds a word that is no flag's value; see --help"],
    ),
    (
        ["once", "file.yml", *ONE],
        {},
        ["command line: holds a word that is no flag's value; see --help"],
    ),
    (
        [*ONE, "--listen=:1", "--web.listen-address=:2"],
        {},
        [
            (
                "--web.listen-address: differs from --listen, which is the same setting; "
                "give one of them"
            )
        ],
    ),
    (
        list(ONE),
        {"CPANEL_MAIL_LISTEN": ":1", "CPANEL_MAIL_WEB_LISTEN_ADDRESS": ":2"},
        [
            (
                "CPANEL_MAIL_LISTEN: differs from CPANEL_MAIL_WEB_LISTEN_ADDRESS, "
                "which is the same setting; give one of them"
            )
        ],
    ),
    (
        [*ONE, "--endpoint=web2.example.com"],
        {},
        ["--endpoint: names two servers; for more than one use --config.file FILE"],
    ),
    (
        [*ONE, "--apikey-file=f"],
        {},
        ["--apikey: stands beside --apikey-file, both give the token; keep one"],
    ),
    (
        ["--endpoint=h", "--apikey-file=f"],
        {"CPANEL_MAIL_APIKEY": "EXAMPLETOKEN"},
        ["CPANEL_MAIL_APIKEY: stands beside --apikey-file, both give the token; keep one"],
    ),
    (
        ["--config.file=CONFIG", "--tls.insecure-skip-verify"],
        {"CPANEL_MAIL_ENDPOINT": "h", "CPANEL_MAIL_USER": "u", "CPANEL_MAIL_APIKEY": "t"},
        [
            (
                "CPANEL_MAIL_ENDPOINT: stands beside --config.file; "
                "give one of them: one server, or a file that names all"
            ),
            "CPANEL_MAIL_USER: has no use beside --config.file; write 'user' below 'servers' there",
            (
                "CPANEL_MAIL_APIKEY: has no use beside --config.file; "
                "write 'token_file' or 'token_env' (with another variable) below 'servers' there"
            ),
            (
                "--tls.insecure-skip-verify: has no use beside --config.file; "
                "write 'tls_config.insecure_skip_verify' below 'servers' there"
            ),
        ],
    ),
    (
        ["--endpoint=h", "--apikey-file=f", "--tls.ca-file=f"],
        {"CPANEL_MAIL_CONFIG_FILE": "CONFIG"},
        [
            (
                "--endpoint: stands beside CPANEL_MAIL_CONFIG_FILE; "
                "give one of them: one server, or a file that names all"
            ),
            (
                "--apikey-file: has no use beside CPANEL_MAIL_CONFIG_FILE; "
                "write 'token_file' below 'servers' there"
            ),
            (
                "--tls.ca-file: has no use beside CPANEL_MAIL_CONFIG_FILE; "
                "write 'tls_config.ca_file' below 'servers' there"
            ),
        ],
    ),
    (
        ["check-config", "CONFIG", "--config.file=other.yml"],
        {},
        ["--config.file: names another file than check-config; name one"],
    ),
    (
        [*ONE, "--servers=3"],
        {},
        ["--servers: is for the demo alone; write 'demo' or leave it out"],
    ),
    (
        [
            "--endpoint=2001:db8::1",
            "--apikey=EXAMPLE TOKEN",
            "--user=a:b",
            "--tls.ca-file=",
            "--timezone=Mars/Olympus",
            "--poll.interval=500ms",
            "--request.timeout=0",
            "--user-stats.window=yesterday",
            "--email-logs.types=success,deferral",
            "--email-logs.max-series=-1",
            "--listen=9197",
            "--log.level=loud",
            "--log.format=xml",
        ],
        {"CPANEL_MAIL_TLS_INSECURE_SKIP_VERIFY": "maybe", "CPANEL_MAIL_EMAIL_LOGS_WINDOW": "1"},
        [
            "--endpoint: an IPv6 address stands in brackets; write [2001:db8::1]:2087",
            (
                "--user: isn't a WHM user name; write 1 to 100 letters, digits or signs, "
                "without ':' and spaces"
            ),
            (
                "--apikey: the token holds a space, a line break or a control character; "
                "give the token alone"
            ),
            "--timezone: there is no time zone 'Mars/Olympus'; write one such as Europe/Berlin",
            "--tls.ca-file: isn't a path; write that of a file or folder",
            (
                "CPANEL_MAIL_TLS_INSECURE_SKIP_VERIFY: 'maybe' is neither true nor false; "
                "write one of these"
            ),
            "--poll.interval: 500ms is too short; write 1s or more",
            "--request.timeout: 0 leaves no time at all; write a duration such as 30s",
            (
                "--user-stats.window: 'yesterday' isn't a window; "
                "write today, a duration such as 24h, or off"
            ),
            (
                "CPANEL_MAIL_EMAIL_LOGS_WINDOW: '1' isn't a window; "
                "write today, a duration such as 24h, or off"
            ),
            "--email-logs.types: 'deferral' isn't a kind of delivery; did you mean 'defer'?",
            "--email-logs.max-series: '-1' isn't a plain whole number; write 0 or more",
            "--listen: isn't an address to listen on; write :9197, 127.0.0.1:9197 or [::1]:9197",
            "--log.level: 'loud' is no level; write debug, info, warning or error",
            "--log.format: 'xml' is no log format; write logfmt or json",
        ],
    ),
    (
        ["--config.file=missing.yml", "--poll.interval=1x"],
        {},
        [
            "--poll.interval: '1x' isn't a duration; write one such as 90s, 1h30m or 500ms",
            (
                "--config.file: can't read missing.yml: no such file or directory; "
                "check the path, and that the exporter's user may read it"
            ),
        ],
    ),
]


@pytest.mark.parametrize(("line", "environ", "expected"), MISTAKES)
def test_each_mistake_gets_its_sentence_and_all_are_told_at_once(
    said: Said, files: Path, line: list[str], environ: dict[str, str], expected: list[str]
) -> None:
    config = str(files / "config.yml")
    line = [word.replace("CONFIG", config) for word in line]
    environ = {name: text.replace("CONFIG", config) for name, text in environ.items()}
    assert said(*line, environ=environ) == expected


def test_mistakes_of_flags_come_before_those_of_each_file_in_its_order(
    said: Said, tmp_path: Path
) -> None:
    config, web = tmp_path / "c.yml", tmp_path / "w.yml"
    config.write_text("stale_after: 1x\nservers: []\n")
    web.write_text("rate_limit: 1\n")
    line = (f"--web.config.file={web}", f"--config.file={config}", "--log.level=x")
    assert [text.partition(": ")[0] for text in said(*line)] == [
        "--log.level",
        f"{config}:1",
        f"{config}:2",
        f"{web}:1",
    ]


def test_the_demo_has_flags_of_its_own() -> None:
    def demo(*line: str, **environ: str) -> DemoSettings:
        return load_demo(parse(["demo", *line], environ))

    assert demo() == DemoSettings()
    given = demo("--servers=5", "-seed", "9", "--no-prometheus", "--listen=:0", "--log.level=debug")
    assert given == DemoSettings(
        servers=5, host="", port=0, seed=9, with_prometheus=False, log_level="debug"
    )
    # The environment of a service that is being tried out doesn't disturb it.
    assert demo(CPANEL_MAIL_ENDPOINT="h", CPANEL_MAIL_SERVERS="2") == DemoSettings(servers=2)


def test_the_demo_refuses_flags_that_mean_nothing_to_it() -> None:
    with pytest.raises(ConfigError) as caught:
        load_demo(parse(["demo", "--endpoint=h", "--servers=0"], {}))
    assert str(caught.value).splitlines() == [
        "--endpoint: isn't for the demo, which brings its own; leave it out",
        "--servers: '0' is too small; write 1 or more",
    ]


def test_explain_has_flags_of_its_own() -> None:
    def explain(*line: str, **environ: str) -> ExplainSettings:
        return load_explain(parse(["explain", *line], environ))

    assert explain() == ExplainSettings(None, BouncesSettings())
    given = explain("550 No", "such user", "--json", "-host=mx.example", "--domain", "example.com",
                    "--router=r", "--type=defer", "--bounces.rules-file=r.toml")  # fmt: skip
    assert given == ExplainSettings(
        "550 No such user", BouncesSettings(rules_file=Path("r.toml")), as_json=True,
        host="mx.example", domain="example.com", router="r", type="defer",
    )  # fmt: skip
    assert explain(CPANEL_MAIL_ENDPOINT="h").text is None


def test_explain_refuses_what_means_nothing_to_it() -> None:
    with pytest.raises(ConfigError) as caught:
        load_explain(parse(["explain", "--listen=:1", "--type=failed"], {}))
    assert str(caught.value).splitlines() == [
        "--listen: has no use for explain; leave it out",
        "--type: 'failed' isn't a kind of trouble; did you mean 'failure'?",
    ]
    with pytest.raises(ConfigError) as caught:
        load_explain(parse(["--json"], {}))
    assert str(caught.value) == "--json: is for explain alone; write 'explain' or leave it out"


def test_explain_takes_the_files_of_a_configuration_whose_tokens_it_may_not_read(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.yml"
    file.write_text(
        "servers: [{name: web1, endpoint: web1.example.com, token_file: nothing}]\n"
        "bounces: {rules_file: own.toml}\n"
    )
    settings = load_explain(parse(["explain", "--config.file", str(file)], {}))
    assert settings.bounces == BouncesSettings(rules_file=tmp_path / "own.toml")
    with pytest.raises(ConfigError, match="can't read"):
        load_explain(parse(["explain", "--config.file", str(tmp_path / "none.yml")], {}))


@pytest.mark.parametrize("word", ["-h", "--help", "-help"])
def test_help_names_each_flag_with_its_variables_and_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit) as caught:
        parse(["once", word], {})
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert shown == help_text()
    assert "\0" not in shown
    for option in FLAGGED:
        for name in (*option.variables, *(f"--{flag}" for flag in option.flags)):
            assert name in shown
        assert f"({option.shown_default})" in shown
        assert option.sentence in shown


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["--version"], {})
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("cpanel-mail-exporter ")


def test_no_two_options_share_a_flag_a_variable_or_a_key() -> None:
    for names in (
        [name for option in OPTIONS for name in option.variables],
        [option.key for option in OPTIONS if option.key],
        [option.web_key for option in OPTIONS if option.web_key],
    ):
        assert len(names) == len(set(names))


def test_an_invocation_does_not_show_the_token() -> None:
    invocation: Invocation = parse([*ONE], {"CPANEL_MAIL_APIKEY": "SECRETWORD"})
    settings = load(invocation, {}, reserved_labels=frozenset())
    for shown in (repr(invocation), repr(settings), str(settings)):
        assert "EXAMPLETOKEN" not in shown
        assert "SECRETWORD" not in shown
