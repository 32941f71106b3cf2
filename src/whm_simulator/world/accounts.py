"""The accounts of one simulated server: who they are, what cPanel allows them, who may see them."""

import math
from dataclasses import dataclass, field
from functools import lru_cache

from whm_simulator.world.chance import Dice, number_of
from whm_simulator.world.faces import Box, Face
from whm_simulator.world.habits import HABITS, Habit
from whm_simulator.world.people import DECK_SIZE, FATES

DEFER_FAIL_TRIGGER = 5
"""So many failures in an hour before cPanel looks at their share; this is its default."""

SIZES = 4096
"""How many different sizes a kind of mail has."""

_MAILBOXES = ("info", "sales", "jörg", "anna", "no-reply", "team.leads", "o'neil", "контакт")
_ENDINGS = ("com", "net", "org")
_MACHINES = (
    ("(client.example.org)", "198.51.100.7"),
    ("([192.0.2.140])", "192.0.2.140"),
    ("(laptop.local)", "198.51.100.24"),
    ("phone.example.net", "203.0.113.77"),
    ("(DESKTOP-4F7K2QH)", "203.0.113.61"),
    ("([IPv6:2001:db8:1::7])", "2001:db8:1::7"),
    ("([IPv6:2001:db8:20:300::abcd])", "2001:db8:20:300::abcd"),
    ("dsl-203-0-113-19.example.org", "203.0.113.19"),
)
_FACES_OF_ACCOUNT = 16
_OWNED_OF_FIVE = (2, 4)


@dataclass(frozen=True, slots=True, eq=False)
class Account:
    """A cPanel account: who it is, how it behaves and what cPanel allows it.

    Attributes:
        user: its name.
        domains: all its domains, the primary one first.
        owner: ``root`` or the user name of a reseller.
        habit: how it behaves.
        mean_per_minute: its average over a whole working day, apart from weekly mailings.
        max_email_per_hour: for each domain; 0 means unlimited.
        max_defer_fail_percentage: for each domain; 0 means unlimited.
        mailboxes: its mailboxes on all domains.
        faces: from whom, whence and how it sends.
        bounce_boxes: for each face where reports of failure go.
        first_person: where among all people those begin that it writes to.
        sizes_bytes: sizes of its messages, each as likely.
        gone: how many of all fates mean that the recipient doesn't exist.
        stays: how many of 1,024 recipients are on the same server.
        several: how many of 256 messages have several recipients.
    """

    user: str
    domains: tuple[str, ...]
    owner: str
    habit: Habit
    mean_per_minute: float
    max_email_per_hour: int
    max_defer_fail_percentage: int
    mailboxes: tuple[Box, ...] = field(repr=False)
    faces: tuple[Face, ...] = field(repr=False)
    bounce_boxes: tuple[Box, ...] = field(repr=False)
    first_person: int
    sizes_bytes: tuple[int, ...] = field(repr=False)
    gone: int
    stays: int
    several: int

    @property
    def domain(self) -> str:
        """The primary domain."""
        return self.domains[0]

    @property
    def is_counted(self) -> bool:
        """Whether cPanel counts its messages because of a limit."""
        return bool(self.max_email_per_hour or self.max_defer_fail_percentage)


@lru_cache(maxsize=32)
def sizes_between(low: int, high: int) -> tuple[int, ...]:
    """``SIZES`` sizes in bytes, each as likely; most are near *low*, as sizes of mail are."""
    shares = (number / SIZES for number in range(SIZES))
    return tuple(low + int((high - low) * (s * s * s * s * s)) for s in shares)


def user_names(number: int) -> list[str]:
    """The user names of a server's *number* accounts: shop1, news1, ..., shop2 and so on."""
    return [
        f"{HABITS[index % len(HABITS)].name}{index // len(HABITS) + 1}" for index in range(number)
    ]


def accounts_of(
    seed: str,
    server: str,
    hostname: str,
    number: int,
    mean_per_minute: float,
    domains_per_account: int = 1,
) -> tuple[Account, ...]:
    """*number* accounts of *server* that together send *mean_per_minute* messages on average."""
    habits = [HABITS[index % len(HABITS)] for index in range(number)]
    names = user_names(number)
    dice = Dice(seed, server, "accounts")
    # Two accounts of one habit differ in size, as customers do.
    weights = [habit.weight * (0.5 + dice.uniform()) for habit in habits]
    whole = math.fsum(weights)
    owners = _owners(names, habits)
    accounts = []
    for index, (user, habit) in enumerate(zip(names, habits, strict=True)):
        primary = f"{user}-{server}.example.{dice.pick(_ENDINGS)}"
        addons = (f"{user}-{extra}-{server}.example.{dice.pick(_ENDINGS)}"
                  for extra in range(2, domains_per_account + 1))  # fmt: skip
        domains = (primary, *addons)
        boxes = tuple(
            Box(f"{local}@{domain}", domain, user) for domain in domains for local in _MAILBOXES
        )
        mean = mean_per_minute * weights[index] / whole
        faces, bounce_boxes = _faces(dice, user, habit, hostname, boxes)
        accounts.append(
            Account(
                user=user,
                domains=domains,
                owner=owners[index],
                habit=habit,
                mean_per_minute=mean,
                max_email_per_hour=(
                    max(5, int(mean * 60 * 1.2 / domains_per_account))
                    if habit.has_hourly_limit
                    else 0
                ),
                max_defer_fail_percentage=15 if habit.has_defer_fail_limit else 0,
                mailboxes=boxes,
                faces=faces,
                bounce_boxes=bounce_boxes,
                first_person=number_of(seed, server, user, "audience") % DECK_SIZE,
                sizes_bytes=sizes_between(*habit.sizes_bytes),
                gone=int(habit.gone * FATES),
                stays=int(habit.stays_here * 1024),
                several=int(habit.several * 256),
            )
        )
    return tuple(accounts)


def _owners(names: list[str], habits: list[Habit]) -> list[str]:
    """Each reseller owns itself; two of five other accounts belong to the resellers in turn."""
    resellers = [name for name, habit in zip(names, habits, strict=True) if habit.is_reseller]
    owners = []
    given = 0
    for index, name in enumerate(names):
        if name in resellers:
            owners.append(name)
        elif resellers and index % 5 in _OWNED_OF_FIVE:
            owners.append(resellers[given % len(resellers)])
            given += 1
        else:
            owners.append("root")
    return owners


def _faces(
    dice: Dice, user: str, habit: Habit, hostname: str, boxes: tuple[Box, ...]
) -> tuple[tuple[Face, ...], tuple[Box, ...]]:
    if habit.is_script:
        home = Box(f"{user}@{hostname}", hostname, user, "localuser", "dovecot_delivery")
        domains = dict.fromkeys(box.domain for box in boxes)
        faces = tuple(
            Face(domain, f"{habit.name}@{domain}", home.address, "localuser", "localhost",
                 "127.0.0.1", user)
            for domain in domains
        )  # fmt: skip
        return faces, (home,) * len(faces)
    found, senders = [], []
    for index in range(max(_FACES_OF_ACCOUNT, len(boxes))):
        box = boxes[index % len(boxes)]
        host, ip = dice.pick(_MACHINES)
        login = "dovecot_login" if dice.chance(0.7) else "dovecot_plain"
        found.append(Face(box.domain, box.address, box.address, login, host, ip, user))
        senders.append(box)
    return tuple(found), tuple(senders)
