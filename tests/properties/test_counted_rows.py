"""However polls, failures, restarts and mail fall together, series count the rows there are."""

import asyncio
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition.count_lines import CountLines
from cpanel_mail_exporter.exposition.log_choice import LogChoice
from cpanel_mail_exporter.ledger.direction import direction
from cpanel_mail_exporter.model.errors import ApiRefused
from cpanel_mail_exporter.model.query import EVENT_TYPES, Instant
from cpanel_mail_exporter.polling.deliveries import DeliveriesReading
from cpanel_mail_exporter.polling.shown_rows import CountSink
from cpanel_mail_exporter.polling.sinks import EventSink
from tests.fake_clock import FakeClock
from tests.properties.test_deliveries import (
    MAIL,
    QUIRKS,
    START,
    STEPS,
    WINDOW,
    Step,
    read_all,
)
from tests.unit.ledger.mail import Happened, row
from tests.unit.polling.living_server import LivingServer
from tests.unit.polling.visits import Visits

LINES = CountLines("email_logs", (), ("recipient", "type"))


class CountingVisits(Visits):
    """Visits to a server whose outbound rows are counted by recipient and type."""

    def restart(self) -> None:
        super().restart()
        events = EventSink(self.ledger, counts_past=self._backfill)
        choice = LogChoice(EVENT_TYPES, directions=frozenset({"outbound"}))
        sink = CountSink(LINES, choice, 0)
        self.reading = DeliveriesReading(self._terms, self.server, events, sink)

    def true_lines(self) -> Counter[str] | None:
        assert self.window_seconds is not None
        start = int(self.clock.now_unix() + self._skew) - self.window_seconds
        if self.server.quirks.get("ignores_filters"):
            start = 0  # whatever a server answers is shown
        records = [event.record for event in self.server.seen(first=start)]
        counts = Counter(
            f'email_logs{{recipient="{record.recipient}",type="{record.type}"}}'
            for record in records
            if direction(record) == "outbound"
        )
        return Counter([f"{series} {count}\n" for series, count in counts.items()])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    happenings=MAIL,
    steps=st.lists(STEPS, max_size=12),
    quirks=QUIRKS,
    totals=st.sampled_from([None, Instant.SENT, Instant.SENT, Instant.ACTED]),
    ahead_seconds=st.sampled_from([0, -400, 3_000]),
)
def test_in_the_end_each_series_counts_the_rows_there_are(
    happenings: list[Happened],
    steps: list[Step],
    quirks: dict[str, Any],
    totals: Instant | None,
    ahead_seconds: int,
) -> None:
    server = LivingServer(FakeClock(START - ahead_seconds), ahead_seconds, quirks=quirks)
    if totals is None:
        server.totals_error = ApiRefused("web1", "emailtrack_stats", "no such function")
    else:
        server.totals_by = totals
    asyncio.run(read_all(server, happenings, steps, CountingVisits))


def test_rows_that_are_found_again_and_again_by_their_action_time_count_once() -> None:
    """Old mail is retried; polls overlap, and read by action time what reading by send time has."""

    async def go() -> None:
        server = LivingServer(FakeClock(float(START)))
        server.happen(
            Happened("gmail", attempt, attempt.action_unix or 0)
            for sent in range(START - 3_000, START + 3_000, 97)
            for kind, wait in (("defer", 5), ("defer", 400), ("success", 1_900))
            for attempt in [row("gmail", kind, sent, sent + wait, msg_id=f"{sent}-0")]
        )
        visits = CountingVisits(server, window_seconds=WINDOW, look_back_seconds=86_400)
        for _ in range(60):
            await visits.poll()
            assert visits.shown() == visits.true_lines()
        by_action = [asked for asked in server.searches() if asked.by is Instant.ACTED]
        assert sum(asked.rows for asked in by_action) > 200

    asyncio.run(go())
