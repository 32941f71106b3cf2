"""A scraped exposition -> the figures that the demo shows; never a zero for what isn't there."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.family import Family

_Samples = defaultdict[str, defaultdict[str, list[Sample]]]


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """One server; None stands for what the exposition doesn't tell.

    Attributes:
        region: its label of this name, empty without.
        is_up: whether the last poll got at least one good answer.
        failing_collectors: those whose last visit failed.
        success, failure, deferral: messages of the window, over all users.
        volume_bytes: size of these messages.
        log_series, log_series_wanted: series of email_logs, and what they would be without bounds.
        poll_seconds: how long the last poll took.
        last_success_unix: when a collector last succeeded.
    """

    name: str
    region: str = ""
    is_up: bool | None = None
    failing_collectors: int = 0
    success: int | None = None
    failure: int | None = None
    deferral: int | None = None
    volume_bytes: int | None = None
    log_series: int | None = None
    log_series_wanted: int | None = None
    poll_seconds: float | None = None
    last_success_unix: float | None = None


@dataclass(frozen=True, slots=True)
class Scrape:
    """What one scrape of /metrics cost.

    Attributes:
        series: sample lines.
        body_bytes: the exposition.
        sent_bytes: what went over the wire, compressed.
        seconds: from the request to the last byte.
    """

    series: int
    body_bytes: int
    sent_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Figures:
    """All servers in the order of the configuration, and the scrape that told of them."""

    servers: tuple[ServerFigures, ...]
    scrape: Scrape


def read_figures(body: bytes, *, sent_bytes: int, seconds: float) -> Figures:
    """Read the text exposition of a `/metrics` with a `server` label.

    Args:
        body: the exposition, unpacked.
        sent_bytes: as in `Scrape`.
        seconds: as in `Scrape`.

    Raises:
        ValueError: it isn't one.
    """
    lines = body.count(b"\n")
    comments = body.count(b"\n#") + body.startswith(b"#")
    scrape = Scrape(lines - comments, len(body), sent_bytes, seconds)
    # Tens of thousands of lines whose number cpanel_mail_series tells as well.
    rest = without_family(body, catalogue.EMAIL_LOGS.name).decode()
    samples: _Samples = defaultdict(lambda: defaultdict(list))
    names: list[str] = []
    for family in text_string_to_metric_families(rest):
        for sample in family.samples:
            name = sample.labels.get("server", "")
            samples[name][sample.name].append(sample)
            # This family is there for every server from the start.
            if sample.name == catalogue.POLL_INTERVAL.name:
                names.append(name)
    return Figures(tuple(_server(name, samples[name]) for name in names), scrape)


def without_family(body: bytes, name: str) -> bytes:
    """*body* without the lines of one family, which stand together and begin with its HELP."""
    start = body.find(f"# HELP {name} ".encode())
    if start < 0:
        return body
    after = body.find(b"\n# HELP ", start)
    return body[:start] + (b"" if after < 0 else body[after + 1 :])


def _server(name: str, samples: Mapping[str, list[Sample]]) -> ServerFigures:
    def values(family: Family, /, **labels: str) -> list[float]:
        return [
            sample.value
            for sample in samples.get(family.name, ())
            if labels.items() <= sample.labels.items()
        ]

    def one(family: Family, /, **labels: str) -> int | None:
        return next(map(int, values(family, **labels)), None)

    user_series = one(catalogue.SERIES, family=catalogue.EMAIL_USER_STATS.name)

    def total(stat_type: str) -> int | None:
        # Without that figure nothing is known; with it, no sample means that nobody sent mail.
        if user_series is None:
            return None
        return int(sum(values(catalogue.EMAIL_USER_STATS, stat_type=stat_type)))

    up = one(catalogue.UP)
    durations = values(catalogue.LAST_POLL_DURATION)
    return ServerFigures(
        name=name,
        region=samples[catalogue.POLL_INTERVAL.name][0].labels.get("region", ""),
        is_up=None if up is None else bool(up),
        failing_collectors=values(catalogue.COLLECTOR_SUCCESS).count(0),
        success=total("success_count"),
        failure=total("fail_count"),
        deferral=total("defer_count"),
        volume_bytes=total("total_size"),
        log_series=one(catalogue.SERIES, family=catalogue.EMAIL_LOGS.name),
        log_series_wanted=one(catalogue.SERIES_WANTED, family=catalogue.EMAIL_LOGS.name),
        poll_seconds=sum(durations) if durations else None,
        last_success_unix=max(values(catalogue.LAST_SUCCESS), default=None),
    )
