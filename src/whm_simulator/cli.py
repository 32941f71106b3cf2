"""Flags of ``whm-simulator``, and errors as one sentence and an exit code."""

import argparse
import asyncio
import logging
import re
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import ZoneInfo

from whm_simulator.app import ANY_LOOPBACK_PORT, Address, Settings, Simulator
from whm_simulator.errors import SimulatorError
from whm_simulator.world.stream import WorldSettings

_ABOUT = """\
Plays one or more cPanel & WHM servers: a WHM API 1 over HTTP or HTTPS with token login, and behind
it a made-up but plausible, living stream of mail. The same seed gives the same mail at the same
time, in any process. Nothing is ever sent anywhere.
"""
_MORE = """\
functions:
  emailtrack_search, emailtrack_user_stats, emailtrack_stats, gethostname, version, applist, with
  api.filter.*, api.sort.*, api.chunk.* and api.columns.*, by GET and by POST of a form.

control endpoint (--control), plain HTTP without login, on loopback only:
  GET  /truth?server=web1&until=UNIX[&since=UNIX]      the rows that exist, as JSON lines
  GET  /truth/totals?server=web1&until=UNIX&by=type,user
  GET  /requests?server=web1                           what clients asked for lately
  GET  /faults
  POST /faults  {"server": "web1", "fault": "latency", "seconds": 3}
       hang, latency, 403, 401_html, 500, result_0, truncated_json, html_200, redirect, drop,
       empty_body, empty_object, list, ignore_filters, ignore_chunks, and none to end it;
       "function": "emailtrack_search" keeps a fault to one function

exit codes: 0 stopped by SIGINT or SIGTERM, 1 could not start, 2 bad flags

example:
  whm-simulator --servers 3 --tls --control --ready-file ready.json
"""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``whm-simulator`` with *argv* (without the program's name) until a signal ends it."""
    settings = _settings(_parser().parse_args(argv))
    lines = logging.StreamHandler(sys.stderr)
    lines.setFormatter(_OneLine("%(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[lines])
    try:
        asyncio.run(_serve(settings))
    except SimulatorError as error:
        sys.stderr.write(f"whm-simulator: {error}\n")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


class _OneLine(logging.Formatter):
    """Log records without tracebacks, such as the web server's about malformed requests."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's message, and the kind of its error if it has one."""
        error = record.exc_info[0] if record.exc_info else None
        record.exc_info = record.exc_text = None
        text = super().format(record)
        return f"{text}: {error.__name__}" if error else text


async def _serve(settings: Settings) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with Simulator(settings):
        await stopped.wait()


def _settings(flags: argparse.Namespace) -> Settings:
    return Settings(
        servers=flags.servers,
        listen=flags.listen,
        has_tls=flags.tls,
        user=flags.user,
        token=flags.token or "",
        world=WorldSettings(
            seed=flags.seed,
            accounts=flags.accounts,
            rate_per_minute=flags.rate,
            history_seconds=flags.history,
            zone=flags.timezone,
            max_cached_rows=flags.cache_rows,
        ),
        control=flags.control,
        ready_file=flags.ready_file,
        state_dir=flags.state_dir,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="whm-simulator",
        description=_ABOUT,
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--version", action="version", version=f"whm-simulator {_version()}")
    add(
        "--servers",
        type=_count,
        default=1,
        metavar="N",
        help="how many servers, called web1, web2, ... (1)",
    )
    add(
        "--listen",
        type=_address,
        default=ANY_LOOPBACK_PORT,
        metavar="HOST:PORT",
        help="address of the first server; the others take the ports after it, and with port 0"
        " each takes a free one (127.0.0.1:0)",
    )
    add(
        "--tls",
        action="store_true",
        help="speak HTTPS, with certificates for 127.0.0.1 and localhost signed by an authority"
        " made for this run",
    )
    add("--user", type=_word, default="root", metavar="USER", help="who may log in (root)")
    add(
        "--token",
        type=_word,
        metavar="TOKEN",
        help="API token of every server (each has its own, derived from the seed and its name)",
    )
    add("--seed", default="1", metavar="S", help="which mail there is: any text (1)")
    add("--accounts", type=_count, default=10, metavar="N", help="cPanel accounts of a server (10)")
    add(
        "--rate",
        type=_rate,
        default=20.0,
        metavar="R",
        help="messages a minute on each server, averaged over a day (20)",
    )
    add(
        "--history",
        type=_duration,
        default=86_400,
        metavar="TIME",
        help="how long mail is kept, such as 90m, 24h or 10d (24h)",
    )
    add(
        "--timezone",
        type=_zone,
        default=ZoneInfo("UTC"),
        metavar="ZONE",
        help="the servers' own zone, such as Europe/Berlin: habits and actiontime follow it (UTC)",
    )
    add(
        "--cache-rows",
        type=_count,
        default=400_000,
        metavar="N",
        help="rows kept in memory for all servers together (400000)",
    )
    add(
        "--ready-file",
        type=Path,
        metavar="FILE",
        help="once listening, write a JSON object with names, endpoints, users, tokens and"
        " ca_file of all servers, and the URL of the control endpoint",
    )
    add(
        "--state-dir",
        type=Path,
        metavar="DIR",
        help="folder for ca.pem (a temporary one, removed at the end)",
    )
    add(
        "--control",
        type=_address,
        nargs="?",
        const=ANY_LOOPBACK_PORT,
        metavar="HOST:PORT",
        help="open the control endpoint (127.0.0.1:0)",
    )
    return parser  # fmt: skip


def _version() -> str:
    try:
        return version("cpanel-mail-exporter")
    except PackageNotFoundError:
        return "unknown"


def _address(text: str) -> Address:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]]*):(\d{1,5})", text)
    if match is None or int(match[2]) > 65_535:
        raise argparse.ArgumentTypeError(f'write "{text}" as HOST:PORT, such as 127.0.0.1:2087')
    return Address(match[1].strip("[]"), int(match[2]))


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII) or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" must be a whole number from 1 up')
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 100_000:
        raise argparse.ArgumentTypeError(f'"{text}" must be a number from 0 to 100000')
    return rate


def _duration(text: str) -> int:
    match = re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII)
    if match is None or int(match[1]) < 1:
        raise argparse.ArgumentTypeError(
            f'write "{text}" as a number and s, m, h or d, such as 24h'
        )
    return int(match[1]) * _UNITS[match[2]]


def _word(text: str) -> str:
    if not re.fullmatch(r"[!-9;-~]+", text):
        raise argparse.ArgumentTypeError("use visible ASCII characters without a colon")
    return text


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f'no time zone is called "{text}"; write one such as Europe/Berlin'
        ) from None
