"""Rows leave email_logs when their time leaves the window, whatever the server's clock shows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from cpanel_mail_exporter.exposition.count_lines import CountLines
from cpanel_mail_exporter.exposition.log_choice import LogChoice
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.model.outcome import EMAIL_LOGS
from cpanel_mail_exporter.model.query import EVENT_TYPES
from cpanel_mail_exporter.model.window import Rolling, Today, Window
from cpanel_mail_exporter.polling.deliveries import DeliveriesReading
from cpanel_mail_exporter.polling.poller import Poller, PollPlan
from cpanel_mail_exporter.polling.reading_terms import ReadingTerms
from cpanel_mail_exporter.polling.shown_rows import CountSink
from cpanel_mail_exporter.polling.sinks import LineSink
from tests.fake_clock import FakeClock
from tests.unit.exposition.blocks_read import lines
from tests.unit.exposition.records import delivery
from tests.unit.ledger.mail import MEANING
from tests.unit.polling.test_poller import FakeFindings, FakeServer, FakeToken

STEP_SECONDS, ROW_SECONDS = 600, 419
HOUR = 3_600
Kind = Literal["lines", "counts"]


@dataclass(frozen=True)
class Night:
    """A change of day."""

    zone: str
    midnight: datetime
    what: str


NIGHTS = [
    Night("Europe/Berlin", datetime(2026, 11, 22, tzinfo=ZoneInfo("Europe/Berlin")), "usual"),
    Night("Europe/Berlin", datetime(2026, 3, 29, 22, tzinfo=UTC), "after a day of 23 hours"),
    Night("Europe/Berlin", datetime(2026, 10, 25, 23, tzinfo=UTC), "after a day of 25 hours"),
    Night("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC), "before a day of 23 hours"),
    Night("America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC), "midnight doesn't exist"),
    Night("America/Havana", datetime(2026, 11, 1, 4, tzinfo=UTC), "midnight comes twice"),
]


def is_in_window(sent: int, now: int, window: Window, zone: ZoneInfo) -> bool:
    """By what a wall clock of the server shows, without arithmetic on midnights."""
    if isinstance(window, Rolling):
        return now - window.seconds <= sent <= now
    days = [datetime.fromtimestamp(instant, zone).date() for instant in (sent, now)]
    return sent <= now and days[0] == days[1]


@pytest.mark.parametrize("kind", ["lines", "counts"])
@pytest.mark.parametrize("window", [Today(), Rolling(5 * HOUR + 1)], ids=str)
@pytest.mark.parametrize("night", NIGHTS, ids=lambda night: night.what)
async def test_what_is_shown_is_what_was_sent_in_the_window(
    night: Night, window: Window, kind: Kind
) -> None:
    midnight = int(night.midnight.timestamp())
    zone = ZoneInfo(night.zone)
    clock = FakeClock(float(midnight - 2 * HOUR))
    server, findings = FakeServer(clock), FakeFindings()
    sink: LineSink | CountSink = LineSink(LogLines("email_logs", ()), EVENT_TYPES, 0)
    if kind == "counts":
        counted = CountLines("email_logs", (), ("type",))
        sink = CountSink(counted, LogChoice(EVENT_TYPES), 0)
    poller = Poller(
        PollPlan("web1", (EMAIL_LOGS,), {EMAIL_LOGS: window}, zone, STEP_SECONDS),
        server,
        FakeToken(),
        DeliveriesReading(ReadingTerms("web1", EVENT_TYPES, 86_400), server, None, sink),
        findings,
        clock,
        MEANING.provider,
    )
    times = range(midnight - 30 * HOUR, midnight + 5 * HOUR, ROW_SECONDS)
    ends = [midnight + offset for offset in (-1, 0, 1, 60, HOUR - 1, HOUR, HOUR + 1)]
    instants = range(midnight - 2 * HOUR, midnight + 4 * HOUR, STEP_SECONDS)
    polled = 0
    for now in sorted({*instants, *ends}):
        clock.pass_by(now - clock.now_unix())
        server.rows = [delivery(sent, msg_id=str(sent)) for sent in times if sent <= now]
        await poller.poll()
        expected = [sent for sent in times if is_in_window(sent, now, window, zone)]
        shown = findings.told[-1][2]
        assert shown is not None
        found = lines(shown)
        if kind == "counts":
            number = [f'email_logs{{type="success"}} {len(expected)}\n'] if expected else []
            assert found == number, now - midnight
            assert shown.wanted == len(number)
        else:
            assert [f'sendunixtime="{sent}"' for sent in expected] == [
                line[line.index("sendunixtime") : line.index(',size="')] for line in found
            ], now - midnight
        polled += 1
    assert polled > 36
