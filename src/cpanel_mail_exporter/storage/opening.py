"""Opening a ledger's file, bringing it to the newest schema, and moving a damaged one aside."""

import sqlite3
from contextlib import suppress
from pathlib import Path

from cpanel_mail_exporter.storage.schema import APPLICATION_ID, MIGRATIONS, TABLES

_BUSY_SECONDS = 5.0
_MODE = 0o640
_LOG_KEPT_BYTES = 4 << 20
_MOST_KEPT_ASIDE = 3
_SIDE_FILES = ("", "-wal", "-shm")


class Unusable(Exception):
    """The file is sound but can't be used; the text says why."""


class Damaged(Exception):
    """The file is a ledger's, and parts of it are missing."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to the ledger in *path*, which is made if it isn't there.

    Transactions are begun and ended by hand. It may be used by any thread, one at a time.

    Raises:
        sqlite3.Error: it can't be opened or isn't a database.
        Unusable: another program's database, or one of a newer exporter.
        Damaged: tables are missing.
    """
    if not path.exists():
        # It names accounts and mail domains, and the machine may be shared with strangers. If it
        # can't be made, SQLite says so.
        with suppress(OSError):
            path.touch(mode=_MODE)
    connection = sqlite3.connect(
        path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def edition(connection: sqlite3.Connection) -> tuple[str, int]:
    """Which file this is, and the number of its last commit.

    Raises:
        Damaged: the file doesn't say.
    """
    row = connection.execute("SELECT born, serial FROM edition").fetchone()
    if row is None:
        raise Damaged("the ledger doesn't say which it is")
    return str(row[0]), int(row[1])


def set_aside(path: Path) -> Path:
    """Move a file with what SQLite keeps beside it to `<name>.damaged-N`; gives the new place.

    At most three are kept: the last is then replaced, since a failing disk can damage many.

    Raises:
        OSError: it can't be moved.
    """
    number = 1
    while number < _MOST_KEPT_ASIDE and Path(f"{path}.damaged-{number}").exists():
        number += 1
    place = Path(f"{path}.damaged-{number}")
    for ending in _SIDE_FILES:
        part = Path(f"{path}{ending}")
        target = Path(f"{place}{ending}")
        target.unlink(missing_ok=True)
        if part.exists():
            part.replace(target)
    return place


def _prepare(connection: sqlite3.Connection) -> None:
    version, application = _header(connection)
    if application not in {0, APPLICATION_ID} or (application == 0 and _tables(connection)):
        raise Unusable("is no ledger but another program's database")
    if version > len(MIGRATIONS):
        raise Unusable("was written by a newer exporter; use that one, or another storage path")
    if version == 0:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {_LOG_KEPT_BYTES}").fetchall()
    if version < len(MIGRATIONS):
        _migrate(connection)
    if not _tables(connection) >= TABLES:
        raise Damaged("tables of the ledger are missing")


def _migrate(connection: sqlite3.Connection) -> None:
    """Take the steps that the file lacks, all or none."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        version, _ = _header(connection)
        for steps in MIGRATIONS[version:]:
            for statement in steps:
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _header(connection: sqlite3.Connection) -> tuple[int, int]:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return int(version), int(application)


def _tables(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name for (name,) in rows}
