"""What a growing log file has gained since the last look, line by line.

Exim keeps on writing to a renamed log until it notices (specification, section "Logging to local
files that are periodically cycled"), so a file that was replaced is read to its end before the new
one is opened.
"""

import os
import stat
import weakref
from collections.abc import Iterator
from pathlib import Path

_PIECE_BYTES = 1 << 20
_FINGERPRINT_BYTES = 256


class Tail:
    """Whole lines of the file at *path*, each once; not safe across threads.

    A line counts once its newline is there. A file that is replaced, cut short or written anew is
    read from its start; one that only moved to another place on the disk goes on where it was.

    Raises:
        ValueError: there is no such file, or it can't be read; the text says what to do.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = _OpenFile(path)
        except FileNotFoundError:
            raise ValueError(
                f"There is no file {path}; name Exim's main log, such as /var/log/exim_mainlog."
            ) from None
        except IsADirectoryError:
            raise ValueError(
                f"{path} is a folder; name the main log in it, such as {path / 'mainlog'}."
            ) from None
        except OSError as error:
            raise ValueError(
                f"{path} can't be read ({error.strerror}); name a log file that this user may read."
            ) from None
        self._read_bytes = 0
        self._fingerprint = b""

    def lines(self) -> Iterator[bytes]:
        """New lines without their newlines; empty as long as nothing was added."""
        newer = self._replacement()
        if newer is not None:
            yield from self._rest()
            is_same = newer.holds(self._fingerprint, self._read_bytes)
            self._file.close()
            self._file = newer
            if not is_same:
                self._start_over()
        elif not self._file.holds(self._fingerprint, self._read_bytes):
            self._start_over()
        yield from self._rest()

    def _start_over(self) -> None:
        self._read_bytes = 0
        self._fingerprint = b""

    def _replacement(self) -> "_OpenFile | None":
        """The file that is at the path now if it is another one; None if it is not, or none is."""
        try:
            found = self._path.stat()
            if (found.st_dev, found.st_ino) == self._file.identity:
                return None
            return _OpenFile(self._path)
        except OSError:
            return None

    def _rest(self) -> Iterator[bytes]:
        while piece := self._file.read(_PIECE_BYTES, self._read_bytes):
            end = piece.rfind(b"\n") + 1
            if end == 0:
                if len(piece) < _PIECE_BYTES:
                    return
                # No line of Exim's is so long: it is given up piece by piece.
                end = len(piece)
            self._read_bytes += end
            self._fingerprint = (self._fingerprint + piece[:end])[-_FINGERPRINT_BYTES:]
            lines = piece[:end].split(b"\n")
            lines.pop()
            yield from lines


class _OpenFile:
    """A regular file that stays open whatever becomes of its name."""

    def __init__(self, path: Path) -> None:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._number = number
        self.close = weakref.finalize(self, os.close, number)
        found = os.fstat(number)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(path)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "it is no regular file")
        self.identity = (found.st_dev, found.st_ino)

    def read(self, most_bytes: int, start: int) -> bytes:
        return os.pread(self._number, most_bytes, start)

    def holds(self, content: bytes, end: int) -> bool:
        """Whether *content* stands right before *end*."""
        return self.read(len(content), end - len(content)) == content
