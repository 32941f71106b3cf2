"""When each sender of a server sends, planned one hour at a time.

The hour is the unit because cPanel counts its sending limits by the hour: a plan knows the how
many-th message of its hour each one is, without a look at any other hour.
"""

import enum
from typing import NamedTuple

from whm_simulator.world.accounts import Account
from whm_simulator.world.chance import Dice, number_of

HOUR_SECONDS = 3600
_BURST_PERIOD_MINUTES = 240


class Source(enum.Enum):
    """Where a message comes from."""

    ACCOUNT = "account"
    INBOUND = "inbound"
    BOUNCE = "bounce"
    SYSTEM = "system"


SHARES = {Source.ACCOUNT: 0.55, Source.INBOUND: 0.40, Source.BOUNCE: 0.03, Source.SYSTEM: 0.02}
"""Parts of a server's messages by source; they add up to 1."""

_OTHERS = (Source.INBOUND, Source.BOUNCE, Source.SYSTEM)


class Verdict(enum.Enum):
    """What ``enforce_mail_permissions`` decides about a message."""

    SEND = "send"
    RETRY_LATER = "retry later"
    DISCARD_HOURLY = "discarded: too many messages"
    DISCARD_DEFER_FAIL = "discarded: too many deferrals and failures"


class Slot(NamedTuple):
    """One message to be written.

    Attributes:
        send_unix: when the server accepts it.
        source: where it comes from.
        account: the sending account, None for other sources.
        verdict: cPanel's decision.
        counted: for a refused message the number that its limit is compared with.
        is_bad: whether it must fail; None where nobody counts failures and the dice may decide.
    """

    send_unix: int
    source: Source
    account: Account | None
    verdict: Verdict
    counted: int
    is_bad: bool | None


class Hour(NamedTuple):
    """An hour of one server, and what the server's clock on the wall says of it."""

    seed: str
    server: str
    start_unix: int
    local_hour: int
    is_weekend: bool


def plan_hour(
    hour: Hour, accounts: tuple[Account, ...], rate_per_minute: float
) -> tuple[tuple[Slot, ...], ...]:
    """All messages accepted in *hour*, one tuple for each minute."""
    dice = Dice(hour.seed, hour.server, "plan", hour.start_unix)
    minutes: list[list[Slot]] = [[] for _ in range(60)]
    for account in accounts:
        for slot in _slots_of(dice, hour, account):
            minutes[(slot.send_unix - hour.start_unix) // 60].append(slot)
    for source in _OTHERS:
        mean = rate_per_minute * SHARES[source]
        for minute in range(60):
            start = hour.start_unix + 60 * minute
            minutes[minute].extend(
                Slot(start + dice.below(60), source, None, Verdict.SEND, 0, None)
                for _ in range(dice.count(mean))
            )
    return tuple(tuple(sorted(slots, key=lambda slot: slot.send_unix)) for slots in minutes)


def _slots_of(dice: Dice, hour: Hour, account: Account) -> list[Slot]:
    mean = account.mean_per_minute * _hour_factor(account, hour)
    slots = []
    sent = bad = 0
    for minute in range(60):
        start = hour.start_unix + 60 * minute
        number = dice.count(mean * _burst_factor(hour, account, start))
        for send_unix in sorted(start + dice.below(60) for _ in range(number)):
            sent += 1
            is_bad = None
            verdict, counted = _hourly_verdict(account, sent)
            if account.max_defer_fail_per_hour:
                is_bad = dice.chance(account.habit.gone)
                if bad >= account.max_defer_fail_per_hour:
                    verdict, counted = Verdict.DISCARD_DEFER_FAIL, bad
                else:
                    bad += is_bad
            slots.append(Slot(send_unix, Source.ACCOUNT, account, verdict, counted, is_bad))
    return slots


def _hourly_verdict(account: Account, sent: int) -> tuple[Verdict, int]:
    """Up to 125 % of the limit messages are queued, beyond that discarded, as by cPanel's default.

    *sent* counts this message; one that is refused shows the number that had come before it.
    """
    limit = account.max_email_per_hour
    if not limit or sent <= limit:
        return Verdict.SEND, 0
    if (sent - 1) * 100 < limit * 125:
        return Verdict.RETRY_LATER, sent - 1
    return Verdict.DISCARD_HOURLY, sent - 1


def _hour_factor(account: Account, hour: Hour) -> float:
    hours = account.habit.hours
    factor = hours[hour.local_hour] * 24 / sum(hours)
    return factor * account.habit.weekend if hour.is_weekend else factor


def _burst_factor(hour: Hour, account: Account, minute_unix: int) -> float:
    if not account.habit.comes_in_bursts:
        return 1.0
    period, minute = divmod(minute_unix // 60, _BURST_PERIOD_MINUTES)
    chance = number_of(hour.seed, hour.server, account.user, "burst", period)
    length = 8 + chance % 8
    begin = (chance >> 8) % (_BURST_PERIOD_MINUTES - length)
    return _BURST_PERIOD_MINUTES / length if begin <= minute < begin + length else 0.0
