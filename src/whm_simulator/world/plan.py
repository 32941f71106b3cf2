"""Who sends when, planned one hour at a time.

The hour is the unit because cPanel counts its sending limits by the hour: the plan knows the how
many-th message of its hour each one of a counted account is, without a look at any other hour. Mail
that nobody counts needs no plan of its own: the hour says how much of it there is and from whom,
and each minute draws it.
"""

import enum
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from whm_simulator.world.accounts import DEFER_FAIL_TRIGGER, Account
from whm_simulator.world.chance import Dice, number_of
from whm_simulator.world.courses import BAD_SHARE
from whm_simulator.world.means import HOUR_SECONDS, HourMeans, hour_factor, means_of, wall_of
from whm_simulator.world.replies import (
    DEFER_FAIL_DISCARDED,
    HOURLY_DISCARDED,
    HOURLY_HELD,
    SUSPENDED,
    limit_text,
)
from whm_simulator.world.site import Site
from whm_simulator.world.spam import share_of_first

_WEEK_MINUTES = 7 * 1440
_MOST_MAILED = 50_000
_MOST_LISTED = 8000
_LISTED_PER_MAILED = 0.6


class Verdict(enum.Enum):
    """What ``enforce_mail_permissions`` decides about a message."""

    SEND = "send"
    RETRY_LATER = "retry later"
    DISCARD = "discard"


class Slot(NamedTuple):
    """One message of an account that is looked at more closely.

    Attributes:
        send_unix: when the server accepts it.
        account: the sending account.
        bits: what the message's own columns are made from.
        verdict: cPanel's decision.
        text: cPanel's words, empty for a message that may go.
        is_bad: whether its first recipient must not exist; None where the dice may decide.
        is_spam: whether it belongs to a compromise.
    """

    send_unix: int
    account: Account
    bits: int
    verdict: Verdict
    text: str
    is_bad: bool | None
    is_spam: bool


class Mailing(NamedTuple):
    """The weekly mailing of an account: messages over a few minutes, and one to a whole list."""

    account: Account
    start_minute: int
    minutes: int
    messages: int
    listed: int


class HourPlan(NamedTuple):
    """What one hour holds.

    Attributes:
        means: of the mail that each minute draws.
        slots: messages of counted and of compromised accounts by minute, oldest first.
        mailings: weekly mailings of this hour.
    """

    means: HourMeans
    slots: dict[int, list[Slot]]
    mailings: tuple[Mailing, ...]


