"""Whoever scrapes gets every line, by the gzip body as by the plain one.

A gzip body that is spliced of stored blocks is where clients differ: some fail on what others read,
and some stop after the first of several members without saying so.
"""

import asyncio
import gzip
import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest
import requests

from cpanel_mail_exporter.clock import SystemClock
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.model.deliveries import ActionFilter, DeliveriesState, GoesBy
from cpanel_mail_exporter.model.outcome import DELIVERY_EVENTS, EMAIL_LOGS, USER_STATS
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.e2e.programs import Prometheus, free_port, program, prometheus, running, wait_for
from tests.e2e.serving import served
from tests.unit.exposition.records import delivery, obvious_line
from tests.unit.ledger.mail import MEANING
from tests.unit.ledger.mail import row as mail
from tests.unit.publishing.boards import board, log_blocks, poll, stat, terms

pytestmark = pytest.mark.e2e

LINES = 20_000
MANY_LINES = 100_000
LONG_SECONDS = 120.0
START = 1_795_250_000
TYPES = ("success", "success", "success", "defer", "failure")
ODD = (
    'refused: "no such user" \\ here',
    "two\nlines",
    "ends in \\",
    "\u2028 \u0085 \x1c \x00 \r",
    "gr\u00fc\u00dfe \U0001f600",
    "# EOF",
)


