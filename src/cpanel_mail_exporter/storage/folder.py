"""The folder under `storage.path`: one file for each server, and a lock for each.

All locks are single bytes of one file, since a lock file each would cost a descriptor each. They
are the kernel's: a process that ends, however it ends, holds none.
"""

import errno
import fcntl
import os
from hashlib import blake2b
from pathlib import Path

from cpanel_mail_exporter.model.errors import StorageFailed, StorageLocked
from cpanel_mail_exporter.storage.sqlite import SqliteStore

_LOCKS = ".locks"
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
_LONGEST_NAME_BYTES = 180
_OFFSET_BITS = 62


class FolderRefused(Exception):
    """The folder can't be made or written to; the text is a sentence for the operator."""


class StorageFolder:
    """Opens the stores of servers. One object for a path in a process.

    Raises:
        FolderRefused: it can't be made or written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: set[str] = set()
        try:
            path.mkdir(mode=0o750, parents=True, exist_ok=True)
            if not os.access(path, os.W_OK | os.X_OK):
                # Locks that are there already could be opened all the same.
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._locks = os.open(path / _LOCKS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise FolderRefused(
                f"storage path {path} can't be written: {error.strerror or error}; "
                "give the exporter's user a folder it may write to"
            ) from error

    def open(self, server: str) -> SqliteStore:
        """The store of *server*, locked against other processes until it is closed.

        Raises:
            StorageLocked: another process has it, or this one already.
            StorageFailed: it can't be locked, or is no file that can be written to.
        """
        path = self.path / file_name(server)
        if server in self._held:
            raise StorageLocked(server, "storage", f"{path} is already in use")
        if path.exists() and not (path.is_file() and os.access(path, os.R_OK | os.W_OK)):
            raise StorageFailed(server, "storage", f"{path} isn't a file that can be written to")
        try:
            fcntl.lockf(self._locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _place(server))
        except (BlockingIOError, PermissionError) as error:
            detail = f"{path} is in use by another process"
            raise StorageLocked(server, "storage", detail) from error
        except OSError as error:
            detail = f"{path} can't be locked: {error.strerror}"
            raise StorageFailed(server, "storage", detail) from error
        self._held.add(server)
        return SqliteStore(server, path, lambda: self._release(server))

    def close(self) -> None:
        """Give up the folder with all its locks; stores should have been closed before."""
        if self._locks >= 0:
            os.close(self._locks)
            self._locks = -1
            self._held.clear()

    def _release(self, server: str) -> None:
        if server in self._held:
            self._held.remove(server)
            fcntl.lockf(self._locks, fcntl.LOCK_UN, 1, _place(server))


def file_name(server: str) -> str:
    """Name of a server's file: its own name where that can be one.

    Other characters are written as in URLs, and what is too long ends in a hash of the whole.

    >>> file_name("web1"), file_name("192.0.2.1:2087"), file_name("../x")
    ('web1.sqlite', '192.0.2.1%3A2087.sqlite', '%2E.%2Fx.sqlite')
    """
    safe = "".join(
        character
        if character in _PLAIN and not (place == 0 and character == ".")
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        for place, character in enumerate(server)
    )
    if len(safe) > _LONGEST_NAME_BYTES:
        safe = f"{safe[:_LONGEST_NAME_BYTES]}%{_digest(server).hexdigest()}"
    return f"{safe or '%'}.sqlite"


def _place(server: str) -> int:
    """Offset of its lock; two names meet with a chance of 2 to the -62."""
    return int.from_bytes(_digest(server).digest(), "big") >> (64 - _OFFSET_BITS)


def _digest(server: str) -> "blake2b":
    return blake2b(server.encode("utf-8", "surrogatepass"), digest_size=8)
