"""Counts some mail, killed before the Nth statement for every N; run as a program.

Prints how many kills there were and each difference from one perfect reading. Forks, so it is a
process of its own without threads.
"""

import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path

from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.storage import sqlite as sqlite_module
from cpanel_mail_exporter.storage.sqlite import SqliteStore
from tests.unit.ledger.mail import (
    MEANING,
    REASONS,
    Happened,
    counted,
    nonzero,
    numbers,
    performed,
    remembered,
    row,
)

T = 1_000_000
WAYS = ("inbound", "gmail", "refused")
KINDS = ("defer", "defer", "success", "failure", "archived")
MESSAGES = 3
MAIL = [
    Happened(way, row(way, kind, T + n * 40, T + n * 40 + place, msg_id=f"m{n}", message=text))
    for n, text in enumerate(REASONS)
    if n < MESSAGES
    for way in WAYS
    for place, kind in enumerate(KINDS)
]
ROWS = [event.record for event in MAIL]
TERMS = LedgerTerms(settle_seconds=10, birth_delay_seconds=None)
MOST_STATEMENTS = 5_000


def count(path: Path) -> Ledger:
    """Read it in two overlapping answers, settle, judge, and forget the first message."""
    ledger = Ledger("web1", SqliteStore("web1", path), MEANING, TERMS)
    ledger.begin(T, counts_past=True)
    ledger.learn(ROWS[:30], T, {"mark": "1"})
    ledger.rest()
    ledger.learn(ROWS[10:], T, {"mark": "2"})
    ledger.settle(T + 10_000)
    ledger.watch(T + 20_000)
    ledger.forget(T + 40)
    ledger.rest()
    return ledger


def killed_at(number: int, path: Path) -> bool:
    """Run `count` in a child that is killed before its statement *number*; False if it ended."""
    child = os.fork()
    if child == 0:
        left = number

        def before_statement(_: str) -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

        plain = sqlite_module.connect

        def connect(place: Path) -> sqlite3.Connection:
            connection = plain(place)
            connection.set_trace_callback(before_statement)
            return connection

        sqlite_module.connect = connect
        try:
            count(path)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main() -> None:
    """Kill at every statement, go on from what is left, and compare."""
    folder = Path(sys.argv[1])
    perfect = counted(MAIL, forgotten_before_unix=T + 40)
    done = performed(MAIL)
    for number in range(1, MOST_STATEMENTS):
        place = folder / "kills"
        place.mkdir()
        was_killed = killed_at(number, place / "web1.sqlite")
        ledger = count(place / "web1.sqlite")
        found = nonzero(numbers(ledger, T))
        if found != perfect:
            print(f"killed before statement {number}: {found.items() ^ perfect.items()}")  # noqa: T201
        kept = remembered(SqliteStore("web1", place / "web1.sqlite"))
        if kept != done:
            print(f"killed before statement {number}: {kept.items() ^ done.items()}")  # noqa: T201
        shutil.rmtree(place)
        if not was_killed:
            print(f"kills: {number - 1}")  # noqa: T201
            return


if __name__ == "__main__":
    main()
