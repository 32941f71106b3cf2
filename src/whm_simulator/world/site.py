"""The server whose mail is written: all that stays the same from one instant to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from whm_simulator.world.accounts import Account, accounts_of
from whm_simulator.world.faces import Box, Face, daemon, system
from whm_simulator.world.incidents import BadDay, Compromise
from whm_simulator.world.settings import WorldSettings

ACCOUNT_SHARE, INBOUND_SHARE, SYSTEM_SHARE = 0.57, 0.41, 0.02
"""Parts of a server's messages by where they come from; they add up to 1."""

FORWARDED_SHARE = 0.06
"""Part of the inbound mail that is passed on to elsewhere, if the server has such accounts."""


@dataclass(frozen=True, slots=True, eq=False)
class Site:
    """One server of a simulation.

    Attributes:
        settings: what all servers have in common.
        name: its name in the simulation.
        number: it is the how many-th, from 1; every second one runs an Exim before 4.97, whose
            message ids are shorter.
        hostname: its name on the net.
        accounts: who sends.
        boxes: all mailboxes.
        forwarders: accounts that pass mail on, with the sum of their parts up to each.
        daemon: the sending side of its reports of failure.
        system: the sending side of its own mail.
        compromises: those of its accounts.
        suspended_unix: from when on the outgoing mail of an account is suspended, by user.
    """

    settings: WorldSettings
    name: str
    number: int
    hostname: str = field(init=False)
    accounts: tuple[Account, ...] = field(init=False)
    boxes: tuple[Box, ...] = field(init=False)
    forwarders: tuple[tuple[Account, float], ...] = field(init=False)
    daemon: Face = field(init=False)
    system: Face = field(init=False)
    compromises: tuple[Compromise, ...] = field(init=False)
    suspended_unix: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        hostname = f"{self.name}.example.net"
        accounts = accounts_of(
            settings.seed, self.name, hostname, settings.accounts,
            settings.rate_per_minute * ACCOUNT_SHARE, settings.domains_per_account,
        )  # fmt: skip
        forwarders = [account for account in accounts if account.habit.forwards]
        parts = accumulate(account.habit.forwards for account in forwarders)
        users = {account.user for account in accounts}
        compromises = tuple(
            compromise
            for compromise in settings.compromises
            if compromise.server == self.name and compromise.user in users
        )
        suspended: dict[str, int] = {}
        for compromise in compromises:
            known = suspended.get(compromise.user, compromise.end_unix)
            suspended[compromise.user] = min(known, compromise.end_unix)
        for name, value in (
            ("hostname", hostname),
            ("accounts", accounts),
            ("boxes", tuple(box for account in accounts for box in account.mailboxes)),
            ("forwarders", tuple(zip(forwarders, parts, strict=True))),
            ("daemon", daemon(hostname)),
            ("system", system(hostname)),
            ("compromises", compromises),
            ("suspended_unix", suspended),
        ):
            object.__setattr__(self, name, value)

    @property
    def has_old_exim(self) -> bool:
        """Whether its message ids have the form before Exim 4.97."""
        return self.number % 2 == 0

    def is_suspended(self, user: str, at_unix: float) -> bool:
        """Whether outgoing mail of *user* is refused at *at_unix*."""
        return at_unix >= self.suspended_unix.get(user, at_unix + 1)

    def bad_days_between(self, first_unix: int, last_unix: int) -> tuple[BadDay, ...]:
        """Bad days that meet messages sent in a range, both ends included."""
        return tuple(
            day
            for day in self.settings.bad_days
            if day.start_unix <= last_unix and first_unix < day.end_unix
        )
