"""Hours pass in seconds: the exporter and the simulator are driven by one clock."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from prometheus_client.parser import text_string_to_metric_families

from cpanel_mail_exporter.app.exporter import Exporter
from cpanel_mail_exporter.config.settings import (
    ServerSettings,
    Settings,
    TlsSettings,
    TokenSource,
)
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.polling.fleet import run_fleet
from cpanel_mail_exporter.whm.client import open_session
from tests.fake_clock import FakeClock
from whm_simulator import app as simulator
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Span
from whm_simulator.world.stream import WorldSettings

EVENING = 1_795_291_200  # 2026-11-21 20:00:00 UTC
MIDNIGHT = 1_795_305_600
NIGHT = MIDNIGHT + 3 * 3600 + 17
POLL_SECONDS = 600
STATS = {"success": "success_count", "failure": "fail_count", "defer": "defer_count"}


def server_settings(server: simulator.Server) -> ServerSettings:
    port = int(server.endpoint.rpartition(":")[2])
    assert server.ca_file is not None
    return ServerSettings(
        name=server.name,
        endpoint=Endpoint("https", "127.0.0.1", port),
        token=TokenSource(Secret(server.token)),
        timezone=ZoneInfo("UTC"),
        tls=TlsSettings(ca_file=Path(server.ca_file)),
    )


def exposition(exporter: Exporter) -> str:
    exporter.board.build()
    body = exporter.board.everything().body(Format.TEXT, compressed=False)
    return b"".join(bytes(part) for part in body.open()).decode()


async def test_after_a_night_of_polls_both_families_are_what_really_happened() -> None:
    """The window `today` has begun anew meanwhile, and nothing of the evening is left."""
    clock = FakeClock(EVENING)
    world = WorldSettings(seed="night", rate_per_minute=2, history_seconds=86_400)
    plays = simulator.Settings(servers=2, has_tls=True, world=world)
    async with (
        simulator.Simulator(plays, clock.now_unix) as whm,
        open_session(user_agent="test") as session,
    ):
        settings = Settings(
            servers=tuple(map(server_settings, whm.servers)),
            server_label=True,
            poll_interval_seconds=POLL_SECONDS,
        )
        exporter = Exporter(settings, session, clock)
        polls = asyncio.create_task(run_fleet(exporter.pollers))
        await clock.advance(NIGHT - EVENING, sleepers=2)
        polls.cancel()
        with suppress(asyncio.CancelledError):
            await polls
        for poller in exporter.pollers:
            await poller.poll()
        families = {
            family.name: family.samples
            for family in text_string_to_metric_families(exposition(exporter))
        }
        rows = {
            name: site.mail.rows(NIGHT, Span(MIDNIGHT, NIGHT)) for name, site in whm.sites.items()
        }
    polled = {
        (sample.labels["server"], sample.labels["collector"]): sample.value
        for sample in families["cpanel_mail_polls"]
    }
    least = (NIGHT - EVENING) // POLL_SECONDS
    assert set(polled) == {(f"web{n}", c) for n in (1, 2) for c in ("email_logs", "user_stats")}
    assert all(value >= least for value in polled.values())
    assert all(sample.value == 0 for sample in families["cpanel_mail_poll_failures"])
    for name, real in rows.items():
        shown = [s.labels for s in families["email_logs"] if s.labels["server"] == name]
        keys = [(row["msg_id"], row["recipient"], row["type"], row["time"]) for row in shown]
        assert sorted(keys) == sorted(set(map(key_of, settled(real))))
        for kind, stat in STATS.items():
            counts = {
                s.labels["user"]: s.value
                for s in families["email_user_stats"]
                if s.labels["server"] == name and s.labels["stat_type"] == stat
            }
            expected = dict.fromkeys({row.user for row in real}, 0)
            for row in real:
                expected[row.user] += row.type == kind
            assert counts == expected


def settled(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.type != "inprogress"]


def key_of(row: Row) -> tuple[str, str, str, str]:
    assert row.actionunixtime is not None
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row.actionunixtime))
    return row.msgid, row.recipient, row.type, at
