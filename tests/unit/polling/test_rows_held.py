"""How many rows a long reading holds at a time: memory follows the page, never the window."""

import gc
from collections.abc import Awaitable, Callable

import pytest

from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.ledger.ledger import Ledger
from cpanel_mail_exporter.model.query import EVENT_TYPES, AnswerEnd, SearchQuery, TotalsAnswer
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling import reading_state
from cpanel_mail_exporter.polling.intake import Intake, Visit
from cpanel_mail_exporter.polling.learning import Facts
from cpanel_mail_exporter.polling.sinks import EventSink, LineSink
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.unit.ledger.mail import MEANING, row

PAGE_ROWS = 2_000
BATCH_ROWS = 100
PAGES = 6
SPAN = Slice(1_795_000_000, 1_795_000_000 + PAGES * PAGE_ROWS)


class Pages:
    """A server with a message a second; it makes its rows when asked, and keeps none.

    Attributes:
        most_rows: the most records that were there while an answer came.
    """

    def __init__(self) -> None:
        self.most_rows = 0

    async def totals(self, start_unix: int, end_unix: int) -> TotalsAnswer:
        """Nobody asks for them."""
        raise NotImplementedError

    async def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], Awaitable[None]]
    ) -> AnswerEnd:
        """A page, batch by batch."""
        begin = query.span.start + query.first_row - 1
        end = min(query.span.end, begin + query.page_rows)
        for first in range(begin, end, BATCH_ROWS):
            seconds = range(first, min(first + BATCH_ROWS, end))
            await receive(
                [row("gmail", "success", each, each, msg_id=f"id-{each}") for each in seconds]
            )
            self.most_rows = max(self.most_rows, records_there())
        return AnswerEnd()


def records_there() -> int:
    """Delivery records of this process that nobody has let go of."""
    return sum(type(each) is DeliveryRecord for each in gc.get_objects())


@pytest.mark.parametrize("counts", [True, False])
async def test_one_page_of_rows_is_held_however_many_there_are(
    monkeypatch: pytest.MonkeyPatch, counts: bool
) -> None:
    monkeypatch.setattr(reading_state, "PAGE_ROWS", PAGE_ROWS)
    gc.collect()
    before = records_there()
    server = Pages()
    ledger = Ledger("web1", MemoryStore(), MEANING)
    events = EventSink(ledger, counts_past=True) if counts else None
    lines = LineSink(LogLines("email_logs", ()), EVENT_TYPES, 0)
    intake = Intake("web1", EVENT_TYPES, server, events, lines)
    intake.memory.full_page = PAGE_ROWS
    intake.visit = Visit(SPAN.end)
    if events is not None:
        await events.begin(SPAN.end)
    assert await intake.read(SPAN, Facts()) == 0
    if events is not None:
        await events.finish(SPAN.end, {}, {})
    assert (await lines.shown(0)).lines == SPAN.seconds
    # A short answer may be held back beside it, to be stored together with the cursor.
    assert PAGE_ROWS <= server.most_rows - before <= 1.5 * PAGE_ROWS + 2 * BATCH_ROWS
