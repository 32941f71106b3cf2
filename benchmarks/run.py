"""`make bench`: the exporter beside the plain program, same WHM, same rows, in turn.

Times on shared machines are noisy, so what counts is the ratio of the medians within one run.
Each program is started anew for each round, the two in turn.
"""

import argparse
import json
import platform
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.measure import Figures, await_port, free_port, measure, running

RESULTS = Path(__file__).parent / "results"
GOALS = {
    "poll_to_ready_seconds": 4.0,
    "plain_scrape_cpu_seconds": 30.0,
    "gzip_scrape_cpu_seconds": 500.0,
    "peak_bytes": 8.0,
    "peak_after_second_poll_bytes": 8.0,
}
"""How many times less than the plain program, at 100,000 records."""
MOST_COPIES = 3.0
"""How many times the CPU of copying the same bytes into a socket a gzip scrape may take."""
MOST_GROWTH = 1.3
"""How many times as much time and memory a record may take at 300,000 as at 10,000."""
SCRAPES = 200


def polls_ended(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=120) as answer:
        for line in answer:
            if line.startswith(b"cpanel_mail_polls_total{") and b'"email_logs"' in line:
                return int(line.split()[-1])
    return 0


def await_exporter(process: subprocess.Popen[str], port: int, count: int) -> None:
    """The first poll shows in /-/ready, which costs nothing; the second in a counter."""
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=30):
                if count == 1 or polls_ended(port) >= count:
                    return
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            pass
        time.sleep(0.005 if count == 1 else 0.2)
    raise RuntimeError(f"the exporter ended with code {process.returncode}")


