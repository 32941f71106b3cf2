"""The page about a long run of trials."""

import statistics
from collections.abc import Sequence

from cpanel_mail_exporter.spam_runs.signals import ALARMING_SCORE
from tests.spam_runs.trials import Run, Trial

GOAL_SECONDS = 300


def page_of(quiet: Sequence[Trial], compromised: Sequence[Trial], reasons: str) -> str:
    """What was found, in Markdown."""
    return "\n".join(
        [
            "# Runs of spam on simulated servers",
            "",
            (
                "`make spam-runs`: the simulator's mail, read perfectly into a ledger and judged "
                f"once a minute. An account is named when its score is {ALARMING_SCORE} or more "
                "and the highest of its server. Servers have fourteen accounts, two of each "
                "habit, and 20 messages a minute unless another rate is given. "
                f"Reasons of failures: {reasons}."
            ),
            "",
            "## Nobody is misused",
            "",
            (
                "From the first minute on, when nothing is known yet; in the second week two large "
                "sites put off most mail for half a day each."
            ),
            "",
            "| seed | messages a minute | account-days | events | false alarms | highest score |",
            "|---|---|---|---|---|---|",
            *(
                f"| {one.seed} | {one.server_rate:g} | {one.account_days:,.0f} | {one.rows:,} "
                f"| {len(one.alarms)} | {one.highest:.2f} |"
                for one in quiet
            ),
            "",
            "## One account after the other is misused for an hour",
            "",
            (
                "After five days of ordinary mail. Delays are from the first second of the run to "
                "the end of the minute in which the account was named."
            ),
            "",
            (
                "| spam a minute | server's messages a minute | runs | named | within 5 min "
                "| median delay | longest | false alarms beside them |"
            ),
            "|---|---|---|---|---|---|---|---|",
            *_by_rate(compromised),
            "",
            "## By habit, at 40 a minute on servers of 20 a minute",
            "",
            "| habit | runs | named within 5 min | median delay | longest |",
            "|---|---|---|---|---|",
            *_by_habit(compromised),
            "",
        ]
    )


def _by_rate(trials: Sequence[Trial]) -> list[str]:
    lines = []
    for rates in dict.fromkeys((one.spam_rate, one.server_rate) for one in trials):
        those = [one for one in trials if (one.spam_rate, one.server_rate) == rates]
        runs = [run for one in those for run in one.runs]
        alarms = sum(len(one.alarms) for one in those)
        named = sum(run.delay_seconds is not None for run in runs)
        lines.append(
            f"| {rates[0]:g} | {rates[1]:g} | {len(runs)} | {named} | {in_time(runs)} "
            f"| {_delays(runs)} | {alarms} |"
        )
    return lines


def _by_habit(trials: Sequence[Trial]) -> list[str]:
    runs = [
        run for one in trials if (one.spam_rate, one.server_rate) == (40, 20) for run in one.runs
    ]
    habits = dict.fromkeys(run.user.rstrip("0123456789") for run in runs)
    lines = []
    for habit in habits:
        those = [run for run in runs if run.user.rstrip("0123456789") == habit]
        lines.append(f"| {habit} | {len(those)} | {in_time(those)} | {_delays(those)} |")
    return lines


def in_time(runs: Sequence[Run]) -> int:
    """How many were named within five minutes."""
    return sum(run.delay_seconds is not None and run.delay_seconds <= GOAL_SECONDS for run in runs)


def _delays(runs: Sequence[Run]) -> str:
    delays = [run.delay_seconds for run in runs if run.delay_seconds is not None]
    if not delays:
        return "- | -"
    return f"{statistics.median(delays):.0f} s | {max(delays)} s"
