"""Token files: what counts as a token, and how a changed file is noticed."""

import os
from pathlib import Path

import pytest

from cpanel_mail_exporter.config.token_file import TokenFile, TokenLook, read_token
from cpanel_mail_exporter.model.secret import Secret

OLD, NEW = Secret("OLDTOKEN"), Secret("NEWTOKEN")
EMPTY = "the token is empty; copy it from WHM >> Manage API Tokens"
UNREADABLE = "check the path, and that the exporter's user may read it"
BLANK = "the token holds a space, a line break or a control character; give the token alone"
NOT_ASCII = "the token holds a character that isn't ASCII; copy it from WHM again"


@pytest.mark.parametrize("end", ["", "\n", "\r\n", " \t\n\n"])
def test_blanks_and_line_breaks_at_the_end_do_not_belong_to_the_token(
    tmp_path: Path, end: str
) -> None:
    (tmp_path / "t").write_text("EXAMPLETOKEN" + end, newline="")
    assert read_token(tmp_path / "t") == Secret("EXAMPLETOKEN")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", EMPTY),
        (b" \n", EMPTY),
        (b" EXAMPLE", BLANK),
        (b"EXAMPLE TOKEN", BLANK),
        (b"EXAMPLE\nTOKEN", BLANK),
        (b"EXAMPLE\r\nX-Header: 1", BLANK),
        (b"EXAMPLE\x00", BLANK),
        (b"EXAMPLE\x7f", BLANK),
        (b"\xef\xbb\xbfEXAMPLE", NOT_ASCII),
        (b"EXAMPLE\xff", NOT_ASCII),
        ("EXAMPLETÖKEN".encode(), NOT_ASCII),
    ],
)
def test_what_could_break_out_of_a_header_is_no_token(
    tmp_path: Path, data: bytes, why: str
) -> None:
    file = tmp_path / "t"
    file.write_bytes(data)
    with pytest.raises(ValueError, match=r"^can't use") as caught:
        read_token(file)
    assert str(caught.value) == f"can't use {file}: {why}"


def test_a_token_file_holds_at_most_4_kib(tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(b"x" * 4096)
    assert read_token(tmp_path / "t") == Secret("x" * 4096)
    (tmp_path / "t").write_bytes(b"x" * 4096 + b"\n")
    with pytest.raises(
        ValueError, match=r"is larger than 4096 bytes; check that it's the right one$"
    ):
        read_token(tmp_path / "t")


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "t")
    with pytest.raises(ValueError, match=r"it isn't a regular file; give a file's path$"):
        read_token(tmp_path / "t")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "t").write_text("OLDTOKEN\n")
    return tmp_path / "t"


def test_a_file_that_stays_gives_the_same_token_without_news(file: Path) -> None:
    followed = TokenFile(file, OLD)
    assert [followed.look() for _ in range(3)] == [TokenLook(OLD)] * 3


@pytest.mark.parametrize("way", ["in place", "renamed", "same size and time"])
def test_a_changed_token_is_noticed_once_however_it_was_written(file: Path, way: str) -> None:
    followed = TokenFile(file, OLD)
    followed.look()
    before = file.stat()
    if way == "renamed":
        other = file.with_name("new")
        other.write_text("NEWTOKEN\n")
        other.rename(file)
    else:
        file.write_text("NEWTOKEN\n")
    if way == "same size and time":
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [followed.look() for _ in range(2)] == [TokenLook(NEW, True), TokenLook(NEW)]


def test_a_change_between_the_start_and_the_first_look_is_noticed(file: Path) -> None:
    followed = TokenFile(file, OLD)
    file.write_text("NEWTOKEN")
    assert followed.look() == TokenLook(NEW, True)


def test_the_same_token_written_again_is_no_change(file: Path) -> None:
    followed = TokenFile(file, OLD)
    followed.look()
    file.write_text("OLDTOKEN\n\n")
    assert followed.look() == TokenLook(OLD)


def test_an_unusable_file_keeps_the_old_token_and_is_told_once_for_each_reason(
    file: Path,
) -> None:
    followed = TokenFile(file, OLD)
    followed.look()
    gone = f"can't read {file}: no such file or directory; {UNREADABLE}"
    file.unlink()
    assert [followed.look() for _ in range(2)] == [TokenLook(OLD, problem=gone), TokenLook(OLD)]
    file.write_text("")
    empty = TokenLook(OLD, problem=f"can't use {file}: {EMPTY}")
    assert [followed.look() for _ in range(2)] == [empty, TokenLook(OLD)]
    file.write_text("NEWTOKEN")
    assert followed.look() == TokenLook(NEW, True)
    for _ in range(2):
        file.unlink()
        assert followed.look() == TokenLook(NEW, problem=gone)
        file.write_text("NEWTOKEN")
        assert followed.look() == TokenLook(NEW)


def test_an_unchanged_file_is_not_opened_again(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    followed = TokenFile(file, OLD)
    followed.look()

    def refuse(*arguments: object, **settings: object) -> int:
        raise AssertionError("opened")

    monkeypatch.setattr(os, "open", refuse)
    assert followed.look() == TokenLook(OLD)
