"""The sending side of messages: accounts' customers, other mail servers, and the server itself."""

from functools import lru_cache
from typing import NamedTuple

from whm_simulator.world.people import deck
from whm_simulator.world.places import Exchanger


class Face(NamedTuple):
    """Who sends a message, whence and how; with WHM's field names."""

    domain: str
    email: str
    sender: str
    senderauth: str
    senderhost: str
    senderip: str
    user: str


class Box(NamedTuple):
    """A mailbox of this server, and the way that Exim takes to it."""

    address: str
    domain: str
    user: str
    router: str = "virtual_user"
    transport: str = "dovecot_virtual_delivery"


@lru_cache(maxsize=1)
def outsiders() -> tuple[Face, ...]:
    """Everybody elsewhere as a sender to this server, in the order of ``people.deck``."""
    return tuple(
        outsider(
            person.address,
            *_machine_of(person.place.senders or person.place.exchangers, number),
        )
        for number, person in enumerate(deck())
    )


def _machine_of(senders: tuple[Exchanger, ...], number: int) -> tuple[str, str]:
    machine = senders[number % len(senders)]
    return machine.host, machine.ip


def outsider(address: str, host: str, ip: str) -> Face:
    """A sender whose mail another machine brings."""
    return Face("", address, address, "", host, ip, "-remote-")


def daemon(hostname: str) -> Face:
    """Who reports failures: an empty sender, so that nobody ever reports the report's own."""
    return Face(
        "-system-", f"Mailer-Daemon@{hostname}", "", "", "localhost", "127.0.0.1", "mailnull"
    )


def system(hostname: str) -> Face:
    """Cron and daemons."""
    root = f"root@{hostname}"
    return Face("-system-", root, root, "localuser", "localhost", "127.0.0.1", "root")