def exporter_round(whm: int, scrapes: int, *, counts: bool = True) -> Figures:
    """The exporter from nothing; with *counts* it also marks every event in an SQLite file."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "exporter.json"
        Path(folder, "token").write_text("TOKEN\n")
        server = {"name": "web1", "endpoint": f"http://127.0.0.1:{whm}", "token_file": "token"}
        settings = {
            "servers": [server],
            "poll_interval": "5s",
            "user_stats": {"window": "24h"},
            "email_logs": {"window": "24h", "max_series": 0, "max_series_total": 0},
            "delivery_events": {"enabled": counts},
            "storage": {"path": "ledgers"},
        }
        config.write_text(json.dumps(settings))  # JSON is YAML
        config.chmod(0o600)

        def await_poll(process: subprocess.Popen[str], count: int) -> None:
            await_exporter(process, port, count)

        command = ("-m", "cpanel_mail_exporter", "--config.file", str(config))
        command += ("--listen", f"127.0.0.1:{port}")
        return measure(command, port, whm, await_poll, lambda _: None, scrapes)


def alone(rows: int) -> Figures:
    """The exporter without anything to compare it with."""
    whm = free_port()
    with running("-m", "benchmarks.whm_rows", "--rows", str(rows), "--port", str(whm)):
        await_port(whm)
        return exporter_round(whm, 20)


def plain_round(whm: int, scrapes: int) -> Figures:
    port = free_port()

    def await_poll(process: subprocess.Popen[str], _: int) -> None:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    def poll_again(process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        process.stdin.write("again\n")
        process.stdin.flush()

    command = (
        *("-m", "benchmarks.plain_exporter"),
        *("--endpoint", f"http://127.0.0.1:{whm}", "--port", str(port)),
    )
    return measure(command, port, whm, await_poll, poll_again, scrapes)


def medians(rounds: list[Figures]) -> dict[str, float]:
    return {
        name: statistics.median(getattr(figures, name) for figures in rounds)
        for name in asdict(rounds[0])
    }


def compare(rows: int, rounds: int) -> dict[str, object]:
    whm = free_port()
    with running("-m", "benchmarks.whm_rows", "--rows", str(rows), "--port", str(whm)):
        await_port(whm)
        ours, uncounted, plain = [], [], []
        for _ in range(rounds):
            # One of the plain program's takes seconds, ours milliseconds.
            plain.append(plain_round(whm, 4 if rows <= 100_000 else 2))
            ours.append(exporter_round(whm, SCRAPES))
            uncounted.append(exporter_round(whm, SCRAPES, counts=False))
    exporter, without, reference = medians(ours), medians(uncounted), medians(plain)
    for figures in (exporter, without, reference):
        assert figures["series"] == rows, figures
    polls = {
        name: [round(figures.poll_to_ready_seconds, 3) for figures in found]
        for name, found in (
            ("exporter", ours),
            ("exporter without counting", uncounted),
            ("plain program", plain),
        )
    }
    return {
        "rows": rows,
        "rounds": rounds,
        "exporter": exporter,
        "without_counting": without,
        "plain": reference,
        "polls": polls,
    }


def shown(name: str, value: float) -> str:
    if name.endswith("_bytes"):
        return f"{value / 1e6:.1f} MB"
    return f"{value:.4f} s" if name.endswith("_seconds") else f"{value:.0f}"


def report(results: list[dict[str, object]]) -> str:
    lines = [
        "# The exporter beside the plain program",
        "",
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, `make bench`: {platform.machine()}, "
        f"Python {platform.python_version()}, "
        + ", ".join(f"{n} {metadata.version(n)}" for n in ("aiohttp", "msgspec", "isal")),
        "",
        (
            "Medians; the programs in turn against the same WHM on loopback. The exporter also "
            "keeps every event in its ledger on disk, which the plain program has nothing like; "
            "without counting (`delivery_events: off`) it does what that one does. "
            "CPU of a scrape is a mean, read from a clock of 10 ms ticks."
        ),
    ]
    for result in results:
        ours, plain = result["exporter"], result["plain"]
        without = result["without_counting"]
        assert isinstance(ours, dict)
        assert isinstance(without, dict)
        assert isinstance(plain, dict)
        lines += [
            "",
            f"## {result['rows']:,} delivery records, {result['rounds']} rounds",
            "",
            (
                "| figure | exporter | without counting | plain program "
                "| plain / exporter | plain / without counting | goal |"
            ),
            "|---|---|---|---|---|---|---|",
        ]
        for name, value in ours.items():
            ratio = plain[name] / value if value else float("inf")
            goal = (
                f"at least {GOALS[name]:g}" if name in GOALS and result["rows"] == 100_000 else ""
            )
            lines.append(
                f"| {name} | {shown(name, value)} | {shown(name, without[name])} "
                f"| {shown(name, plain[name])} | {ratio:.1f} "
                f"| {plain[name] / without[name] if without[name] else ratio:.1f} | {goal} |"
            )
        polls = result["polls"]
        assert isinstance(polls, dict)
        lines += ["", "Poll to ready in each round, in seconds, to show how noisy the machine was:"]
        lines += [f"{name} {', '.join(map(str, each))}." for name, each in polls.items()]
        if ours["copy_cpu_seconds"]:  # else the clock's ticks are too long for it
            copy = ours["gzip_scrape_cpu_seconds"] / ours["copy_cpu_seconds"]
            told = f"A gzip scrape takes {copy:.1f} times the CPU of copying its bytes"
            lines += ["", f"{told}; the goal at 100,000 records is at most {MOST_COPIES:g}."]
    lines += growth({int(str(result["rows"])): result["exporter"] for result in results})
    return "\n".join(lines) + "\n"


def growth(by_rows: dict[int, Any]) -> list[str]:
    """How time and memory of a record grow with their number; the program itself left out."""
    if not {1_000, 10_000, 300_000} <= by_rows.keys():
        return []
    base = by_rows[1_000]["peak_bytes"]
    few, many = by_rows[10_000], by_rows[300_000]
    seconds = (many["poll_to_ready_seconds"] / 300_000) / (few["poll_to_ready_seconds"] / 10_000)
    memory = ((many["peak_bytes"] - base) / 299_000) / ((few["peak_bytes"] - base) / 9_000)
    told = (
        f"Time: {seconds:.2f} times, memory above that of 1,000 records: {memory:.2f} times; "
        f"the goal is at most {MOST_GROWTH:g}."
    )
    return ["", "## A record at 300,000 beside one at 10,000", "", told]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 300_000])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--alone", type=int, default=1_000_000, help="0 for none")
    options = parser.parse_args()
    results = [compare(rows, options.rounds) for rows in options.rows]
    text = report(results)
    if options.alone:
        largest = alone(options.alone)
        text += (
            f"\n## {options.alone:,} records, the exporter alone\n\n"
            f"Ready {largest.poll_to_ready_seconds:.1f} s after the first request, peak "
            f"{shown('peak_bytes', largest.peak_bytes)} (the goal is below 300 MB), a gzip scrape "
            f"{largest.gzip_scrape_seconds:.3f} s for {shown('gzip_bytes', largest.gzip_bytes)}.\n"
        )
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "beside_plain_program.md").write_text(text)
    (RESULTS / "beside_plain_program.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
