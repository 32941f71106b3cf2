"""Writes the reference pages that come from code: families and configuration."""

from pathlib import Path

from cpanel_mail_exporter.config.reference import render_reference
from cpanel_mail_exporter.metrics.catalogue import FAMILIES

DOCS = Path(__file__).parent

FAMILIES_HEAD = """\
# Families

Written by `make docs` from `metrics/catalogue.py`; don't edit.

Series about a server begin with `server` (its configured name) and the labels that the
configuration gives it; with one server by flags there are none. `email_*` families describe a
window and vanish `stale_after` after their collector's last success. `cpanel_mail_*` families stay.
The exporter's own process shows as `process_*`, as in every Prometheus client library; these
figures are as old as the last poll.

| family | kind | labels | what it says |
|---|---|---|---|
"""


def families_page() -> str:
    """The reference of all families as Markdown."""
    rows = [
        f"| `{family.name}` | {family.kind} | {', '.join(f'`{label}`' for label in family.labels)} "
        f"| {family.help} |\n"
        for family in FAMILIES
    ]
    return FAMILIES_HEAD + "".join(rows)


PAGES = {
    DOCS / "reference" / "families.md": families_page,
    DOCS / "reference" / "configuration.md": render_reference,
}


def main() -> None:
    """Write every page."""
    for path, render in PAGES.items():
        path.write_text(render())


if __name__ == "__main__":
    main()