def records(count: int) -> list[DeliveryRecord]:
    """Mail of many domains, about 700 bytes a line, a third of it with texts that need care."""
    return [
        delivery(
            START + number // 7,
            START + number // 7 + number % 40,
            msg_id=f"1vK{number:06x}-{number * 7919 % 99991:06}-1a",
            domain=f"customer{number % 97}.example.com",
            type=TYPES[number % 5],
            recipient=f"reader{number}@example.net",
            message=ODD[number // 3 % len(ODD)] if number % 3 == 0 else "Accepted " + "x" * 120,
        )
        for number in range(count)
    ]


def full_board(rows: list[DeliveryRecord]) -> Board:
    """One server with *rows* as email_logs, figures of 500 users, and counted events."""
    clock = SystemClock()
    ledger = Ledger("web1", MemoryStore(), MEANING, LedgerTerms(birth_delay_seconds=None))
    now = int(clock.now_unix())
    ledger.begin(now - 100)
    ledger.learn([mail("gmail", "success", now - 50, now - 10, msg_id="1vKabc-000001-2b")], now)
    one = board(
        clock,
        terms(collectors=(USER_STATS, EMAIL_LOGS, DELIVERY_EVENTS), max_series=0, exemplars=True),
        ledgers={"web1": ledger},
    )
    users = [stat(user=f"user{n}", counts={"send_count": n, "defer_count": 1}) for n in range(500)]
    state = DeliveriesState(totals_go_by=GoesBy.SENT, action_filter=ActionFilter.WORKS)
    logs = log_blocks(rows, one.servers[0].terms.labels)
    poll(one.servers[0], clock.now_unix(), user_stats=users, email_logs=logs, delivery_events=state)
    one.build()
    return one


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(full_board(records(LINES))) as at:
        yield at


Client = Callable[[str, str], bytes]


def by_curl(url: str, accept: str) -> bytes:
    command = (program("curl"), "--silent", "--show-error", "--fail", "--globoff", "--compressed")
    return subprocess.run(
        [*command, "--header", f"Accept: {accept}", url], capture_output=True, check=True
    ).stdout


def by_httpx(url: str, accept: str) -> bytes:
    with httpx.Client(trust_env=False) as client:
        answer = client.get(url, headers={"Accept": accept, "Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip"
        return answer.raise_for_status().content


def by_requests(url: str, accept: str) -> bytes:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(url, headers={"Accept": accept}, timeout=60)
        answer.raise_for_status()
        assert answer.headers["Content-Encoding"] == "gzip"
        return answer.content


def by_aiohttp(url: str, accept: str) -> bytes:
    async def scrape() -> bytes:
        headers = {"Accept": accept, "Accept-Encoding": "gzip"}
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(url, headers=headers) as answer,
        ):
            assert answer.headers["Content-Encoding"] == "gzip"
            return await answer.read()

    return asyncio.run(scrape())


def as_sent(url: str, accept: str, encoding: str = "gzip") -> bytes:
    headers = {"Accept": accept, "Accept-Encoding": encoding}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=60) as answer:
        assert answer.headers["Content-Encoding"] == (None if encoding == "identity" else encoding)
        body = answer.read()
        assert len(body) == int(answer.headers["Content-Length"])
        return body


def by_pythons_gzip(url: str, accept: str) -> bytes:
    return gzip.decompress(as_sent(url, accept))


def by_the_gzip_program(url: str, accept: str) -> bytes:
    done = subprocess.run(
        [program("gzip"), "-dc"], input=as_sent(url, accept), capture_output=True, check=True
    )
    assert done.stderr == b""
    return done.stdout


CLIENTS = [by_curl, by_httpx, by_requests, by_aiohttp, by_pythons_gzip, by_the_gzip_program]


@pytest.mark.parametrize("path", ["/metrics", "/probe?target=web1", "/metrics?name[]=email_logs"])
@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("client", CLIENTS)
def test_the_gzip_body_is_whole_and_equal_to_the_plain_one(
    address: str, client: Client, form: Format, path: str
) -> None:
    url = f"http://{address}{path}"
    body = client(url, form.value)
    assert body == as_sent(url, form.value, "identity")
    assert body.count(b"\nemail_logs{") == LINES
    assert body.endswith(b"# EOF\n") == (form is Format.OPENMETRICS)


def test_every_line_is_the_one_an_obvious_renderer_writes(address: str) -> None:
    body = by_pythons_gzip(f"http://{address}/metrics", Format.TEXT.value).decode()
    lines = [line + "\n" for line in body.split("\n") if line.startswith("email_logs{")]
    wanted = [obvious_line(record, (("server", "web1"),)) for record in records(LINES)]
    assert Counter(lines) == Counter(wanted)


# So many new series take a server some seconds, and it must be asked before the next scrape.
CONFIG = """
global: {scrape_interval: 20s, scrape_timeout: 20s}
scrape_configs:
- job_name: exporter
  static_configs: [{targets: ["%s"]}]
"""


@pytest.mark.timeout(300)
def test_prometheus_ingests_100_000_series_with_equal_counts_and_sums(tmp_path: Path) -> None:
    program("prometheus")
    rows = records(MANY_LINES)
    with (
        served(full_board(rows)) as address,
        prometheus(tmp_path, CONFIG % address, "--enable-feature=exemplar-storage") as server,
    ):
        wait_for(lambda: scraped(server), "a scrape", LONG_SECONDS)
        # A target counts as scraped before its samples are stored.
        wait_for(lambda: number(server.query, "count(email_logs)"), "the samples", LONG_SECONDS)
        holds_all(server.query, rows)
        assert server.query("scrape_samples_scraped")[0]["value"][1] == str(samples_at(address))
        # It asks for OpenMetrics, and takes the message that a bucket names.
        exemplars = server.exemplars("cpanel_mail_time_to_deliver_seconds_bucket")
        assert {one["labels"]["message_id"] for found in exemplars for one in found} == {
            "1vKabc-000001-2b"
        }


@pytest.mark.timeout(300)
def test_victoria_metrics_ingests_100_000_series_with_equal_counts_and_sums(
    tmp_path: Path,
) -> None:
    binary = program("victoria-metrics")
    rows = records(MANY_LINES)
    port = free_port()
    with served(full_board(rows)) as address:
        config = tmp_path / "scrape.yml"
        config.write_text(CONFIG % address)
        command = (
            *(binary, f"-promscrape.config={config}", f"-storageDataPath={tmp_path / 'data'}"),
            *(f"-httpListenAddr=127.0.0.1:{port}", "-search.latencyOffset=0s"),
            *("-promscrape.maxScrapeSize=256MB", "-memory.allowedBytes=256MB"),
            *("-search.maxUniqueTimeseries=1000000", "-loggerLevel=ERROR"),
        )
        with running(*command, log=tmp_path / "log") as process:

            def query(expression: str) -> list[dict[str, Any]]:
                assert process.poll() is None, (tmp_path / "log").read_text()
                asked = urllib.parse.urlencode({"query": expression, "nocache": "1"})
                url = f"http://127.0.0.1:{port}/api/v1/query?{asked}"
                try:
                    with urllib.request.urlopen(url, timeout=30) as answer:
                        return list(json.load(answer)["data"]["result"])
                except OSError:
                    return []

            def holds_some() -> bool:
                found = query('sum(scrape_samples_scraped{job="exporter"})')
                return bool(found) and found[0]["value"][1] != "0"

            wait_for(holds_some, "a scrape", LONG_SECONDS)
            # The last of what was scraped becomes searchable a moment later.
            wait_for(
                lambda: number(query, "count(email_logs)") == len(rows), "all series", LONG_SECONDS
            )
            holds_all(query, rows)


def holds_all(query: Callable[[str], list[dict[str, Any]]], rows: list[DeliveryRecord]) -> None:
    """Equal counts and sums, as a whole and by two labels."""
    assert number(query, "count(email_logs)") == number(query, "sum(email_logs)") == len(rows)
    for label in ("type", "domain"):
        found = query(f"sum by ({label}) (email_logs)")
        counts = {one["metric"][label]: int(one["value"][1]) for one in found}
        assert counts == Counter(getattr(row, label) for row in rows)
    users = 500
    assert number(query, 'sum(email_user_stats{stat_type="send_count"})') == sum(range(users))
    assert number(query, 'count(email_user_stats{stat_type="send_count"})') == users


def number(query: Callable[[str], list[dict[str, Any]]], expression: str) -> float | None:
    found = query(expression)
    return float(found[0]["value"][1]) if found else None


def scraped(server: Prometheus) -> bool:
    targets = server.targets()
    assert [target["lastError"] for target in targets if target["lastError"]] == []
    return [target["health"] for target in targets] == ["up"]


def samples_at(address: str) -> int:
    body = as_sent(f"http://{address}/metrics", Format.OPENMETRICS.value, "identity")
    return len(re.findall(rb"(?m)^[a-z_]", body))
