"""Whose mail it is: from what an arrival tells to the account and domain that WHM would show.

cPanel keeps the owner of each domain in ``/etc/userdomains``, a line ``domain: user`` for each.
How it finds the account of a message isn't published; assumed is, in this order:

1. who logged in (``A=authenticator:login``): the owner of the login's domain;
2. the login name of the program that handed the message in (``U=``), if it is an account;
3. for mail from a program on this machine, the owner of the sender's domain;
4. for other such mail, that login name, as part of the system;
5. ``-remote-`` for the rest.

Without the file each domain counts as an account of its own name.
"""

from pathlib import Path
from typing import NamedTuple

from whm_simulator.exim_log.addresses import domain_of
from whm_simulator.exim_log.events import Arrival
from whm_simulator.mail.source import AccountCard

REMOTE_USER = "-remote-"
SYSTEM_DOMAIN = "-system-"
_SYSTEM_USERS = frozenset(
    ("root", "exim", "Debian-exim", "mail", "mailnull", "mailman", "nobody", "daemon", "www-data")
)


class Owner(NamedTuple):
    """An account, and the domain that it acts for."""

    user: str
    domain: str


class UserDomains:
    """The owner of each domain, as far as anybody said.

    Raises:
        ValueError: the file can't be read or says nothing; the text says what to do.
    """

    def __init__(self, path: Path | None) -> None:
        self.users: dict[str, str] = {}
        self.domains: dict[str, list[str]] = {}
        self.is_known = path is not None
        if path is None:
            return
        try:
            text = path.read_text("utf-8", "replace")
        except OSError as error:
            raise ValueError(
                f"{path} can't be read ({error.strerror}); name a copy of cPanel's"
                " /etc/userdomains, with a line domain: user for each domain."
            ) from None
        for line in text.splitlines():
            domain, _, user = (part.strip() for part in line.partition(":"))
            if domain in ("", "*") or domain.startswith("#") or not user:
                continue
            self.users[domain.lower()] = user
            self.domains.setdefault(user, []).append(domain.lower())
        if not self.users:
            raise ValueError(
                f"{path} names no domain; it needs a line domain: user for each, as in cPanel's"
                " /etc/userdomains."
            )

    def cards(self) -> list[AccountCard]:
        """All accounts by user name; the first of a user's domains counts as the primary one."""
        return [
            AccountCard(user, domains[0], domains=tuple(domains))
            for user, domains in sorted(self.domains.items())
        ]

    def sender_of(self, arrival: Arrival, hostname: str) -> Owner:
        """Whose mail *arrival* is, on the server *hostname*."""
        domain = domain_of(arrival.sender)
        if arrival.authenticator:
            return self._logged_in(arrival.login, domain)
        if arrival.ident in self.domains:
            return self._acting_for(arrival.ident, domain)
        if arrival.peer is not None:
            return Owner(REMOTE_USER, "")
        if domain in self.users:
            return Owner(self.users[domain], domain)
        user = arrival.ident or "root"
        is_system = self.is_known or user in _SYSTEM_USERS or domain in ("", hostname.lower())
        return Owner(user, SYSTEM_DOMAIN if is_system else domain)

    def keeper_of(self, domain: str, *, is_local: bool) -> str | None:
        """The account that mail for *domain* goes to; None if it isn't this server's.

        *is_local*: it is delivered here, which makes its domain an account if there is no file.
        """
        if self.is_known:
            return self.users.get(domain)
        return domain or None if is_local else None

    def _logged_in(self, login: str, sender_domain: str) -> Owner:
        domain = domain_of(login)
        if domain:
            return Owner(self.users.get(domain, domain), domain)
        if not login:
            return Owner(self.users.get(sender_domain, sender_domain), sender_domain)
        return self._acting_for(login, sender_domain)

    def _acting_for(self, user: str, domain: str) -> Owner:
        """*user* with its own *domain*, else with its primary one."""
        own = self.domains.get(user, [])
        return Owner(user, domain if domain in own or not own else own[0])
