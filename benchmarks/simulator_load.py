"""`make bench`: what the simulated WHM can answer, and what a thousand servers cost.

Times on shared machines are noisy, so answers are compared within one run with a baseline: a server
that has the same records ready as plain dictionaries and only has to write them with `json.dumps`.
"""

import argparse
import asyncio
import json
import os
import platform
import ssl
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.measure import cpu_seconds, peak_bytes, running
from whm_simulator.api.functions import call
from whm_simulator.api.visit import Visit
from whm_simulator.mail.source import Span
from whm_simulator.world.stream import BlockCache, World, WorldSettings

RESULTS = Path(__file__).parent / "results"
NOW_UNIX = 1_795_252_447
ROWS = 100_000
GOAL_ROWS_PER_SECOND = 200_000
RATE_PER_MINUTE = 120.0
ASKS_AT_ONCE = 32
PATIENCE_SECONDS = 120


def fresh_world() -> World:
    settings = WorldSettings(rate_per_minute=RATE_PER_MINUTE, history_seconds=2 * 86_400)
    return World(settings, "web1", 1, BlockCache(2 * ROWS))


def first_unix_of(rows: int) -> int:
    """Where a range must begin that holds *rows* rows up to now."""
    every = fresh_world().rows(NOW_UNIX)
    return every[-rows].sendunixtime


def search(first_unix: float, last_unix: float) -> dict[str, str]:
    """The parameters of a whole, sorted answer, as the exporter asks for it."""
    return {
        "api.version": "1",
        "api.filter.enable": "1",
        "api.filter.a.field": "sendunixtime",
        "api.filter.a.type": "gt_equal",
        "api.filter.a.arg0": str(int(first_unix)),
        "api.filter.b.field": "sendunixtime",
        "api.filter.b.type": "lt_equal",
        "api.filter.b.arg0": str(int(last_unix)),
        "api.sort.enable": "1",
        "api.sort.a.field": "sendunixtime",
        "api.sort.a.method": "numeric",
        **dict.fromkeys(("success", "defer", "failure", "inprogress"), "1"),
        "deliverytype": "all",
        "max_results_by_type": "0",
    }


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def answer_bytes(world: World, first_unix: int) -> int:
    answer = call(Visit(world, NOW_UNIX), "emailtrack_search", search(first_unix, NOW_UNIX))
    return sum(len(piece) for piece in answer.pieces())


def building(rounds: int) -> dict[str, Any]:
    """Seconds to build one answer: of a world never asked before, of one that was, and plainly."""
    first_unix = first_unix_of(ROWS)
    cold, warm, plain = [], [], []
    number = size = 0
    for _ in range(rounds):
        world = fresh_world()
        seconds, size = timed(lambda world=world: answer_bytes(world, first_unix))
        cold.append(seconds)
        warm.append(timed(lambda world=world: answer_bytes(world, first_unix))[0])
        answer = call(Visit(world, NOW_UNIX), "emailtrack_search", search(first_unix, NOW_UNIX))
        records = json.loads(b"".join(answer.pieces()))["data"]["records"]
        number = len(records)
        plain.append(timed(lambda records=records: json.dumps(records))[0])
        span = Span(first_unix, NOW_UNIX)
        world.sums(NOW_UNIX, span)
        sums = timed(lambda world=world, span=span: world.sums(NOW_UNIX, span))[0]
    return {
        "rows": number,
        "bytes": size,
        "cold_seconds": statistics.median(cold),
        "warm_seconds": statistics.median(warm),
        "plain_json_seconds": statistics.median(plain),
        "warm_totals_seconds": sums,
    }


@contextmanager
def simulator(*flags: str) -> Iterator[tuple[int, dict[str, Any], float]]:
    """A real one: its process id, its ready file and the seconds it took to get ready."""
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        begun = time.perf_counter()
        command = ("-m", "whm_simulator", *flags, "--ready-file", str(ready))
        with running(*command, "--state-dir", folder) as process:
            while not ready.exists():
                if process.poll() is not None or time.perf_counter() - begun > PATIENCE_SECONDS:
                    raise RuntimeError("the simulator doesn't get ready")
                time.sleep(0.01)
            yield process.pid, json.loads(ready.read_text()), time.perf_counter() - begun


async def ask(
    session: aiohttp.ClientSession,
    server: dict[str, Any],
    function: str,
    params: dict[str, str],
    context: ssl.SSLContext,
    coding: str = "identity",
) -> int:
    """One call; the bytes of its body as they came over the wire."""
    headers = {
        "Authorization": f"whm {server['user']}:{server['token']}",
        "Accept-Encoding": coding,
    }
    size = 0
    async with session.get(
        f"{server['endpoint']}/json-api/{function}",
        params=params,
        headers=headers,
        ssl=context,
        server_hostname=server.get("server_name") or None,
    ) as answer:
        answer.raise_for_status()
        async for piece in answer.content.iter_any():
            size += len(piece)
    return size


