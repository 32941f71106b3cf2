"""The accounts of one simulated server and their habits."""

from dataclasses import dataclass

from whm_simulator.world.chance import Dice

_AT_ALL_HOURS = (1.0,) * 24
_EVENINGS = (
    0.4, 0.3, 0.2, 0.2, 0.2, 0.3, 0.5, 0.8, 1.0, 1.1, 1.2, 1.2,
    1.3, 1.2, 1.1, 1.1, 1.2, 1.4, 1.6, 1.9, 2.0, 1.7, 1.2, 0.9,
)  # fmt: skip
_OFFICE_HOURS = (
    0.02, 0.02, 0.02, 0.02, 0.02, 0.1, 0.4, 1.4, 2.8, 3.0, 2.9, 2.5,
    1.4, 2.4, 2.6, 2.4, 1.8, 0.9, 0.4, 0.2, 0.2, 0.1, 0.1, 0.1,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Habit:
    """How one kind of sender behaves.

    Attributes:
        name: also the stem of its accounts' user names.
        weight: its part of all sent mail, relative to the other accounts.
        hours: factor on its rate for each hour of the server's day.
        weekend: factor on Saturdays and Sundays.
        comes_in_bursts: all mail is sent in a few minutes of each four hours.
        is_script: sends from a web application on the server, not by an authenticated login.
        most_recipients: largest number of recipients of a message.
        several: share of messages with more than one recipient.
        gone: share of recipients that don't exist.
        stays_here: share of recipients on the same server.
        sizes_bytes: smallest and largest message.
        has_hourly_limit: cPanel's "max emails per hour" is set, and is reached at busy hours.
        has_defer_fail_limit: cPanel's limit on deferrals and failures per hour is set.
    """

    name: str
    weight: float
    hours: tuple[float, ...] = _AT_ALL_HOURS
    weekend: float = 1.0
    comes_in_bursts: bool = False
    is_script: bool = False
    most_recipients: int = 1
    several: float = 0.0
    gone: float = 0.01
    stays_here: float = 0.02
    sizes_bytes: tuple[int, int] = (1_500, 60_000)
    has_hourly_limit: bool = False
    has_defer_fail_limit: bool = False


HABITS: tuple[Habit, ...] = (
    Habit("shop", 1.0, hours=_EVENINGS, gone=0.02, several=0.15, most_recipients=2),
    Habit(
        "news",
        1.2,
        comes_in_bursts=True,
        several=0.05,
        most_recipients=40,
        gone=0.04,
        sizes_bytes=(20_000, 90_000),
    ),
    Habit(
        "office",
        0.8,
        hours=_OFFICE_HOURS,
        weekend=0.08,
        several=0.35,
        most_recipients=7,
        stays_here=0.25,
        sizes_bytes=(1_200, 9_000_000),
    ),
    Habit(
        "forum", 1.0, hours=_EVENINGS, is_script=True, gone=0.16, has_hourly_limit=True,
        sizes_bytes=(900, 6_000),
    ),
    Habit(
        "blog", 0.5, is_script=True, gone=0.12, has_defer_fail_limit=True,
        sizes_bytes=(700, 12_000),
    ),
)  # fmt: skip

_MAILBOXES = ("info", "sales", "jörg", "anna", "no-reply", "team.leads", "o'neil", "контакт")


@dataclass(frozen=True, slots=True)
class Account:
    """A cPanel account: who it is, how it behaves and what cPanel allows it.

    A limit of 0 means unlimited. ``mean_per_minute`` is its average over a whole day.
    """

    user: str
    domain: str
    owner: str
    habit: Habit
    mean_per_minute: float
    mailboxes: tuple[str, ...]
    max_email_per_hour: int = 0
    max_defer_fail_per_hour: int = 0


def accounts_of(seed: str, server: str, number: int, mean_per_minute: float) -> tuple[Account, ...]:
    """*number* accounts of *server* that together send *mean_per_minute* messages on average."""
    habits = [HABITS[index % len(HABITS)] for index in range(number)]
    dice = Dice(seed, server, "accounts")
    # Two accounts of one habit differ in size, as customers do.
    weights = [habit.weight * (0.5 + dice.uniform()) for habit in habits]
    whole = sum(weights)
    accounts = []
    for index, (habit, weight) in enumerate(zip(habits, weights, strict=True)):
        user = f"{habit.name}{index // len(HABITS) + 1}"
        domain = f"{user}-{server}.example.{dice.pick(('com', 'net', 'org'))}"
        mean = mean_per_minute * weight / whole
        accounts.append(
            Account(
                user=user,
                domain=domain,
                owner="root" if dice.chance(0.6) else f"reseller{dice.between(1, 2)}",
                habit=habit,
                mean_per_minute=mean,
                mailboxes=tuple(f"{local}@{domain}" for local in _MAILBOXES),
                max_email_per_hour=max(5, int(mean * 60 * 1.2)) if habit.has_hourly_limit else 0,
                max_defer_fail_per_hour=(
                    max(5, int(mean * 60 * habit.gone * 1.6)) if habit.has_defer_fail_limit else 0
                ),
            )
        )
    return tuple(accounts)
