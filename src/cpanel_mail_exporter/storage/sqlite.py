"""A ledger's store in one SQLite file: each change is one transaction.

The connection is opened when something is asked and closed by `rest`, so that a thousand servers
that are at rest hold no descriptors. What was committed survives a kill at any instant and, as the
log is synced at each commit, a loss of power too.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from cpanel_mail_exporter.ledger.change import (
    FINAL_KINDS,
    KIND_FAILURE,
    KIND_SUCCESS,
    Change,
    Known,
    Pending,
    Seat,
)
from cpanel_mail_exporter.ledger.counters import CounterKey, Labels
from cpanel_mail_exporter.model.errors import StorageDamaged, StorageFailed
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.activity import Activity, HourActivity
from cpanel_mail_exporter.storage import activity_rows
from cpanel_mail_exporter.storage.opening import Damaged, Unusable, connect, edition, set_aside

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_PAGES_FREED_AT_ONCE = 1_000
_NO_TEXT = "Could not decode to UTF-8"
_ROWS_AT_ONCE = 50
_SIDE_FILES = ("", "-wal", "-shm")


class SqliteStore:
    """Implements `LedgerStore`.

    Args:
        server: its name, for errors.
        path: the file; made if there is none.
        let_go: called once when it is closed.
    """

    def __init__(self, server: str, path: Path, let_go: Callable[[], None] = lambda: None) -> None:
        self.path = path
        self._server = server
        self._let_go = let_go
        self._connection: sqlite3.Connection | None = None
        self._edition: tuple[str, int] | None = None
        self._is_closed = False

    def load(self, spans: Sequence[Slice]) -> Known:
        """All that is known of the seconds in *spans*."""
        known = Known()
        with self._working() as connection:
            for span in spans:
                self._load_deferrals(connection, span, known)
                ends = (span.start, span.end)
                rows = connection.execute(
                    "SELECT identity, copies, recipient, kind FROM event"
                    " WHERE second >= ? AND second < ?",
                    ends,
                )
                for identity, copies, recipient, kind in rows:
                    known.copies[identity] = copies
                    if kind in FINAL_KINDS:
                        known.final.add(recipient)
                known.sized.update(
                    connection.execute(
                        "SELECT message, direction FROM sized WHERE second >= ? AND second < ?",
                        ends,
                    )
                )
        return known

    def deferrals(self, spans: Sequence[Slice]) -> Known:
        """The deferrals of the seconds in *spans*."""
        known = Known()
        with self._working() as connection:
            for span in spans:
                self._load_deferrals(connection, span, known)
        return known

    @staticmethod
    def _load_deferrals(connection: sqlite3.Connection, span: Slice, known: Known) -> None:
        rows = connection.execute(
            "SELECT recipient, action_unix, copies FROM deferral WHERE second >= ? AND second < ?",
            (span.start, span.end),
        )
        for recipient, action_unix, copies in rows:
            known.deferrals.setdefault(recipient, {})[action_unix] = copies

    def pending_until(self, action_unix: int, after: Pending | None, limit: int) -> list[Pending]:
        """Pending outcomes up to an action time, in order."""
        with self._working() as connection:
            rows = connection.execute(
                "SELECT * FROM pending WHERE action_unix <= ?"
                " AND (action_unix, second, recipient, direction) > (?, ?, ?, ?)"
                " ORDER BY action_unix, second, recipient, direction LIMIT ?",
                (action_unix, *(after[:4] if after else (-1, 0, 0, 0)), limit),
            )
            return [Pending(*row) for row in rows]

    def pending_sent_before(self, before_unix: int) -> list[Pending]:
        """Pending outcomes of mail sent before an instant."""
        with self._working() as connection:
            rows = connection.execute(
                "SELECT * FROM pending WHERE second < ?"
                " ORDER BY action_unix, second, recipient, direction",
                (before_unix,),
            )
            return [Pending(*row) for row in rows]

    def oldest_second(self) -> int | None:
        """The oldest second of which an event is known."""
        with self._working() as connection:
            (second,) = connection.execute("SELECT min(second) FROM event").fetchone()
            return None if second is None else int(second)

    def outcomes(self, span: Slice) -> Mapping[int, int]:
        """How many events are known of the seconds in *span*, by kind."""
        with self._working() as connection:
            return dict(
                connection.execute(
                    "SELECT kind, SUM(copies) FROM event WHERE second >= ? AND second < ?"
                    " GROUP BY kind",
                    (span.start, span.end),
                )
            )

    def open_deferral_seconds(self, limit: int) -> list[int]:
        """Seconds with a recipient that was deferred and has no final outcome, newest first."""
        with self._working() as connection:
            # Two sets subtracted: a look-up for each deferral would read a second's events again
            # and again, and a newsletter has thousands in one second.
            rows = connection.execute(
                "SELECT DISTINCT second FROM ("
                "SELECT second, recipient FROM deferral EXCEPT "
                "SELECT second, recipient FROM event WHERE kind IN (?, ?)"
                " AND second IN (SELECT second FROM deferral)"
                ") ORDER BY second DESC LIMIT ?",
                (KIND_SUCCESS, KIND_FAILURE, limit),
            )
            return [second for (second,) in rows]

    def counters(self) -> dict[CounterKey, int]:
        """Every counter."""
        with self._working() as connection:
            return {
                (name, _labels(labels)): value
                for name, labels, value in connection.execute("SELECT * FROM counter")
            }

    def seats(self) -> dict[CounterKey, Seat]:
        """The places in budgets."""
        with self._working() as connection:
            return {
                (family, _labels(labels)): Seat(bool(has_series), volume, day)
                for family, labels, has_series, volume, day in connection.execute(
                    "SELECT family, labels, has_series, volume, day FROM seat"
                )
            }

    def cursors(self) -> dict[str, str]:
        """Every cursor value."""
        with self._working() as connection:
            return dict(connection.execute("SELECT key, value FROM cursor"))

    def slices(self, span: Slice) -> Mapping[int, str]:
        """What the reading knows of slices that begin in *span*."""
        with self._working() as connection:
            return dict(
                connection.execute(
                    "SELECT second, value FROM slice WHERE second >= ? AND second < ?"
                    " ORDER BY second",
                    (span.start, span.end),
                )
            )

    def activity(self, first: int) -> dict[tuple[str, int], Activity]:
        """What users did in slots from *first* on."""
        with self._working() as connection:
            return activity_rows.slots(connection, first)

    def activity_together(self, span: Slice) -> dict[str, HourActivity]:
        """What each user did in the slots that begin in *span*."""
        with self._working() as connection:
            return activity_rows.together(connection, span)

    def oldest_activity(self) -> int | None:
        """First second of the oldest slot that isn't folded."""
        with self._working() as connection:
            return activity_rows.oldest_slot(connection)

    def hours(self, user: str) -> dict[int, HourActivity]:
        """What is known of the folded hours of *user*."""
        with self._working() as connection:
            return activity_rows.hours(connection, user)

    def oldest_hour(self) -> int | None:
        """First second of the oldest folded hour of anybody."""
        with self._working() as connection:
            return activity_rows.oldest_hour(connection)

    def commit(self, change: Change) -> None:
        """Store all of *change*, or nothing and raise StorageFailed."""
        with self._working() as connection:
            before, self._edition = self._edition, None
            try:
                connection.execute("BEGIN IMMEDIATE")
                _write(connection, change)
                connection.execute("UPDATE edition SET serial = serial + 1")
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            if before is not None:
                self._edition = (before[0], before[1] + 1)
            if change.forget_before_unix is not None:
                # executescript, since execute takes only the first of its steps.
                connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_FREED_AT_ONCE})")

    def size_bytes(self) -> int:
        """The file and what SQLite keeps beside it."""
        total = 0
        for ending in _SIDE_FILES:
            try:
                total += Path(f"{self.path}{ending}").stat().st_size
            except OSError:
                continue
        return total

    def rest(self) -> None:
        """Close the connection; the next call opens it again."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Rest, and let other processes have the file."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self.rest()
        finally:
            self._let_go()

    @contextmanager
    def _working(self) -> Iterator[sqlite3.Connection]:
        """The connection; errors of SQLite are translated, and it isn't used after one."""
        try:
            if self._connection is None:
                self._open()
            if self._connection is None:
                raise Unusable("can't be opened")
            yield self._connection
        except (sqlite3.Error, Unusable, Damaged, ValueError, OverflowError, OSError) as error:
            failure = self._failure(error)
            self._drop()
            if isinstance(failure, StorageDamaged):
                failure = self._set_aside(failure)
            raise failure from error

    def _open(self) -> None:
        if self._is_closed:
            raise Unusable("has been closed")
        self._connection = connect(self.path)
        activity_rows.add_function(self._connection)
        found = edition(self._connection)
        known, self._edition = self._edition, found
        if known is not None and known != found:
            raise Unusable("has been replaced by another file while the exporter ran")

    def _drop(self) -> None:
        """Give up the connection; the next opening takes whatever it finds."""
        connection, self._connection = self._connection, None
        self._edition = None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error:
                return

    def _failure(self, error: Exception) -> StorageFailed:
        code = getattr(error, "sqlite_errorcode", None)
        is_damaged = (
            isinstance(error, Damaged)
            or (code is not None and (code & 0xFF) in _DAMAGE)
            or _NO_TEXT in str(error)
        )
        says = StorageDamaged if is_damaged else StorageFailed
        return says(self._server, "storage", f"{self.path}: {error}")

    def _set_aside(self, failure: StorageFailed) -> StorageFailed:
        try:
            place = set_aside(self.path)
        except OSError as error:
            detail = f"{failure.detail}, and can't be moved aside: {error.strerror}"
            return StorageFailed(self._server, "storage", detail)
        return StorageDamaged(
            self._server, "storage", f"{failure.detail}; it has been moved to {place.name}"
        )


