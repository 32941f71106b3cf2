"""History of a server's polls -> the families that say how well it is watched."""

from collections.abc import Mapping, Sequence

from cpanel_mail_exporter.ledger.history import ServerHistory
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.errors import Unsupported
from cpanel_mail_exporter.model.family import Family, FamilySamples, Sample
from cpanel_mail_exporter.model.outcome import (
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    UNIQUE_RECIPIENTS,
    USER_STATS,
)


def health(history: ServerHistory, *, poll_interval_seconds: float) -> list[FamilySamples]:
    """The families that stay whatever fails: they tell that it failed."""
    by_collector = history.collectors.items()
    last = [(name, past.last) for name, past in by_collector if past.last is not None]
    good = [(n, past.last_success) for n, past in by_collector if past.last_success is not None]
    families = [
        _one(catalogue.UP, None if history.is_up is None else int(history.is_up)),
        FamilySamples(
            catalogue.COLLECTOR_SUCCESS,
            # Where nothing answers, those that weren't asked this time have no success either.
            [
                ((name,), int(outcome.error is None and history.is_up is not False))
                for name, outcome in last
            ],
        ),
        FamilySamples(
            catalogue.COLLECTOR_SUPPORTED,
            [((name,), int(not isinstance(outcome.error, Unsupported))) for name, outcome in last],
        ),
        FamilySamples(catalogue.POLLS, [((name,), past.polls) for name, past in by_collector]),
        FamilySamples(
            catalogue.POLL_FAILURES,
            [
                ((name, kind), count)
                for name, past in by_collector
                for kind, count in past.failures.items()
            ],
        ),
        FamilySamples(
            catalogue.LAST_POLL_DURATION,
            [((name,), round(outcome.duration_seconds, 6)) for name, outcome in last],
        ),
        FamilySamples(
            catalogue.LAST_SUCCESS,
            [((name,), round(outcome.ended_unix, 3)) for name, outcome in good],
        ),
        FamilySamples(catalogue.ROWS_READ, [((n,), past.rows_read) for n, past in by_collector]),
        FamilySamples(
            catalogue.ROWS_REJECTED, [((n,), past.rows_rejected) for n, past in by_collector]
        ),
        _one(catalogue.POLL_INTERVAL, poll_interval_seconds),
        _one(catalogue.CLOCK_SKEW, _rounded(history.clock_skew_seconds)),
        _one(catalogue.LOGIN_RETRY, _rounded(history.login_retry_unix)),
    ]
    if USER_STATS in history.collectors:
        unreadable = history.collectors[USER_STATS].unreadable_flags
        families.append(_one(catalogue.FLAGS_UNREADABLE, unreadable))
    repeated: list[Sample] = [
        ((name,), past.repeated_pages) for name, past in by_collector if name in _OF_PAGES
    ]
    families.append(FamilySamples(catalogue.REPEATED_PAGES, repeated))
    return families


def windows(history: ServerHistory, fresh: Sequence[str]) -> list[FamilySamples]:
    """What describes the newest complete poll of the collectors in *fresh*, and goes with it."""
    starts: list[Sample] = []
    outside: list[Sample] = []
    incomplete: list[Sample] = []
    for name in fresh:
        outcome = history.collectors[name].last_success
        if outcome is None:
            continue
        windowed = FAMILIES_OF.get(name, ())
        starts += [((family.name,), outcome.window_start_unix) for family in windowed]
        incomplete.append(((name,), outcome.slices_incomplete))
        if name in _OF_PAGES:
            outside.append(((name,), outcome.rows_outside_range))
    return [
        FamilySamples(catalogue.ROWS_OUTSIDE_RANGE, outside),
        FamilySamples(catalogue.SLICES_INCOMPLETE, incomplete),
        FamilySamples(catalogue.WINDOW_START, starts),
    ]


def series(
    published: Mapping[str, int], wanted: Mapping[str, int], limits: Mapping[str, int]
) -> list[FamilySamples]:
    """How many series families have, would have, and may have, by family name."""
    return [
        FamilySamples(family, [((name,), count) for name, count in figures.items()])
        for family, figures in (
            (catalogue.SERIES, published),
            (catalogue.SERIES_WANTED, wanted),
            (catalogue.SERIES_LIMIT, limits),
        )
    ]


FAMILIES_OF: Mapping[str, tuple[Family, ...]] = {
    USER_STATS: (catalogue.EMAIL_USER_STATS, catalogue.EMAIL_FLAG_STATS),
    DELIVERY_EVENTS: (),
    EMAIL_LOGS: (catalogue.EMAIL_LOGS,),
    UNIQUE_RECIPIENTS: (catalogue.ACCOUNT_UNIQUE_RECIPIENTS,),
}
"""The windowed families of each collector that has some."""

_OF_PAGES = frozenset((DELIVERY_EVENTS, EMAIL_LOGS))
"""Collectors that read emailtrack_search, page by page and filtered."""


def _one(family: Family, value: float | None) -> FamilySamples:
    return FamilySamples(family, [] if value is None else [((), value)])


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
