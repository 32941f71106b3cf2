"""Hours pass in seconds: the exporter and the simulator are driven by one clock."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from cpanel_mail_exporter.app.exporter import Exporter
from cpanel_mail_exporter.app.ledgers import open_ledgers
from cpanel_mail_exporter.config.settings import (
    DeliveryEventsSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    TlsSettings,
    TokenSource,
)
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.outcome import COLLECTORS, SERVER_INFO
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


def families_of(exporter: Exporter) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(exposition(exporter))}


@asynccontextmanager
async def an_exporter(
    settings: Settings, session: aiohttp.ClientSession, clock: FakeClock
) -> AsyncIterator[Exporter]:
    """One process of it; the next one takes over what it stored."""
    ledgers = open_ledgers(settings)
    try:
        yield Exporter(settings, session, clock, ledgers)
    finally:
        ledgers.close()


async def polled_until(exporter: Exporter, clock: FakeClock, end_unix: float) -> None:
    """Hours pass, and a last poll is made at their end."""
    polls = asyncio.create_task(run_fleet(exporter.pollers))
    await clock.advance(end_unix - clock.now_unix(), sleepers=len(exporter.pollers))
    polls.cancel()
    with suppress(asyncio.CancelledError):
        await polls
    for poller in exporter.pollers:
        await poller.poll()


def settings_for(
    whm: simulator.Simulator, storage: Path, poll_seconds: float, *, backfill: bool = False
) -> Settings:
    return Settings(
        servers=tuple(map(server_settings, whm.servers)),
        server_label=True,
        poll_interval_seconds=poll_seconds,
        delivery_events=DeliveryEventsSettings(backfill=backfill, look_back_seconds=86_400),
        storage=StorageSettings(storage, "storage.path"),
    )


async def test_after_a_night_of_polls_both_families_are_what_really_happened(
    tmp_path: Path,
) -> None:
    """The window `today` has begun anew meanwhile, and nothing of the evening is left."""
    clock = FakeClock(EVENING)
    world = WorldSettings(seed="night", rate_per_minute=2, history_seconds=86_400)
    plays = simulator.Settings(servers=2, has_tls=True, world=world)
    async with (
        simulator.Simulator(plays, clock.now_unix) as whm,
        open_session(user_agent="test") as session,
        an_exporter(settings_for(whm, tmp_path, POLL_SECONDS), session, clock) as exporter,
    ):
        await polled_until(exporter, clock, NIGHT)
        families = {name: family.samples for name, family in families_of(exporter).items()}
        rows = {
            name: site.mail.rows(NIGHT, Span(MIDNIGHT, NIGHT)) for name, site in whm.sites.items()
        }
    polled = {
        (sample.labels["server"], sample.labels["collector"]): sample.value
        for sample in families["cpanel_mail_polls"]
    }
    least = dict.fromkeys(COLLECTORS, (NIGHT - EVENING) // POLL_SECONDS)
    least[SERVER_INFO] = (NIGHT - EVENING) // 3_600
    assert set(polled) == {(f"web{n}", collector) for n in (1, 2) for collector in COLLECTORS}
    assert all(value >= least[collector] for (_, collector), value in polled.items())
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


SERVERS: Mapping[str, tuple[str, ...]] = {
    "web1": (),
    "web2": ("cap=20", "numbers=strings", "empty=absent"),
    "web3": ("totals-go-by=action", "range-ends=excluded", "chunk-limit=25"),
    "web4": ("ignored=filter,sort",),
    "web5": ("clock-offset=-7m", "range-ends=excluded"),
}
"""Quirks of each server; filters on action time work or don't matter, so that nothing lags."""


@pytest.mark.parametrize(("servers", "backfill"), [(5, False), (1, True)])
async def test_counters_are_what_really_happened_though_the_exporter_was_restarted(
    tmp_path: Path, servers: int, backfill: bool
) -> None:
    """Three times in the evening: it goes on at once, or was away for two hours."""
    clock = FakeClock(EVENING)
    world = WorldSettings(seed="counted", rate_per_minute=1, history_seconds=86_400)
    names = list(SERVERS)[:servers]
    quirks = tuple(f"{name}:{text}" for name in names for text in SERVERS[name])
    plays = simulator.Settings(
        servers=servers, has_tls=True, world=world, quirks=quirks, age_seconds=3 * 3_600
    )
    async with (
        simulator.Simulator(plays, clock.now_unix) as whm,
        open_session(user_agent="test") as session,
    ):
        settings = settings_for(whm, tmp_path, POLL_SECONDS, backfill=backfill)
        for begin, end in (
            (EVENING, EVENING + 3_600),
            (EVENING + 3_600, EVENING + 2 * 3_600),
            (EVENING + 4 * 3_600, EVENING + 5 * 3_600 + 17),
        ):
            clock.pass_by(begin - clock.now_unix())
            async with an_exporter(settings, session, clock) as exporter:
                await polled_until(exporter, clock, end)
        # Once more, at once; what was missed is read a slice a poll.
        async with an_exporter(settings, session, clock) as exporter:
            for _ in range(8):
                for poller in exporter.pollers:
                    await poller.poll()
            families = families_of(exporter)
        since = dict.fromkeys(names, 0.0)
        for sample in families["cpanel_mail_counting_since_timestamp_seconds"].samples:
            since[sample.labels["server"]] = sample.value
        now = int(clock.now_unix())
        truth = {}
        for name, site in whm.sites.items():
            offset = -420 if name == "web5" else 0
            truth[name] = settled(site.mail.rows(now + offset, None))
    for name, real in truth.items():
        counted = [row for row in real if (row.actionunixtime or 0) >= since[name]]
        assert len(counted) > 60
        assert by_outcome(families, name) == Counter(row.type for row in counted), name
        assert by_user(families, name) == Counter(
            (row.user, row.domain, row.type) for row in counted
        ), name
        assert (since[name] == 0) is backfill
    backlog = [sample.value for sample in families["cpanel_mail_backlog_slices"].samples]
    assert backlog == [0] * servers


def by_outcome(families: Mapping[str, Metric], server: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    for sample in families["cpanel_mail_delivery_events"].samples:
        if sample.labels["server"] == server and sample.name.endswith("_total"):
            counts[sample.labels["outcome"]] += int(sample.value)
    return +counts


def by_user(families: Mapping[str, Metric], server: str) -> Counter[tuple[str, str, str]]:
    counts: Counter[tuple[str, str, str]] = Counter()
    for sample in families["cpanel_mail_user_delivery_events"].samples:
        labels = sample.labels
        if labels["server"] == server and sample.name.endswith("_total"):
            counts[labels["user"], labels["domain"], labels["outcome"]] += int(sample.value)
    return +counts


def settled(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.type != "inprogress"]


def key_of(row: Row) -> tuple[str, str, str, str]:
    assert row.actionunixtime is not None
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(row.actionunixtime))
    return row.msgid, row.recipient, row.type, at
