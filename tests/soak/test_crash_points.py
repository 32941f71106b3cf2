"""Killed at any commit of any poll, the exporter counts everything once in the end."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.exporter import ROOT


@pytest.mark.timeout(300)
def test_a_kill_at_any_commit_of_a_poll_changes_no_counter(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "tests.soak.crash_points", str(tmp_path))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(r"kills: (\d+)\n", done.stdout)
    assert found is not None, done.stdout
    assert int(found[1]) >= 20
