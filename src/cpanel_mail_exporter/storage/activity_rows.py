"""What users did, as rows of a ledger's file: the statements that write and read them."""

import json
import sqlite3
from collections import defaultdict

from cpanel_mail_exporter.ledger.change import Change
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.activity import Activity, HourActivity, folded
from cpanel_mail_exporter.storage.opening import Damaged

_SUMS = ("tried", "delivered", "deferred", "failed", "unknown", "stopped")
_SKETCHES = ("addresses", "networks", "recipients")
_LARGEST = ("peak", "addresses", "networks")

_SUMMED = ", ".join(f"{column} = {column} + excluded.{column}" for column in _SUMS)
_UNITED = ", ".join(f"{column} = united({column}, excluded.{column})" for column in _SKETCHES)
_LARGER = ", ".join(f"{column} = max({column}, excluded.{column})" for column in _LARGEST)
_MARKS = ", ".join("?" * 11)
_ADD_SLOT = (
    f"INSERT INTO activity VALUES ({_MARKS})"  # noqa: S608 - our names
    f" ON CONFLICT DO UPDATE SET {_SUMMED}, {_UNITED}"
)
_ADD_HOUR = (
    f"INSERT INTO activity_hour VALUES ({_MARKS})"  # noqa: S608 - our names
    f" ON CONFLICT DO UPDATE SET {_SUMMED}, {_LARGER}"
)


def add_function(connection: sqlite3.Connection) -> None:
    """Teach *connection* to unite sketches."""
    connection.create_function("united", 2, _united, deterministic=True)


def write(connection: sqlite3.Connection, change: Change) -> None:
    """Store what *change* says of users; sorted, so that the tables grow at one place."""
    texts = {user: json.dumps(user) for user in {user for user, _ in change.activity}}
    connection.executemany(
        _ADD_SLOT,
        sorted(
            (slot, texts[user], *found[:6], _blob(found[6]), _blob(found[7]), _blob(found[8]))
            for (user, slot), found in change.activity.items()
        ),
    )
    connection.executemany(
        _ADD_HOUR,
        sorted((json.dumps(user), hour, *found) for (user, hour), found in change.hours.items()),
    )
    if change.folded is not None:
        connection.execute(
            "DELETE FROM activity WHERE slot >= ? AND slot < ?",
            (change.folded.start, change.folded.end),
        )
    if change.forget_hours_before_unix is not None:
        connection.execute(
            "DELETE FROM activity_hour WHERE hour < ?", (change.forget_hours_before_unix,)
        )


def slots(connection: sqlite3.Connection, first: int) -> dict[tuple[str, int], Activity]:
    """The slots from *first* on."""
    rows = connection.execute("SELECT * FROM activity WHERE slot >= ?", (first,))
    return {
        (_user(user), slot): Activity(*numbers[:6], *map(_number, numbers[6:]))
        for slot, user, *numbers in rows
    }


def together(connection: sqlite3.Connection, span: Slice) -> dict[str, HourActivity]:
    """The slots of *span* by user, as an hour's."""
    rows = connection.execute(
        "SELECT user, tried, delivered, deferred, failed, unknown, stopped, addresses, networks"
        " FROM activity WHERE slot >= ? AND slot < ?",
        (span.start, span.end),
    )
    found: defaultdict[str, list[tuple[int, ...]]] = defaultdict(list)
    for user, *sums, addresses, networks in rows:
        found[user].append((*sums, _number(addresses), _number(networks)))
    return {_user(user): folded(numbers) for user, numbers in found.items()}


def oldest_slot(connection: sqlite3.Connection) -> int | None:
    """First second of the oldest slot."""
    (slot,) = connection.execute("SELECT min(slot) FROM activity").fetchone()
    return None if slot is None else int(slot)


def hours(connection: sqlite3.Connection, user: str) -> dict[int, HourActivity]:
    """The hours of *user*."""
    rows = connection.execute("SELECT * FROM activity_hour WHERE user = ?", (json.dumps(user),))
    return {hour: HourActivity(*numbers) for _, hour, *numbers in rows}


def oldest_hour(connection: sqlite3.Connection) -> int | None:
    """First second of the oldest hour of anybody."""
    (hour,) = connection.execute("SELECT min(hour) FROM activity_hour").fetchone()
    return None if hour is None else int(hour)


def _user(text: str) -> str:
    try:
        return str(json.loads(text))
    except (ValueError, TypeError) as error:
        raise Damaged("a user can't be read") from error


def _united(one: bytes, other: bytes) -> bytes:
    return _blob(_number(one) | _number(other))


def _blob(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "little")


def _number(blob: bytes) -> int:
    return int.from_bytes(blob, "little")
