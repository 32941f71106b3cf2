"""What counting costs: a quiet poll, learning, memory at rest, starting, and a thousand servers.

The server is played in the same process, without HTTP, so that what is measured is the exporter's
own work, and mail is made as it is asked for. Each part that measures memory runs in a process of
its own.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from benchmarks.whm_rows import row as json_row
from cpanel_mail_exporter.app.meaning import build_meaning
from cpanel_mail_exporter.app.process import collect_garbage_seldom
from cpanel_mail_exporter.ledger.ledger import Ledger
from cpanel_mail_exporter.model.query import (
    EVENT_TYPES,
    AnswerEnd,
    Instant,
    SearchQuery,
    Totals,
    TotalsAnswer,
)
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord
from cpanel_mail_exporter.polling.deliveries import DeliveriesReading
from cpanel_mail_exporter.polling.reading_terms import Moment, ReadingTerms
from cpanel_mail_exporter.polling.sinks import EventSink
from cpanel_mail_exporter.storage.folder import StorageFolder
from cpanel_mail_exporter.whm.decode import delivery_rows
from cpanel_mail_exporter.whm.stream import RowStream

RESULTS = Path(__file__).parent / "results"
MEANING = build_meaning()
NOW_UNIX = 1_795_252_447
LOOK_BACK_SECONDS = 5 * 86_400
QUIET_SECONDS = 7_200
LATE_EVERY = 50
UNLEARNED_EVENTS = 100_000
_LATE_SECONDS = 900
_PROMPT_SECONDS = 7
GOAL_EVENTS_PER_SECOND = 50_000
GOAL_BYTES = 60_000_000
PAGE_ROWS = 4_000
POLLS_OF_AN_HOUR = 60
_CHUNK_BYTES = 64 * 1024


@dataclass
class QuietServer:
    """A WHM whose *events* were sent evenly over the look-back, and nothing in the last hours.

    Args:
        late_every: one event of so many was acted on a quarter of an hour after it was sent; with 0
            there is none, and so no row from which can be learned what totals go by.
    """

    events: int
    late_every: int = LATE_EVERY
    now_unix: int = NOW_UNIX
    requests: int = 0
    rows_sent: int = 0
    first_unix: int = field(init=False)
    last_unix: int = field(init=False)

    def __post_init__(self) -> None:
        self.first_unix = self.now_unix - LOOK_BACK_SECONDS + 3_600
        self.last_unix = self.now_unix - QUIET_SECONDS

    def sent(self, number: int) -> int:
        return self.first_unix + number * (self.last_unix - self.first_unix) // self.events

    def acted(self, number: int) -> int:
        is_late = self.late_every > 0 and number % self.late_every == 0
        return self.sent(number) + (_LATE_SECONDS if is_late else _PROMPT_SECONDS)

    def sent_within(self, start_unix: int, end_unix: int) -> range:
        """The numbers of events sent from *start_unix* on and before *end_unix*."""
        numbers = range(self.events)
        first, last = (
            bisect_left(numbers, instant, key=self.sent) for instant in (start_unix, end_unix)
        )
        return range(first, last)

    def acted_within(self, start_unix: int, end_unix: int) -> list[int]:
        near = self.sent_within(start_unix - _LATE_SECONDS, end_unix)
        return [number for number in near if start_unix <= self.acted(number) < end_unix]

    async def totals(self, start_unix: int, end_unix: int) -> TotalsAnswer:
        self.requests += 1
        count = len(self.sent_within(start_unix, end_unix + 1))
        return TotalsAnswer(Totals(count, count, size_bytes=count * 20_000), AnswerEnd())

    async def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], Awaitable[None]]
    ) -> AnswerEnd:
        self.requests += 1
        span = query.span
        found: Sequence[int] = self.sent_within(span.start, span.end)
        if query.by is Instant.ACTED:
            found = self.acted_within(span.start, span.end)
        page = found[query.first_row - 1 :][: query.page_rows]
        self.rows_sent += len(page)
        await receive([record(each, self.sent(each), self.acted(each)) for each in page])
        return AnswerEnd()


def record(number: int, sent: int, acted: int) -> DeliveryRecord:
    """A success of an account to a recipient elsewhere."""
    values = dict.fromkeys(DELIVERY_LABELS, "")
    values |= {
        "domain": f"shop{number % 97}.example.com",
        "host": "mx1.example.net",
        "ip": "192.0.2.25",
        "msg_id": f"1wtYVW-{number:011d}-3Ryp",
        "recipient": f"reader{number}@example.net",
        "size": "27356",
        "transport": "dkim_remote_smtp",
        "transport_is_remote": "1",
        "type": "success",
        "user": f"account{number % 97}",
    }
    return DeliveryRecord(*values.values(), sent, acted)


def moment(server: QuietServer) -> Moment:
    return Moment(
        exporter_unix=lambda: server.now_unix,
        server_unix=lambda _: server.now_unix,
        window_start=None,
        has_time=lambda: True,
    )


def reading(server: QuietServer, name: str, ledger: Ledger) -> DeliveriesReading:
    terms = ReadingTerms(name, EVENT_TYPES, LOOK_BACK_SECONDS)
    return DeliveriesReading(terms, server, EventSink(ledger, counts_past=True), None)  # type: ignore[arg-type]


async def filled(server: QuietServer, polls: DeliveriesReading) -> None:
    """Poll until the backlog is read, and for an hour more: every range has been asked about."""
    hour = POLLS_OF_AN_HOUR
    while hour:
        result = await polls.poll(moment(server))
        if result.error or result.later_error or result.storage_error:
            raise RuntimeError(result)
        server.now_unix += 60
        hour -= not result.state.backlog_slices


async def steady(folder: Path, events: int, late_every: int = LATE_EVERY) -> dict[str, Any]:
    """A quiet poll's requests, rows and CPU with so many events in the look-back."""
    server = QuietServer(events, late_every)
    stores = StorageFolder(folder)
    ledger = Ledger("web1", stores.open("web1"), MEANING, lock=Lock())
    at_work = reading(server, "web1", ledger)
    begun = time.process_time()
    await filled(server, at_work)
    fill_seconds = time.process_time() - begun
    requests, rows, cpu = [], [], []
    for _ in range(POLLS_OF_AN_HOUR):
        before = server.requests, server.rows_sent, time.process_time()
        await at_work.poll(moment(server))
        requests.append(server.requests - before[0])
        rows.append(server.rows_sent - before[1])
        cpu.append(time.process_time() - before[2])
        server.now_unix += 60
    size_bytes = ledger.size_bytes()
    ledger.close()
    stores.close()
    return {
        "events": events,
        "requests": statistics.mean(requests),
        "most_requests": max(requests),
        "rows": statistics.mean(rows),
        "cpu_seconds": statistics.median(cpu),
        "fill_cpu_seconds": fill_seconds,
        "is_learned": late_every > 0,
        "file_bytes": size_bytes,
    }


