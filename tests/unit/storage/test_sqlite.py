"""What can happen to a file: kills, damage, a full disk, another file in its place."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cpanel_mail_exporter.ledger.change import KIND_SUCCESS, Change, Event, Known, Seat
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.model.accounts import LastHour
from cpanel_mail_exporter.model.errors import StorageDamaged, StorageFailed
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.activity import Activity
from cpanel_mail_exporter.storage import opening
from cpanel_mail_exporter.storage import sqlite as sqlite_module
from cpanel_mail_exporter.storage.schema import APPLICATION_ID, MIGRATIONS, TABLES
from cpanel_mail_exporter.storage.sqlite import SqliteStore
from tests.unit.ledger.mail import MEANING, numbers, row

T = 1_000_000
ROOT = Path(__file__).parents[3]
MEMORY = Path("/dev/shm")
AT_ONCE = LedgerTerms(birth_delay_seconds=None)
COUNTED = Change(counters={("events", ("success",)): 1})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "web1.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore("web1", path)
    yield opened
    opened.close()


def events(count: int) -> list[Event]:
    return [Event(n, n * 7, n, KIND_SUCCESS, 1) for n in range(count)]


def test_killed_at_any_statement_the_totals_are_those_of_one_perfect_read() -> None:
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    # In memory where there is such a folder: a kill leaves what was written, synced or not.
    with TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        result = subprocess.run(
            [sys.executable, "-m", "tests.unit.storage.kill_points", folder],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert re.fullmatch(r"kills: \d{2,}\n", result.stdout), result.stdout + result.stderr


def test_at_rest_it_holds_no_descriptor_and_no_log(store: SqliteStore, path: Path) -> None:
    before = descriptors()
    store.commit(COUNTED)
    assert descriptors() > before
    store.rest()
    assert descriptors() == before
    assert [file.name for file in path.parent.iterdir()] == ["web1.sqlite"]
    assert store.size_bytes() == path.stat().st_size


def test_strangers_on_the_machine_cannot_read_it(store: SqliteStore, path: Path) -> None:
    store.commit(Change(cursors={"a": "b"}))
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o640}


def test_space_of_forgotten_mail_is_given_back(store: SqliteStore) -> None:
    store.commit(Change(events=events(20_000)))
    store.rest()
    full_bytes = store.size_bytes()
    store.commit(Change(forget_before_unix=10**6))
    store.rest()
    assert store.size_bytes() < full_bytes / 3


@pytest.mark.parametrize("when", ["before it was opened", "while it rests"])
@pytest.mark.parametrize("what", ["header", "tables"])
def test_a_damaged_file_is_moved_aside_and_counting_starts_anew(
    path: Path, when: str, what: str
) -> None:
    first = Ledger("web1", SqliteStore("web1", path), MEANING, AT_ONCE)
    first.begin(T)
    for n in range(300):
        first.learn([row("gmail", "success", T + n, T + n, msg_id=f"m{n}")], T)
    first.rest()
    ledger = Ledger("web1", SqliteStore("web1", path), MEANING, AT_ONCE)
    if when != "before it was opened":
        ledger.begin(T)
        ledger.rest()
    broken = bytearray(path.read_bytes())
    if what == "header":
        broken[:4096] = b"\xa5" * 4096
    else:
        broken[4096:] = b"\xa5" * (len(broken) - 4096)
    path.write_bytes(broken)
    with pytest.raises(StorageDamaged, match=r"moved to web1\.sqlite\.damaged-1; counting starts"):
        begin_and_learn(ledger)
    assert Path(f"{path}.damaged-1").read_bytes()[5000:] == bytes(broken)[5000:]
    assert ledger.begin(T + 9) == T + 9
    ledger.learn([row("gmail", "success", T + n, T + n, msg_id=f"m{n}") for n in range(20)], T)
    assert numbers(ledger, T)["events", ("success", "outbound", "google")] == 11
    ledger.close()


@pytest.mark.parametrize(
    "harm",
    [
        "DROP TABLE slice",
        "DELETE FROM edition",
        "UPDATE counter SET labels = 'x'",
        "UPDATE counter SET labels = '5'",
    ],
)
def test_a_ledger_with_parts_missing_is_damaged(store: SqliteStore, path: Path, harm: str) -> None:
    store.commit(COUNTED)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(harm)
    connection.commit()
    connection.close()
    with pytest.raises(StorageDamaged, match="it has been moved to"):
        SqliteStore("web1", path).counters()
    assert SqliteStore("web1", path).counters() == {}


def test_at_most_three_damaged_files_are_kept(path: Path) -> None:
    for text in "abcde":
        path.write_bytes(text.encode() * 5_000)
        with pytest.raises(StorageDamaged):
            SqliteStore("web1", path).counters()
    kept = {file.name: file.read_bytes()[:1] for file in path.parent.iterdir()}
    assert kept == {
        "web1.sqlite.damaged-1": b"a",
        "web1.sqlite.damaged-2": b"b",
        "web1.sqlite.damaged-3": b"e",
    }


def test_a_damaged_file_that_cannot_be_moved_stays_and_is_said(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"x" * 5_000)

    def refuse(_: Path) -> Path:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sqlite_module, "set_aside", refuse)
    with pytest.raises(StorageFailed, match=r"can't be moved aside: Permission denied; check"):
        SqliteStore("web1", path).counters()
    assert path.read_bytes() == b"x" * 5_000


def test_a_full_disk_stores_nothing_and_when_there_is_space_it_goes_on(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger("web1", SqliteStore("web1", path), MEANING, AT_ONCE)
    ledger.begin(T)
    ledger.learn([row("gmail", "success", T, T, msg_id="m0")], T)
    before = numbers(ledger, T)
    ledger.rest()
    plain = opening.connect

    def connect(place: Path) -> sqlite3.Connection:
        connection = plain(place)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 2}").fetchall()
        return connection

    monkeypatch.setattr(sqlite_module, "connect", connect)
    rows = [row("gmail", "success", T, T, msg_id=f"m{n}") for n in range(900)]
    for _ in range(2):
        with pytest.raises(StorageFailed, match=r"web1: storage: .*disk is full; check space"):
            ledger.learn(rows, T)
        assert numbers(ledger, T) == before
    monkeypatch.undo()
    assert ledger.learn(rows, T).new_events == 899
    assert numbers(ledger, T)["events", ("success", "outbound", "google")] == 900
    ledger.close()


def test_a_number_no_file_can_hold_loses_its_step_alone(store: SqliteStore) -> None:
    store.commit(COUNTED)
    with pytest.raises(StorageFailed):
        store.commit(Change(events=events(3), counters={("events", ("x",)): 2**63}))
    assert store.counters() == COUNTED.counters
    assert store.oldest_second() is None


@pytest.mark.parametrize("replaced", ["deleted", "older"])
def test_another_file_in_its_place_is_noticed(path: Path, replaced: str) -> None:
    """What is in memory then says nothing about that file: all is read again."""
    ledger = Ledger("web1", SqliteStore("web1", path), MEANING, AT_ONCE)
    ledger.begin(T)
    ledger.rest()
    older = path.read_bytes()
    rows = [row("gmail", "success", T, T)]
    ledger.learn(rows, T)
    ledger.rest()
    if replaced == "deleted":
        path.unlink()
    else:
        path.write_bytes(older)
    with pytest.raises(StorageFailed, match="has been replaced by another file"):
        ledger.learn(rows, T)
    ledger.begin(T)
    assert ledger.learn(rows, T).new_events == 1
    assert numbers(ledger, T)["events", ("success", "outbound", "google")] == 1
    ledger.close()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (f"PRAGMA user_version = {len(MIGRATIONS) + 1}", "written by a newer exporter"),
        ("PRAGMA application_id = 5", "another program's database"),
        ("PRAGMA application_id = 0", "another program's database"),
    ],
)
def test_files_that_are_not_ours_to_change_are_left_alone(
    store: SqliteStore, path: Path, statement: str, says: str
) -> None:
    store.commit(COUNTED)
    store.close()
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StorageFailed, match=says) as caught:
        SqliteStore("web1", path).counters()
    assert not isinstance(caught.value, StorageDamaged)
    assert path.read_bytes() == before


def test_a_folder_that_is_gone_is_a_failure_of_storage(tmp_path: Path) -> None:
    store = SqliteStore("web1", tmp_path / "gone" / "web1.sqlite")
    with pytest.raises(StorageFailed, match=r"web1\.sqlite: unable to open database file; check"):
        store.load([])
    assert store.size_bytes() == 0


def test_a_closed_store_is_not_opened_again(store: SqliteStore) -> None:
    store.close()
    with pytest.raises(StorageFailed, match="has been closed"):
        store.counters()


def test_a_database_that_another_program_holds_is_waited_for_and_then_said(
    store: SqliteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_BUSY_SECONDS", 0.01)
    store.commit(COUNTED)
    store.rest()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StorageFailed, match="database is locked"):
        store.commit(COUNTED)
    other.execute("ROLLBACK")
    other.close()
    store.commit(COUNTED)
    assert store.counters() == {("events", ("success",)): 2}


def test_the_schema_is_made_in_steps_that_are_all_taken_or_none(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    SqliteStore("web1", path).counters()
    next_step = ("ALTER TABLE cursor ADD COLUMN extra TEXT", "CREATE TABLE more (x)")
    monkeypatch.setattr(opening, "MIGRATIONS", (*MIGRATIONS, (*next_step, "NONSENSE")))
    with pytest.raises(StorageFailed, match="syntax error"):
        SqliteStore("web1", path).counters()
    assert header(path) == (len(MIGRATIONS), APPLICATION_ID, TABLES)
    monkeypatch.setattr(opening, "MIGRATIONS", (*MIGRATIONS, next_step))
    SqliteStore("web1", path).counters()
    assert header(path) == (len(MIGRATIONS) + 1, APPLICATION_ID, TABLES | {"more"})


def header(path: Path) -> tuple[int, int, frozenset[str]]:
    connection = sqlite3.connect(path)
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return version, application, frozenset(name for (name,) in tables)


def descriptors() -> int:
    """How many this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def begin_and_learn(ledger: Ledger) -> None:
    ledger.begin(T + 5)
    ledger.learn([row("gmail", "success", T, T)], T)


