"""Queue, accounts and services of simulated servers, as they are; and what a token may not ask."""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cpanel_mail_exporter.app.exporter import Exporter
from cpanel_mail_exporter.app.ledgers import open_ledgers
from cpanel_mail_exporter.config.settings import ServerSettings, Settings, TokenSource
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.queue import AGES
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.web.ports import Health
from cpanel_mail_exporter.whm.client import open_session
from tests.fake_clock import FakeClock
from whm_simulator import app as simulator
from whm_simulator.mail.source import Mail
from whm_simulator.web.login import Login
from whm_simulator.world.settings import WorldSettings

NOW = 1_795_291_200  # 2026-11-21 20:00:00 UTC
WORLD = WorldSettings(seed="queue", accounts=30, rate_per_minute=6, history_seconds=86_400)
BESIDE = ("server_info", "services", "mail_queue", "accounts", "unique_recipients")
WITHOUT_PRIVILEGE = {"services", "mail_queue", "accounts", "unique_recipients"}


@dataclass
class Run:
    """One exporter that polled one simulated server once; `stop` ends the server."""

    exporter: Exporter
    mail: Mail
    clock: FakeClock
    stop: Callable[[], Awaitable[None]]

    def samples(self, server: str = "web1") -> dict[str, dict[tuple[str, ...], float]]:
        """Values by the labels' values, without the server's, of each sample name."""
        self.exporter.board.build()
        publication = self.exporter.board.of_server(server)
        assert publication is not None
        body = publication.body(Format.TEXT, compressed=False)
        text = b"".join(bytes(part) for part in body.open()).decode()
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(value for name, value in sample.labels.items() if name != "server")
                found.setdefault(sample.name, {})[labels] = sample.value
        return found


@asynccontextmanager
async def polled(quirks: Iterable[str] = (), login: Login | None = None) -> AsyncIterator[Run]:
    clock = FakeClock(NOW)
    plays = simulator.Settings(
        world=WORLD, quirks=tuple(quirks), logins=(login,) if login is not None else ()
    )
    async with AsyncExitStack() as stack, open_session(user_agent="test") as session:
        whm = await stack.enter_async_context(simulator.Simulator(plays, clock.now_unix))
        (server,) = whm.servers
        token = server.logins[0].token if login is not None else server.token
        settings = Settings(
            servers=(
                ServerSettings(
                    name="web1",
                    endpoint=Endpoint("http", "127.0.0.1", int(server.endpoint.split(":")[-1])),
                    token=TokenSource(Secret(token)),
                    timezone=whm.sites["web1"].mail.zone,
                    user=login.user if login is not None else "root",
                ),
            ),
            server_label=True,
        )
        ledgers = open_ledgers(settings, once=True)
        exporter = Exporter(settings, session, clock, ledgers)
        try:
            for poller in exporter.pollers:
                await poller.poll()
            yield Run(exporter, whm.sites["web1"].mail, clock, stack.aclose)
        finally:
            ledgers.close()


QUIRKS = {
    "as documented": (),
    "odd": ("numbers=strings", "empty=absent", "bounce-sender=null", "version-shape=legacy"),
}


@pytest.mark.parametrize("quirks", QUIRKS.values(), ids=QUIRKS)
async def test_what_is_shown_is_what_the_server_has(quirks: tuple[str, ...]) -> None:
    async with polled(quirks) as run:
        found = run.samples()
        queue = run.mail.queue(NOW)
        cards = run.mail.accounts(NOW)
    assert len(queue) > 20
    prefix = "cpanel_mail_queue_"
    frozen = sum(message.is_frozen for message in queue)
    assert found[prefix + "messages"] == {
        ("active",): len(queue) - frozen,
        ("frozen",): frozen,
    }
    assert found[prefix + "bytes"] == {(): sum(message.size for message in queue)}
    assert found[prefix + "bounce_messages"] == {(): sum(not m.sender for m in queue)}
    oldest = min(message.time_unix for message in queue)
    assert found[prefix + "oldest_message_timestamp_seconds"] == {(): oldest}
    assert found[prefix + "older_messages"] == {
        (name,): sum(NOW - message.time_unix > age for message in queue)
        for name, age in AGES.items()
    }
    recipients = sum(len(message.recipients) for message in queue)
    assert sum(found[prefix + "recipients"].values()) == recipients
    users = Counter(message.user or "" for message in queue)
    assert found[prefix + "user_messages"] == {(user,): n for user, n in users.items()}
    limits = {(card.user,): card.max_email_per_hour for card in cards if card.max_email_per_hour}
    assert found.get("cpanel_mail_account_hourly_limit_messages", {}) == limits
    assert sum(found["cpanel_mail_accounts"].values()) == len(cards)
    assert found["cpanel_mail_account_unique_recipients"]
    assert found["cpanel_mail_service_running"] == {("exim",): 1, ("tailwatchd",): 1}
    assert found["cpanel_mail_server_info"] == {("web1.example.net", "11.138.0.6"): 1}
    assert set(found["cpanel_mail_collector_supported"].values()) == {1}
    assert set(found["cpanel_mail_collector_success"].values()) == {1}


@pytest.mark.parametrize("refusal", ["result_0", "403"])
async def test_a_token_that_may_only_ask_about_deliveries_gets_a_clean_run(
    refusal: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One line that names what is switched off; all else goes on, and nothing counts as failed."""
    caplog.set_level(logging.INFO, "cpanel_mail_exporter")
    reseller = Login("reseller1", ("track-email",))
    async with polled([f"lacking-acl={refusal}"], reseller) as run:
        for _ in range(3):
            run.clock.pass_by(60)
            for poller in run.exporter.pollers:
                await poller.poll()
        found = run.samples()
        (view,) = run.exporter.views()
        succeeded = run.exporter.all_succeeded()
    (line,) = [r.getMessage() for r in caplog.records if r.name.startswith("cpanel_mail_exporter")]
    assert line.startswith(
        "web1: switched off: services (servicestatus), mail_queue (fetch_mail_queue), "
        "accounts (listaccts), unique_recipients (get_unique_sender_recipient_count_per_user): "
    )
    assert found["cpanel_mail_up"] == {(): 1}
    assert found["cpanel_mail_collector_supported"] == {
        (name,): float(name not in WITHOUT_PRIVILEGE)
        for name in ("user_stats", "delivery_events", "email_logs", *BESIDE)
    }
    asked = found["cpanel_mail_polls_total"]
    assert {asked[name,] for name in WITHOUT_PRIVILEGE} == {1}
    assert asked["user_stats",] == 4
    assert "email_user_stats" in found
    assert found["cpanel_mail_server_info"]
    shown = {name for name in found if name.startswith(("cpanel_mail_queue", "cpanel_mail_serv"))}
    assert shown == {"cpanel_mail_server_info", "cpanel_mail_server_behaviour_info"}
    assert succeeded
    assert view.health is Health.GOOD
    assert "; switched off, since WHM refuses them: services, mail_queue" in view.state
    states = dict(view.collectors)
    assert {name for name, state in states.items() if state.startswith("switched off")} == (
        WITHOUT_PRIVILEGE
    )


async def test_a_server_that_is_gone_does_not_show_an_empty_queue() -> None:
    async with polled() as run:
        before = run.samples()
        await run.stop()
        run.clock.pass_by(60)
        await run.exporter.pollers[0].poll()
        after = run.samples()
        run.clock.pass_by(300)
        stale = run.samples()
    queue = "cpanel_mail_queue_messages"
    assert after[queue] == before[queue]
    assert queue not in stale
    assert after["cpanel_mail_up"] == {(): 0}
