"""How deliveries go: at once, after deferrals or never, as receiver and time will have it."""

from typing import NamedTuple

from whm_simulator.world.chance import Dice
from whm_simulator.world.people import FATES, Person
from whm_simulator.world.replies import MANNERS, RETRY_TIMEOUT, Manners, Templates
from whm_simulator.world.retry import RETRY_OFFSETS_SECONDS

MOST_ORDINARY_RETRIES = 9
"""A delivery that is put off and ends well has ended by then."""

UNKNOWN_SHARE, BAD_SHARE = 0.18, 0.48
"""Parts of the recipients of spam who don't exist, and who don't exist, refuse or put off."""

_TIMEOUTS = tuple(
    template
    for template in MANNERS["unreachable"].deferrals
    if template.text == "Connection timed out"
)


class Course(NamedTuple):
    """How a delivery goes: so many times put off, then it fails or succeeds."""

    retries: int
    is_failed: bool
    deferrals: Templates
    failures: Templates


WELL = Course(0, False, (), ())
"""Delivered at the first attempt."""


def unknown_user(manners: Manners) -> Course:
    """Refused, since the recipient doesn't exist."""
    return Course(0, True, (), manners.unknown_user)


def put_off(dice: Dice, deferrals: Templates) -> Course:
    """Put off a few times, then delivered."""
    return Course(dice.skewed(1, MOST_ORDINARY_RETRIES), False, deferrals, ())


def given_up(deferrals: Templates) -> Course:
    """Put off until Exim's patience ends."""
    return Course(len(RETRY_OFFSETS_SECONDS), True, deferrals, RETRY_TIMEOUT)


def refused_later(dice: Dice, manners: Manners) -> Course:
    """Put off a few times, then refused."""
    retries = dice.skewed(1, MOST_ORDINARY_RETRIES)
    return Course(retries, True, manners.deferrals, manners.refusals)


def ordinary_course(person: Person, fate: int, gone: int, bits: int) -> Course:
    """What *fate*, a number below ``FATES``, means where the lowest *gone* mean an unknown user."""
    manners = MANNERS[person.place.kind]
    if fate < gone:
        return unknown_user(manners)
    if fate < gone + int(person.place.refuses * FATES):
        return Course(0, True, (), manners.refusals)
    if fate < gone + person.trouble:
        return put_off(Dice.of_bits(bits), manners.deferrals)
    return WELL


def spam_course(person: Person, share: float, dice: Dice) -> Course:
    """What a receiver makes of spam to unchecked addresses; *share* is a number from 0 to 1."""
    manners = MANNERS[person.place.kind]
    if share < UNKNOWN_SHARE:
        return unknown_user(manners)
    if share < 0.32:
        return Course(0, True, (), manners.spam_refusals)
    if share < BAD_SHARE:
        return put_off(dice, manners.rate_deferrals)
    return WELL


def bad_day_course(person: Person, dice: Dice, first_unix: int, end_unix: int) -> Course:
    """What becomes of mail to a site that has a bad day until *end_unix*.

    Most is put off until the first retry after the end, some is let in before, some refused.
    """
    manners = MANNERS[person.place.kind]
    share = dice.uniform()
    if share < 0.07:
        return Course(0, True, (), manners.spam_refusals)
    if share > 0.82:
        return WELL
    needed = 1
    while first_unix + RETRY_OFFSETS_SECONDS[needed - 1] < end_unix:
        needed += 1
    retries = dice.between(1, needed) if dice.chance(0.3) else needed
    return Course(retries, False, manners.rate_deferrals + _TIMEOUTS, ())
