"""The key that hashes of addresses are made with: generated once, kept with the state."""

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

FILE_NAME = "privacy.key"
KEY_BYTES = 32
_MODE = 0o600
_MODE_OF_OTHERS = 0o077


class KeyRefused(Exception):
    """The key's file is there and can't be used; the text is a sentence for the operator."""


class KeyNotKept(Exception):
    """No file can be made for the key; the text is a sentence for the operator."""


def random_key() -> bytes:
    """A key that nobody knows, kept nowhere."""
    return secrets.token_bytes(KEY_BYTES)


def kept_key(folder: Path) -> bytes:
    """The key in *folder*, made with its file if there is none.

    The file holds the key as one line of hexadecimal digits. No other user may read it: where they
    could, that is ended.

    Raises:
        KeyRefused: it is there, and isn't a key or can't be read.
        KeyNotKept: it isn't there and can't be made.
    """
    path = folder / FILE_NAME
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    key = random_key()
    try:
        folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        _write(path, key)
        # Another process may have been first: all go by what is there now.
        return _read(path)
    except OSError as error:
        raise KeyNotKept(
            f"no key for hashes can be kept in {path}: {error.strerror or error}"
        ) from error


def _read(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK the opening of a named pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FileNotFoundError from error
    except OSError as error:
        raise KeyRefused(
            f"can't read {path}: {error.strerror}; let the exporter's user read it, or remove it: "
            "a new key is made then, and all hashes become other ones"
        ) from error
    text = b""
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            text = os.read(descriptor, 4 * KEY_BYTES)
            if status.st_mode & _MODE_OF_OTHERS:
                with suppress(OSError):
                    os.fchmod(descriptor, _MODE)
    finally:
        os.close(descriptor)
    try:
        key = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyRefused(
            f"{path} isn't a key of {2 * KEY_BYTES} hexadecimal digits; put the right one back, or "
            "remove it: a new key is made then, and all hashes become other ones"
        )
    return key


def _write(path: Path, key: bytes) -> None:
    """Put a key there, whole and on the disk, unless there is one."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(f"{key.hex()}\n".encode())
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):
            os.link(draft, path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink()
