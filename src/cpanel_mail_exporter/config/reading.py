"""Reads small regular files whole; gives their bytes, or one sentence on why not."""

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

Stamp = tuple[int, int, int, int, int]
"""Device, inode, size, and the nanoseconds of the last change of content and of metadata."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A file as it was at one moment; *data* isn't shown, it may be a secret."""

    data: bytes = field(repr=False)
    stamp: Stamp


def read_regular(path: Path, limit_bytes: int) -> Contents:
    """Read a regular file of at most *limit_bytes*; never waits, not even for a named pipe.

    Raises:
        ValueError: it isn't there, isn't readable, isn't a regular file, or is too large.
    """
    try:
        # Without O_NONBLOCK the opening of a named pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ValueError(f"can't read {path}: it isn't a regular file; give a file's path")
            data = file.read(limit_bytes + 1)
    except OSError as error:
        reason = (error.strerror or "unknown error").lower()
        raise ValueError(
            f"can't read {path}: {reason}; check the path, and that the exporter's user may read it"
        ) from None
    if len(data) > limit_bytes:
        raise ValueError(
            f"{path} is larger than {limit_bytes} bytes; check that it's the right one"
        )
    return Contents(data, stamp_of(status))


def stamp_of(status: os.stat_result) -> Stamp:
    """What changes when a file is written, replaced or made readable."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def warning_if_public(path: Path, what: str) -> str | None:
    """A sentence if every user of the machine may read *path*, which holds *what*."""
    try:
        is_public = bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return None
    if not is_public:
        return None
    return (
        f"every user of this machine can read {path}, which holds {what}; run: chmod o-rwx {path}"
    )
