"""Where deliveries lead, and every attempt at one, from the first to the last, with its outcome."""

from typing import NamedTuple

import msgspec

from whm_simulator.mail.rows import DEFER, FAILURE, SUCCESS
from whm_simulator.world.courses import Course
from whm_simulator.world.faces import Box, Face
from whm_simulator.world.places import Exchanger, Place
from whm_simulator.world.replies import (
    ACCEPTED,
    MANNERS,
    Manners,
    Templates,
    worded,
)
from whm_simulator.world.retry import attempt_times

_SPREADING = 0x9E3779B97F4A7C15
_LOCALHOST = (Exchanger("localhost", "127.0.0.1"),)


class Way(NamedTuple):
    """The way that Exim chose for a recipient; None where there was none to choose."""

    router: str
    transport: str | None
    is_remote: int
    deliverydomain: str | None
    deliveryuser: str | None


class Destination(msgspec.Struct, frozen=True, gc=False):
    """Where a delivery leads: the final address, who takes its mail, and the way there."""

    address: str
    exchangers: tuple[Exchanger, ...]
    manners: Manners
    way: Way


class Attempt(msgspec.Struct, frozen=True, gc=False):
    """One attempt; *host* and *ip* are None where Exim spoke to nobody."""

    at_unix: int
    type: str
    message: str
    host: str | None
    ip: str | None
    deliveredto: str | None
    way: Way


SENT = Way("dkim_lookuphost", "dkim_remote_smtp", 1, None, "-remote-")
FORWARDED = Way("dkim_lookuphost", "dkim_remote_forwarded_smtp", 1, None, "-remote-")
UNSIGNED = Way("lookuphost", "remote_smtp", 1, None, "-remote-")
REFUSED_BY_CPANEL = Way("enforce_mail_permissions", None, 0, None, None)


def to_person(address: str, place: Place, way: Way) -> Destination:
    """An address at *place*."""
    return Destination(address, place.exchangers, MANNERS[place.kind], way)


def to_box(box: Box) -> Destination:
    """A mailbox of this server."""
    way = Way(box.router, box.transport, 0, box.domain, box.user)
    return Destination(box.address, _LOCALHOST, MANNERS["mailbox"], way)


def to_pipe(domain: str, user: str) -> Destination:
    """A program of the account *user*, as set up for a help desk."""
    way = Way("virtual_aliases_nostar", "cagefs_virtual_address_pipe", 0, domain, user)
    return Destination(f"|/home/{user}/bin/desk.php", _LOCALHOST, MANNERS["pipe"], way)


def to_nowhere(address: str) -> Destination:
    """An address of this server that leads nowhere."""
    way = Way("virtual_aliases", None, 0, None, None)
    return Destination(address, _LOCALHOST, MANNERS["mailbox"], way)


def first_delay_seconds(bits: int, *, is_slow: bool) -> int:
    """How long a message for elsewhere waits for its first attempt to end: 1 to 110 seconds."""
    if is_slow:
        return 20 + bits % 91
    if bits >> 3 & 31:
        return 1 + (bits & 7)
    return 15 + (bits >> 8 & 63)


def attempts(
    destination: Destination, first_unix: int, course: Course, bits: int, face: Face
) -> list[Attempt]:
    """Every attempt at *destination*, the first ending at *first_unix*."""
    *waits, last = attempt_times(first_unix, course.retries, bits)
    turn = bits >> 20
    found = [
        _unsuccessful(destination, at_unix, DEFER, course.deferrals, turn + index, face)
        for index, at_unix in enumerate(waits)
    ]
    turn += course.retries
    if course.is_failed:
        found.append(_unsuccessful(destination, last, FAILURE, course.failures, turn, face))
    else:
        exchanger = destination.exchangers[turn % len(destination.exchangers)]
        found.append(
            Attempt(last, SUCCESS, ACCEPTED, exchanger.host, exchanger.ip, destination.address,
                    destination.way)
        )  # fmt: skip
    return found


def _unsuccessful(
    destination: Destination, at_unix: int, kind: str, templates: Templates, turn: int, face: Face
) -> Attempt:
    """An attempt whose host and text are those whose *turn* it is."""
    way = destination.way
    exchanger = destination.exchangers[turn % len(destination.exchangers)]
    template = templates[turn // 2 % len(templates)]
    message = template.text
    if "{" in message:
        message = worded(
            template,
            turn * _SPREADING,
            address=destination.address,
            sender=face.sender,
            sender_domain=face.domain if "." in face.domain else face.email.rpartition("@")[2],
            host=exchanger.host,
            ip=exchanger.ip,
            user=way.deliveryuser or "",
        )
    if template.stage == "transport":
        return Attempt(at_unix, kind, message, None, None, None, way)
    if template.stage == "route":
        nowhere = Way(way.router, None, 0, None, None)
        return Attempt(at_unix, kind, message, None, None, None, nowhere)
    return Attempt(at_unix, kind, message, exchanger.host, exchanger.ip, None, way)