def plan_hour(site: Site, hour: int) -> HourPlan:
    """The plan of the *hour*-th hour of unix time."""
    wall = wall_of(site, hour)
    slots: list[Slot] = []
    mailings: list[Mailing] = []
    spam = _spam(site, hour)
    for account in site.accounts:
        foreign = spam.get(account.user, [])
        if account.is_counted:
            mean = account.mean_per_minute * hour_factor(account, wall)
            slots += _counted(site, hour, account, mean, foreign)
        else:
            slots += _uncounted_spam(site, account, foreign)
        if account.habit.mails_weekly:
            mailings += _mailing(site, hour, account, wall)
    by_minute: dict[int, list[Slot]] = {}
    for slot in sorted(slots, key=lambda slot: slot.send_unix):
        by_minute.setdefault(slot.send_unix // 60, []).append(slot)
    return HourPlan(means_of(site, hour), by_minute, tuple(mailings))


def _counted(
    site: Site, hour: int, account: Account, mean: float, spam: list[tuple[int, int]]
) -> Iterator[Slot]:
    """Messages of an account with limits, own and foreign ones counted together."""
    dice = Dice(site.settings.seed, site.name, "counted", account.user, hour)
    start_unix = hour * HOUR_SECONDS
    own = sorted(start_unix + dice.below(HOUR_SECONDS) for _ in range(dice.count(mean * 60)))
    messages = [(send_unix, dice.bits(), False, dice.chance(account.habit.gone))
                for send_unix in own]  # fmt: skip
    messages += [(send_unix, bits, True, share_of_first(bits) < BAD_SHARE)
                 for send_unix, bits in spam]  # fmt: skip
    messages.sort(key=lambda message: message[0])
    counts: dict[str, list[int]] = {domain: [0, 0] for domain in account.domains}
    for send_unix, bits, is_spam, is_bad in messages:
        domain = account.domain if is_spam else account.faces[bits % len(account.faces)].domain
        verdict, text = _verdict(site, account, domain, send_unix, counts[domain])
        if verdict is Verdict.SEND:
            counts[domain][1] += is_bad
        forced = is_bad if account.max_defer_fail_percentage and not is_spam else None
        yield Slot(send_unix, account, bits, verdict, text, forced, is_spam)


def _verdict(
    site: Site, account: Account, domain: str, send_unix: int, counts: list[int]
) -> tuple[Verdict, str]:
    """CPanel's decision, with its words; *counts* are messages and bad ones so far this hour.

    Up to 125 % of the hourly limit messages are queued, beyond that discarded, as by cPanel's
    default; a refused one shows the number that had come before it. The limit on deferrals and
    failures holds once both their number and their share are reached, as cPanel documents it.
    """
    if site.is_suspended(account.user, send_unix):
        return Verdict.DISCARD, SUSPENDED.text.format(sender_domain=domain)
    sent, bad = counts
    share = bad * 100 // sent if sent else 0
    most = account.max_defer_fail_percentage
    if most and bad >= DEFER_FAIL_TRIGGER and share >= most:
        text = limit_text(DEFER_FAIL_DISCARDED, domain, bad, DEFER_FAIL_TRIGGER, share)
        return Verdict.DISCARD, text
    counts[0] += 1
    limit = account.max_email_per_hour
    if not limit or sent < limit:
        return Verdict.SEND, ""
    percent = sent * 100 // limit
    if sent * 100 < limit * 125:
        return Verdict.RETRY_LATER, limit_text(HOURLY_HELD, domain, sent, limit, percent)
    return Verdict.DISCARD, limit_text(HOURLY_DISCARDED, domain, sent, limit, percent)


def _uncounted_spam(site: Site, account: Account, spam: list[tuple[int, int]]) -> Iterator[Slot]:
    for send_unix, bits in spam:
        verdict, text = Verdict.SEND, ""
        if site.is_suspended(account.user, send_unix):
            verdict, text = Verdict.DISCARD, SUSPENDED.text.format(sender_domain=account.domain)
        yield Slot(send_unix, account, bits, verdict, text, None, is_spam=True)


def _spam(site: Site, hour: int) -> dict[str, list[tuple[int, int]]]:
    """Send times and bits of the spam of compromised accounts in *hour*, oldest first."""
    start_unix = hour * HOUR_SECONDS
    found: dict[str, list[tuple[int, int]]] = {}
    for compromise in site.compromises:
        first = max(start_unix, compromise.start_unix)
        last = min(start_unix + HOUR_SECONDS, compromise.end_unix)
        if first >= last:
            continue
        dice = Dice(site.settings.seed, site.name, "spam", compromise.user, first, last)
        number = dice.count(compromise.per_minute * (last - first) / 60)
        sends = sorted(first + dice.below(last - first) for _ in range(number))
        known = found.setdefault(compromise.user, [])
        known += [(send_unix, dice.bits()) for send_unix in sends]
        known.sort(key=lambda message: message[0])
    return found


def _mailing(site: Site, hour: int, account: Account, wall: datetime) -> Iterator[Mailing]:
    """The weekly mailing of *account* if it falls into *hour*: on a working day, by day."""
    chance = number_of(site.settings.seed, site.name, account.user, "mailing")
    if (chance % 5, 8 + (chance >> 8) % 10) != (wall.weekday(), wall.hour):
        return
    size = account.mean_per_minute * _WEEK_MINUTES * Dice(chance, hour).between(85, 115) / 100
    yield Mailing(
        account,
        hour * 60 + 5 + (chance >> 16) % 40,
        6 + (chance >> 24) % 9,
        min(_MOST_MAILED, round(size)),
        min(_MOST_LISTED, round(size * _LISTED_PER_MAILED)),
    )
