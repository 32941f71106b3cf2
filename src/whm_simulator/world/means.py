"""How much mail an hour brings, and whose."""

import enum
import math
from datetime import datetime
from itertools import accumulate
from typing import NamedTuple

from whm_simulator.world.accounts import Account
from whm_simulator.world.habits import INBOUND_HOURS
from whm_simulator.world.site import FORWARDED_SHARE, INBOUND_SHARE, SYSTEM_SHARE, Site

HOUR_SECONDS = 3600


class Origin(enum.Enum):
    """Where mail comes from that no account sends."""

    INBOUND = "inbound"
    SYSTEM = "system"


class HourMeans(NamedTuple):
    """How much mail one hour brings, and whose.

    Attributes:
        per_minute: messages from *origins*.
        origins: accounts that nobody counts, and where else mail comes from.
        parts: the share of the mean up to each of *origins*, ending above 1.
        by_account: the means a minute of those accounts alone, in their order.
        inbound_per_minute: all mail from elsewhere, with what is passed on.
    """

    per_minute: float
    origins: tuple[Account | Origin, ...]
    parts: tuple[float, ...]
    by_account: tuple[tuple[Account, float], ...]
    inbound_per_minute: float


def means_of(site: Site, hour: int) -> HourMeans:
    """How much mail the *hour*-th hour of unix time brings."""
    wall = wall_of(site, hour)
    by_account = tuple(
        (account, account.mean_per_minute * hour_factor(account, wall))
        for account in site.accounts
        if not account.is_counted
    )
    inbound = site.settings.rate_per_minute * INBOUND_SHARE
    inbound *= INBOUND_HOURS[wall.hour] * 24 / math.fsum(INBOUND_HOURS)
    kept_share = 1 - FORWARDED_SHARE if site.forwarders else 1
    means: list[tuple[Account | Origin, float]] = [
        *by_account,
        (Origin.INBOUND, inbound * kept_share),
        (Origin.SYSTEM, site.settings.rate_per_minute * SYSTEM_SHARE),
    ]
    whole = math.fsum(mean for _, mean in means)
    parts = [part / whole if whole else 0.0 for part in accumulate(mean for _, mean in means)]
    origins = tuple(origin for origin, _ in means)
    return HourMeans(whole, origins, (*parts[:-1], 2.0), by_account, inbound)


def wall_of(site: Site, hour: int) -> datetime:
    """What the clock on the server's wall shows at the beginning of *hour*."""
    return datetime.fromtimestamp(hour * HOUR_SECONDS, site.settings.zone)


def hour_factor(account: Account, wall: datetime) -> float:
    """How much more than on average *account* sends in the hour that *wall* shows."""
    hours = account.habit.hours
    factor = hours[wall.hour] * 24 / math.fsum(hours)
    return factor * account.habit.weekend if wall.weekday() >= 5 else factor
