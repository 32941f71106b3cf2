"""The habits of a server's customers: when, how much and to whom each kind of account sends."""

from dataclasses import dataclass

_AT_ALL_HOURS = (1.0,) * 24
_EVENINGS = (
    0.4, 0.3, 0.2, 0.2, 0.2, 0.3, 0.5, 0.8, 1.0, 1.1, 1.2, 1.2,
    1.3, 1.2, 1.1, 1.1, 1.2, 1.4, 1.6, 1.9, 2.0, 1.7, 1.2, 0.9,
)  # fmt: skip
_OFFICE_HOURS = (
    0.02, 0.02, 0.02, 0.02, 0.02, 0.1, 0.4, 1.4, 2.8, 3.0, 2.9, 2.5,
    1.4, 2.4, 2.6, 2.4, 1.8, 0.9, 0.4, 0.2, 0.2, 0.1, 0.1, 0.1,
)  # fmt: skip
INBOUND_HOURS = (
    0.7, 0.6, 0.6, 0.6, 0.6, 0.7, 0.8, 1.0, 1.3, 1.4, 1.4, 1.3,
    1.2, 1.3, 1.3, 1.3, 1.2, 1.1, 1.1, 1.1, 1.0, 0.9, 0.8, 0.7,
)  # fmt: skip
"""Factor on mail from elsewhere for each hour of the server's day."""


@dataclass(frozen=True, slots=True)
class Habit:
    """How one kind of customer behaves.

    Attributes:
        name: also the stem of its accounts' user names.
        weight: its part of all sent mail, relative to the other accounts.
        hours: factor on its rate for each hour of the server's day.
        weekend: factor on Saturdays and Sundays.
        mails_weekly: once a week, at its own hour, it sends as much as else in the whole week, and
            a list message besides.
        is_script: sends from a web application on the server, not by an authenticated login.
        most_recipients: largest number of recipients of a message.
        several: share of messages with more than one recipient.
        gone: share of recipients that don't exist.
        stays_here: share of recipients on the same server.
        audience: how many people it writes to, at most as many as there are.
        sizes_bytes: smallest and largest message.
        forwards: its part of the mail that addresses of this server pass on to elsewhere, spam and
            all.
        has_hourly_limit: cPanel's "max emails per hour" is set, and is reached at busy hours.
        has_defer_fail_limit: cPanel's limit on deferrals and failures per hour is set.
        is_reseller: it owns itself and some of the other accounts.
    """

    name: str
    weight: float
    hours: tuple[float, ...] = _AT_ALL_HOURS
    weekend: float = 1.0
    mails_weekly: bool = False
    is_script: bool = False
    most_recipients: int = 1
    several: float = 0.0
    gone: float = 0.01
    stays_here: float = 0.02
    audience: int = 1000
    sizes_bytes: tuple[int, int] = (1_500, 60_000)
    forwards: float = 0.0
    has_hourly_limit: bool = False
    has_defer_fail_limit: bool = False
    is_reseller: bool = False


HABITS: tuple[Habit, ...] = (
    Habit(
        "shop", 1.0, hours=_EVENINGS, several=0.15, most_recipients=2, gone=0.02, audience=4000,
    ),
    Habit(
        "news", 0.25, mails_weekly=True, several=0.1, most_recipients=12, gone=0.04,
        audience=8192, sizes_bytes=(20_000, 90_000),
    ),
    Habit(
        "office", 0.9, hours=_OFFICE_HOURS, weekend=0.08, several=0.35, most_recipients=7,
        stays_here=0.25, audience=150, sizes_bytes=(1_200, 9_000_000), forwards=0.1,
    ),
    Habit(
        "forum", 1.0, hours=_EVENINGS, is_script=True, gone=0.14, audience=3000,
        sizes_bytes=(900, 6_000), has_hourly_limit=True,
    ),
    Habit(
        "blog", 0.5, is_script=True, gone=0.13, audience=300, sizes_bytes=(700, 12_000),
        has_defer_fail_limit=True,
    ),
    Habit(
        "alumni", 0.15, hours=_EVENINGS, several=0.1, most_recipients=20, gone=0.03, audience=500,
        forwards=1.0,
    ),
    Habit(
        "reseller", 0.5, hours=_OFFICE_HOURS, weekend=0.15, several=0.3, most_recipients=5,
        stays_here=0.3, audience=200, sizes_bytes=(1_200, 12_000_000), forwards=0.05,
        is_reseller=True,
    ),
)  # fmt: skip
"""Accounts take these in turn, so that a server of few accounts has the first of them."""
