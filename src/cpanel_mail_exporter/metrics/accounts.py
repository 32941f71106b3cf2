"""What accounts may send and have sent -> families by user, each within a bound.

Whatever isn't known gives no family at all, so that nothing is shown as "none": the answers come
from several functions, and a token may lack the privilege for some of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest

from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.accounts import Account, LastHour, UniqueRecipients
from cpanel_mail_exporter.model.family import Family, FamilySamples
from cpanel_mail_exporter.model.records import UserStat

NO_ACCOUNT = frozenset(("", "-remote-"))
"""Names under which WHM adds up what isn't sent by a user of the server.

Its other pseudo-users (`root`, `nobody`, `mailnull`) are shown: what they send is the server's.
"""

_Values = dict[str, int | float]


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is known of the accounts of one server, None for what isn't.

    Attributes:
        accounts: of listaccts.
        stats: of emailtrack_user_stats; its window doesn't matter, only the limits it tells of.
        last_hour: delivery events of the past hour by user, as counted here.
        unique: of get_unique_sender_recipient_count_per_user for the past hour.
    """

    accounts: Sequence[Account] | None = None
    stats: Sequence[UserStat] | None = None
    last_hour: Mapping[str, LastHour] | None = None
    unique: Sequence[UniqueRecipients] | None = None


@dataclass(frozen=True, slots=True)
class AccountFamilies:
    """The families, and how many series each of the bounded ones would have without the bound."""

    families: list[FamilySamples] = field(default_factory=list)
    wanted: dict[str, int] = field(default_factory=dict)

    def add(self, family: Family, values: Mapping[str, int | float], kept: Iterable[str]) -> None:
        """Add a family by user, of whose *values* those of *kept* are shown, by name."""
        shown = sorted(values.keys() & set(kept))
        self.families.append(FamilySamples(family, [((user,), values[user]) for user in shown]))
        self.wanted[family.name] = len(values)


def accounts(facts: AccountFacts, *, limit: int) -> AccountFamilies:
    """Limits of accounts and how far they are used, recipients, and how many accounts there are.

    Where a family has more users than *limit*, those are shown that are nearest to their limit and
    those with the highest values, in turns. A user whose use is shown has its limit shown too.

    Args:
        facts: what is known.
        limit: the most series of each family by user, 0 for all.
    """
    result = AccountFamilies()
    listed = facts.accounts
    hourly_limits: _Values = {}
    ratio_limits: _Values = {}
    for account in listed or ():
        if account.max_email_per_hour is not None:
            hourly_limits[account.user] = account.max_email_per_hour
        if account.max_defer_fail_percentage is not None:
            ratio_limits[account.user] = account.max_defer_fail_percentage / 100
    sent, ratios = _sent(facts), _defer_fail_ratios(facts)
    if listed is not None:
        hourly = _first(limit, *_ranks(sent, hourly_limits, limited=True), then=hourly_limits)
        result.add(catalogue.ACCOUNT_HOURLY_LIMIT, hourly_limits, hourly)
        by_ratio = _first(limit, *_ranks(ratios, ratio_limits, limited=True), then=ratio_limits)
        result.add(catalogue.ACCOUNT_MAX_DEFER_FAIL_RATIO, ratio_limits, by_ratio)
    if facts.stats is not None or facts.last_hour is not None:
        hourly = _first(limit, *_ranks(sent, hourly_limits))
        result.add(catalogue.ACCOUNT_HOURLY_SENT, sent, hourly)
        by_ratio = _first(limit, *_ranks(ratios, ratio_limits))
        result.add(catalogue.ACCOUNT_DEFER_FAIL_RATIO, ratios, by_ratio)
    if listed is not None:
        _add_states(result, listed, limit)
    if facts.unique is not None:
        recipients = _added_up(facts.unique)
        result.add(
            catalogue.ACCOUNT_UNIQUE_RECIPIENTS, recipients, _first(limit, _highest(recipients))
        )
    return result


