"""Who writes and who reads elsewhere: addresses in several scripts, and who takes their mail.

The same people write to and are written to by all servers, so that each address exists once.
"""

from functools import lru_cache
from typing import NamedTuple

from whm_simulator.world.chance import Dice
from whm_simulator.world.places import PLACES, Exchanger, Place

DECK_SIZE = 8192
"""How many people there are; a power of two."""

FATE_BITS = 20
FATES = 1 << FATE_BITS
"""A recipient's fate is a number below this one; shares of fates are parts of it."""

_GIVEN = (
    "amy", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "karl",
    "lena", "mallory", "nora", "olivia", "peggy", "quentin", "rupert", "sybil", "trent", "ursula",
    "victor", "wendy", "xavier", "yvonne", "zoe", "o'brien", "jean-luc", "anna.maria", "first+tag",
)  # fmt: skip
_FAMILY = ("", ".miller", ".smith", ".jones", "_garcia", ".rossi", "-novak", ".khan", ".berg", "99")
_BY_KIND: dict[str, tuple[str, ...]] = {
    "cyrillic": ("анна", "борис", "вера", "дмитрий", "почтальон"),
    "cjk": ("山田", "鈴木.花子", "王小明", "李雷", "office", "ネコ"),
    "postfix": ('"first last"', "müller", "søren", "jürgen.groß", "zoë", '"back\\\\slash"'),
}
"""Local parts for those who write their name in another script or in quotes."""

_UNUSUAL_SHARE = {"cyrillic": 0.8, "cjk": 0.8, "postfix": 0.06}
_GONE = ("typo", "left.company", "old", "nobody", "info2-", "test", "asdf")
_FORGED = ("offer", "prize.desk", "account-alert", "parcel", "billing", "hr.office", "noreply.")
_FOREIGN_NETS = ("198.51.100.", "203.0.113.", "192.0.2.")


class Person(NamedTuple):
    """Somebody with an address at a receiving site.

    Attributes:
        address: unique among all people.
        place: the site.
        exchanger: the host that takes its mail when all goes well.
        trouble: how many of the ``FATES`` make the first attempt fail though the address exists.
    """

    address: str
    place: Place
    exchanger: Exchanger
    trouble: int


def _any_place(dice: Dice) -> Place:
    rest = dice.uniform()
    for place in PLACES:
        rest -= place.weight
        if rest < 0:
            return place
    return PLACES[0]


def _local_part(dice: Dice, place: Place) -> str:
    if dice.chance(_UNUSUAL_SHARE.get(place.kind, 0)):
        return dice.pick(_BY_KIND[place.kind])
    return dice.pick(_GIVEN) + dice.pick(_FAMILY)


@lru_cache(maxsize=1)
def deck() -> tuple[Person, ...]:
    """All people, in no order; large sites have more of them."""
    dice = Dice("people")
    seen: set[str] = set()
    people: list[Person] = []
    while len(people) < DECK_SIZE:
        place = _any_place(dice)
        local, domain = _local_part(dice, place), dice.pick(place.domains)
        address = f"{local}@{domain}"
        if address in seen:
            if local.endswith('"'):
                continue
            address = f"{local}{dice.below(90_000)}@{domain}"
        if address in seen:
            continue
        seen.add(address)
        trouble = int((place.refuses + place.defers) * FATES)
        people.append(Person(address, place, dice.pick(place.exchangers), trouble))
    return tuple(people)


@lru_cache(maxsize=32)
def people_at(kind: str) -> tuple[Person, ...]:
    """Everybody at the site of *kind*."""
    return tuple(person for person in deck() if person.place.kind == kind)


def nobody_at(domain: str, bits: int, number: int) -> str:
    """An address at *domain* that doesn't exist; another one for each *number* below 1,000,000."""
    return f"{_GONE[bits % len(_GONE)]}{(bits >> 4) % 900 + number}@{domain}"


def unique_at(domain: str, bits: int) -> str:
    """An address at *domain*, one of 20 million, such as buyers of address lists get."""
    family = _FAMILY[1 + (bits >> 10) % (len(_FAMILY) - 2)]  # none ends in a digit
    return f"{_GIVEN[bits % (len(_GIVEN) - 4)]}{family}{(bits >> 16) % 100_000}@{domain}"


def forged_at(domain: str, bits: int) -> str:
    """A sender's address that senders of spam make up."""
    return f"{_FORGED[bits % len(_FORGED)]}{(bits >> 8) % 10_000}@{domain}"


def foreign_machine(bits: int) -> tuple[str, str]:
    """Host and IP of a stranger's machine, one of many."""
    if bits % 8 == 0:
        ip = f"2001:db8:{(bits >> 4) % 0xFFFF:x}::{(bits >> 20) % 0xFFFF:x}"
    else:
        ip = f"{_FOREIGN_NETS[(bits >> 4) % 3]}{1 + (bits >> 8) % 254}"
    return f"([{ip}])", ip
