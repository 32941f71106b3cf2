"""An invocation and the files it names -> Settings, or every mistake at once."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any

from cpanel_mail_exporter.config import options
from cpanel_mail_exporter.config.bounce_files import named_files, read_bounce_files
from cpanel_mail_exporter.config.certificate import check_issuers
from cpanel_mail_exporter.config.durations import format_duration
from cpanel_mail_exporter.config.file import FileParts, read_config_file
from cpanel_mail_exporter.config.flags import Invocation
from cpanel_mail_exporter.config.option import Option
from cpanel_mail_exporter.config.options import (
    APIKEY,
    CONFIG_FILE,
    ENDPOINT,
    ONE,
    TOKEN_FILE,
)
from cpanel_mail_exporter.config.precedence import Values
from cpanel_mail_exporter.config.problems import ConfigError, Place, Problems
from cpanel_mail_exporter.config.reading import warning_if_public
from cpanel_mail_exporter.config.sections import Found
from cpanel_mail_exporter.config.settings import (
    BouncesSettings,
    DeliveryEventsSettings,
    DemoSettings,
    EmailLogsSettings,
    FurtherSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    TlsSettings,
    TokenSource,
    UserStatsSettings,
    WebSettings,
    WhereSettings,
)
from cpanel_mail_exporter.config.token_file import read_token
from cpanel_mail_exporter.config.web_file import read_web_file
from cpanel_mail_exporter.config.zones import local_zone
from cpanel_mail_exporter.metrics.selection import WATCHED, idle_collectors
from cpanel_mail_exporter.metrics.selection import hidden as hidden_families
from cpanel_mail_exporter.model.outcome import (
    ACCOUNTS,
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    MAIL_QUEUE,
    SERVER_INFO,
    SERVICES,
    UNIQUE_RECIPIENTS,
    USER_STATS,
)
from cpanel_mail_exporter.model.records import DELIVERY_LABELS

_SHORTEST_STALE_AFTER_SECONDS = 300.0
_STALE_AFTER_INTERVALS = 3
_FURTHER: Mapping[str, Option[bool]] = {
    MAIL_QUEUE: options.MAIL_QUEUE_ENABLED,
    ACCOUNTS: options.ACCOUNTS_ENABLED,
    UNIQUE_RECIPIENTS: options.UNIQUE_RECIPIENTS_ENABLED,
    SERVICES: options.SERVICES_ENABLED,
    SERVER_INFO: options.SERVER_INFO_ENABLED,
}
"""Switches of the collectors that FurtherSettings names alike."""


def load(
    invocation: Invocation, environ: Mapping[str, str], *, reserved_labels: frozenset[str]
) -> Settings:
    """Check everything that flags, variables and files say. Reads files; starts nothing.

    Args:
        invocation: what `flags.parse` gave, of any command but `demo`.
        environ: variables, for `token_env` and TZ.
        reserved_labels: label names of the exporter's own families.

    Raises:
        ConfigError: with every problem; flags first, then each file in its own order.
    """
    problems = Problems(invocation.problems)
    values = Values(invocation.values, problems)
    zone = local_zone(environ)
    warnings = [zone.warning]
    default_zone = values.find(options.TIMEZONE)
    exporter_zone = default_zone.value if default_zone else zone.zone
    if default_zone:
        warnings.clear()
    if CONFIG_FILE in invocation.values:
        _refuse_flags_of_one_server(invocation, problems)
        path = values.find(CONFIG_FILE)
        if path is not None:
            values.parts = read_config_file(
                path,
                problems,
                environ=environ,
                default_zone=exporter_zone,
                reserved_labels=reserved_labels,
            )
        server_label = values.value(options.SERVER_LABEL)
    else:
        server_label = False
        server = _server_of_flags(values, problems, exporter_zone, invocation)
        values.parts = FileParts(() if server is None else (server,))
    web = _web(values, problems)
    poll_interval_seconds = values.value(options.POLL_INTERVAL)
    stale_after_seconds = _stale_after(values, poll_interval_seconds, problems)
    hidden = _hidden_families(values)
    idle = idle_collectors(hidden)
    _refuse_nothing_to_do(values, idle, problems)
    bounces = named_files(values)
    _check_bounce_files(bounces, problems)
    problems.raise_any()
    servers = values.parts.servers
    warnings += _warnings(servers, web)
    warnings.append(_warning_if_unwatched(hidden))
    token = invocation.values.get(APIKEY)
    return Settings(
        servers=servers,
        server_label=server_label,
        poll_interval_seconds=poll_interval_seconds,
        request_timeout_seconds=values.value(options.REQUEST_TIMEOUT),
        stale_after_seconds=stale_after_seconds,
        user_stats=UserStatsSettings(
            window=None if USER_STATS in idle else values.value(options.USER_STATS_WINDOW),
            labels=values.value_or(options.USER_STATS_LABELS, ()),
            user_series=values.value(options.USER_STATS_SERIES),
        ),
        email_logs=_email_logs(values, is_idle=EMAIL_LOGS in idle),
        delivery_events=DeliveryEventsSettings(
            is_enabled=values.value(options.DELIVERY_EVENTS_ENABLED),
            backfill=values.value(options.BACKFILL),
            look_back_seconds=values.value(options.LOOK_BACK),
            user_series=values.value(options.USER_SERIES),
            reply_series=values.value(options.REPLY_SERIES),
        ),
        further=FurtherSettings(
            **{
                name: name not in idle and values.value(switch) for name, switch in _FURTHER.items()
            },
            queue_users=values.value(options.QUEUE_USER_SERIES),
            account_series=values.value(options.ACCOUNT_SERIES),
        ),
        storage=_storage(values),
        bounces=bounces,
        max_spam_run_accounts=values.value(options.SPAM_RUNS_MAX_ACCOUNTS),
        hidden_families=hidden,
        web=web,
        log_level=values.value(options.LOG_LEVEL),
        log_format=values.value(options.LOG_FORMAT),
        token_on_command_line=token is not None and token.is_on_command_line,
        warnings=tuple(dict.fromkeys(warning for warning in warnings if warning)),
    )


def load_demo(invocation: Invocation) -> DemoSettings:
    """Check what `demo` was given.

    Raises:
        ConfigError: with every problem.
    """
    problems = Problems(invocation.problems)
    values = Values(invocation.values, problems)
    problems.raise_any()
    usual = DemoSettings()
    host, port = values.value_or(options.LISTEN, (usual.host, usual.port))
    return DemoSettings(
        servers=values.value(options.DEMO_SERVERS),
        host=host,
        port=port,
        seed=values.value(options.DEMO_SEED),
        with_prometheus=not values.value(options.NO_PROMETHEUS),
        log_level=values.value(options.LOG_LEVEL),
        log_format=values.value(options.LOG_FORMAT),
    )


def _check_bounce_files(bounces: BouncesSettings, problems: Problems) -> None:
    if bounces == BouncesSettings():
        return
    try:
        read_bounce_files(bounces)
    except ConfigError as error:
        for problem in error.problems:
            problems.add(problem.place, problem.sentence)


def _refuse_nothing_to_do(values: Values, idle: frozenset[str], problems: Problems) -> None:
    switches: dict[str, Option[Any]] = {
        USER_STATS: options.USER_STATS_WINDOW,
        EMAIL_LOGS: options.EMAIL_LOGS_WINDOW,
        DELIVERY_EVENTS: options.DELIVERY_EVENTS_ENABLED,
        **_FURTHER,
    }
    found: list[Found[Any] | None] = [values.find(switch) for switch in switches.values()]
    written = [one for one in found if one is not None and not one.value]
    if len(written) == len(switches):
        problems.add(
            written[-1].place,
            "is off as well as all other families, so nothing would be asked; "
            "switch one of user_stats, email_logs, delivery_events, mail_queue, accounts, "
            "unique_recipients, services and server_info on",
        )
    elif all(name in idle or not values.value(switch) for name, switch in switches.items()):
        choice = values.find(options.FAMILIES_DENY) or values.find(options.FAMILIES_ALLOW)
        if choice is not None:
            problems.add(
                choice.place,
                "hides every family that a collector which isn't off could fill, so nothing would "
                "be asked; show one of them, or switch delivery_events on",
            )


def _hidden_families(values: Values) -> frozenset[str]:
    allow, deny = values.find(options.FAMILIES_ALLOW), values.find(options.FAMILIES_DENY)
    return hidden_families(allow.value if allow else (), deny.value if deny else ())


def _warning_if_unwatched(hidden: frozenset[str]) -> str | None:
    missed = sorted(hidden & WATCHED)
    if not missed:
        return None
    return (
        f"families.allow and families.deny hide {', '.join(missed)}: alerts can't tell then that "
        "a poll failed or that series were cut"
    )


def _refuse_flags_of_one_server(invocation: Invocation, problems: Problems) -> None:
    file = invocation.values[CONFIG_FILE].source
    for option, given in invocation.values.items():
        if option is ENDPOINT:
            sentence = (
                f"stands beside {file}; give one of them: one server, or a file that names all"
            )
        elif option is APIKEY:
            sentence = (
                f"has no use beside {file}; "
                "write 'token_file' or 'token_env' (with another variable) below 'servers' there"
            )
        elif option.group == ONE:
            key = option.key.removeprefix(f"{options.SERVER}.")
            sentence = f"has no use beside {file}; write {key!r} below 'servers' there"
        else:
            continue
        problems.add(Place(given.source), sentence)


def _server_of_flags(
    values: Values, problems: Problems, zone: tzinfo, given: Invocation
) -> ServerSettings | None:
    endpoint = values.find(ENDPOINT)
    token = _token_of_flags(values, problems, given)
    if ENDPOINT not in given.values and given.command == "check-config":
        problems.add(Place("check-config"), "names no file; write: check-config FILE")
    elif ENDPOINT not in given.values:
        problems.add(
            Place("command line"),
            "names no server; give --endpoint HOST:2087 and --apikey-file FILE for one, "
            "or --config.file FILE for many",
        )
    ca_file = values.find(options.CA_FILE)
    if ca_file is not None:
        try:
            check_issuers(ca_file.value)
        except ValueError as error:
            problems.add(ca_file.place, str(error))
    if endpoint is None or token is None:
        return None
    return ServerSettings(
        name=endpoint.value.authority,
        endpoint=endpoint.value,
        token=token,
        timezone=zone,
        user=values.value(options.USER),
        tls=TlsSettings(
            ca_file=ca_file.value if ca_file else None,
            insecure_skip_verify=values.value(options.SKIP_VERIFY),
        ),
    )


def _token_of_flags(values: Values, problems: Problems, given: Invocation) -> TokenSource | None:
    apikey, file = given.values.get(APIKEY), given.values.get(TOKEN_FILE)
    if apikey is not None and file is not None:
        problems.add(
            Place(apikey.source), f"stands beside {file.source}, both give the token; keep one"
        )
        return None
    if apikey is None and file is None and ENDPOINT in given.values:
        problems.add(
            Place(given.values[ENDPOINT].source),
            "comes without a token; give --apikey-file FILE, or the token as CPANEL_MAIL_APIKEY",
        )
    token, path = values.find(APIKEY), values.find(TOKEN_FILE)
    if token is not None:
        return TokenSource(token.value)
    if path is not None:
        try:
            return TokenSource(read_token(path.value), path.value)
        except ValueError as error:
            problems.add(path.place, str(error))
    return None


def _web(values: Values, problems: Problems) -> WebSettings:
    host, port = values.value(options.LISTEN)
    file = values.find(options.WEB_CONFIG_FILE)
    if file is None:
        return WebSettings(host, port)
    asked = read_web_file(file, problems)
    return WebSettings(host, port, asked.cert_file, asked.key_file, asked.users)


def _stale_after(values: Values, poll_interval_seconds: float, problems: Problems) -> float:
    found = values.find(options.STALE_AFTER)
    if found is None:
        return max(_SHORTEST_STALE_AFTER_SECONDS, _STALE_AFTER_INTERVALS * poll_interval_seconds)
    if found.value < poll_interval_seconds:
        problems.add(
            found.place,
            f"{format_duration(found.value)} is shorter than the poll interval of "
            f"{format_duration(poll_interval_seconds)}, so gauges would vanish between polls; "
            "write 3 intervals or more",
        )
    return found.value


def _email_logs(values: Values, *, is_idle: bool) -> EmailLogsSettings:
    max_series = values.value(options.MAX_SERIES)
    usual_total = values.value(options.MAX_SERIES_TOTAL)
    if values.find(options.MAX_SERIES_TOTAL) is None:
        usual_total = max(usual_total, max_series) if max_series else 0
    return EmailLogsSettings(
        window=None if is_idle else values.value(options.EMAIL_LOGS_WINDOW),
        types=values.value(options.EMAIL_LOGS_TYPES),
        where=WhereSettings(
            domains=values.value_or(options.WHERE_DOMAIN, ()),
            users=values.value_or(options.WHERE_USER, ()),
            directions=values.value_or(options.WHERE_DIRECTION, ()),
            not_domains=values.value_or(options.WHERE_NOT_DOMAIN, ()),
            not_users=values.value_or(options.WHERE_NOT_USER, ()),
        ),
        labels=values.value_or(options.EMAIL_LOGS_LABELS, DELIVERY_LABELS),
        privacy=values.value(options.EMAIL_LOGS_PRIVACY),
        max_series=max_series,
        max_series_total=usual_total,
    )


def _storage(values: Values) -> StorageSettings:
    found = values.find(options.STORAGE_PATH)
    if found is None:
        return StorageSettings(values.value(options.STORAGE_PATH))
    return StorageSettings(found.value, str(found.place))


def _warnings(servers: Iterable[ServerSettings], web: WebSettings) -> list[str | None]:
    secrets = [(server.token.file, "a token") for server in servers]
    secrets.append((web.key_file, "a private key"))
    return [warning_if_public(file, what) for file, what in secrets if file is not None]
