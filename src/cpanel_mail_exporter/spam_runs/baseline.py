"""What is usual for an account at this time of day and week: its past hours in, few numbers out.

Levels are quantiles, which a few odd hours can't move, of what ten minutes of an hour can have held
at most. The same hour of past weeks says best what to expect, but there are few of those; so its
quantile is drawn towards that of the same hour of all days, and this towards that of all hours, the
more the fewer there are (shrinkage: B. Efron, C. Morris: Data analysis using Stein's estimator and
its generalizations, 1975). An hour counts with its two neighbours, since habits aren't exact.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cpanel_mail_exporter.spam_runs.activity import HOUR_SECONDS, HourActivity, hour_of

KEPT_DAYS = 28
"""How far the past goes."""
EXPERIENCE_SECONDS = 3 * 86_400
"""From so much past on it is taken for what is usual."""

_DAY_SECONDS, _WEEK_SECONDS = 86_400, 7 * 86_400
_NEIGHBOURS = (-HOUR_SECONDS, 0, HOUR_SECONDS)
_QUANTILE_OF_WEEK = 0.75
_QUANTILE_OF_DAY = 0.9
_QUANTILE_OF_ALL = 0.9
_QUANTILE_OF_SETS = 0.95
_WEIGHT_OF_DAY = 6
_WEIGHT_OF_ALL = 12


@dataclass(frozen=True, slots=True)
class History:
    """The past of one account.

    Attributes:
        hours: by first second; hours without mail are missing.
        since_unix: hours from here on are known.
        until_unix: hours before this are known.
    """

    hours: Mapping[int, HourActivity] = field(default_factory=dict)
    since_unix: int = 0
    until_unix: int = 0


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is usual.

    Attributes:
        recipients: tried in ten minutes, a high but not unusual number for this time.
        networks: an hour's number that is exceeded in one of twenty with mail.
        addresses: the same for sending addresses.
        final: recipients with a final outcome in all of the past.
        unknown: of these, recipients that didn't exist.
        experience: 0 if there is no past of the server, 1 from EXPERIENCE_SECONDS on.
    """

    recipients: float = 0
    networks: float = 0
    addresses: float = 0
    final: int = 0
    unknown: int = 0
    experience: float = 0


def baseline(past: History, now_unix: int) -> Baseline:
    """What *past* lets expect at *now_unix*."""
    hour = hour_of(now_unix)
    hours = past.hours
    known = range(hour_of(past.since_unix), past.until_unix, HOUR_SECONDS)
    active = [one for start, one in hours.items() if start in known]
    of_all = quantile([one.burst for one in active], len(known), _QUANTILE_OF_ALL)
    of_day = _bursts(past, hour, _DAY_SECONDS, KEPT_DAYS)
    of_week = _bursts(past, hour, _WEEK_SECONDS, KEPT_DAYS // 7)
    daily = _drawn(quantile(of_day, len(of_day), _QUANTILE_OF_DAY), len(of_day), of_all,
                   _WEIGHT_OF_ALL)  # fmt: skip
    weekly = _drawn(quantile(of_week, len(of_week), _QUANTILE_OF_WEEK), len(of_week), daily,
                    _WEIGHT_OF_DAY)  # fmt: skip
    return Baseline(
        recipients=weekly,
        networks=quantile([one.networks for one in active], len(active), _QUANTILE_OF_SETS),
        addresses=quantile([one.addresses for one in active], len(active), _QUANTILE_OF_SETS),
        final=sum(one.delivered + one.failed for one in active),
        unknown=sum(one.unknown for one in active),
        experience=min(1.0, len(known) * HOUR_SECONDS / EXPERIENCE_SECONDS),
    )


def quantile(values: Sequence[int], count: int, share: float) -> float:
    """The quantile of *values* and as many zeros as make *count* of them; 0 of nothing.

    >>> quantile([4, 2], 5, 0.75), quantile([4, 2], 5, 1.0), quantile([], 0, 0.5)
    (2.0, 4.0, 0.0)
    """
    if not values:
        return 0.0
    place = share * (count - 1)
    below = math.floor(place)
    ranked = sorted(values)
    zeros = count - len(ranked)
    first, second = (
        ranked[number - zeros] if number >= zeros else 0
        for number in (below, min(below + 1, count - 1))
    )
    return first + (place - below) * (second - first)


def _bursts(past: History, hour: int, period_seconds: int, periods: int) -> list[int]:
    """Those of the known hours that lie whole periods back, and of their neighbours."""
    starts = (
        hour - period * period_seconds + beside
        for period in range(1, periods + 1)
        for beside in _NEIGHBOURS
    )
    nothing = HourActivity()
    first = hour_of(past.since_unix)
    return [
        past.hours.get(start, nothing).burst for start in starts if first <= start < past.until_unix
    ]


def _drawn(value: float, count: int, towards: float, weight: int) -> float:
    return (count * value + weight * towards) / (count + weight)
