"""A store for each server: in files, or in memory where that may be, or a refusal."""

import subprocess
import sys
from pathlib import Path

import pytest

from cpanel_mail_exporter.model.errors import StorageFailed, StorageLocked
from cpanel_mail_exporter.storage.folder import FolderRefused
from cpanel_mail_exporter.storage.memory import MemoryStore
from cpanel_mail_exporter.storage.sqlite import SqliteStore
from cpanel_mail_exporter.storage.stores import Stores, open_stores
from tests.unit.storage.test_folder import HOLD, descriptors

NAMES = ["web1", "192.0.2.1:2087"]


def kinds(stores: Stores) -> dict[str, type]:
    return {name: type(store) for name, store in stores.by_server.items()}


@pytest.mark.parametrize("may_use_memory", [True, False])
def test_each_server_has_a_file_of_its_own_which_is_free_again_afterwards(
    tmp_path: Path, may_use_memory: bool
) -> None:
    for _ in range(2):
        stores = open_stores(NAMES, tmp_path / "data", may_use_memory=may_use_memory)
        assert kinds(stores) == dict.fromkeys(NAMES, SqliteStore)
        assert stores.in_memory_because == ""
        for store in stores.by_server.values():
            store.counters()
        stores.close()
    files = {file.name for file in (tmp_path / "data").iterdir()}
    assert files == {".locks", "web1.sqlite", "192.0.2.1%3A2087.sqlite"}


def test_without_a_path_all_is_in_memory_and_nothing_amiss() -> None:
    stores = open_stores(NAMES, None, may_use_memory=False)
    assert kinds(stores) == dict.fromkeys(NAMES, MemoryStore)
    assert stores.in_memory_because == ""
    stores.close()


def test_a_folder_that_cannot_be_written_to_is_refused_or_gives_way_to_memory(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "data"
    with pytest.raises(FolderRefused):
        open_stores(NAMES, path, may_use_memory=False)
    stores = open_stores(NAMES, path, may_use_memory=True)
    assert kinds(stores) == dict.fromkeys(NAMES, MemoryStore)
    assert stores.in_memory_because == (
        f"storage path {path} can't be written: Not a directory; "
        "give the exporter's user a folder it may write to"
    )


def test_a_file_that_cannot_be_written_to_is_like_such_a_folder(tmp_path: Path) -> None:
    """All servers or none are in memory; the folder is free for others."""
    (tmp_path / "192.0.2.1%3A2087.sqlite").mkdir()
    before = descriptors()
    with pytest.raises(StorageFailed, match=r"2087\.sqlite isn't a file that can be written to"):
        open_stores(NAMES, tmp_path, may_use_memory=False)
    stores = open_stores(NAMES, tmp_path, may_use_memory=True)
    assert kinds(stores) == dict.fromkeys(NAMES, MemoryStore)
    assert "2087.sqlite isn't a file that can be written to" in stores.in_memory_because
    assert descriptors() == before


@pytest.mark.parametrize("may_use_memory", [True, False])
def test_a_file_that_another_process_has_is_never_replaced_by_memory(
    tmp_path: Path, may_use_memory: bool
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StorageLocked):
            open_stores(NAMES, tmp_path, may_use_memory=may_use_memory)
    finally:
        holder.kill()
        holder.communicate()
    open_stores(NAMES, tmp_path, may_use_memory=may_use_memory).close()