def ingest(folder: Path, events: int) -> dict[str, Any]:
    """From JSON at hand to committed, one core: decoding and learning apart."""
    bodies = []
    for first in range(0, events, PAGE_ROWS):
        last = min(first + PAGE_ROWS, events)
        rows = b",".join(
            json_row(number, NOW_UNIX - 90_000 + number // 3) for number in range(first, last)
        )
        bodies.append(b'{"data":{"records":[' + rows + b']},"metadata":{"result":1}}')
    stores = StorageFolder(folder)
    ledger = Ledger("web1", stores.open("web1"), MEANING, lock=Lock())
    ledger.begin(NOW_UNIX, counts_past=True)
    decoding = learning = 0.0
    wall = time.perf_counter()
    for body in bodies:
        begun = time.process_time()
        stream = RowStream(delivery_rows)
        records: list[DeliveryRecord] = []
        for start in range(0, len(body), _CHUNK_BYTES):
            piece = stream.feed(body[start : start + _CHUNK_BYTES])
            records += piece.records if piece else ()
        records += stream.finish()[1].records
        decoded = time.process_time()
        ledger.learn(records, NOW_UNIX)
        decoding += decoded - begun
        learning += time.process_time() - decoded
    wall = time.perf_counter() - wall
    ledger.close()
    stores.close()
    return {
        "events": events,
        "decode_cpu_seconds": decoding,
        "learn_cpu_seconds": learning,
        "wall_seconds": wall,
    }


async def at_rest(folder: Path, events: int) -> dict[str, Any]:
    """Start with what *folder* holds, poll once, and say what that took and left in memory."""
    server = QuietServer(events)
    server.now_unix = int((folder / "now").read_text()) if (folder / "now").exists() else NOW_UNIX
    before = rss_bytes()
    begun = time.perf_counter(), time.process_time()
    stores = StorageFolder(folder)
    ledger = Ledger("web1", stores.open("web1"), MEANING, lock=Lock())
    at_work = reading(server, "web1", ledger)
    result = await at_work.poll(moment(server))
    took = time.perf_counter() - begun[0], time.process_time() - begun[1]
    gc.collect()
    return {
        "events": events,
        "start_seconds": took[0],
        "start_cpu_seconds": took[1],
        "grown_bytes": rss_bytes() - before,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "rows": server.rows_sent,
        "backlog_slices": result.state.backlog_slices,
    }


async def idle_fleet(folder: Path, servers: int, rounds: int) -> dict[str, Any]:
    """Polls of many servers without mail: CPU of one, memory and descriptors of all."""
    stores = StorageFolder(folder)
    before = rss_bytes()
    fleet = []
    for number in range(servers):
        server = QuietServer(0)
        ledger = Ledger(f"web{number}", stores.open(f"web{number}"), MEANING, lock=Lock())
        fleet.append((server, reading(server, f"web{number}", ledger)))
    cpu: list[float] = []
    for _ in range(rounds):
        begun = time.process_time()
        for server, at_work in fleet:
            await at_work.poll(moment(server))
            server.now_unix += 60
        cpu.append((time.process_time() - begun) / servers)
    return {
        "servers": servers,
        "first_poll_cpu_seconds": cpu[0],
        "poll_cpu_seconds": statistics.median(cpu[1:]),
        "grown_bytes": rss_bytes() - before,
        "descriptors": open_descriptors(),
        "requests_of_a_poll": fleet[0][0].requests / rounds,
    }


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def in_own_process(part: str, folder: Path, count: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.ledger_cost", "--part", part]
    command += ["--folder", str(folder), "--count", str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def one_part(part: str, folder: Path, count: int) -> dict[str, Any]:
    # As the exporter does when it starts.
    collect_garbage_seldom()
    if part == "steady":
        return asyncio.run(steady(folder, count))
    if part == "unlearned":
        return asyncio.run(steady(folder, count, late_every=0))
    if part == "ingest":
        return ingest(folder, count)
    if part == "at_rest":
        return asyncio.run(at_rest(folder, count))
    return asyncio.run(idle_fleet(folder, count, 5))


def measured(sizes: list[int], servers: int) -> dict[str, Any]:
    results: dict[str, Any] = {"steady": [], "at_rest": []}
    with tempfile.TemporaryDirectory() as base:
        for size in sizes:
            folder = Path(base) / str(size)
            results["steady"].append(in_own_process("steady", folder, size))
            (folder / "now").write_text(str(NOW_UNIX))
            results["at_rest"].append(in_own_process("at_rest", folder, size))
        unlearned = Path(base) / "unlearned"
        results["steady"].append(in_own_process("unlearned", unlearned, UNLEARNED_EVENTS))
        results["ingest"] = in_own_process("ingest", Path(base) / "ingest", 100_000)
        results["fleet"] = in_own_process("fleet", Path(base) / "fleet", servers)
    return results


def report(results: dict[str, Any]) -> str:
    took = results["ingest"]
    both = took["decode_cpu_seconds"] + took["learn_cpu_seconds"]
    fleet = results["fleet"]
    lines = [
        "# What counting costs",
        "",
        (
            f"{time.strftime('%Y-%m-%d', time.gmtime())}, `make bench`: {platform.machine()}, "
            f"{os.cpu_count()} cores, Python {platform.python_version()}. "
            "The server is played in the same process, without HTTP; the ledger is SQLite on disk."
        ),
        "",
        "## A poll of a quiet server",
        "",
        (
            "Mean of 60 polls, of which every fifth looks at the last day's totals and every "
            "thirtieth at all. email_logs is off. *Unlearned*: no event was acted on later than "
            "7 seconds after it was sent, so that nothing tells what totals go by, and the "
            "look-back is read again, a slice a poll."
        ),
        "",
        "| events in the look-back | requests | most | rows read | CPU (median) | file |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each['events']:,}{'' if each['is_learned'] else ', unlearned'} "
        f"| {each['requests']:.1f} | {each['most_requests']} "
        f"| {each['rows']:.1f} | {each['cpu_seconds'] * 1000:.2f} ms "
        f"| {each['file_bytes'] / 1e6:.0f} MB |"
        for each in results["steady"]
    ]
    lines += [
        "",
        "## Starting with a full ledger, and memory at rest",
        "",
        (
            f"From opening the file to the end of the first poll. The goal is less than "
            f"{GOAL_BYTES / 1e6:.0f} MB for 500,000 events."
        ),
        "",
        "| events in the look-back | start | CPU of it | memory grown by |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {each['events']:,} | {each['start_seconds'] * 1000:.0f} ms "
        f"| {each['start_cpu_seconds'] * 1000:.0f} ms | {each['grown_bytes'] / 1e6:.1f} MB |"
        for each in results["at_rest"]
    ]
    lines += [
        "",
        f"## From JSON to committed: {took['events']:,} events, one core",
        "",
        (
            f"Each with a message of its own, {PAGE_ROWS:,} in an answer. The goal is "
            f"{GOAL_EVENTS_PER_SECOND:,} events/s."
        ),
        "",
        "| part | events/s |",
        "|---|---|",
        f"| decode JSON | {took['events'] / took['decode_cpu_seconds']:,.0f} |",
        f"| learn and commit | {took['events'] / took['learn_cpu_seconds']:,.0f} |",
        f"| both, CPU | {took['events'] / both:,.0f} |",
        f"| both, by the wall clock | {took['events'] / took['wall_seconds']:,.0f} |",
        "",
        f"## {fleet['servers']:,} idle servers",
        "",
        (
            f"A poll costs {fleet['poll_cpu_seconds'] * 1000:.2f} ms of CPU (the first "
            f"{fleet['first_poll_cpu_seconds'] * 1000:.2f} ms, which makes the file) and "
            f"{fleet['requests_of_a_poll']:.1f} requests; all together take "
            f"{fleet['grown_bytes'] / 1e6:.0f} MB and have {fleet['descriptors']} descriptors open."
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1_000, 100_000, 500_000, 1_000_000]
    )
    parser.add_argument("--servers", type=int, default=1_000)
    parser.add_argument("--part")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--count", type=int)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(one_part(options.part, options.folder, options.count)))
        return
    results = measured(options.sizes, options.servers)
    text = report(results)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "ledger_cost.md").write_text(text)
    (RESULTS / "ledger_cost.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
