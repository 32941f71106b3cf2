"""The exporter, killed at its Nth commit: `python -m tests.soak.dying N before|after FLAGS...`.

It is the program itself, flags and all; only SQLite's connections are of another class.
"""

import os
import signal
import sqlite3
import sys
from typing import Any

from cpanel_mail_exporter.entry import main

_COMMIT = "COMMIT"


def die_at(number: int, *, is_after: bool) -> None:
    """Have this process killed by SIGKILL just before or after its commit *number*."""
    left = number

    class Connection(sqlite3.Connection):
        """Counts the commits of all connections together."""

        def execute(self, statement: str, /, *values: Any) -> sqlite3.Cursor:
            nonlocal left
            is_due = False
            if statement.strip().upper() == _COMMIT:
                left -= 1
                is_due = left == 0
            if is_due and not is_after:
                os.kill(os.getpid(), signal.SIGKILL)
            cursor = super().execute(statement, *values)
            if is_due:
                os.kill(os.getpid(), signal.SIGKILL)
            return cursor

    plain = sqlite3.connect

    def connect(*place: Any, **options: Any) -> sqlite3.Connection:
        return plain(*place, factory=Connection, **options)

    sqlite3.connect = connect  # type: ignore[assignment]


if __name__ == "__main__":
    die_at(int(sys.argv[1]), is_after=sys.argv[2] == "after")
    sys.argv[1:] = sys.argv[3:]
    sys.exit(main())
