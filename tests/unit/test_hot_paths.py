"""What a poll does for each row stays cheap: steps are counted, since times are noisy.

How many functions are called for a row, Python's and C's, and how many instructions the
interpreter carries out for it are the same in every run. The bounds stand a little above what it
takes now: one pass more over the rows, or a call for each field, goes beyond them.
"""

import gc
import json
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from cpanel_mail_exporter.exposition.log_blocks import BlockSorter
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.model.query import EVENT_TYPES, AnswerEnd
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling import reading_state
from cpanel_mail_exporter.polling.reading import SpanReader
from cpanel_mail_exporter.polling.reading_state import Accepted, ReadingMemory
from cpanel_mail_exporter.polling.tally import Tally
from cpanel_mail_exporter.whm.decode import delivery_rows
from tests.calls_counted import calls_of

TraceFunction = Callable[[FrameType, str, Any], Any]

ROWS = 1_890
PAGE_ROWS = 1_000
BATCH_ROWS = 90
SPAN = Slice(1_795_000_000, 1_795_000_000 + ROWS // 3)


def wire_row(number: int) -> dict[str, object]:
    """A row with all fields, as WHM sends them; every third is refused with a quoted address."""
    to = f"reader{number}@example.net"
    fails = number % 3 == 0
    sent = SPAN.start + number // 3
    return {
        "actiontime": "2026-11-18 09:06:47",
        "actionunixtime": sent + 7,
        "deliveredto": None if fails else to,
        "deliverydomain": None,
        "deliveryuser": "-remote-",
        "domain": "example.com",
        "email": "shop@example.com",
        "host": "mx1.example.net",
        "ip": "192.0.2.25",
        "message": f'550-5.1.1 The account "{to}" does not exist' if fails else "Accepted",
        "msgid": f"1wtYVW-{number:011d}-3Ryp",
        "recipient": to,
        "router": "dkim_lookuphost",
        "sender": "shop@example.com",
        "senderauth": "dovecot_login",
        "senderhost": "client.example.org",
        "senderip": "198.51.100.7",
        "sendunixtime": sent,
        "size": 27356 + number,
        "spamscore": 0,
        "transport": "dkim_remote_smtp",
        "transport_is_remote": 1,
        "type": "failure" if fails else "success",
        "user": "example",
    }


def array_of(first: int) -> bytes:
    return json.dumps([wire_row(number) for number in range(first, first + BATCH_ROWS)]).encode()


ARRAYS = [array_of(first) for first in range(0, ROWS, BATCH_ROWS)]


def decoded() -> list[DeliveryRecord]:
    return [record for array in ARRAYS for record in delivery_rows(array).records]


RECORDS = decoded()


def answered() -> list[Accepted]:
    """Read a span of which each page is full, batch by batch, as answers come."""
    reader = SpanReader(SPAN, EVENT_TYPES, ReadingMemory(full_page=PAGE_ROWS))
    accepted: list[Accepted] = []
    while (query := reader.next_query()) is not None:
        first = 3 * (query.span.start - SPAN.start) + query.first_row - 1
        end = min(3 * (query.span.end - SPAN.start), first + query.page_rows)
        for start in range(first, end, BATCH_ROWS):
            reader.rows(RECORDS[start : min(start + BATCH_ROWS, end)])
            accepted += reader.accepted()
        reader.page_end(AnswerEnd())
        accepted += reader.accepted()
    return accepted


def tallied() -> tuple[int, ...]:
    tally = Tally()
    for first in range(0, ROWS, 10 * BATCH_ROWS):
        tally.add(first, RECORDS[first : first + 10 * BATCH_ROWS])
    return tally.total()


def rendered() -> int:
    """Lines of all records, in blocks."""
    lines = LogLines("email_logs", (("server", "a"),))
    sorter = BlockSorter(0)
    for first in range(0, ROWS, PAGE_ROWS):
        sorter.add(lines.render(RECORDS[first : first + PAGE_ROWS]))
    return sum(block.lines for block in sorter.finish()[0])


def instructions_of(work: Callable[[], object]) -> int:
    """How many instructions the interpreter carries out in *work*."""
    instructions = 0

    def count(frame: FrameType, event: str, _what: object) -> TraceFunction:
        nonlocal instructions
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        instructions += event == "opcode"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return instructions


@pytest.fixture(autouse=True)
def _short_pages_and_no_garbage_collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages that few rows fill; and nothing of other tests is called in between."""
    monkeypatch.setattr(reading_state, "PAGE_ROWS", PAGE_ROWS)
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    ("work", "most"), [(decoded, 3.2), (answered, 0.65), (tallied, 0.8), (rendered, 8.2)]
)
def test_a_row_takes_no_more_calls_than_it_did(work: Callable[[], object], most: float) -> None:
    work()  # what is done at the first time only isn't counted
    assert calls_of(work) <= most * ROWS


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="each version has its instructions")
@pytest.mark.parametrize(
    ("work", "most"), [(decoded, 160), (answered, 27), (tallied, 33), (rendered, 106)]
)
def test_a_row_takes_no_more_instructions_than_it_did(
    work: Callable[[], object], most: float
) -> None:
    work()
    assert instructions_of(work) <= most * ROWS


def test_what_is_counted_is_all_of_the_work() -> None:
    """A path that did nothing would be cheap, too."""
    assert len(decoded()) == ROWS
    assert [record for part in answered() for record in part.rows] == RECORDS
    assert tallied() == (2 * ROWS // 3, ROWS // 3)
    assert rendered() == ROWS
