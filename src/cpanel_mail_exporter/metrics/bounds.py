"""How many series each family can have for one server, and what that costs in Prometheus.

Takes the budgets that are set, gives for every family of the catalogue the numbers whose product is
its most; nothing here looks at what is really there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from cpanel_mail_exporter.bounces.classes import CLASSES
from cpanel_mail_exporter.ledger.counters import BUDGETED, DIRECTIONS, DRIFTS, OUTCOMES
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.metrics.health import FAMILIES_OF
from cpanel_mail_exporter.metrics.user_stats import SERIES_OF_A_USER
from cpanel_mail_exporter.model.errors import KINDS
from cpanel_mail_exporter.model.family import Family
from cpanel_mail_exporter.model.outcome import COLLECTORS
from cpanel_mail_exporter.model.queue import AGES
from cpanel_mail_exporter.model.services import WATCHED_SERVICES
from cpanel_mail_exporter.spam_runs.signals import Parts

SERIES_BYTES = (11_000, 15_000)
"""Memory of Prometheus for one series that it scrapes, from and to, as measured with 2.42."""

_OPEN_DIRECTIONS = 3
"""Outbound, forwarded and unknown mail may have any provider; inbound and internal has `local`."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """What is set, or known when the program starts; a budget of 0 is no bound.

    Attributes:
        providers: names of mailbox providers, `local` and `other` among them.
        email_logs: lines of one server.
        email_logs_total: lines over all servers.
        user_stats: pairs of user and domain in the sums by user.
        user_events: pairs of user and domain with counters of their own.
        replies: pairs of codes with counters of their own.
        queue_users: users of the queue with a series of their own.
        accounts: series of each family by account.
        spam_accounts: accounts with a spam-run score.
    """

    providers: int
    email_logs: int = 50_000
    email_logs_total: int = 50_000
    user_stats: int = 10_000
    user_events: int = 2_000
    replies: int = 100
    queue_users: int = 200
    accounts: int = 500
    spam_accounts: int = 50


class Factor(NamedTuple):
    """One of the numbers that a family's most is the product of.

    Attributes:
        number: None where nothing bounds it.
        what: of what there are so many.
    """

    number: int | None
    what: str


class Bound(NamedTuple):
    """How many series one family can have for one server.

    Attributes:
        factors: none for a family with one series.
        key: the setting that makes it smaller, as the configuration file names it; empty where only
            hiding the family does.
    """

    family: Family
    factors: tuple[Factor, ...]
    key: str = ""

    @property
    def most(self) -> int | None:
        """The most series; None where nothing bounds them."""
        known = [factor.number for factor in self.factors if factor.number is not None]
        return prod(known) if len(known) == len(self.factors) else None


def bounds(budgets: Budgets) -> tuple[Bound, ...]:
    """One for every family of the catalogue, in its order."""
    by_name = {**_of_mail(budgets), **_of_accounts(budgets), **_of_polls()}
    found = []
    for family in catalogue.FAMILIES:
        factors, key = by_name.get(family.name, ((), ""))
        if family.bounds:
            # A bucket for each bound and one for all above, and then sum and count.
            buckets = Factor(len(family.bounds) + 3, "buckets, sum and count")
            factors = (*factors, buckets)
        found.append(Bound(family, factors, key))
    return tuple(found)


def cost(series: int) -> str:
    """What so many series take of Prometheus' memory, in words.

    >>> cost(61_300), cost(20), cost(0)
    ('0.7-0.9 GB', '220-300 kB', '0 kB')
    """
    if not series:
        return "0 kB"
    low, high = (series * each for each in SERIES_BYTES)
    units = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
    unit, size = next((unit for unit in units if high >= 0.8 * unit[1]), units[-1])
    digits = 1 if high < 10 * size else 0
    return f"{low / size:,.{digits}f}-{high / size:,.{digits}f} {unit}"


def most_of_all(found: Iterable[Bound], servers: int, budgets: Budgets) -> Mapping[str, int | None]:
    """By family the most series over all servers; None where nothing bounds them."""
    return {bound.family.name: _of_all(bound, servers, budgets) for bound in found}


def _of_all(bound: Bound, servers: int, budgets: Budgets) -> int | None:
    if not bound.family.of_server:
        return bound.most
    of_all = None if bound.most is None else bound.most * servers
    if bound.family is catalogue.EMAIL_LOGS and budgets.email_logs_total:
        total = budgets.email_logs_total
        return total if of_all is None else min(of_all, total)
    return of_all


_Terms = tuple[tuple[Factor, ...], str]


def _of_mail(budgets: Budgets) -> dict[str, _Terms]:
    names, closed = budgets.providers - 1, len(DIRECTIONS) - _OPEN_DIRECTIONS
    places = Factor(
        _OPEN_DIRECTIONS * names + closed,
        f"directions and providers ({_OPEN_DIRECTIONS} * {names} + {closed} local)",
    )
    outcomes, directions = Factor(len(OUTCOMES), "outcomes"), Factor(len(DIRECTIONS), "directions")
    reasons = Factor(len(CLASSES), "reasons")
    switch = "delivery_events.enabled"
    users = _budget(budgets.user_stats, "pairs of user and domain")
    found: dict[str, _Terms] = {
        name: (
            (users, Factor(each, "each")) if each > 1 else (users,),
            "user_stats.user_series",
        )
        for name, each in SERIES_OF_A_USER.items()
    }
    logs = _budget(budgets.email_logs, "delivery records")
    pairs = _budget(budgets.user_events, "pairs of user and domain", others=True)
    codes = _budget(budgets.replies, "pairs of codes", others=True)
    of = catalogue
    return found | {
        of.EMAIL_LOGS.name: ((logs,), "email_logs.max_series"),
        of.DELIVERY_EVENTS.name: ((outcomes, places), switch),
        of.USER_DELIVERY_EVENTS.name: ((pairs, outcomes), "delivery_events.user_series"),
        of.DELIVERY_FAILURES.name: ((reasons, places), switch),
        of.DELIVERY_DEFERRALS.name: ((reasons, places), switch),
        of.SMTP_REPLIES.name: ((codes,), "delivery_events.reply_series"),
        of.TIME_TO_DELIVER.name: ((places,), switch),
        of.TIME_TO_FAIL.name: ((directions,), switch),
        of.DELIVERY_ATTEMPTS.name: ((directions,), switch),
        of.MESSAGE_SIZE.name: ((directions,), switch),
        of.LAST_DAY_REPORTED.name: ((outcomes,), switch),
        of.LAST_DAY_COUNTED.name: ((outcomes,), switch),
        of.API_DRIFT.name: ((Factor(len(DRIFTS), "kinds"),), switch),
        of.QUEUE_MESSAGES.name: ((Factor(2, "states"),), "mail_queue.enabled"),
        of.QUEUE_OLDER.name: ((Factor(len(AGES), "ages"),), "mail_queue.enabled"),
        of.QUEUE_RECIPIENTS.name: (
            (Factor(budgets.providers, "providers"),),
            "mail_queue.enabled",
        ),
        of.QUEUE_USER_MESSAGES.name: (
            (_budget(budgets.queue_users, "users", others=True),),
            "mail_queue.user_series",
        ),
    }


def _of_accounts(budgets: Budgets) -> dict[str, _Terms]:
    accounts = (_budget(budgets.accounts, "accounts"),)
    senders = _budget(budgets.spam_accounts, "accounts")
    of = catalogue
    found: dict[str, _Terms] = {
        family.name: (accounts, "accounts.max_series") for family in BY_ACCOUNT
    }
    found |= {family.name: ((senders,), "spam_runs.max_accounts") for family in BY_SENDER}
    parts = Factor(len(Parts._fields), "parts")
    return found | {
        of.ACCOUNTS.name: ((Factor(4, "states"),), "accounts.enabled"),
        of.SPAM_RUN_SCORE_PART.name: ((senders, parts), "spam_runs.max_accounts"),
        of.SERVICE_RUNNING.name: (
            (Factor(len(WATCHED_SERVICES), "services"),),
            "services.enabled",
        ),
        of.SERVER_INFO.name: ((), "server_info.enabled"),
    }


def _of_polls() -> dict[str, _Terms]:
    collectors = Factor(len(COLLECTORS), "collectors")
    windowed = sum(map(len, FAMILIES_OF.values()))
    cut = len(SERIES_OF_A_USER) + len(BUDGETED) + len(BY_ACCOUNT) + 3
    of = catalogue
    found: dict[str, _Terms] = {
        family.name: ((collectors,), "")
        for family in catalogue.FAMILIES
        if family.labels == ("collector",)
    }
    found |= {
        family.name: ((Factor(cut, "families"),), "")
        for family in (of.SERIES, of.SERIES_WANTED, of.SERIES_LIMIT)
    }
    return found | {
        of.POLL_FAILURES.name: ((collectors, Factor(len(KINDS), "kinds")), ""),
        of.WINDOW_START.name: ((Factor(windowed, "families"),), ""),
        of.EXPOSITION_SIZE.name: ((Factor(2, "formats"), Factor(2, "encodings")), ""),
    }


BY_ACCOUNT: Sequence[Family] = (
    catalogue.ACCOUNT_HOURLY_LIMIT,
    catalogue.ACCOUNT_HOURLY_SENT,
    catalogue.ACCOUNT_MAX_DEFER_FAIL_RATIO,
    catalogue.ACCOUNT_DEFER_FAIL_RATIO,
    catalogue.ACCOUNT_OUTGOING_SUSPENDED,
    catalogue.ACCOUNT_OUTGOING_HELD,
    catalogue.ACCOUNT_UNIQUE_RECIPIENTS,
)
"""Families within the bound of accounts."""

BY_SENDER: Sequence[Family] = (
    catalogue.SPAM_RUN_SCORE,
    catalogue.RECENT_RECIPIENTS,
    catalogue.USUAL_RECIPIENTS,
    catalogue.RECENT_UNKNOWN_RATIO,
    catalogue.RECENT_UNIQUE_RECIPIENTS,
    catalogue.RECENT_NETWORKS,
    catalogue.RECENT_SENDING_ADDRESSES,
)
"""Families with one series for each account that has a spam-run score."""


def _budget(limit: int, what: str, *, others: bool = False) -> Factor:
    """A bound that is set; with *others* one more has what the remaining ones have."""
    words = f"{what} and _other" if others else what
    return Factor(limit + others if limit else None, words)
