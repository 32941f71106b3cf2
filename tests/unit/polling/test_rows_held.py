"""How many rows a long reading holds at a time: memory follows the page, never the window."""

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


class Counted(DeliveryRecord):
    """A record that is counted as long as anybody holds it."""

    there = 0

    def __del__(self) -> None:
        Counted.there -= 1


def counted(record: DeliveryRecord) -> Counted:
    """The same record, counted."""
    Counted.there += 1
    return Counted._make(record)


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
                [
                    counted(row("gmail", "success", each, each, msg_id=f"id-{each}"))
                    for each in seconds
                ]
            )
            self.most_rows = max(self.most_rows, Counted.there)
        return AnswerEnd()


async def most_rows_of(span: Slice, *, counts: bool) -> int:
    """The most rows there were while *span* was read into lines and, maybe, a ledger."""
    Counted.there = 0
    server = Pages()
    events = None
    if counts:
        events = EventSink(Ledger("web1", MemoryStore(), MEANING), counts_past=True)
        await events.begin(span.end)
    lines = LineSink(LogLines("email_logs", ()), EVENT_TYPES, 0)
    intake = Intake("web1", EVENT_TYPES, server, events, lines)
    intake.memory.full_page = PAGE_ROWS
    intake.visit = Visit(span.end)
    assert await intake.read(span, Facts()) == 0
    if events is not None:
        await events.finish(span.end, {}, {})
    assert (await lines.shown(0)).lines == span.seconds
    return server.most_rows


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_state, "PAGE_ROWS", PAGE_ROWS)


@pytest.mark.parametrize("counts", [True, False])
async def test_one_page_of_rows_is_held_however_many_there_are(counts: bool) -> None:
    rows = await most_rows_of(SPAN, counts=counts)
    # A short answer may be held back beside it, to be stored together with the cursor.
    assert PAGE_ROWS <= rows <= 1.5 * PAGE_ROWS + 2 * BATCH_ROWS


async def test_rows_that_are_asked_for_again_in_pieces_are_not_held_meanwhile() -> None:
    """So round a number looks like a silent cap, and so does that of its half."""
    rows = await most_rows_of(Slice(SPAN.start, SPAN.start + 1_900), counts=False)
    assert 1_900 <= rows <= 1_900 + 2 * BATCH_ROWS
