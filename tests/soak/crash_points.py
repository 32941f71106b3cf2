"""Polls a simulated server, killed at its Nth commit for every N; run as a program.

Every process is forked from this one, which has imported all and has no threads. Each N begins with
an empty folder and goes three times through the same mail, an hour after the other; each time the
process is killed just before its commit N. Killed before commit N + 1, it leaves what a kill just
after commit N leaves, so all boundaries are met. Then it may go on to the end, and is compared.

Prints how many kills there were, and each difference.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from cpanel_mail_exporter.app.exporter import Exporter
from cpanel_mail_exporter.app.ledgers import open_ledgers
from cpanel_mail_exporter.clock import SystemClock
from cpanel_mail_exporter.config.flags import parse
from cpanel_mail_exporter.config.load import load
from cpanel_mail_exporter.config.settings import Settings
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.metrics.catalogue import reserved_labels
from cpanel_mail_exporter.whm.client import open_session
from tests.soak.dying import die_at
from tests.soak.exporter import config_file, shown_by
from tests.soak.laws import EXACT, Readings, differences
from tests.soak.plan import Server
from tests.soak.whm import Whm

STEP_SECONDS = 4_200
POLLS, LAST_POLLS = 2, 30
"""A long round, which looks at all there is, comes with every 30th poll."""
MOST_COMMITS = 200


async def poll(settings: Settings, polls: int) -> bytes:
    """Visit the server a few times, one visit right after the other; gives what is shown then."""
    ledgers = open_ledgers(settings)
    async with open_session(user_agent="crash points") as session:
        exporter = Exporter(settings, session, SystemClock(), ledgers)
        for _ in range(polls):
            for poller in exporter.pollers:
                await poller.poll()
        exporter.board.build()
        body = exporter.board.everything().body(Format.TEXT, compressed=False)
        return b"".join(bytes(part) for part in body.open())


def lives(settings: Settings, polls: int, shown: Path, *, dies_at: int | None = None) -> bool:
    """Poll in a process of its own; False if that was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if dies_at is not None:
                die_at(dies_at, is_after=False)
            shown.write_bytes(asyncio.run(poll(settings, polls)))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return False
    if status:
        raise RuntimeError(f"a poll ended with {status}")
    return True


def main(folder: Path) -> None:
    """Kill at every commit, go on from what is left, and compare."""
    whm = Whm([Server("web1")], "crash points", 0, folder)
    whm.start()
    try:
        config = config_file(folder, whm.ready["servers"])
        begin_unix = int(whm.now_unix())
        kills, number, goes_on = 0, 0, True
        while goes_on:
            number += 1
            data = folder / "data"
            argv = ["--config.file", str(config), "--storage.path", str(data), "--backfill"]
            settings = load(parse(argv, {}), {}, reserved_labels=reserved_labels())
            goes_on = False
            for step in range(3):
                whm.set_time(now_unix=begin_unix + step * STEP_SECONDS)
                if not lives(settings, POLLS, folder / "shown", dies_at=number):
                    kills += 1
                    goes_on = True
            for line in compared(whm, settings, folder / "shown"):
                say(f"killed before commit {number}: {line}")
            shutil.rmtree(data)
            if number > MOST_COMMITS:
                raise RuntimeError(f"more than {MOST_COMMITS} commits in {POLLS} polls")
        say(f"kills: {kills}")
    finally:
        whm.kill()


def compared(whm: Whm, settings: Settings, shown: Path) -> Sequence[str]:
    """What differs once everything has been read."""
    lives(settings, LAST_POLLS, shown)
    # New series begin at 0 for a while; those that another process finds stand at their values.
    lives(settings, 1, shown)
    one = shown_by(shown.read_text(), ["web1"])["web1"]
    if one.since_unix != 0 or one.backlog != 0 or not one.is_well:
        return [repr(one._replace(numbers={}))]
    end_unix = int(whm.now_unix())
    rows = whm.rows("web1")
    readings = Readings(real=rows, shown=rows, since_unix=0, end_unix=end_unix)
    return [repr(broken) for broken in differences("web1", EXACT, readings, one.numbers)]


def say(text: str) -> None:
    """One line for whoever started this."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
