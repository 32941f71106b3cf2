"""What collectors last got whole, as far as it is fresh -> families, with their bounds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.metrics.accounts import AccountFacts, accounts
from cpanel_mail_exporter.metrics.queue import mail_queue
from cpanel_mail_exporter.metrics.services import server_info, services
from cpanel_mail_exporter.metrics.user_stats import SERIES_OF_A_USER, user_stats, widest_users
from cpanel_mail_exporter.model.accounts import LastHour
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.family import FamilySamples
from cpanel_mail_exporter.model.outcome import (
    ACCOUNTS,
    MAIL_QUEUE,
    SERVER_INFO,
    SERVICES,
    UNIQUE_RECIPIENTS,
    USER_STATS,
)
from cpanel_mail_exporter.model.records import UserStat


@dataclass(frozen=True, slots=True)
class AnswerTerms:
    """How whole answers are shown.

    Attributes:
        user_stats_labels: of `owner` and `primary_domain`, those that are labels.
        user_stats_pairs: the most pairs of domain and user in the sums by user, 0 for all.
        queue_users: the most users with a series of their own in the mail queue, 0 for all.
        account_series: the most series of each family by account, 0 for all.
    """

    user_stats_labels: tuple[str, ...] = ()
    user_stats_pairs: int = 0
    queue_users: int = 0
    account_series: int = 0


@dataclass(frozen=True, slots=True)
class Bounded:
    """Families, and by name how many series some have, would have, and may have."""

    families: list[FamilySamples] = field(default_factory=list)
    published: dict[str, int] = field(default_factory=dict)
    wanted: dict[str, int] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)


def fresh_facts(facts: ServerFacts, fresh: tuple[str, ...]) -> ServerFacts:
    """What of *facts* the collectors in *fresh* got; None for all else."""
    return ServerFacts(
        user_stats=facts.user_stats if USER_STATS in fresh else None,
        mail_queue=facts.mail_queue if MAIL_QUEUE in fresh else None,
        accounts=facts.accounts if ACCOUNTS in fresh else None,
        unique_recipients=facts.unique_recipients if UNIQUE_RECIPIENTS in fresh else None,
        services=facts.services if SERVICES in fresh else None,
        server_info=facts.server_info if SERVER_INFO in fresh else None,
    )


def whole_answers(
    facts: ServerFacts,
    last_hour: Callable[[], Mapping[str, LastHour] | None],
    terms: AnswerTerms,
    collectors: tuple[str, ...],
) -> Bounded:
    """Every family that *facts* tell of.

    Args:
        facts: what may be shown.
        last_hour: what users sent within the hour, None where that isn't known.
        terms: how it is shown.
        collectors: those that are switched on: while accounts are, the use of their limits is
            shown from what is known otherwise, even if the token may not list them.
    """
    shown = Bounded()
    if facts.user_stats is not None:
        _add_user_stats(shown, facts.user_stats, terms)
    if facts.services is not None:
        shown.families.extend(services(facts.services))
    if facts.server_info is not None:
        shown.families.extend(server_info(facts.server_info))
    if facts.mail_queue is not None:
        queue = mail_queue(facts.mail_queue, user_limit=terms.queue_users)
        name = catalogue.QUEUE_USER_MESSAGES.name
        shown.families.extend(queue.families)
        shown.published[name], shown.wanted[name] = queue.users_shown, queue.users_wanted
        if terms.queue_users:
            shown.limits[name] = terms.queue_users
    _add_accounts(shown, facts, last_hour if ACCOUNTS in collectors else None, terms)
    return shown


def _add_user_stats(shown: Bounded, records: Sequence[UserStat], terms: AnswerTerms) -> None:
    families = user_stats(records, terms.user_stats_labels)
    pairs = terms.user_stats_pairs
    kept = widest_users(families, pairs) if pairs else families
    for whole, part in zip(families, kept, strict=True):
        name = part.family.name
        shown.families.append(part)
        shown.published[name], shown.wanted[name] = len(part.samples), len(whole.samples)
        if pairs:
            shown.limits[name] = pairs * SERIES_OF_A_USER[name]


def _add_accounts(
    shown: Bounded,
    facts: ServerFacts,
    last_hour: Callable[[], Mapping[str, LastHour] | None] | None,
    terms: AnswerTerms,
) -> None:
    limit = terms.account_series
    known = AccountFacts(
        accounts=facts.accounts,
        stats=facts.user_stats if last_hour is not None else None,
        last_hour=last_hour() if last_hour is not None else None,
        unique=facts.unique_recipients,
    )
    found = accounts(known, limit=limit)
    shown.families.extend(found.families)
    for part in found.families:
        name = part.family.name
        if name in found.wanted:
            shown.published[name], shown.wanted[name] = len(part.samples), found.wanted[name]
            if limit:
                shown.limits[name] = limit
