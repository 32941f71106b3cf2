"""Deliveries whose end comes long after their beginning, or that others follow from.

Ordinary mail is drawn minute by minute and fails at its first attempt or not at all, so that the
reports it causes need a look at the minutes just before and no further. What fails after deferrals,
and mail that is passed on to elsewhere, is drawn here: few messages an hour, known without any
other mail, so that their reports and what lingers in the queue for days are cheap to find.
"""

from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple

from whm_simulator.world import courses, delivery
from whm_simulator.world.accounts import Account
from whm_simulator.world.chance import Dice
from whm_simulator.world.courses import Course
from whm_simulator.world.faces import outsider, outsiders
from whm_simulator.world.means import HOUR_SECONDS, HourMeans
from whm_simulator.world.people import deck, foreign_machine, forged_at, people_at
from whm_simulator.world.replies import MANNERS, SUSPENDED
from whm_simulator.world.site import FORWARDED_SHARE, Site
from whm_simulator.world.story import STORY_STREAM, Reader, Story

ELSEWHERE = -1

_FAILS_LATE_SHARE = 0.0045
_STAYS_FULL_SHARE = 0.002
_GIVEN_UP_SHARE = 0.35
_FORWARDED_TO = ("google", "google", "google", "microsoft", "microsoft", "yahoo")


class Seed(NamedTuple):
    """All that a story that fails late is made from.

    Attributes:
        send_unix: when the server accepts the message.
        account: place of the sending account among the site's; ``ELSEWHERE`` for mail that meets a
            full mailbox.
        bits: its identity.
    """

    send_unix: int
    account: int
    bits: int


def late_failures(site: Site, means: HourMeans, hour: int) -> list[Seed]:
    """What begins in *hour*, which has *means*, and fails after it was put off."""
    dice = Dice(site.settings.seed, site.name, "late failures", hour)
    start_unix = hour * HOUR_SECONDS
    parts = list(accumulate(mean for _, mean in means.by_account))
    places = {account: place for place, account in enumerate(site.accounts)}
    found = []
    for _ in range(dice.count(parts[-1] * 60 * _FAILS_LATE_SHARE if parts else 0)):
        send_unix, which = start_unix + dice.below(HOUR_SECONDS), dice.uniform() * parts[-1]
        account, _ = means.by_account[min(bisect_right(parts, which), len(parts) - 1)]
        found.append(Seed(send_unix, places[account], dice.bits()))
    found += [
        Seed(start_unix + dice.below(HOUR_SECONDS), ELSEWHERE, dice.bits())
        for _ in range(dice.count(means.inbound_per_minute * 60 * _STAYS_FULL_SHARE))
    ]
    return found


def story_of(site: Site, seed: Seed) -> Story:
    """The story that grows from *seed*."""
    if seed.account == ELSEWHERE:
        return _to_full_box(site, seed.send_unix, seed.bits)
    return _sent(site, site.accounts[seed.account], seed.send_unix, seed.bits)


def passed_on(site: Site, means: HourMeans, hour: int) -> list[Story]:
    """Mail from elsewhere to elsewhere, which fails at its first attempt or not at all."""
    if not site.forwarders:
        return []
    dice = Dice(site.settings.seed, site.name, "passed on", hour)
    start_unix = hour * HOUR_SECONDS
    return [
        _passed_on(site, start_unix + dice.below(HOUR_SECONDS), dice.bits())
        for _ in range(dice.count(means.inbound_per_minute * 60 * FORWARDED_SHARE))
    ]


def _sent(site: Site, account: Account, send_unix: int, bits: int) -> Story:
    """A message of *account* that is put off and fails in the end."""
    dice = Dice.of_bits(bits)
    place = dice.below(len(account.faces))
    low, high = account.habit.sizes_bytes
    is_given_up = dice.chance(_GIVEN_UP_SHARE)
    is_down = is_given_up and dice.chance(0.7)
    person = dice.pick(people_at("unreachable") if is_down else deck())
    manners = MANNERS[person.place.kind]
    destination = delivery.to_person(person.address, person.place, delivery.SENT)
    if is_given_up:
        course = courses.given_up(manners.deferrals)
    else:
        course = courses.refused_later(dice, manners)
    delay = delivery.first_delay_seconds(dice.below(1 << 14), is_slow=person.place.is_slow)
    if site.is_suspended(account.user, send_unix):
        destination = delivery.to_person(person.address, person.place, delivery.REFUSED_BY_CPANEL)
        course, delay = Course(0, True, (), (SUSPENDED,)), 1
    return Story(
        send_unix, bits, STORY_STREAM, account.faces[place], dice.skewed(low, high), 0,
        person.address, destination, send_unix + delay, course, account.bounce_boxes[place],
    )  # fmt: skip


def _to_full_box(site: Site, send_unix: int, bits: int) -> Story:
    """A message from elsewhere to a mailbox that is full and stays so."""
    dice = Dice.of_bits(bits)
    number = dice.below(len(deck()))
    destination = delivery.to_box(dice.pick(site.boxes))
    if dice.chance(0.5):
        course = courses.given_up(destination.manners.deferrals)
    else:
        course = courses.refused_later(dice, destination.manners)
    return Story(
        send_unix, bits, STORY_STREAM, outsiders()[number], dice.skewed(900, 15_000_000),
        dice.skewed(0, 60), destination.address, destination, send_unix + 1, course,
        Reader(deck()[number], is_forged=False),
    )  # fmt: skip


def _passed_on(site: Site, send_unix: int, bits: int) -> Story:
    """A message that an address of this server passes on; more often than not it is spam."""
    dice = Dice.of_bits(bits)
    account = _any_forwarder(site, dice)
    person = dice.pick(people_at(dice.pick(_FORWARDED_TO)))
    manners = MANNERS[person.place.kind]
    number, share = dice.below(len(deck())), dice.uniform()
    reader = Reader(deck()[number], is_forged=dice.chance(0.6))
    if reader.is_forged:
        domain = reader.person.address.rpartition("@")[2]
        face = outsider(forged_at(domain, dice.bits()), *foreign_machine(dice.bits()))
        size, score = dice.between(1_500, 9_000), dice.between(35, 260)
        refused, put_off, refusals = 0.30, 0.42, manners.spam_refusals
    else:
        face = outsiders()[number]
        size, score = dice.skewed(900, 15_000_000), dice.skewed(0, 60)
        refused, put_off, refusals = 0.015, 0.035, manners.refusals
    course = courses.WELL
    if share < refused:
        course = Course(0, True, (), refusals)
    elif share < put_off:
        course = courses.put_off(dice, manners.rate_deferrals)
    destination = delivery.to_person(person.address, person.place, delivery.FORWARDED)
    delay = delivery.first_delay_seconds(dice.below(1 << 14), is_slow=False)
    local = person.address.rpartition("@")[0]
    return Story(
        send_unix, bits, STORY_STREAM, face, size, score, f"{local}@{account.domain}", destination,
        send_unix + delay, course, reader,
    )  # fmt: skip


def _any_forwarder(site: Site, dice: Dice) -> Account:
    which = dice.uniform() * site.forwarders[-1][1]
    return next(
        (account for account, part in site.forwarders if which < part), site.forwarders[-1][0]
    )
