"""All that a simulator is told, and what it tells in return of each server."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from whm_simulator.web.listener import Address
from whm_simulator.web.login import Login
from whm_simulator.world.settings import WorldSettings

ANY_LOOPBACK_PORT = Address("127.0.0.1", 0)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a simulator is told.

    Attributes:
        servers: how many; they are called web1, web2 and so on.
        listen: address of the first; with a port of their own choice the others take the next ones.
        is_by_name: whether all share that one port, told apart by name.
        has_tls: whether they speak HTTPS.
        user: who may log in.
        token: of every server; empty for one of each server's own, derived from the seed.
        logins: further users of every server.
        world: their mail.
        compromised: texts of accounts that send spam, read by ``world.incidents``; times such as
            ``+60s`` count from the first start.
        bad_days: the same for providers' bad days.
        quirks: texts of quirks, read by ``api.quirks``.
        age_seconds: how long before the first start the first mail was sent; None for as long as
            mail is kept.
        mainlog: an Exim main log that takes the place of made-up mail on every server.
        user_domains: the file that tells which of its domains belong to which user.
        faults: orders as of ``POST /faults``, set at the first start.
        start_unix: simulated now at the first start; None for real now.
        speed: simulated seconds that pass in a real one.
        control: address of the control endpoint, on loopback; None for none.
        ready_file: where to tell clients all of this once it listens.
        state_dir: where certificates, ports, faults and time are kept for the next start; None for
            a folder that is removed at the end.
    """

    servers: int = 1
    listen: Address = ANY_LOOPBACK_PORT
    is_by_name: bool = False
    has_tls: bool = False
    user: str = "root"
    token: str = field(default="", repr=False)
    logins: tuple[Login, ...] = ()
    world: WorldSettings = field(default_factory=WorldSettings)
    compromised: tuple[str, ...] = ()
    bad_days: tuple[str, ...] = ()
    quirks: tuple[str, ...] = ()
    age_seconds: int | None = None
    mainlog: Path | None = None
    user_domains: Path | None = None
    faults: tuple[Mapping[str, Any], ...] = ()
    start_unix: float | None = None
    speed: float = 1.0
    control: Address | None = None
    ready_file: Path | None = None
    state_dir: Path | None = None

    @property
    def names(self) -> list[str]:
        """Of all servers."""
        return [f"web{number}" for number in range(1, self.servers + 1)]


class ServerLogin(msgspec.Struct, frozen=True):
    """A further user of a server."""

    user: str
    token: str
    acls: tuple[str, ...]

    def __repr__(self) -> str:
        return f"ServerLogin({self.user!r}, acls={self.acls!r})"


class Server(msgspec.Struct, frozen=True):
    """What a client needs to know of one server; also its entry in the ready file.

    ``server_name`` is the name by which the server is told from others on the same port, None if
    the port is its own.
    """

    name: str
    endpoint: str
    user: str
    token: str
    ca_file: str | None
    server_name: str | None = None
    logins: tuple[ServerLogin, ...] = ()

    def __repr__(self) -> str:
        return f"Server({self.name!r}, {self.endpoint!r})"
