"""Every flag, variable and key of the configuration files, stated once.

The parser of flags takes its help from here, the readers of files their known keys, all of them
their checks and defaults, and `reference` the page for the operator.
"""

from datetime import tzinfo
from pathlib import Path
from typing import Any

from cpanel_mail_exporter.config import values
from cpanel_mail_exporter.config.durations import parse_duration, parse_window
from cpanel_mail_exporter.config.endpoint import parse_endpoint, parse_listen
from cpanel_mail_exporter.config.family_patterns import parse_family_patterns_text
from cpanel_mail_exporter.config.option import Option
from cpanel_mail_exporter.config.settings import DEFAULT_TYPES, LogFormat, LogLevel, Privacy
from cpanel_mail_exporter.config.token_file import parse_token
from cpanel_mail_exporter.config.zones import find_zone
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.model.window import Window

SERVER = "servers[]"
"""The path of one server in the configuration file."""


ONE = "One server, by flags"
MANY = "Servers from a file"
POLLING = "Polling"
FAMILIES = "Families"
STORED = "Storage"
WEB = "Web"
LOG = "Log"
BOUNCE_FILES = "Bounces"
DEMO = "demo only"
EXPLAIN = "explain only"

SERVERS = Option(
    "The WHM servers to poll, one or more.",
    values.parse_text,
    form="list",
    key="servers",
    default_note="required",
    shape="[...]",
)
NAME = Option(
    "Name of the server, unique: the label `server`, and the `target` of `/probe`.",
    values.parse_server_name,
    key=f"{SERVER}.name",
    default_note="required",
    shape="NAME",
)
ENDPOINT: Option[Endpoint] = Option(
    "Where WHM listens: HOST, HOST:PORT, [IPv6]:PORT or a URL; https and port 2087 unless written.",
    parse_endpoint,
    flags=("endpoint",),
    key=f"{SERVER}.endpoint",
    default_note="required",
    group=ONE,
    shape="HOST:PORT",
)
USER: Option[str] = Option(
    "WHM user that the token belongs to.",
    values.parse_user,
    flags=("user",),
    key=f"{SERVER}.user",
    default="root",
    group=ONE,
    shape="NAME",
)
APIKEY: Option[Secret] = Option(
    "API token; process lists show a flag, so better use --apikey-file or the variable.",
    parse_token,
    flags=("apikey",),
    group=ONE,
    shape="TOKEN",
)
TOKEN_FILE: Option[Path] = Option(
    "File that holds the API token; read again when it changes.",
    values.parse_path,
    flags=("apikey-file",),
    key=f"{SERVER}.token_file",
    group=ONE,
    shape="FILE",
)
TOKEN_ENV: Option[str] = Option(
    "Name of the environment variable that holds the API token, instead of token_file.",
    values.parse_text,
    key=f"{SERVER}.token_env",
    shape="NAME",
)
CONFIG_FILE: Option[Path] = Option(
    "YAML file with one or many servers and what else is set below.",
    values.parse_path,
    flags=("config.file",),
    group=MANY,
    shape="FILE",
)
TIMEZONE: Option[tzinfo] = Option(
    "Zone of the server's midnight, for the window `today`; "
    "the flag is for servers that have none in the file.",
    find_zone,
    flags=("timezone",),
    key=f"{SERVER}.timezone",
    default_note="the exporter's own: TZ, else /etc/localtime, else UTC",
    group=POLLING,
    shape="ZONE",
)
TLS_CONFIG = Option(
    "How the server's certificate is checked.",
    values.parse_text,
    form="mapping",
    key=f"{SERVER}.tls_config",
    default_note="that of each key",
)
CA_FILE: Option[Path] = Option(
    "PEM file with the issuers to trust instead of the system's.",
    values.parse_path,
    flags=("tls.ca-file",),
    key=f"{SERVER}.tls_config.ca_file",
    default_note="the system's issuers",
    group=ONE,
    shape="FILE",
)
TLS_NAME: Option[str] = Option(
    "Name that the certificate must be for.",
    values.parse_tls_name,
    key=f"{SERVER}.tls_config.server_name",
    default_note="the endpoint's host",
    shape="HOST",
)
SKIP_VERIFY: Option[bool] = Option(
    "Trust any certificate, which lets anyone in between read the token.",
    values.parse_bool,
    form="true or false",
    flags=("tls.insecure-skip-verify",),
    key=f"{SERVER}.tls_config.insecure_skip_verify",
    default="false",
    group=ONE,
)
LABELS = Option(
    "At most 4 label names with their values, for every series about this server.",
    values.parse_text,
    form="mapping",
    key=f"{SERVER}.labels",
)
SERVER_LABEL: Option[bool] = Option(
    "Whether series about a server carry the label `server`; false is for a single server.",
    values.parse_bool,
    form="true or false",
    key="server_label",
    default="true",
)
POLL_INTERVAL: Option[float] = Option(
    "Time from one poll of a server to the next, 1s or more.",
    values.parse_poll_interval,
    form="duration",
    flags=("poll.interval",),
    key="poll_interval",
    default="60s",
    group=POLLING,
    shape="DURATION",
)
REQUEST_TIMEOUT: Option[float] = Option(
    "Longest time for one whole answer of a server.",
    values.parse_timeout,
    form="duration",
    flags=("request.timeout",),
    key="request_timeout",
    default="30s",
    group=POLLING,
    shape="DURATION",
)
STALE_AFTER: Option[float] = Option(
    "How long a collector's gauges outlive its last success; at least poll_interval.",
    parse_duration,
    form="duration",
    key="stale_after",
    default_note="the larger of 3 intervals and 5m",
    shape="DURATION",
)
USER_STATS = Option(
    "`email_user_stats` and its companions; `off` alone switches them off.",
    values.parse_text,
    form="mapping",
    key="user_stats",
    default_note="that of each key",
)
USER_STATS_WINDOW: Option[Window | None] = Option(
    "Span of email_user_stats: today, a duration such as 24h, or off.",
    parse_window,
    form="window",
    flags=("user-stats.window",),
    key="user_stats.window",
    default="today",
    group=FAMILIES,
    shape="WINDOW",
)
USER_STATS_LABELS: Option[tuple[str, ...]] = Option(
    "Further labels of email_user_stats, of: owner, primary_domain.",
    lambda text: values.parse_user_labels(text.split(",")),
    form="list",
    key="user_stats.labels",
    default_note="none; email_user_info carries them",
)
USER_STATS_SERIES: Option[int] = Option(
    "The most pairs of user and domain in email_user_stats and its companions for each server, "
    "those that sent most are kept; 0 means no bound.",
    values.parse_count,
    form="whole number",
    flags=("user-stats.user-series",),
    key="user_stats.user_series",
    default="10000",
    group=FAMILIES,
    shape="NUMBER",
)
EMAIL_LOGS = Option(
    "`email_logs`; `off` alone switches it off.",
    values.parse_text,
    form="mapping",
    key="email_logs",
    default_note="that of each key",
)
EMAIL_LOGS_WINDOW: Option[Window | None] = Option(
    "Span of email_logs: today, a duration such as 24h, or off.",
    parse_window,
    form="window",
    flags=("email-logs.window",),
    key="email_logs.window",
    default="today",
    group=FAMILIES,
    shape="WINDOW",
)
EMAIL_LOGS_TYPES: Option[tuple[str, ...]] = Option(
    "Deliveries that email_logs shows, of: success, failure, defer, inprogress.",
    values.parse_types_text,
    form="list",
    flags=("email-logs.types",),
    key="email_logs.types",
    default=",".join(DEFAULT_TYPES),
    group=FAMILIES,
    shape="TYPE,TYPE",
)
EMAIL_LOGS_LABELS: Option[tuple[str, ...]] = Option(
    "Labels that email_logs keeps; where some are left out, the value is the number of rows "
    "that share the others.",
    values.parse_log_labels_text,
    form="list",
    flags=("email-logs.labels",),
    key="email_logs.labels",
    default_note="all 22",
    group=FAMILIES,
    shape="LABEL,LABEL",
)
EMAIL_LOGS_PRIVACY: Option[Privacy] = Option(
    "What email_logs shows of people: full; hash (addresses, senders' hosts and messages as keyed "
    "hashes); or domain (of addresses the domain, of the others nothing).",
    values.parse_privacy,
    flags=("email-logs.privacy",),
    key="email_logs.privacy",
    default="full",
    group=FAMILIES,
    shape="MODE",
)
EMAIL_LOGS_WHERE = Option(
    "Which rows email_logs shows; each condition that is given must hold.",
    values.parse_text,
    form="mapping",
    key="email_logs.where",
    default_note="all rows",
)
WHERE_TYPE = Option(
    "The same as email_logs.types, which it is another name for.",
    values.parse_types_text,
    form="list",
    key="email_logs.where.type",
    default_note="email_logs.types",
)
WHERE_DOMAIN: Option[tuple[str, ...]] = Option(
    "Sender's mail domains (label `domain`) that email_logs shows.",
    values.parse_domains_text,
    form="list",
    flags=("email-logs.where.domain",),
    key="email_logs.where.domain",
    default_note="any",
    group=FAMILIES,
    shape="DOMAIN,DOMAIN",
)
WHERE_USER: Option[tuple[str, ...]] = Option(
    "Accounts (label `user`, `-remote-` for mail from elsewhere) that email_logs shows.",
    values.parse_words_text,
    form="list",
    flags=("email-logs.where.user",),
    key="email_logs.where.user",
    default_note="any",
    group=FAMILIES,
    shape="USER,USER",
)
WHERE_DIRECTION: Option[tuple[str, ...]] = Option(
    "Ways that mail goes which email_logs shows, of: inbound, outbound, internal, forwarded, "
    "unknown.",
    values.parse_directions_text,
    form="list",
    flags=("email-logs.where.direction",),
    key="email_logs.where.direction",
    default_note="any",
    group=FAMILIES,
    shape="WAY,WAY",
)
WHERE_NOT_DOMAIN: Option[tuple[str, ...]] = Option(
    "Sender's mail domains that email_logs doesn't show.",
    values.parse_domains_text,
    form="list",
    key="email_logs.where.not_domain",
)
WHERE_NOT_USER: Option[tuple[str, ...]] = Option(
    "Accounts that email_logs doesn't show.",
    values.parse_words_text,
    form="list",
    key="email_logs.where.not_user",
)
MAX_SERIES: Option[int] = Option(
    "The most series of email_logs for each server, the newest are kept; 0 means no bound.",
    values.parse_count,
    form="whole number",
    flags=("email-logs.max-series",),
    key="email_logs.max_series",
    default="50000",
    group=FAMILIES,
    shape="NUMBER",
)
MAX_SERIES_TOTAL: Option[int] = Option(
    "The most series of email_logs over all servers; 0 means no bound.",
    values.parse_count,
    form="whole number",
    key="email_logs.max_series_total",
    default="50000",
    default_note="the larger of 50000 and max_series; 0 if that is 0",
    shape="NUMBER",
)
DELIVERY_EVENTS = Option(
    "The counters of delivery events; `off` alone switches them off.",
    values.parse_text,
    form="mapping",
    key="delivery_events",
    default_note="that of each key",
)
DELIVERY_EVENTS_ENABLED: Option[bool] = Option(
    "Whether delivery events are counted.",
    values.parse_bool,
    form="true or false",
    key="delivery_events.enabled",
    default="true",
)
BACKFILL: Option[bool] = Option(
    "At the first start of a server count what happened before it too, as far as look_back.",
    values.parse_bool,
    form="true or false",
    flags=("backfill",),
    key="delivery_events.backfill",
    default="false",
    group=FAMILIES,
)
LOOK_BACK: Option[int] = Option(
    "How old mail may be whose events are still counted, 1d to 30d; "
    "a server retries for 4d by default.",
    values.parse_look_back,
    form="duration",
    key="delivery_events.look_back",
    default="5d",
    shape="DURATION",
)
USER_SERIES: Option[int] = Option(
    "The most pairs of user and domain with counters of their own for each server, "
    "others share those of `_other`; 0 means no bound.",
    values.parse_count,
    form="whole number",
    key="delivery_events.user_series",
    default="2000",
    shape="NUMBER",
)
REPLY_SERIES: Option[int] = Option(
    "The most pairs of reply code and enhanced status code with counters of their own for each "
    "server, others share those of `_other`; 0 means no bound.",
    values.parse_count,
    form="whole number",
    key="delivery_events.reply_series",
    default="100",
    shape="NUMBER",
)
MAIL_QUEUE = Option(
    "The families of the mail queue; `off` alone switches them off.",
    values.parse_text,
    form="mapping",
    key="mail_queue",
    default_note="that of each key",
)
MAIL_QUEUE_ENABLED: Option[bool] = Option(
    "Whether the mail queue is asked for.",
    values.parse_bool,
    form="true or false",
    flags=("mail-queue.enabled",),
    key="mail_queue.enabled",
    default="true",
    group=FAMILIES,
)
QUEUE_USER_SERIES: Option[int] = Option(
    "The most users with a series of their own in the mail queue of each server, those with most "
    "messages, others share that of `_other`; 0 means no bound.",
    values.parse_count,
    form="whole number",
    key="mail_queue.user_series",
    default="200",
    shape="NUMBER",
)
ACCOUNTS = Option(
    "The families by account: limits and how far they are used; `off` alone switches them off.",
    values.parse_text,
    form="mapping",
    key="accounts",
    default_note="that of each key",
)
ACCOUNTS_ENABLED: Option[bool] = Option(
    "Whether accounts and their limits are asked for.",
    values.parse_bool,
    form="true or false",
    flags=("accounts.enabled",),
    key="accounts.enabled",
    default="true",
    group=FAMILIES,
)
ACCOUNT_SERIES: Option[int] = Option(
    "The most series of each family by account for each server, those nearest to their limit and "
    "with the highest values first; 0 means no bound.",
    values.parse_count,
    form="whole number",
    key="accounts.max_series",
    default="500",
    shape="NUMBER",
)
UNIQUE_RECIPIENTS = Option(
    "The number of different recipients by account; `off` alone switches it off.",
    values.parse_text,
    form="mapping",
    key="unique_recipients",
    default_note="that of each key",
)
UNIQUE_RECIPIENTS_ENABLED: Option[bool] = Option(
    "Whether the number of different recipients is asked for.",
    values.parse_bool,
    form="true or false",
    flags=("unique-recipients.enabled",),
    key="unique_recipients.enabled",
    default="true",
    group=FAMILIES,
)
SERVICES = Option(
    "Whether exim and tailwatchd run; `off` alone switches it off.",
    values.parse_text,
    form="mapping",
    key="services",
    default_note="that of each key",
)
SERVICES_ENABLED: Option[bool] = Option(
    "Whether it is asked if exim and tailwatchd run.",
    values.parse_bool,
    form="true or false",
    flags=("services.enabled",),
    key="services.enabled",
    default="true",
    group=FAMILIES,
)
SERVER_INFO = Option(
    "The server's own name and version; `off` alone switches it off.",
    values.parse_text,
    form="mapping",
    key="server_info",
    default_note="that of each key",
)
SERVER_INFO_ENABLED: Option[bool] = Option(
    "Whether the server's own name and version are asked for.",
    values.parse_bool,
    form="true or false",
    flags=("server-info.enabled",),
    key="server_info.enabled",
    default="true",
    group=FAMILIES,
)
SPAM_RUNS = Option(
    "What tells accounts that send spam; works where delivery events are counted.",
    values.parse_text,
    form="mapping",
    key="spam_runs",
    default_note="that of each key",
)
SPAM_RUNS_MAX_ACCOUNTS: Option[int] = Option(
    "The most accounts of each server with a spam-run score and what belongs to it, those with "
    "the highest scores; 0 means no bound.",
    values.parse_count,
    form="whole number",
    key="spam_runs.max_accounts",
    default="50",
    shape="NUMBER",
)
FAMILY_CHOICE = Option(
    "Which families are shown, whatever their collectors know.",
    values.parse_text,
    form="mapping",
    key="families",
    default_note="all",
)
FAMILIES_ALLOW: Option[tuple[str, ...]] = Option(
    "Families to show: regular expressions for whole names, and all others are hidden.",
    parse_family_patterns_text,
    form="list",
    flags=("families.allow",),
    key="families.allow",
    default_note="all",
    group=FAMILIES,
    shape="PATTERN,PATTERN",
)
FAMILIES_DENY: Option[tuple[str, ...]] = Option(
    "Families to hide: regular expressions for whole names, which win over those of allow.",
    parse_family_patterns_text,
    form="list",
    flags=("families.deny",),
    key="families.deny",
    group=FAMILIES,
    shape="PATTERN,PATTERN",
)
STORAGE = Option(
    "Where it is kept what has been counted.",
    values.parse_text,
    form="mapping",
    key="storage",
    default_note="that of each key",
)
STORAGE_PATH: Option[Path] = Option(
    "Folder with one file for each server, made if it isn't there, for one exporter at a time; "
    "if the default can't be written to, counters are kept in memory alone.",
    values.parse_path,
    flags=("storage.path",),
    key="storage.path",
    default="data/",
    group=STORED,
    shape="FOLDER",
)
BOUNCES = Option(
    "Why mail fails and who takes it.",
    values.parse_text,
    form="mapping",
    key="bounces",
    default_note="that of each key",
)
RULES_FILE: Option[Path] = Option(
    "TOML file with rules of your own for `reason`, tried before the package's; "
    "read again on SIGHUP.",
    values.parse_path,
    flags=("bounces.rules-file",),
    key="bounces.rules_file",
    group=BOUNCE_FILES,
    shape="FILE",
)
PROVIDERS_FILE: Option[Path] = Option(
    "TOML file with mailbox providers of your own, looked at before the package's; "
    "read again on SIGHUP.",
    values.parse_path,
    flags=("bounces.providers-file",),
    key="bounces.providers_file",
    group=BOUNCE_FILES,
    shape="FILE",
)
LISTEN: Option[tuple[str, int]] = Option(
    "Address to serve on: :PORT for all, or HOST:PORT; the default port is shared with mtail.",
    parse_listen,
    flags=("listen", "web.listen-address"),
    default=":9197",
    default_note=":9197, of the demo 127.0.0.1:9197",
    group=WEB,
    shape="ADDR:PORT",
)
WEB_CONFIG_FILE: Option[Path] = Option(
    "YAML file with TLS and basic auth for the exporter's own pages.",
    values.parse_path,
    flags=("web.config.file",),
    group=WEB,
    shape="FILE",
)
LOG_LEVEL: Option[LogLevel] = Option(
    "Least severe messages that are logged: debug, info, warning or error.",
    values.parse_log_level,
    flags=("log.level",),
    default="info",
    group=LOG,
    shape="LEVEL",
)
LOG_FORMAT: Option[LogFormat] = Option(
    "Form of the log's lines: logfmt or json.",
    values.parse_log_format,
    flags=("log.format",),
    default="logfmt",
    group=LOG,
    shape="FORMAT",
)
DEMO_SERVERS: Option[int] = Option(
    "Number of simulated WHM servers.",
    values.parse_positive_count,
    flags=("servers",),
    default="3",
    group=DEMO,
    shape="NUMBER",
)
DEMO_SEED: Option[int] = Option(
    "Number that the simulated mail grows from; the same one gives the same mail.",
    values.parse_count,
    flags=("seed",),
    default="1",
    group=DEMO,
    shape="NUMBER",
)
NO_PROMETHEUS: Option[bool] = Option(
    "Don't start Prometheus, even where its program is found.",
    values.parse_bool,
    form="true or false",
    flags=("no-prometheus",),
    default="false",
    group=DEMO,
)
AS_JSON: Option[bool] = Option(
    "Write one JSON object a line.",
    values.parse_bool,
    form="true or false",
    flags=("json",),
    default="false",
    group=EXPLAIN,
)
HOST: Option[str] = Option(
    "Mail exchanger that was spoken to.",
    values.parse_text,
    flags=("host",),
    default_note="the one that the text names",
    group=EXPLAIN,
    shape="NAME",
)
DOMAIN: Option[str] = Option(
    "Domain of the recipient.",
    values.parse_text,
    flags=("domain",),
    default_note="the one that the text names",
    group=EXPLAIN,
    shape="NAME",
)
ROUTER: Option[str] = Option(
    "Exim's router, where a rule asks for it.",
    values.parse_text,
    flags=("router",),
    group=EXPLAIN,
    shape="NAME",
)
TYPE: Option[str] = Option(
    "What WHM calls the event, failure or defer, where a rule asks for it.",
    values.parse_event_type,
    flags=("type",),
    group=EXPLAIN,
    shape="TYPE",
)
TLS_SERVER_CONFIG = Option(
    "Serve TLS alone, with this certificate.",
    values.parse_text,
    form="mapping",
    web_key="tls_server_config",
)
CERT_FILE: Option[Path] = Option(
    "PEM file with the certificate, and those of its issuers after it.",
    values.parse_path,
    web_key="tls_server_config.cert_file",
    default_note="required with key_file",
    shape="FILE",
)
KEY_FILE: Option[Path] = Option(
    "PEM file with its private key, without a password.",
    values.parse_path,
    web_key="tls_server_config.key_file",
    default_note="required with cert_file",
    shape="FILE",
)
BASIC_AUTH_USERS = Option(
    "User names with the bcrypt hash of each one's password (cost 4 to 17).",
    values.parse_text,
    form="mapping",
    web_key="basic_auth_users",
)

# Taken from this module itself: a list of their names could leave one out.
OPTIONS: tuple[Option[Any], ...] = tuple(
    value for value in list(globals().values()) if isinstance(value, Option)
)
"""All of them, in the order of this file."""

FLAGGED: tuple[Option[Any], ...] = tuple(option for option in OPTIONS if option.flags)


def children(path: str, *, web: bool = False) -> tuple[str, ...]:
    """Known keys right below *path* ("" for the top) of the configuration file or the web one."""
    keys = (option.web_key if web else option.key for option in OPTIONS)
    prefix = f"{path}." if path else ""
    return tuple(
        key.removeprefix(prefix)
        for key in keys
        if key.startswith(prefix) and key and "." not in key.removeprefix(prefix)
    )
