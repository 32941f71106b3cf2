"""The short run: after 50 kills, with every quirk and fault, each counter is what happened."""

import sys
from pathlib import Path

import pytest

from tests.soak.laws import FAULTS
from tests.soak.report import text_of
from tests.soak.round import Round, Terms


@pytest.mark.e2e
@pytest.mark.timeout(400)
def test_every_counter_is_exact_after_kills_at_any_instant(tmp_path: Path) -> None:
    result = Round(Terms(seed="short", kills=50), tmp_path).run()
    text = text_of([result])
    sys.stdout.write(text)
    assert result.is_good, text
    assert result.kills >= 50
    assert result.whm_kills >= 1
    assert result.faults.keys() == FAULTS.keys()
    assert result.events > 3_000