def _write(connection: sqlite3.Connection, change: Change) -> None:
    """The statements of one change; sorted, so that the tables grow at one place.

    Rows are plain tuples: a tuple with names takes half as long again to sort and to store.
    """
    many = connection.executemany
    _add(
        connection,
        "INSERT INTO event VALUES",
        sorted(change.events),
        "ON CONFLICT DO UPDATE SET copies = excluded.copies",
    )
    many(
        "INSERT INTO deferral VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET copies = copies + excluded.copies",
        map(tuple, sorted(change.deferrals)),
    )
    _add(connection, "INSERT OR IGNORE INTO sized VALUES", sorted(change.sized))
    _add(
        connection,
        "INSERT INTO pending VALUES",
        sorted(change.pending),
        "ON CONFLICT DO UPDATE SET copies = copies + excluded.copies",
    )
    many(
        "DELETE FROM pending"
        " WHERE action_unix = ? AND second = ? AND recipient = ? AND direction = ?",
        [outcome[:4] for outcome in change.settled],
    )
    many(
        "INSERT INTO counter VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET value = value + excluded.value",
        [(name, json.dumps(labels), added) for (name, labels), added in change.counters.items()],
    )
    seats = [
        ((family, json.dumps(labels)), seat) for (family, labels), seat in change.seats.items()
    ]
    _put(connection, "seat", ("family", "labels"), seats)
    cursors = [((key,), None if text is None else (text,)) for key, text in change.cursors.items()]
    _put(connection, "cursor", ("key",), cursors)
    slices = [((at,), None if text is None else (text,)) for at, text in change.slices.items()]
    _put(connection, "slice", ("second",), slices)
    activity_rows.write(connection, change)
    if change.forget_before_unix is not None:
        for table in ("event", "deferral", "sized", "slice"):
            connection.execute(
                f"DELETE FROM {table} WHERE second < ?",  # noqa: S608
                (change.forget_before_unix,),
            )


