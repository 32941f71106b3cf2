"""Who writes and who reads: addresses in several scripts, and the machines people send from."""

from whm_simulator.world.chance import Dice
from whm_simulator.world.places import PLACES, Place

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
_GONE = ("typo", "left.company", "old", "nobody", "info2", "test123", "asdf")
_CLIENT_HOSTS = ("(client.example.org)", "([192.0.2.140])", "(laptop.local)", "phone.example.net")
_CLIENT_IPS = (
    "198.51.100.7", "198.51.100.24", "203.0.113.77", "192.0.2.140", "2001:db8:1::7",
    "2001:db8:20:300::abcd",
)  # fmt: skip
_SENDING_SITES = (
    ("mail.example.org", "203.0.113.9"),
    ("mail-ej1-f41.google.com", "192.0.2.41"),
    ("mail-db5eur01on2042.outbound.protection.outlook.com", "198.51.100.42"),
    ("out1.example.net", "2001:db8:9::11"),
    ("bulk-17.newsletter.example.com", "203.0.113.117"),
)
_WEIGHTS = [place.weight for place in PLACES]
_ALL_WEIGHTS = sum(_WEIGHTS)


def any_place(dice: Dice) -> Place:
    """A receiving site, the large ones more often."""
    rest = dice.uniform() * _ALL_WEIGHTS
    for place, weight in zip(PLACES, _WEIGHTS, strict=True):
        rest -= weight
        if rest < 0:
            return place
    return PLACES[0]


def person_at(dice: Dice, place: Place) -> str:
    """The address of somebody at *place*."""
    if dice.chance(_UNUSUAL_SHARE.get(place.kind, 0)):
        local = dice.pick(_BY_KIND[place.kind])
    else:
        local = dice.pick(_GIVEN) + dice.pick(_FAMILY)
    return f"{local}@{dice.pick(place.domains)}"


def nobody_at(dice: Dice, place: Place) -> str:
    """An address at *place* that doesn't exist."""
    return f"{dice.pick(_GONE)}{dice.below(900)}@{dice.pick(place.domains)}"


def client_machine(dice: Dice) -> tuple[str, str]:
    """Host and IP that a customer's mail program connects from."""
    return dice.pick(_CLIENT_HOSTS), dice.pick(_CLIENT_IPS)


def sending_site(dice: Dice) -> tuple[str, str]:
    """Host and IP of another mail server that brings mail in."""
    return dice.pick(_SENDING_SITES)
