"""What is claimed, tried: runs of spam are named at once, and nothing else is."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.spam_runs.signals import ALARMING_SCORE, Signals
from tests.spam_runs.play import DAY, MONDAY, Play
from whm_simulator.world.accounts import user_names
from whm_simulator.world.incidents import BadDay, Compromise

LOOK_BACK_DAYS = 5
ACCOUNTS = 14
RUN_SECONDS = 3_600
_AFTERMATH_SECONDS = 900
"""Its last mail is still in the window then, and what was put off comes again."""


@dataclass(frozen=True)
class Alarm:
    """An account that was named though nobody misused it."""

    at_unix: int
    signals: Signals


@dataclass(frozen=True)
class Run:
    """A run of spam.

    Attributes:
        user: whose password was used.
        hour: of the day (UTC) in which it began.
        delay_seconds: after so long the account was named, with the highest score of the server;
            None if it wasn't as long as the run lasted.
    """

    user: str
    hour: int
    delay_seconds: int | None


@dataclass
class Trial:
    """What came of one server.

    Attributes:
        account_days: of accounts that nobody misused at the time.
        highest: the highest score of these.
    """

    seed: str
    server_rate: float
    spam_rate: float
    runs: list[Run] = field(default_factory=list)
    alarms: list[Alarm] = field(default_factory=list)
    account_days: float = 0
    highest: float = 0
    rows: int = 0


def quiet(
    seed: str,
    days: int,
    server_rate: float = 20,
    each_minutes: int = 1,
    meaning: Meaning | None = None,
) -> Trial:
    """Nobody is misused, judged from the first minute on, when nothing is known.

    In the second week two large sites take mail badly for half a day, so that much is tried again.
    """
    bad = [
        BadDay(place, MONDAY + 8 * DAY + hours * 3_600, 12 * 3_600)
        for place, hours in (("microsoft", 6), ("google", 40))
    ]
    play = Play(seed, ACCOUNTS, server_rate, bad_days=bad, meaning=meaning)
    trial = Trial(seed, server_rate, 0)
    _watch(play, days * 1_440, {}, trial, each_minutes)
    return trial


def compromised(
    seed: str,
    spam_rate: float,
    server_rate: float = 20,
    users: Sequence[str] = (),
    days: int = LOOK_BACK_DAYS,
    every_seconds: int = 5 * 3_600 + 617,
    meaning: Meaning | None = None,
) -> Trial:
    """One account after the other is misused for an hour, at hours that differ by the seed.

    Args:
        seed: which mail there is.
        spam_rate: messages a minute of each run.
        server_rate: messages a minute of the server.
        users: all fourteen accounts if there are none.
        days: of ordinary mail before the first.
        every_seconds: from the beginning of one run to that of the next.
        meaning: as in `Play`.
    """
    begin = MONDAY + days * DAY + sum(seed.encode()) * 1_237 % (6 * 3_600)
    runs = {
        user: Compromise("web1", user, begin + (n + 1) * every_seconds, spam_rate, RUN_SECONDS)
        for n, user in enumerate(users or user_names(ACCOUNTS))
    }
    play = Play(seed, ACCOUNTS, server_rate, list(runs.values()), meaning=meaning)
    play.passes(days * DAY)
    trial = Trial(seed, server_rate, spam_rate)
    end = max(run.end_unix for run in runs.values()) + _AFTERMATH_SECONDS
    _watch(play, (end - play.now) // 60, runs, trial)
    return trial


def _watch(
    play: Play, minutes: int, runs: dict[str, Compromise], trial: Trial, each: int = 1
) -> None:
    named: dict[str, int] = {}
    for found in play.minutes(minutes, each):
        for place, one in enumerate(found):
            run = runs.get(one.user)
            if run and run.start_unix <= play.now < run.end_unix + _AFTERMATH_SECONDS:
                if one.score >= ALARMING_SCORE and place == 0:
                    named.setdefault(one.user, play.now - run.start_unix)
                continue
            trial.highest = max(trial.highest, one.score)
            if one.score >= ALARMING_SCORE:
                trial.alarms.append(Alarm(play.now, one))
    trial.runs = [
        Run(user, run.start_unix % DAY // 3_600, named.get(user)) for user, run in runs.items()
    ]
    trial.account_days = ACCOUNTS * minutes / 1_440 - len(runs) * RUN_SECONDS / DAY
    trial.rows = play.rows