OLD_STATEMENTS = (
    *MIGRATIONS[0],
    "INSERT INTO event VALUES (1000000, 5, 6, 2, 1)",
    """INSERT INTO counter VALUES
        ('events', '["success", "outbound", "gmail"]', 5),
        ('events', '["defer", "outbound", "gmail"]', 1),
        ('events', '["success", "outbound", "outlook"]', 7),
        ('events', '["success", "forwarded", "outlook"]', 1),
        ('events', '["success", "outbound", "microsoft"]', 100),
        ('events', '["success", "outbound", "yahoo"]', 2),
        ('events', '["success", "outbound", "other"]', 3),
        ('time_to_deliver_seconds_bucket', '["outbound", "icloud", "15"]', 4),
        ('time_to_deliver_seconds_bucket', '["outbound", "icloud", "inf"]', 6),
        ('time_to_deliver_seconds_bucket', '["outbound", "apple", "15"]', 10),
        ('time_to_deliver_seconds_sum', '["outbound", "icloud"]', 900),
        ('time_to_deliver_seconds_sum', '["outbound", "apple"]', 50),
        ('user_events', '["gmail", "outlook", "success"]', 8),
        ('deferred_recipients', '[]', 1)""",
    """INSERT INTO seat VALUES
        ('["gmail", "outlook"]', 1, 8192, 20000), ('["b", ""]', 0, 1024, 19000)""",
    "INSERT INTO cursor VALUES ('ledger.counting_since_unix', '999000')",
    "UPDATE edition SET serial = 17",
    f"PRAGMA application_id = {APPLICATION_ID}",
    "PRAGMA user_version = 1",
)
"""A file as exporters wrote it that knew one budget, and providers by other words."""


