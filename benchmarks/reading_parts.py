"""What each part of a first poll costs a record: fetch, decode, identity, render, compress, commit.

Each part runs by itself on the same rows, CPU of one process; the plain program's json.loads is the
baseline within the same run.
"""

import argparse
import asyncio
import json
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp

from benchmarks.measure import await_port, free_port, running
from benchmarks.whm_rows import row
from cpanel_mail_exporter.app.meaning import build_meaning
from cpanel_mail_exporter.app.process import collect_garbage_seldom, share_one_heap
from cpanel_mail_exporter.exposition.blocks import cut
from cpanel_mail_exporter.exposition.log_lines import LogLine, LogLines
from cpanel_mail_exporter.ledger.identity import event_identities
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.storage.sqlite import SqliteStore
from cpanel_mail_exporter.whm.decode import delivery_rows

RESULTS = Path(__file__).parent / "results"
_PIECE_ROWS = 4_000


def timed(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


async def _fetch(port: int, pages: Sequence[str]) -> None:
    async with aiohttp.ClientSession() as session:
        for page in pages:
            async with session.get(f"http://127.0.0.1:{port}{page}") as answer:
                async for _ in answer.content.iter_any():
                    pass


def fetch_seconds(rows: int) -> float:
    port = free_port()
    pages = [
        "/json-api/emailtrack_search?api.chunk.enable=1"
        f"&api.chunk.start={start + 1}&api.chunk.size={_PIECE_ROWS}"
        for start in range(0, rows, _PIECE_ROWS)
    ]
    with running("-m", "benchmarks.whm_rows", "--rows", str(rows), "--port", str(port)):
        await_port(port)
        return timed(lambda: asyncio.run(_fetch(port, pages)))


def learn_seconds(pieces: Sequence[list[DeliveryRecord]], now: int, since: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore("web1", Path(folder) / "web1.sqlite")
        ledger = Ledger("web1", store, build_meaning(), LedgerTerms())
        ledger.begin(since)

        def learn() -> None:
            for piece in pieces:
                ledger.learn(piece, now)

        seconds = timed(learn)
        ledger.close()
    return seconds


def measure(rows: int) -> dict[str, float]:
    """Microseconds of CPU a record, by part."""
    now = int(time.time())
    raw = [row(number, now - 40_000 + number * 39_000 // rows) for number in range(rows)]
    bodies = [
        b"[" + b",".join(raw[start : start + _PIECE_ROWS]) + b"]"
        for start in range(0, rows, _PIECE_ROWS)
    ]
    pieces: list[list[DeliveryRecord]] = []
    found = {
        "fetch": fetch_seconds(rows),
        "decode": timed(lambda: pieces.extend(delivery_rows(body).records for body in bodies)),
        "identity (part of learn)": timed(lambda: [event_identities(piece) for piece in pieces]),
    }
    lines = LogLines("email_logs", (("server", "web1"),))
    rendered: list[list[LogLine]] = []
    found["render"] = timed(lambda: rendered.extend(map(lines.render, pieces)))
    found["sort and compress"] = timed(lambda: [cut(sorted(piece)) for piece in rendered])
    found["learn and commit, marked only"] = learn_seconds(pieces, now, now)
    found["learn and commit, counted"] = learn_seconds(pieces, now, now - 86_400)
    found["json.loads alone, for comparison"] = timed(lambda: [json.loads(body) for body in bodies])
    return {name: seconds / rows * 1e6 for name, seconds in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    share_one_heap()
    collect_garbage_seldom()
    rounds = [measure(options.rows) for _ in range(options.rounds)]
    middle = {name: sorted(one[name] for one in rounds)[len(rounds) // 2] for name in rounds[0]}
    loads = middle["json.loads alone, for comparison"]
    about = (
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, `make bench`: {platform.machine()}, "
        f"Python {platform.python_version()}; {options.rows:,} records of which a third are "
        f"failures, {_PIECE_ROWS:,} in an answer, medians of {options.rounds} rounds."
    )
    text = "\n".join(
        [
            "# What the parts of a first poll cost",
            "",
            about,
            "",
            "| part | microseconds of CPU a record | of json.loads |",
            "|---|---|---|",
            *(
                f"| {name} | {micros:.2f} | {micros / loads:.2f} |"
                for name, micros in middle.items()
            ),
            "",
        ]
    )
    print(text)
    (RESULTS / "reading_parts.md").write_text(text)


if __name__ == "__main__":
    main()
