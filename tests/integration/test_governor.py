"""The real program says what to expect, hides what it is told to, and shows what there is."""

import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from tests.integration.test_description import LOGS, StaticWhm, answers, running


@pytest.fixture
def whm() -> Iterator[StaticWhm]:
    with StaticWhm(answers()).serving() as one:
        yield one


def said(lines: list[str], words: str, is_enough: Callable[[list[str]], bool]) -> list[str]:
    """The lines of the log that hold *words*, once there are enough of them."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = [line for line in lines if words in line]
        if is_enough(found):
            return found
        time.sleep(0.02)
    pytest.fail(f"it wasn't said: {words}")


def test_hidden_families_are_not_asked_for_and_the_page_says_so(whm: StaticWhm) -> None:
    denied = "--families.deny=email_logs,process_.*"
    with running(*whm.flags, denied) as program:
        text = program.metrics()
        page = program.get("/debug/cardinality")
        assert program.get("/probe?target=" + whm.flags[1].removeprefix("http://"))
    assert "email_logs{" not in text
    assert 'family="email_logs"' not in text
    assert 'collector="email_logs"' not in text
    assert "process_" not in text
    assert 'email_user_stats{domain="example.com"' in text
    assert "<code>email_logs</code>, <code>process_virtual_memory_bytes</code>" in page
    series = sum(not line.startswith("#") for line in text.splitlines())
    counted = re.search(r"<span>([0-9,]+) series</span>", page)
    assert counted is not None
    assert abs(int(counted[1].replace(",", "")) - series) <= 40, "a poll may lie in between"
    assert "user_stats.user_series" in page
    assert any(function == LOGS for function, _, _ in whm.requests), "events are still counted"


def test_at_start_and_on_reload_one_line_tells_series_and_cost(whm: StaticWhm) -> None:
    with running(*whm.flags, "--email-logs.max-series=0") as program:
        program.metrics()
        (first,) = said(program.said, "expected series", lambda found: len(found) == 1)
        program.process.send_signal(signal.SIGHUP)
        _, second, *_ = said(program.said, "expected series", lambda found: len(found) >= 2)
        assert program.stop() == 0
    bound = (
        r"expected series: no bound for email_logs; of all others at most [0-9,]+ "
        r"\(email_user_stats 60,000, email_flag_stats 20,000, email_user_info 10,000\), "
        r"up to 1\.[0-9]-[0-9.]+ GB in Prometheus; see /debug/cardinality"
    )
    assert re.search(f'msg="{bound}"', first)
    assert re.search(
        rf'msg="series: [0-9,]+ now, about [0-9.-]+ MB in Prometheus; {bound}"', second
    )
