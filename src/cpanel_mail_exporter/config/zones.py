"""Time zones by name, and the zone of this machine."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from cpanel_mail_exporter.config.problems import quoted, suggestion


def find_zone(name: str) -> tzinfo:
    """The zone that is called *name*, such as `Europe/Berlin` or `UTC`.

    Raises:
        ValueError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Apart from KeyError: names such as `../x`, `Europe` (a folder), `zone.tab` (no zone).
        near = suggestion(name, available_timezones()) or "; write one such as Europe/Berlin"
        raise ValueError(f"there is no time zone {quoted(name)}{near}") from None


class LocalZone(NamedTuple):
    """This machine's zone, and a sentence if TZ asked for one that there isn't."""

    zone: tzinfo
    warning: str | None = None


def local_zone(environ: Mapping[str, str], root: Path = Path("/")) -> LocalZone:
    """The zone of the variable TZ, else of /etc/localtime, else of /etc/timezone, else UTC.

    Never raises. *root* stands for `/`, so that tests can bring files of their own.
    """
    name = environ.get("TZ")
    if name is not None:
        # As the C library does it: a colon before the name means nothing, empty means UTC.
        name = name.removeprefix(":")
        zone = _zone_in(root, name) if name.startswith("/") else _zone_called(name or "UTC")
        if zone is not None:
            return LocalZone(zone)
        return LocalZone(
            UTC,
            f"TZ is {quoted(name)}, which names no time zone, so days begin at midnight UTC; "
            "set TZ or --timezone to one such as Europe/Berlin",
        )
    return LocalZone(_zone_in(root, "/etc/localtime") or _zone_of_etc_timezone(root) or UTC)


def _zone_called(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _zone_in(root: Path, path: str) -> tzinfo | None:
    """The zone of a file: by its name if links lead into a zoneinfo folder, else by its content."""
    try:
        file = (root / path.lstrip("/")).resolve()
        _, _, name = str(file).partition("/zoneinfo/")
        zone = _zone_called(name.removeprefix("posix/").removeprefix("right/")) if name else None
        if zone is not None:
            return zone
        if not file.is_file():
            return None
        with file.open("rb") as stream:
            return ZoneInfo.from_file(stream, key="localtime")
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links in a circle
        return None


def _zone_of_etc_timezone(root: Path) -> tzinfo | None:
    try:
        return _zone_called((root / "etc/timezone").read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
