"""The messages that are sent with a stolen password."""

from typing import NamedTuple

from whm_simulator.world.accounts import Account
from whm_simulator.world.chance import Dice
from whm_simulator.world.faces import Box, Face
from whm_simulator.world.people import Person, deck, foreign_machine, unique_at

_MACHINES = 400


class SpamMessage(NamedTuple):
    """One message: from whom and whence, to whom, and how each recipient takes it.

    Attributes:
        face: the account's own mailbox, by login, from a foreign machine.
        box: that mailbox.
        size: in bytes.
        recipients: addresses, each used once, with somebody at the same site.
        shares: for each recipient a number from 0 to 1; below ``courses.BAD_SHARE`` it goes badly.
    """

    face: Face
    box: Box
    size: int
    recipients: list[tuple[str, Person]]
    shares: list[float]


def share_of_first(bits: int) -> float:
    """How the first recipient of the message made from *bits* takes it, as in ``shares``."""
    return Dice.of_bits(bits).uniform()


def spam_message(account: Account, bits: int) -> SpamMessage:
    """The message of *account* that is made from *bits*: one recipient, sometimes up to four."""
    dice = Dice.of_bits(bits)
    shares = [dice.uniform()]
    people = deck()
    box = account.mailboxes[account.first_person % 8]
    # The same few hundred machines take turns, as the members of a net of stolen ones do.
    host, ip = foreign_machine(Dice.of_bits(dice.below(_MACHINES) + account.first_person).bits())
    face = Face(box.domain, box.address, box.address, "dovecot_login", host, ip, account.user)
    number = 1 if dice.chance(0.85) else dice.between(2, 4)
    recipients: dict[str, Person] = {}
    while len(recipients) < number:
        person = dice.pick(people)
        recipients[unique_at(person.address.rpartition("@")[2], dice.bits())] = person
    shares += [dice.uniform() for _ in range(number - 1)]
    return SpamMessage(face, box, dice.between(1_800, 4_200), list(recipients.items()), shares)
