"""What has been fed to a target, or was once found by fuzzing, is fed to it by every test run."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
INPUTS = [(folder.name, file) for folder in CORPUS.iterdir() for file in folder.iterdir()]


@pytest.mark.parametrize(
    ("name", "file"), sorted(INPUTS), ids=lambda value: getattr(value, "name", value)
)
def test_an_input_keeps_its_targets_rule(name: str, file: Path) -> None:
    TARGETS[name](file.read_bytes())


def test_every_target_has_a_corpus() -> None:
    assert {folder.name for folder in CORPUS.iterdir()} == set(TARGETS)
