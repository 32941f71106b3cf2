"""The key is made once, only its user may read it, and a wrong one is never replaced in silence."""

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from cpanel_mail_exporter.storage import key_file
from cpanel_mail_exporter.storage.key_file import (
    FILE_NAME,
    KEY_BYTES,
    KeyNotKept,
    KeyRefused,
    kept_key,
    random_key,
)


def test_a_key_is_made_once_and_for_its_user_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        key = kept_key(tmp_path / "a" / "b")
    finally:
        os.umask(old)
    assert len(key) == KEY_BYTES
    assert kept_key(tmp_path / "a" / "b") == key
    assert kept_key(tmp_path / "other") != key
    file = tmp_path / "a" / "b" / FILE_NAME
    assert file.read_text() == f"{key.hex()}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o750
    assert [path.name for path in file.parent.iterdir()] == [FILE_NAME], "no draft is left"


def test_processes_that_start_together_get_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(lambda _: kept_key(tmp_path), range(32)))
    assert len(keys) == 1
    assert len(list(tmp_path.iterdir())) == 1


def test_a_key_made_by_another_process_in_between_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = random_key()

    def link(draft: Path, path: Path) -> None:
        path.write_text(other.hex())
        raise FileExistsError

    monkeypatch.setattr(key_file.os, "link", link)
    assert kept_key(tmp_path) == other


def test_others_lose_the_right_to_read_it(tmp_path: Path) -> None:
    key = kept_key(tmp_path)
    (tmp_path / FILE_NAME).chmod(0o644)
    assert kept_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600


def spoilt(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    "spoil",
    [
        spoilt(""),
        spoilt("00" * 31),
        spoilt("00" * 33),
        spoilt("zz" * 32),
        spoilt("é" * 32),
        spoilt("00" * 4_000),
        Path.mkdir,
        os.mkfifo,
    ],
)
def test_what_is_no_key_is_refused_and_left_alone(
    tmp_path: Path, spoil: Callable[[Path], object]
) -> None:
    file = tmp_path / FILE_NAME
    spoil(file)
    before = file.lstat()
    with pytest.raises(KeyRefused) as caught:
        kept_key(tmp_path)
    assert str(caught.value) == (
        f"{file} isn't a key of 64 hexadecimal digits; put the right one back, or remove it: a new "
        "key is made then, and all hashes become other ones"
    )
    assert (file.lstat().st_ino, file.lstat().st_size) == (before.st_ino, before.st_size)


def test_a_key_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(KeyNotKept) as caught:
        kept_key(tmp_path / "file" / "data")
    assert str(caught.value) == (
        f"no key for hashes can be kept in {tmp_path}/file/data/{FILE_NAME}: Not a directory"
    )


def test_a_disk_that_fills_up_leaves_no_half_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(key_file.os, "fsync", full)
        with pytest.raises(KeyNotKept):
            kept_key(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert len(kept_key(tmp_path)) == KEY_BYTES
