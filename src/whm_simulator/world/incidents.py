"""What goes wrong on request: an account that sends spam, and a provider's bad day.

An incident only ever adds mail of the account that it names, or changes what becomes of mail to the
place that it names; all other mail of the world stays as it is.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from whm_simulator.world.accounts import user_names
from whm_simulator.world.places import PLACE_OF

if TYPE_CHECKING:
    from whm_simulator.world.settings import WorldSettings

LONGEST_SECONDS = 3 * 86_400
"""No incident lasts longer, so that no deferral it causes outlasts Exim's patience."""

USUAL_SPAM_PER_MINUTE = 40.0
USUAL_COMPROMISE_SECONDS = 3 * 3600
USUAL_BAD_DAY_SECONDS = 6 * 3600
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_TIME = re.compile(r"(\d{1,6})([smhd])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Compromise:
    """An account whose password somebody has, and uses to send spam.

    At its end cPanel's outgoing mail suspension is set for the account, and stays.

    Attributes:
        server: name of the account's server.
        user: name of the account.
        start_unix: when the first message may come.
        per_minute: messages a minute on average, 0 to 100,000.
        seconds: how long it lasts.
    """

    server: str
    user: str
    start_unix: int
    per_minute: float = USUAL_SPAM_PER_MINUTE
    seconds: int = USUAL_COMPROMISE_SECONDS

    def __post_init__(self) -> None:
        """Refuse what can't be played.

        Raises:
            ValueError: a number is out of range.
        """
        _check_seconds(self.seconds)
        if not 0 <= self.per_minute <= 100_000:
            raise ValueError("The rate of a compromised account must be from 0 to 100000 a minute.")

    @property
    def end_unix(self) -> int:
        """From here on the account's outgoing mail is suspended."""
        return self.start_unix + self.seconds


@dataclass(frozen=True, slots=True)
class BadDay:
    """A time in which a receiving site defers most mail of all servers, slowly, and refuses some.

    It meets messages sent in this time; mail that only passes through by a forwarder is spared.

    Attributes:
        place: kind of the receiving site, such as ``microsoft``.
        start_unix: its first second.
        seconds: how long it lasts.
    """

    place: str
    start_unix: int
    seconds: int = USUAL_BAD_DAY_SECONDS

    def __post_init__(self) -> None:
        """Refuse what can't be played.

        Raises:
            ValueError: the length is out of range.
        """
        _check_seconds(self.seconds)

    @property
    def end_unix(self) -> int:
        """The first second after it."""
        return self.start_unix + self.seconds


def compromise_of(text: str, now_unix: float) -> Compromise:
    """Read ``SERVER/USER[@WHEN][,rate=PER_MINUTE][,for=TIME]``.

    ``@+TIME`` is that long after *now_unix*, ``@UNIX`` an instant, and without it is now. A TIME is
    a number with s, m, h or d.

    Raises:
        ValueError: one sentence that says what to write instead.

    >>> compromise_of("web1/shop1@+60s,rate=20", 1000)
    Compromise(server='web1', user='shop1', start_unix=1060, per_minute=20.0, seconds=10800)
    """
    name, start_unix, options = _parts(text, now_unix, ("rate", "for"), "web1/shop1@+60s")
    server, slash, user = name.partition("/")
    if not (slash and server and user) or "/" in user:
        raise ValueError(f'Write "{text}" as SERVER/USER, such as web1/shop1@+60s.')
    return Compromise(
        server, user, start_unix,
        _rate(options.get("rate"), USUAL_SPAM_PER_MINUTE),
        _seconds(options.get("for"), USUAL_COMPROMISE_SECONDS),
    )  # fmt: skip


def bad_day_of(text: str, now_unix: float) -> BadDay:
    """Read ``PLACE[@WHEN][,for=TIME]``, with WHEN and TIME as in ``compromise_of``.

    Raises:
        ValueError: one sentence that says what to write instead.

    >>> bad_day_of("microsoft@+2m,for=3h", 1000)
    BadDay(place='microsoft', start_unix=1120, seconds=10800)
    """
    name, start_unix, options = _parts(text, now_unix, ("for",), "microsoft@+2m,for=3h")
    _check_place(name)
    return BadDay(
        name, start_unix,
        _seconds(options.get("for"), USUAL_BAD_DAY_SECONDS),
    )  # fmt: skip


def check(settings: "WorldSettings", servers: Iterable[str]) -> None:
    """Make sure that the servers, accounts and places of all incidents exist.

    Args:
        settings: what the simulation was told.
        servers: the names of its servers.

    Raises:
        ValueError: one sentence that names what there is.
    """
    known = list(servers)
    users = user_names(settings.accounts)
    for compromise in settings.compromises:
        if compromise.server not in known:
            raise ValueError(
                f'There is no server "{compromise.server}" to compromise an account on; '
                f"there are: {_listed(known)}."
            )
        if compromise.user not in users:
            raise ValueError(
                f'There is no account "{compromise.user}" on {compromise.server}; '
                f"there are: {_listed(users)}."
            )
    for bad_day in settings.bad_days:
        _check_place(bad_day.place)


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:20])
    return shown if len(names) <= 20 else f"{shown} and {len(names) - 20} more"


def _check_place(name: str) -> None:
    if name not in PLACE_OF:
        raise ValueError(
            f'There is no receiving site "{name}"; write one of {", ".join(PLACE_OF)}.'
        )


def _check_seconds(seconds: int) -> None:
    if not 1 <= seconds <= LONGEST_SECONDS:
        raise ValueError("An incident lasts from a second to three days, such as for=3h.")


def _parts(
    text: str, now_unix: float, known: tuple[str, ...], example: str
) -> tuple[str, int, dict[str, str]]:
    head, *rest = text.split(",")
    name, at, when = head.partition("@")
    options: dict[str, str] = {}
    for piece in rest:
        key, equals, value = piece.partition("=")
        if key not in known or not equals or key in options:
            raise ValueError(
                f"After a comma write {' or '.join(f'{name}=...' for name in known)}, "
                f'not "{piece}", such as {example}.'
            )
        options[key] = value
    return name, _instant(when, now_unix) if at else math.floor(now_unix), options


def _instant(when: str, now_unix: float) -> int:
    if when.startswith("+") and (match := _TIME.fullmatch(when[1:])):
        return math.floor(now_unix) + int(match[1]) * _UNITS[match[2]]
    if re.fullmatch(r"\d{1,11}", when, re.ASCII):
        return int(when)
    raise ValueError(
        f'Write "@{when}" as @+TIME such as @+60s, or as @ and unix seconds such as @1795252447.'
    )


def _rate(text: str | None, default: float) -> float:
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text, re.ASCII):
        raise ValueError(f'Write "rate={text}" as messages a minute, such as rate=40.')
    return float(text)


def _seconds(text: str | None, default: int) -> int:
    if text is None:
        return default
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f'Write "for={text}" as a number and s, m, h or d, such as for=3h.')
    return int(match[1]) * _UNITS[match[2]]
