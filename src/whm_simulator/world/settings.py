"""What all servers of a simulation have in common."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from whm_simulator.world.incidents import BadDay, Compromise


@dataclass(frozen=True, slots=True)
class WorldSettings:
    """What all servers of a simulation have in common.

    Attributes:
        seed: which mail there is.
        accounts: how many cPanel accounts each server has.
        rate_per_minute: messages a minute on each server over a working day, apart from weekly
            mailings, incidents and the reports of failure that all mail causes.
        history_seconds: how long rows are kept after the message was sent.
        zone: the servers' own time zone, which habits and ``actiontime`` follow.
        max_cached_rows: rows kept in memory for all servers together.
        domains_per_account: how many domains each account has.
        compromises: accounts that send spam for a while.
        bad_days: receiving sites that take mail badly for a while.
    """

    seed: str = "1"
    accounts: int = 10
    rate_per_minute: float = 20.0
    history_seconds: int = 86_400
    zone: tzinfo = UTC
    max_cached_rows: int = 400_000
    domains_per_account: int = 1
    compromises: tuple[Compromise, ...] = ()
    bad_days: tuple[BadDay, ...] = ()
