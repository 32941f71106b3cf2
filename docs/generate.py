"""Writes the reference pages that come from code: families, configuration, simulated WHM."""

from itertools import groupby
from pathlib import Path

from cpanel_mail_exporter.config.reference import render_reference
from cpanel_mail_exporter.metrics.catalogue import FAMILIES
from whm_simulator.api.documented import DOCUMENTED, EVERY_FUNCTION
from whm_simulator.api.quirk_table import QUIRK_ROWS

DOCS = Path(__file__).parent

FAMILIES_HEAD = """\
# Families

Written by `make docs` from `metrics/catalogue.py`; don't edit.

Series about a server begin with `server` (its configured name) and the labels that the
configuration gives it; with one server by flags there are none. `email_*` families describe a
window and vanish `stale_after` after their collector's last success, and so do the gauges of the
collector `delivery_events` (messages in progress, deferred recipients, the last day, spam runs).
The other `cpanel_mail_*` families stay: counters keep their values whatever fails, and are absent
until what is stored of a server has been read.
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


SIMULATED_HEAD = """\
# Simulated WHM

Written by `make docs` from `documented.tsv` and `quirk_table.py` in `whm_simulator/api`; do not
edit.

What cPanel documents of the functions that tell of mail, and how `whm-simulator` plays it.
Members are paths into the JSON answer; `[]` is each element of a list.
"""
QUIRKS_HEAD = """
## Quirks

Where nobody has published what WHM does, `whm-simulator --quirk` chooses.
A server's name and a colon before a quirk keep it to that server, as in `--quirk web2:cap=250`.
The first word of several is what happens without the quirk.

| quirk | what the server does | why it is open |
|---|---|---|
"""


def simulated_whm_page() -> str:
    """The reference of what the simulator answers as Markdown."""
    parts = [SIMULATED_HEAD]
    for function, entries in groupby(DOCUMENTED, lambda entry: entry.function):
        whole, *rest = entries
        title = "Every function" if function == EVERY_FUNCTION else f"`{function}`"
        parts.append(f"\n## {title}\n\n{whole.how[0].upper()}{whole.how[1:]}.\n")
        if rest:
            parts.append("\n| | name | how it is simulated |\n|---|---|---|\n")
        parts += [f"| {entry.what.value} | `{entry.name}` | {entry.how} |\n" for entry in rest]
    parts.append(QUIRKS_HEAD)
    for row in QUIRK_ROWS:
        usage = row.usage.replace("|", "\\|")
        parts.append(f"| `{usage}` | {row.does} | {row.is_open} |\n")
    return "".join(parts)


PAGES = {
    DOCS / "reference" / "families.md": families_page,
    DOCS / "reference" / "configuration.md": render_reference,
    DOCS / "reference" / "simulated-whm.md": simulated_whm_page,
}


def main() -> None:
    """Write every page."""
    for path, render in PAGES.items():
        path.write_text(render())


if __name__ == "__main__":
    main()
