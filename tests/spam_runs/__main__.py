"""The long run: `python -m tests.spam_runs`, or `make spam-runs`."""

import argparse
import sys
from pathlib import Path

from cpanel_mail_exporter.app.meaning import build_meaning
from tests.spam_runs.report import in_time, page_of
from tests.spam_runs.trials import Trial, compromised, quiet

RESULTS = Path(__file__).parent / "results"
RATES: tuple[tuple[float, float, int], ...] = (
    (40, 20, 3),
    (20, 20, 1),
    (10, 20, 1),
    (5, 20, 1),
    (2, 20, 1),
    (40, 60, 1),
)
"""Spam a minute, the server's messages a minute, and how many seeds for each `--seeds`."""


def main() -> int:
    """Try all, write the page; 1 if a claim doesn't hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.spam_runs", allow_abbrev=False)
    parser.add_argument("--days", type=int, default=30, help="of servers without spam (30)")
    parser.add_argument("--seeds", type=int, default=1, help="multiplies all servers (1)")
    parser.add_argument(
        "--classifier",
        action="store_true",
        help="the exporter's own classifier says which recipients don't exist, not the simulator",
    )
    flags = parser.parse_args()
    meaning = build_meaning() if flags.classifier else None
    calm = [
        _told(quiet(f"quiet{n}", flags.days, meaning=meaning))
        for n in range(1, 2 * flags.seeds + 1)
    ]
    runs = [
        _told(compromised(f"run{n}", spam, server, meaning=meaning))
        for spam, server, seeds in RATES
        for n in range(1, seeds * flags.seeds + 1)
    ]
    reasons = "the exporter's classifier" if flags.classifier else "the simulator's truth"
    page = page_of(calm, runs, reasons)
    RESULTS.mkdir(exist_ok=True)
    name = "classifier.md" if flags.classifier else "spam_runs.md"
    (RESULTS / name).write_text(page)
    sys.stdout.write(page)
    usual = [
        run for one in runs if (one.spam_rate, one.server_rate) == (40, 20) for run in one.runs
    ]
    alarms = sum(len(one.alarms) for one in (*calm, *runs))
    return int(alarms > 0 or in_time(usual) < len(usual))


def _told(trial: Trial) -> Trial:
    sys.stderr.write(
        f"{trial.seed}: {trial.spam_rate:g} a minute, {in_time(trial.runs)} of {len(trial.runs)} "
        f"in time, {len(trial.alarms)} alarms, highest {trial.highest:.2f}\n"
    )
    for alarm in trial.alarms[:3]:
        sys.stderr.write(f"  {alarm}\n")
    return trial


if __name__ == "__main__":
    sys.exit(main())
