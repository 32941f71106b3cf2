"""Checked settings: what the program runs with; "checked" is a type of its own, nothing is raw.

Built by `config.load`; never changed afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Literal

from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.records import DELIVERY_LABELS
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.model.window import Today, Window

LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["logfmt", "json"]
Privacy = Literal["full", "hash", "domain"]

_TODAY = Today()
DEFAULT_TYPES: tuple[str, ...] = ("success", "failure", "defer")


@dataclass(frozen=True, slots=True)
class TokenSource:
    """Where a server's API token comes from.

    Attributes:
        value: the token as it was when the settings were read.
        file: the file it was read from, read again when it changes; None for flags and variables.
    """

    value: Secret
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How a server's certificate is checked.

    Attributes:
        ca_file: PEM file with the issuers to trust instead of the system's.
        server_name: name the certificate must be for, if not the endpoint's host.
        insecure_skip_verify: trust any certificate.
    """

    ca_file: Path | None = None
    server_name: str | None = None
    insecure_skip_verify: bool = False


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One WHM server.

    Attributes:
        name: the operator's name for it; unique.
        labels: at most 4 further label pairs for every series about it, in the file's order.
        timezone: zone of its local midnight, for the window `today`.
    """

    name: str
    endpoint: Endpoint
    token: TokenSource
    timezone: tzinfo
    user: str = "root"
    tls: TlsSettings = TlsSettings()
    labels: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class UserStatsSettings:
    """`email_user_stats` and its companions; window None switches the collector off.

    Attributes:
        user_series: the most (user, domain) pairs of a server, 0 for all.
    """

    window: Window | None = _TODAY
    labels: tuple[str, ...] = ()
    user_series: int = 10_000


@dataclass(frozen=True, slots=True)
class WhereSettings:
    """Which rows `email_logs` shows, by values of its labels; what is empty asks for nothing.

    Attributes:
        domains, not_domains: in small letters.
        directions: the ledger's words.
    """

    domains: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    not_domains: tuple[str, ...] = ()
    not_users: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmailLogsSettings:
    """`email_logs`; window None switches the collector off, a maximum of 0 means no bound.

    Attributes:
        types: WHM's words for the rows wanted, of success, failure, defer, inprogress.
        labels: those of its labels that are shown, in their usual order.
        privacy: what is shown of people.
    """

    window: Window | None = _TODAY
    types: tuple[str, ...] = DEFAULT_TYPES
    max_series: int = 50_000
    max_series_total: int = 50_000
    where: WhereSettings = WhereSettings()
    labels: tuple[str, ...] = DELIVERY_LABELS
    privacy: Privacy = "full"

    @property
    def hides_people(self) -> bool:
        """No page, log line or exemplar may hold what labels don't, even where there are none."""
        return self.privacy != "full"


@dataclass(frozen=True, slots=True)
class DeliveryEventsSettings:
    """The counters of delivery events.

    Attributes:
        is_enabled: False switches the collector off.
        backfill: at a server's first start, count what happened before it too.
        look_back_seconds: how old mail may be whose events are still counted.
        user_series: the most (user, domain) pairs of a server with series of their own, 0 for all.
        reply_series: the same for pairs of reply code and enhanced status code.
    """

    is_enabled: bool = True
    backfill: bool = False
    look_back_seconds: int = 5 * 86_400
    user_series: int = 2_000
    reply_series: int = 100


@dataclass(frozen=True, slots=True)
class FurtherSettings:
    """The collectors that ask about more than deliveries; each is False if it is switched off.

    Attributes:
        queue_users: the most users of a mail queue with a series of their own, 0 for all.
        account_series: the most series of each family by account, 0 for all.
    """

    mail_queue: bool = True
    accounts: bool = True
    unique_recipients: bool = True
    services: bool = True
    server_info: bool = True
    queue_users: int = 200
    account_series: int = 500


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """Where ledgers are kept.

    Attributes:
        path: a folder, which need not be there yet.
        given_at: where the path was written, as messages name it; None if it is the default.
    """

    path: Path = Path("data")
    given_at: str | None = None


@dataclass(frozen=True, slots=True)
class BouncesSettings:
    """Files of the operator's own that are read before the package's, None where there is none.

    Attributes:
        rules_file: rules in TOML, which say why mail failed.
        providers_file: mailbox providers in TOML.
    """

    rules_file: Path | None = None
    providers_file: Path | None = None


@dataclass(frozen=True, slots=True)
class ExplainSettings:
    """What `cpanel-mail-exporter explain` runs with.

    Attributes:
        text: what is to be explained; None to read lines from standard input.
        as_json: write one object a line.
        host, domain: exchanger and recipient's domain; empty to find them in the text.
        router, type: Exim's router and WHM's word for the event, as rules may ask for them.
    """

    text: str | None
    bounces: BouncesSettings
    as_json: bool = False
    host: str = ""
    domain: str = ""
    router: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """What the HTTP side listens on and asks for.

    Attributes:
        host: address to bind, empty for all.
        port: TCP port, 0 lets the system choose.
        cert_file, key_file: both or neither; with them the HTTP side speaks TLS only.
        basic_auth_users: bcrypt hash by user name; empty asks for nothing.
    """

    host: str = ""
    port: int = 9197
    cert_file: Path | None = None
    key_file: Path | None = None
    basic_auth_users: Mapping[str, Secret] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the program runs with.

    Attributes:
        servers: at least one.
        server_label: whether series about a server carry `server`; False only with one server.
        stale_after_seconds: how long a collector's gauges outlive its last success.
        max_spam_run_accounts: the most accounts of a server with a spam-run score, 0 for all.
        hidden_families: names of families that are not to be shown. A collector that feeds no
            other family is switched off already.
        token_on_command_line: a token was given as a flag, which process lists show.
        warnings: sentences for the log about what works but should be mended.
    """

    servers: tuple[ServerSettings, ...]
    server_label: bool
    poll_interval_seconds: float = 60.0
    request_timeout_seconds: float = 30.0
    stale_after_seconds: float = 300.0
    user_stats: UserStatsSettings = UserStatsSettings()
    email_logs: EmailLogsSettings = EmailLogsSettings()
    delivery_events: DeliveryEventsSettings = DeliveryEventsSettings()
    further: FurtherSettings = FurtherSettings()
    storage: StorageSettings = StorageSettings()
    bounces: BouncesSettings = BouncesSettings()
    max_spam_run_accounts: int = 50
    hidden_families: frozenset[str] = frozenset()
    web: WebSettings = WebSettings()
    log_level: LogLevel = "info"
    log_format: LogFormat = "logfmt"
    token_on_command_line: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What `cpanel-mail-exporter demo` runs with.

    Attributes:
        servers: number of simulated WHM servers.
        host, port: where the exporter listens, as in WebSettings.
        seed: the simulated mail is the same for the same seed.
        with_prometheus: start Prometheus as well where its program is found.
    """

    servers: int = 3
    host: str = "127.0.0.1"
    port: int = 9197
    seed: int = 1
    with_prometheus: bool = True
    log_level: LogLevel = "info"
    log_format: LogFormat = "logfmt"
