"""One folder: a file for each server, and a lock for each that ends with its process."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.ledger.change import Change
from cpanel_mail_exporter.model.errors import StorageLocked
from cpanel_mail_exporter.storage.folder import FolderRefused, StorageFolder, file_name

HOLD = """
import sys
from pathlib import Path
from cpanel_mail_exporter.storage.folder import StorageFolder
folder = StorageFolder(Path(sys.argv[1]))
store = folder.open("web1")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_server_is_locked_against_other_processes_and_others_are_not(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    folder = StorageFolder(tmp_path)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StorageLocked) as caught:
            folder.open("web1")
        assert str(caught.value) == (
            f"web1: storage: {tmp_path}/web1.sqlite is in use by another process; "
            "end the other process, or give this one another storage path"
        )
        folder.open("web2").close()
    finally:
        holder.kill()
        holder.communicate()
    folder.open("web1").close()
    folder.close()


def test_a_server_is_locked_within_a_process_too_until_its_store_is_closed(tmp_path: Path) -> None:
    folder = StorageFolder(tmp_path)
    store = folder.open("web1")
    with pytest.raises(StorageLocked, match="already in use"):
        folder.open("web1")
    store.close()
    store.close()
    folder.open("web1").close()
    folder.close()
    folder.close()


def test_a_thousand_servers_at_rest_hold_one_descriptor(tmp_path: Path) -> None:
    before = descriptors()
    folder = StorageFolder(tmp_path / "new" / "data")
    stores = [folder.open(f"web{n}") for n in range(1_000)]
    for store in stores[:20]:
        store.commit(Change(cursors={"a": "b"}))
        store.rest()
    assert descriptors() == before + 1
    folder.close()
    assert descriptors() == before


def test_a_path_that_cannot_be_a_folder_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderRefused) as caught:
        StorageFolder(tmp_path / "file" / "data")
    assert str(caught.value) == (
        f"storage path {tmp_path}/file/data can't be written: Not a directory; "
        "give the exporter's user a folder it may write to"
    )


@given(st.lists(st.text(max_size=8) | st.text("ab./%\0é", max_size=300), unique=True, min_size=1))
def test_every_name_has_a_file_of_its_own_inside_the_folder(names: list[str]) -> None:
    files = [file_name(name) for name in names]
    assert len(set(files)) == len(files)
    for name in files:
        assert name.isascii()
        assert len(name) < 250
        assert not name.startswith(".")
        assert not set(name) & set("/\\\0: ")


@pytest.mark.parametrize("name", ["web1", "web-1.example.com", "a_b"])
def test_usual_names_stay_as_they_are(name: str) -> None:
    assert file_name(name) == f"{name}.sqlite"


def descriptors() -> int:
    """How many this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
