"""The reference page names every path that is answered, and no other."""

import re
from pathlib import Path

from cpanel_mail_exporter.web.bounces_page import BouncesPage
from cpanel_mail_exporter.web.ports import nothing_counted
from cpanel_mail_exporter.web.routes import Routes
from cpanel_mail_exporter.web.status_page import StatusPage
from tests.unit.publishing.boards import board
from tests.unit.publishing.clock import StandingClock

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "http.md"


def test_the_reference_page_lists_the_paths_there_are() -> None:
    pages = StatusPage("1", ()), BouncesPage("")
    routes = Routes(
        board(StandingClock(0)), list, list, *pages, nothing_counted, "http", lambda: 0.0
    )
    listed = re.findall(r"(?m)^\| `(/[^`?]*)", PAGE.read_text())
    assert sorted(listed) == sorted(routes._paths)