def _sent(facts: AccountFacts) -> _Values:
    """Messages sent within the hour: WHM's number, or else that of the ledger; none at 0."""
    sent: _Values = {user: past.sent for user, past in (facts.last_hour or {}).items()}
    return _usable(sent, _told(facts.stats, "reached_maxemails"))


def _defer_fail_ratios(facts: AccountFacts) -> _Values:
    """Deferred and failed out of all: WHM's percentage, or else from the ledger; none at 0."""
    ratios: _Values = {
        user: past.defer_fail_ratio or 0 for user, past in (facts.last_hour or {}).items()
    }
    return _usable(ratios, _told(facts.stats, "reached_maxdeferfail"))


def _told(stats: Sequence[UserStat] | None, flag: str) -> _Values:
    """What the texts of one flag say was used, the highest of a user's domains."""
    told: _Values = {}
    for stat in stats or ():
        use = stat.limit_uses.get(flag)
        if use is None:
            continue
        # Of deferrals and failures the text counts them, and sets the fewest that matter beside
        # that: only its percentage tells their share.
        value = use.used if flag == "reached_maxemails" else (use.percent or 0) / 100
        told[stat.user] = max(told.get(stat.user, 0), value)
    return told


def _usable(counted: _Values, told: _Values) -> _Values:
    merged = counted | {user: value for user, value in told.items() if value > 0}
    return {user: value for user, value in merged.items() if value > 0 and user not in NO_ACCOUNT}


def _added_up(unique: Sequence[UniqueRecipients]) -> _Values:
    recipients: _Values = {}
    for row in unique:
        if row.recipients > 0 and row.user not in NO_ACCOUNT:
            recipients[row.user] = recipients.get(row.user, 0) + row.recipients
    return recipients


def _add_states(result: AccountFamilies, listed: Sequence[Account], limit: int) -> None:
    refused = {account.user: 1 for account in listed if account.is_outgoing_suspended}
    held = {account.user: 1 for account in listed if account.is_outgoing_held}
    result.add(catalogue.ACCOUNT_OUTGOING_SUSPENDED, refused, _first(limit, sorted(refused)))
    result.add(catalogue.ACCOUNT_OUTGOING_HELD, held, _first(limit, sorted(held)))
    # A state that the server tells of no account isn't shown, rather than shown as 0.
    counts = {"active": 0} | {
        state: 0
        for state, field_name in _STATES
        if not listed or any(getattr(account, field_name) is not None for account in listed)
    }
    for account in listed:
        counts[next((state for state, name in _STATES if getattr(account, name)), "active")] += 1
    result.families.append(
        FamilySamples(catalogue.ACCOUNTS, [((state,), count) for state, count in counts.items()])
    )


_STATES = (
    ("suspended", "is_suspended"),
    ("outgoing_suspended", "is_outgoing_suspended"),
    ("outgoing_held", "is_outgoing_held"),
)
"""States of an account and what they show by, the one that wins first."""


def _ranks(uses: _Values, limits: _Values, *, limited: bool = False) -> tuple[list[str], list[str]]:
    """Users from the nearest to its limit on, and from the highest use on.

    Args:
        uses: how much each user has used.
        limits: the limits of those that have one.
        limited: whether users without a limit are left out of both.
    """
    nearest = _highest({user: use / limits[user] for user, use in uses.items() if user in limits})
    highest = _highest(uses)
    return nearest, [user for user in highest if user in limits] if limited else highest


def _highest(values: _Values) -> list[str]:
    return sorted(values, key=lambda user: (-values[user], user))


def _first(limit: int, *ranks: Iterable[str], then: Iterable[str] = ()) -> dict[str, None]:
    """The first names of several ranks, taken in turns, then the others in order of the name.

    >>> list(_first(3, "abc", "cd")), list(_first(0, "b", then="ba"))
    (['a', 'c', 'b'], ['b', 'a'])
    """
    kept: dict[str, None] = {}
    turns = (name for turn in zip_longest(*ranks) for name in turn if name is not None)
    for name in chain(turns, sorted(then)):
        if limit and len(kept) >= limit:
            break
        kept[name] = None
    return kept