def _add(
    connection: sqlite3.Connection, begin: str, rows: Sequence[tuple[int, ...]], end: str = ""
) -> None:
    """Insert rows, many at a time: a statement for each takes more than half as long again.

    *begin* and *end* are what stands before and behind the values of a statement.
    """
    if not rows:
        return
    marks = f"({', '.join('?' * len(rows[0]))})"
    together = len(rows) - len(rows) % _ROWS_AT_ONCE
    connection.executemany(
        f"{begin} {', '.join([marks] * _ROWS_AT_ONCE)} {end}",
        (
            tuple(chain.from_iterable(rows[start : start + _ROWS_AT_ONCE]))
            for start in range(0, together, _ROWS_AT_ONCE)
        ),
    )
    connection.executemany(f"{begin} {marks} {end}", rows[together:])


def _put(
    connection: sqlite3.Connection,
    table: str,
    key: Sequence[str],
    rows: Sequence[tuple[tuple[object, ...], tuple[object, ...] | None]],
) -> None:
    """Insert or replace rows, given as key and values, and delete those without values."""
    gone = [place for place, values in rows if values is None]
    kept = [(*place, *values) for place, values in rows if values is not None]
    is_it = " AND ".join(f"{column} = ?" for column in key)
    connection.executemany(f"DELETE FROM {table} WHERE {is_it}", gone)  # noqa: S608 - our names
    if kept:
        marks = ", ".join("?" * len(kept[0]))
        connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", kept)  # noqa: S608


def _labels(text: str) -> Labels:
    try:
        return tuple(map(str, json.loads(text)))
    except (ValueError, TypeError) as error:
        raise Damaged("labels can't be read") from error
