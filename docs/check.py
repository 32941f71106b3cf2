"""Holds the documentation to the code: generated pages are current, links lead somewhere.

Also what must not stand in the repository: paths of a machine, addresses of package registries.
"""

import re
import subprocess
import sys
from pathlib import Path

from generate import PAGES

ROOT = Path(__file__).parent.parent
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
_FORBIDDEN = re.compile(r"/root/|/home/[a-z]|pypi\.org|pythonhosted|/simple/")
_TEXT = {".md", ".py", ".toml", ".txt", ".yml", ".yaml", ".in", ".cfg", ".service", ".sh", ""}


def problems() -> list[str]:
    """One line for each thing that is wrong."""
    found = [
        f"{path.relative_to(ROOT)} is not what the code says; run `make docs`"
        for path, render in PAGES.items()
        if not path.exists() or path.read_text() != render()
    ]
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in listed:
        path = ROOT / name
        if path.suffix not in _TEXT or not path.is_file() or path == Path(__file__):
            continue
        text = path.read_text(errors="replace")
        found += [f"{name}: {hit!r} must not stand here" for hit in _FORBIDDEN.findall(text)]
        if path.suffix == ".md":
            found += [
                f"{name}: the link {link} leads nowhere"
                for link in _LINK.findall(text)
                if not (path.parent / link).exists()
            ]
    return found


def main() -> int:
    """Print what is wrong; 1 if anything is."""
    found = problems()
    for line in found:
        print(line, file=sys.stderr)  # noqa: T201
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
