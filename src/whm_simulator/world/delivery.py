"""What becomes of one recipient: every attempt from the first to the last, with its outcome."""

from typing import NamedTuple

from whm_simulator.mail.rows import DEFER, FAILURE, SUCCESS
from whm_simulator.world.accounts import Account
from whm_simulator.world.chance import Dice
from whm_simulator.world.places import Place
from whm_simulator.world.replies import (
    ACCEPTED,
    MANNERS,
    RETRY_TIMEOUT,
    UNROUTEABLE,
    Templates,
    worded,
)
from whm_simulator.world.retry import RETRY_OFFSETS_SECONDS

_MAILBOX_IS_FULL_SHARE = 0.004
_GIVES_UP_SHARE = 0.03
_REFUSED_AFTER_DEFERRAL_SHARE = 0.06
_LONGEST_PATIENCE = 9


class Route(NamedTuple):
    """The way that Exim chose for a recipient; None where there was none to choose."""

    router: str
    transport: str | None
    is_remote: bool
    deliverydomain: str | None
    deliveryuser: str | None


class Attempt(NamedTuple):
    """One attempt; *host* and *ip* are None where Exim spoke to nobody."""

    at_unix: int
    type: str
    message: str
    host: str | None
    ip: str | None
    deliveredto: str | None
    route: Route


REMOTE = Route("dkim_lookuphost", "dkim_remote_smtp", True, None, "-remote-")
FORWARDED = Route("dkim_lookuphost", "dkim_remote_forwarded_smtp", True, None, "-remote-")
UNSIGNED = Route("lookuphost", "remote_smtp", True, None, "-remote-")
REFUSED_BY_CPANEL = Route("enforce_mail_permissions", None, False, None, None)


def mailbox_route(account: Account) -> Route:
    """The way into a mailbox of *account*."""
    return Route("virtual_user", "dovecot_virtual_delivery", False, account.domain, account.user)


def pipe_route(account: Account) -> Route:
    """The way into a program of *account*, as set up for a help desk."""
    return Route(
        "virtual_aliases_nostar", "cagefs_virtual_address_pipe", False, account.domain, account.user
    )


def first_attempt_delay_seconds(dice: Dice, *, is_remote: bool, is_slow: bool) -> int:
    """How long a message waits for its first attempt to end: at least a second."""
    if not is_remote:
        return 1 + (dice.uniform() < 0.1)
    if is_slow:
        return dice.between(20, 120)
    return dice.between(15, 90) if dice.chance(0.05) else dice.between(1, 8)


class Target(NamedTuple):
    """A recipient elsewhere: the final address, who takes its mail, and the way there."""

    address: str
    place: Place
    route: Route

    def attempt(self, dice: Dice, at_unix: int, kind: str, templates: Templates) -> Attempt:
        """One attempt that ends as *kind*, with one of *templates* unless it succeeds."""
        exchanger = dice.pick(self.place.exchangers)
        host, ip = exchanger.host, exchanger.ip
        if kind == SUCCESS:
            return Attempt(at_unix, kind, ACCEPTED, host, ip, self.address, self.route)
        message = worded(dice, templates, address=self.address, host=host, ip=ip)
        if message == UNROUTEABLE:
            route = self.route._replace(transport=None, is_remote=False)
            return Attempt(at_unix, kind, message, None, None, None, route)
        return Attempt(at_unix, kind, message, host, ip, None, self.route)


def remote_attempts(
    dice: Dice, first_unix: int, target: Target, *, is_gone: bool = False
) -> list[Attempt]:
    """Attempts at a recipient elsewhere, the first at *first_unix*."""
    place = target.place
    manners = MANNERS[place.kind]
    if is_gone:
        return [target.attempt(dice, first_unix, FAILURE, manners.unknown_user)]
    if not dice.chance(place.defers):
        if dice.chance(place.refuses):
            return [target.attempt(dice, first_unix, FAILURE, manners.refusals)]
        return [target.attempt(dice, first_unix, SUCCESS, ())]
    *deferred, last_unix = _deferred_times(dice, first_unix)
    attempts = [target.attempt(dice, at_unix, DEFER, manners.deferrals) for at_unix in deferred]
    if len(deferred) == len(RETRY_OFFSETS_SECONDS):
        end = target.attempt(dice, last_unix, FAILURE, (RETRY_TIMEOUT,))
    elif dice.chance(_REFUSED_AFTER_DEFERRAL_SHARE):
        end = target.attempt(dice, last_unix, FAILURE, manners.refusals)
    else:
        end = target.attempt(dice, last_unix, SUCCESS, ())
    return [*attempts, end]


def local_attempts(
    dice: Dice, first_unix: int, recipient: str, route: Route, deliveredto: str
) -> list[Attempt]:
    """Attempts at a recipient on this server; a full mailbox defers, and then refuses or takes."""

    def attempt(at_unix: int, kind: str, templates: Templates) -> Attempt:
        message = ACCEPTED
        if templates:
            message = worded(dice, templates, address=recipient, host="localhost", ip="127.0.0.1")
        reached = deliveredto if kind == SUCCESS else None
        return Attempt(at_unix, kind, message, "localhost", "127.0.0.1", reached, route)

    if not dice.chance(_MAILBOX_IS_FULL_SHARE):
        return [attempt(first_unix, SUCCESS, ())]
    times = _deferred_times(dice, first_unix)
    attempts = [attempt(at_unix, DEFER, MANNERS["mailbox"].deferrals) for at_unix in times[:-1]]
    if dice.chance(0.5):
        return [*attempts, attempt(times[-1], FAILURE, MANNERS["mailbox"].refusals)]
    return [*attempts, attempt(times[-1], SUCCESS, ())]


def held_until_next_hour(first_unix: int, message: str) -> list[Attempt]:
    """Deferrals by cPanel at Exim's rhythm for as long as the hour of *first_unix* lasts."""
    hour_end = first_unix - first_unix % 3600 + 3600
    times = [first_unix]
    times += [first_unix + offset for offset in RETRY_OFFSETS_SECONDS[:4]]
    return [
        Attempt(at_unix, DEFER, message, None, None, None, REFUSED_BY_CPANEL)
        for at_unix in times
        if at_unix < hour_end
    ]


def _deferred_times(dice: Dice, first_unix: int) -> list[int]:
    """Instants of all attempts of a delivery that is deferred at least once.

    The last one ends it; where Exim's patience ends, all offsets are used up.
    """
    if dice.chance(_GIVES_UP_SHARE):
        retries = len(RETRY_OFFSETS_SECONDS)
    else:
        retries = dice.skewed(1, _LONGEST_PATIENCE)
    times = [first_unix]
    # A queue runner comes by a little after the time to retry.
    times += [first_unix + offset + dice.below(90) for offset in RETRY_OFFSETS_SECONDS[:retries]]
    return times
