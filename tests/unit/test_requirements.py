"""Each set of locked requirements holds all that the program needs, in the same versions."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def locked(name: str) -> dict[str, str]:
    """Versions by package of one of the files."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE))


def dependencies() -> list[str]:
    """Names of the packages that the program can't do without."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [re.split(r"[^\w.-]", wish, maxsplit=1)[0].lower() for wish in project["dependencies"]]


@pytest.mark.parametrize("name", ["dev", "fuzz"])
def test_what_the_program_needs_is_there_wherever_it_is_installed(name: str) -> None:
    run, other = locked("run"), locked(name)
    needed = {package: run[package] for package in dependencies()}
    assert {package: other.get(package) for package in needed} == needed
