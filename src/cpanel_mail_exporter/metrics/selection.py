"""Which families the operator wants to see: patterns -> hidden families, and idle collectors."""

from collections.abc import Iterable, Mapping, Sequence

from cpanel_mail_exporter.bounces.patterns import matches_whole
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.family import FamilySamples
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

NAMES: tuple[str, ...] = (
    *(family.name for family in catalogue.FAMILIES),
    *catalogue.PROCESS_FAMILIES,
)
"""Every family that can be shown or hidden."""

WATCHED: frozenset[str] = frozenset(
    family.name
    for family in (
        catalogue.UP,
        catalogue.COLLECTOR_SUCCESS,
        catalogue.POLL_FAILURES,
        catalogue.LAST_SUCCESS,
        catalogue.SERIES_WANTED,
    )
)
"""Without these nothing tells that a poll failed, or that series were cut."""

_QUEUE = "cpanel_mail_queue_"
_ACCOUNT = "cpanel_mail_account"
_OF_SPAM_RUNS = frozenset(
    family.name
    for family in (
        catalogue.SPAM_RUN_SCORE,
        catalogue.SPAM_RUN_SCORE_PART,
        catalogue.RECENT_RECIPIENTS,
        catalogue.USUAL_RECIPIENTS,
        catalogue.RECENT_UNKNOWN_RATIO,
        catalogue.RECENT_UNIQUE_RECIPIENTS,
        catalogue.RECENT_NETWORKS,
        catalogue.RECENT_SENDING_ADDRESSES,
    )
)
_OF_ACCOUNTS = frozenset(
    name for name in NAMES if name.startswith(_ACCOUNT) and name not in _OF_SPAM_RUNS
)
_UNIQUE = frozenset((catalogue.ACCOUNT_UNIQUE_RECIPIENTS.name,))

_LEDGER = slice(
    catalogue.FAMILIES.index(catalogue.DELIVERY_EVENTS),
    catalogue.FAMILIES.index(catalogue.LEDGER_SIZE) + 1,
)

FILLED_BY: Mapping[str, frozenset[str]] = {
    USER_STATS: frozenset(
        family.name
        for family in (
            catalogue.EMAIL_USER_STATS,
            catalogue.EMAIL_FLAG_STATS,
            catalogue.EMAIL_USER_INFO,
        )
    ),
    DELIVERY_EVENTS: frozenset(family.name for family in catalogue.FAMILIES[_LEDGER])
    | _OF_SPAM_RUNS,
    EMAIL_LOGS: frozenset((catalogue.EMAIL_LOGS.name,)),
    MAIL_QUEUE: frozenset(name for name in NAMES if name.startswith(_QUEUE)),
    ACCOUNTS: _OF_ACCOUNTS - _UNIQUE,
    UNIQUE_RECIPIENTS: _UNIQUE,
    SERVICES: frozenset((catalogue.SERVICE_RUNNING.name,)),
    SERVER_INFO: frozenset((catalogue.SERVER_INFO.name,)),
}
"""The families that are there only while a collector is switched on; all others always are."""

_ALSO_FOR: Mapping[str, frozenset[str]] = {
    # WHM tells there how far a limit was used, which accounts are ranked by too.
    USER_STATS: FILLED_BY[ACCOUNTS],
}


def fitting(pattern: str) -> tuple[str, ...]:
    """The families whose whole name is what *pattern*, a regular expression, describes."""
    return tuple(name for name in NAMES if matches_whole(pattern, name))


def hidden(allow: Iterable[str], deny: Iterable[str]) -> frozenset[str]:
    """The families not to show: those that *deny* fits, and those that no pattern of *allow* does.

    Without any pattern in *allow* all are allowed.

    >>> sorted(hidden(["email_.*"], ["email_logs"]) ^ frozenset(NAMES))
    ['email_flag_stats', 'email_user_info', 'email_user_stats']
    """
    allowed = {name for pattern in allow for name in fitting(pattern)}
    denied = {name for pattern in deny for name in fitting(pattern)}
    return frozenset(NAMES) - ((allowed or set(NAMES)) - denied)


def idle_collectors(hidden_families: frozenset[str]) -> frozenset[str]:
    """The collectors whose answers would fill hidden families alone: they need not be asked.

    Delivery events are counted in any case: what isn't counted today is missing from every total
    later.
    """
    return frozenset(
        name
        for name, filled in FILLED_BY.items()
        if name != DELIVERY_EVENTS and filled | _ALSO_FOR.get(name, filled) <= hidden_families
    )


def possible(collectors: Iterable[str], hidden_families: frozenset[str]) -> frozenset[str]:
    """The families that can have series while *collectors* are those that are switched on."""
    off = FILLED_BY.keys() - set(collectors)
    missing = {name for collector in off for name in FILLED_BY[collector]}
    return frozenset(NAMES) - missing - hidden_families


def shown(
    families: Sequence[FamilySamples], hidden_families: frozenset[str]
) -> list[FamilySamples]:
    """*families* without the hidden ones, and without samples that tell about a hidden one."""
    if not hidden_families:
        return list(families)
    return [
        FamilySamples(
            part.family,
            [sample for sample in part.samples if sample[0][0] not in hidden_families],
        )
        if part.family.labels == ("family",)
        else part
        for part in families
        if part.family.name not in hidden_families
    ]
