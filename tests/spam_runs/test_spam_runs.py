"""A short form of `make spam-runs`: who sends spam is named in five minutes, and nobody else."""

from pathlib import Path

from cpanel_mail_exporter.spam_runs.signals import ALARMING_SCORE
from cpanel_mail_exporter.storage.sqlite import SqliteStore
from tests.spam_runs.play import DAY, MONDAY, Play
from tests.spam_runs.report import in_time, page_of
from tests.spam_runs.trials import compromised, quiet
from whm_simulator.world.accounts import user_names
from whm_simulator.world.incidents import Compromise


def test_an_account_of_each_habit_is_named_within_five_minutes_and_no_other() -> None:
    trial = compromised(
        "short", spam_rate=40, server_rate=6, users=user_names(7), days=1, every_seconds=5_000
    )
    assert [run.user for run in trial.runs] == user_names(7)
    assert in_time(trial.runs) == 7, trial.runs
    assert trial.alarms == []
    assert "| 40 | 6 | 7 | 7 | 7 |" in page_of([], [trial], "true")


def test_nobody_is_named_where_nobody_is_misused() -> None:
    """From the first minute on, over a weekly mailing of each newsletter and two bad days."""
    trial = quiet("short", days=10, server_rate=2, each_minutes=3)
    assert (trial.alarms, trial.rows > 10_000) == ([], True)
    assert "| short | 2 | 140 |" in page_of([trial], [], "true")


def test_a_restart_changes_no_signal(tmp_path: Path) -> None:
    """In the middle of a run: what is recent and what is usual are read from the file."""
    run = Compromise("web1", "shop1", MONDAY + DAY + 60, 40, 3_600)
    play = Play("again", 7, 5, [run], store=SqliteStore("web1", tmp_path / "web1.sqlite"))
    play.passes(DAY)
    for _ in play.minutes(20):
        pass
    before = play.ledger.spam_runs()
    hour = play.ledger.last_hour(play.now)
    assert before is not None
    assert before[0].user == "shop1"
    assert before[0].score > ALARMING_SCORE
    play.ledger.rest()
    play.restart()
    assert play.ledger.last_hour(play.now) == hour
    assert play.ledger.spam_runs() is None
    play.ledger.watch(play.now)
    assert play.ledger.spam_runs() == before
    play.ledger.close()