def test_a_file_of_the_second_schema_keeps_everything_and_learns_what_users_do(
    path: Path,
) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in (*OLD_STATEMENTS[:-1], *MIGRATIONS[1], "PRAGMA user_version = 2"):
        connection.execute(statement)
    tables = ("event", "deferral", "sized", "pending", "counter", "seat", "cursor", "slice")
    before = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    connection.close()
    ledger = Ledger("web1", SqliteStore("web1", path), MEANING, AT_ONCE)
    assert ledger.begin(T) == 999_000
    connection = sqlite3.connect(path)
    assert before == [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    connection.close()
    assert header(path) == (len(MIGRATIONS), APPLICATION_ID, TABLES)
    ledger.learn([row("gmail", "success", T, T)], T)
    assert ledger.last_hour(T) == {"acc2": LastHour(sent=1)}
    ledger.close()


def test_a_user_that_cant_be_read_is_damage(store: SqliteStore, path: Path) -> None:
    store.commit(Change(activity={("acc1", 300): Activity(tried=1)}))
    store.rest()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE activity SET user = 'acc'")
    connection.commit()
    connection.close()
    with pytest.raises(StorageDamaged, match="a user can't be read"):
        store.activity(0)


def test_a_file_of_the_first_schema_goes_on_under_the_new_words(path: Path) -> None:
    """Nothing restarts: what stood under an old word is added to what stands under the new one."""
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in OLD_STATEMENTS:
        connection.execute(statement)
    connection.close()
    store = SqliteStore("web1", path)
    assert store.counters() == {
        ("events", ("success", "outbound", "google")): 5,
        ("events", ("defer", "outbound", "google")): 1,
        ("events", ("success", "outbound", "microsoft")): 107,
        ("events", ("success", "forwarded", "microsoft")): 1,
        ("events", ("success", "outbound", "yahoo")): 2,
        ("events", ("success", "outbound", "other")): 3,
        ("time_to_deliver_seconds_bucket", ("outbound", "apple", "15")): 14,
        ("time_to_deliver_seconds_bucket", ("outbound", "apple", "inf")): 6,
        ("time_to_deliver_seconds_sum", ("outbound", "apple")): 950,
        ("user_events", ("gmail", "outlook", "success")): 8,
        ("deferred_recipients", ()): 1,
    }
    assert store.seats() == {
        ("user_events", ("gmail", "outlook")): Seat(has_series=True, volume=8192, day=20_000),
        ("user_events", ("b", "")): Seat(has_series=False, volume=1024, day=19_000),
    }
    assert store.load([Slice(T, T + 1)]) == Known(copies={5: 1}, final={6})
    assert store.cursors() == {"ledger.counting_since_unix": "999000"}
    store.close()
    assert header(path) == (len(MIGRATIONS), APPLICATION_ID, TABLES)
    ledger = Ledger("web1", SqliteStore("web1", path), MEANING, AT_ONCE)
    assert ledger.begin(T) == 999_000
    ledger.learn([row("gmail", "success", T, T, user="gmail", domain="outlook")], T)
    shown = numbers(ledger, T)
    assert shown["events", ("success", "outbound", "google")] == 6
    assert shown["user_events", ("gmail", "outlook", "success")] == 9
    ledger.close()