async def streaming(rounds: int) -> dict[str, Any]:
    """Seconds to get one large answer over TLS on loopback, warm, plain and as gzip."""
    flags = ("--tls", "--rate", str(RATE_PER_MINUTE), "--history", "2d", "--cache-rows", "400000")
    figures: dict[str, Any] = {}
    with simulator(*flags) as (_, ready, _):
        server = ready["servers"][0]
        context = ssl.create_default_context(cafile=server["ca_file"])
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            now = time.time()
            params = search(now - 86_400, now - 3600)
            await ask(session, server, "emailtrack_search", params, context)
            async with session.get(
                f"{server['endpoint']}/json-api/emailtrack_search",
                params=params,
                headers={
                    "Authorization": f"whm {server['user']}:{server['token']}",
                    "Accept-Encoding": "identity",
                },
                ssl=context,
            ) as answer:
                figures["rows"] = (await answer.read()).count(b'"msgid":')
            for coding in ("identity", "gzip"):
                took = []
                for _ in range(rounds):
                    begun = time.perf_counter()
                    size = await ask(session, server, "emailtrack_search", params, context, coding)
                    took.append(time.perf_counter() - begun)
                figures[f"{coding}_seconds"] = statistics.median(took)
                figures[f"{coding}_bytes"] = size
    return figures


async def fleet(servers: int, *flags: str) -> dict[str, Any]:
    """Start of many servers, memory, and calls answered a second over all of them."""
    with simulator("--servers", str(servers), "--tls", "--rate", "1", *flags) as (pid, ready, took):
        figures = {"servers": servers, "start_seconds": took, "idle_bytes": peak_bytes(pid)}
        known = ready["servers"]
        context = ssl.create_default_context(cafile=known[0]["ca_file"])
        gate = asyncio.Semaphore(ASKS_AT_ONCE)
        connector = aiohttp.TCPConnector(limit=ASKS_AT_ONCE)
        async with aiohttp.ClientSession(auto_decompress=False, connector=connector) as session:

            async def one(server: dict[str, Any]) -> None:
                async with gate:
                    now = time.time()
                    await ask(
                        session, server, "emailtrack_search", search(now - 3600, now), context
                    )

            for name in ("first", "second"):
                before = cpu_seconds(pid)
                begun = time.perf_counter()
                await asyncio.gather(*map(one, known))
                figures[f"{name}_round_seconds"] = time.perf_counter() - begun
                figures[f"{name}_round_cpu_seconds"] = cpu_seconds(pid) - before
        figures["peak_bytes"] = peak_bytes(pid)
    return figures


def rate(rows: int, seconds: float) -> str:
    return f"{rows / seconds:,.0f}"


def report(results: dict[str, Any]) -> str:
    built, streamed = results["building"], results["streaming"]
    lines = [
        "# What the simulated WHM can answer",
        "",
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, `make bench`: "
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        + ", ".join(f"{n} {metadata.version(n)}" for n in ("aiohttp", "msgspec", "isal")),
        "",
        f"Medians of {results['rounds']} rounds. The goal is {GOAL_ROWS_PER_SECOND:,} rows/s.",
        "",
        f"## One answer of {built['rows']:,} rows, {built['bytes'] / 1e6:.0f} MB of JSON, built",
        "",
        "| how | seconds | rows/s | beside `json.dumps` of ready records |",
        "|---|---|---|---|",
    ]
    for name, told in (
        ("warm_seconds", "of mail that was asked about before"),
        ("cold_seconds", "of mail never asked about, made on the way"),
        ("plain_json_seconds", "baseline: `json.dumps`, records at hand"),
    ):
        seconds = built[name]
        ratio = built["plain_json_seconds"] / seconds
        lines.append(
            f"| {told} | {seconds:.3f} | {rate(built['rows'], seconds)} | {ratio:.2f}x as fast |"
        )
    lines += [
        "",
        f"Totals over the same rows, warm: {built['warm_totals_seconds'] * 1000:.1f} ms.",
        "",
        f"## One answer of {streamed['rows']:,} rows, warm, over TLS on loopback",
        "",
        "| as | seconds | rows/s | MB on the wire |",
        "|---|---|---|---|",
    ]
    for coding in ("identity", "gzip"):
        seconds, size = streamed[f"{coding}_seconds"], streamed[f"{coding}_bytes"]
        lines.append(
            f"| {coding} | {seconds:.3f} | {rate(streamed['rows'], seconds)} | {size / 1e6:.1f} |"
        )
    lines += [
        "",
        "The client is Python as well and shares the machine.",
        "",
        "## Many servers in one process, with TLS",
        "",
        "One search of the last hour at each server, for the first time and again.",
        "",
        "| servers | told apart | start | memory idle | at most | first time | again |",
        "|---|---|---|---|---|---|---|",
    ]
    for told, figures in results["fleets"].items():
        lines.append(
            f"| {figures['servers']:,} | {told} | {figures['start_seconds']:.1f} s "
            f"| {figures['idle_bytes'] / 1e6:.0f} MB | {figures['peak_bytes'] / 1e6:.0f} MB "
            f"| {figures['first_round_seconds']:.1f} s | {figures['second_round_seconds']:.1f} s |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--servers", type=int, default=1000)
    options = parser.parse_args()
    results = {
        "rounds": options.rounds,
        "building": building(options.rounds),
        "streaming": asyncio.run(streaming(options.rounds)),
        "fleets": {
            "by port": asyncio.run(fleet(options.servers)),
            "by TLS server name": asyncio.run(fleet(options.servers, "--by-name")),
        },
    }
    text = report(results)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "simulator_load.md").write_text(text)
    (RESULTS / "simulator_load.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
