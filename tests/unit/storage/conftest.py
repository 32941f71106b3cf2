"""Both kinds of stores, each with a way to open again what it holds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.storage.memory import MemoryStore
from cpanel_mail_exporter.storage.sqlite import SqliteStore

Open = Callable[[], LedgerStore]


@pytest.fixture(params=["memory", "sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens one and the same store, anew at each call where it is a file."""
    if request.param == "memory":
        kept = MemoryStore()
        yield lambda: kept
        return
    opened: list[SqliteStore] = []

    def reopen() -> LedgerStore:
        for store in opened:
            store.close()
        opened.append(SqliteStore("web1", tmp_path / "web1.sqlite"))
        return opened[-1]

    yield reopen
    for store in opened:
        store.close()
