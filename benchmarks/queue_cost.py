"""What a long mail queue costs: from its bytes to its families, time and memory.

The answer is made as it is taken, in the pieces that the HTTP client hands on, so that the memory
measured is the exporter's own. Each size runs in a process of its own.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cpanel_mail_exporter.bounces.providers import PACKAGE_FILE, Providers, providers_from_toml
from cpanel_mail_exporter.metrics.queue import mail_queue
from cpanel_mail_exporter.model.queue import QueueSummary, QueueTally
from cpanel_mail_exporter.whm.decode import queue_rows
from cpanel_mail_exporter.whm.stream import RowStream

RESULTS = Path(__file__).parent / "results"
NOW_UNIX = 1_795_252_447
SIZES = (1_000, 10_000, 100_000, 1_000_000)
USERS = 2_000
GOAL_SECONDS = 0.5
_CHUNK_BYTES = 64 * 1024
_ROWS_OF_A_PIECE = 250
_DOMAINS = ("gmail.com", "outlook.com", "yahoo.com", "icloud.com", "gmx.de", "example.com")
_OWN_DOMAINS = 20_000
_TURNS = 3


def rows(messages: int) -> Iterator[str]:
    """As a server in trouble has them: a third are bounces, some have many recipients."""
    for number in range(messages):
        is_bounce = number % 3 == 0
        many = 5 if number % 20 == 0 else 1
        recipients = [
            f"reader{number}@{_DOMAINS[(number + each) % 6]}"
            if (number + each) % 2
            else f"reader{number}@shop{(number * 7 + each) % _OWN_DOMAINS}.example.net"
            for each in range(many)
        ]
        yield json.dumps(
            {
                "frozen": int(number % 50 == 0),
                "msgid": f"1wtYVW-{number:011d}-3Ryp",
                "recipients": recipients,
                "sender": "" if is_bounce else f"news@shop{number % USERS}.example.com",
                "size": 4_807 + number % 90_000,
                "time": NOW_UNIX - number * 7 % 400_000,
                "user": "mailnull" if is_bounce else f"user{number % USERS}",
            }
        )


def chunks(messages: int) -> Iterator[bytes]:
    """The whole answer in pieces as long as the client takes them."""
    held = '{"data":{"records":['
    waiting = 0
    for number, row in enumerate(rows(messages)):
        held += "," * (number > 0) + row
        waiting += 1
        while waiting >= _ROWS_OF_A_PIECE and len(held) >= _CHUNK_BYTES:
            yield held[:_CHUNK_BYTES].encode()
            held, waiting = held[_CHUNK_BYTES:], 0
    held += ']},"metadata":{"command":"fetch_mail_queue","result":1,"reason":"OK"}}'
    for start in range(0, len(held), _CHUNK_BYTES):
        yield held[start : start + _CHUNK_BYTES].encode()


def package_providers() -> Providers:
    file = Path(sys.modules[Providers.__module__].__file__ or "").parent / PACKAGE_FILE
    return Providers([providers_from_toml(file.read_text(encoding="utf-8"), PACKAGE_FILE)])


def read(messages: int, providers: Providers) -> tuple[QueueSummary, dict[str, float]]:
    """Read one answer; its making isn't counted."""
    stream, tally = RowStream(queue_rows), QueueTally(NOW_UNIX, providers.of)
    begun = time.process_time()
    cpu = longest = 0.0
    size = 0
    for chunk in chunks(messages):
        size += len(chunk)
        before = time.process_time()
        found = stream.feed(chunk)
        if found is not None:
            tally.add(found.records)
        took = time.process_time() - before
        cpu += took
        longest = max(longest, took)
    before = time.process_time()
    verdict, last = stream.finish()
    tally.add(last.records)
    summary = tally.summary()
    families = mail_queue(summary, user_limit=200).families
    cpu += time.process_time() - before
    if verdict.refusal or summary.messages != messages or not families:
        raise RuntimeError(summary)
    made = time.process_time() - begun - cpu
    return summary, {"seconds": cpu, "longest_seconds": longest, "bytes": size, "making": made}


def measured(messages: int) -> dict[str, Any]:
    providers = package_providers()
    best = min(
        (read(messages, providers)[1] for _ in range(_TURNS)), key=lambda each: each["seconds"]
    )
    tracemalloc.start()
    read(messages, providers)
    peak = tracemalloc.get_traced_memory()[1]
    return {
        "messages": messages,
        "peak_bytes": peak,
        "resident_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        **best,
    }


def in_process(messages: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.queue_cost", "--one", str(messages)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def page(found: list[dict[str, Any]]) -> str:
    today = time.strftime("%Y-%m-%d", time.gmtime())
    lines = [
        "# What a long mail queue costs",
        "",
        (
            f"{today}, `make bench`: {platform.machine()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}, one of them used. From the bytes of "
            "fetch_mail_queue to its families, without HTTP; best of three turns. A third of the "
            f"messages are bounces, {USERS:,} users, one recipient in two at one of "
            f"{_OWN_DOMAINS:,} domains of customers."
        ),
        "",
        (
            f"The goal is {GOAL_SECONDS * 1000:.0f} ms for 100,000 messages, and memory that "
            "doesn't grow with the queue. *Longest piece*: how long the event loop is held up at "
            "once."
        ),
        "",
        "| messages | answer | CPU | a message | longest piece | memory in use at most |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each['messages']:,} | {each['bytes'] / 1e6:.1f} MB | {each['seconds'] * 1e3:.0f} ms "
        f"| {each['seconds'] / each['messages'] * 1e6:.2f} µs "
        f"| {each['longest_seconds'] * 1e3:.1f} ms | {each['peak_bytes'] / 1e6:.1f} MB |"
        for each in found
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", type=int, help="measure one size and print it")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one)))
        return
    found = [in_process(size) for size in SIZES]
    (RESULTS / "queue.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    text = page(found)
    (RESULTS / "queue.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
