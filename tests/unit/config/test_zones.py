"""The zone of this machine: TZ, /etc/localtime, /etc/timezone, UTC, in this order."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzdata

from cpanel_mail_exporter.config.zones import find_zone, local_zone

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    return tmp_path


def link(root: Path, zone: str = "Europe/Berlin") -> None:
    (root / "etc/localtime").symlink_to(f"../usr/share/zoneinfo/{zone}")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "posix/Europe/Berlin", "right/Europe/Berlin"])
def test_the_link_at_etc_localtime_names_the_zone_even_where_no_file_is_behind_it(
    root: Path, zone: str
) -> None:
    link(root, zone)
    assert local_zone({}, root) == (BERLIN, None)


def test_a_copy_at_etc_localtime_is_read(root: Path) -> None:
    data = Path(tzdata.__file__).parent / "zoneinfo/Europe/Berlin"
    (root / "etc/localtime").write_bytes(data.read_bytes())
    (root / "etc/timezone").write_text("Asia/Tokyo\n")
    zone, warning = local_zone({}, root)
    summer = datetime(2026, 7, 1, tzinfo=zone)
    assert (summer.utcoffset(), warning) == (BERLIN.utcoffset(summer), None)


def test_etc_timezone_names_the_zone_where_there_is_no_etc_localtime(root: Path) -> None:
    (root / "etc/timezone").write_text("Europe/Berlin\n")
    assert local_zone({}, root) == (BERLIN, None)


@pytest.mark.parametrize("what", ["nothing", "circle", "rubbish", "folder"])
def test_without_a_zone_it_is_utc(root: Path, what: str) -> None:
    localtime = root / "etc/localtime"
    if what == "circle":
        localtime.symlink_to(localtime)
    elif what == "folder":
        localtime.mkdir()
    elif what == "rubbish":
        localtime.write_bytes(b"rubbish")
        (root / "etc/timezone").write_bytes(b"\xff")
    assert local_zone({}, root) == (UTC, None)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Asia/Tokyo", "Asia/Tokyo"),
        (":Asia/Tokyo", "Asia/Tokyo"),
        ("", "UTC"),
        (":", "UTC"),
        (":/etc/localtime", "Europe/Berlin"),
        ("/etc/localtime", "Europe/Berlin"),
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_tz_wins_over_the_machines_files(root: Path, text: str, zone: str) -> None:
    link(root)
    assert local_zone({"TZ": text}, root) == (ZoneInfo(zone), None)


@pytest.mark.parametrize("text", ["Mars/Olympus", ":/nowhere", "../etc/passwd", "Europe", "\udc80"])
def test_a_tz_that_names_no_zone_is_utc_with_a_warning(root: Path, text: str) -> None:
    link(root)
    zone, warning = local_zone({"TZ": text}, root)
    assert zone is UTC
    assert warning == (
        f"TZ is {text.removeprefix(':')!r}, which names no time zone, so days begin at midnight "
        "UTC; set TZ or --timezone to one such as Europe/Berlin"
    )


@pytest.mark.parametrize("name", ["", "Europe", "zone.tab", "../UTC", "/etc/localtime", "a\0b"])
def test_what_is_no_zone_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(ValueError, match=r"^there is no time zone "):
        find_zone(name)
