"""Flags of ``whm-simulator``, in groups, and the settings that they mean."""

import argparse
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from whm_simulator.app import ANY_LOOPBACK_PORT, Settings
from whm_simulator.cli import manual, values
from whm_simulator.world.settings import WorldSettings


def settings_of(argv: Sequence[str] | None) -> Settings:
    """What *argv* means; help and bad flags end the program as argparse does (0 and 2)."""
    parser = _parser()
    flags = parser.parse_args(argv)
    if flags.userdomains is not None and flags.exim_mainlog is None:
        parser.error("--userdomains needs --exim-mainlog")
    return Settings(
        servers=flags.servers,
        listen=flags.listen,
        is_by_name=flags.by_name,
        has_tls=flags.tls,
        user=flags.user,
        token=flags.token or "",
        logins=tuple(flags.login),
        world=WorldSettings(
            seed=flags.seed,
            accounts=flags.accounts,
            domains_per_account=flags.domains,
            rate_per_minute=flags.rate,
            history_seconds=flags.history,
            zone=flags.timezone,
            max_cached_rows=flags.cache_rows,
        ),
        compromised=tuple(flags.compromised),
        bad_days=tuple(flags.bad_day),
        quirks=tuple(flags.quirk),
        age_seconds=flags.age,
        mainlog=flags.exim_mainlog,
        user_domains=flags.userdomains,
        faults=(*(order for orders in flags.faults for order in orders), *flags.fault),
        start_unix=flags.start,
        speed=flags.speed,
        control=flags.control,
        ready_file=flags.ready_file,
        state_dir=flags.state_dir,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="whm-simulator",
        usage="whm-simulator [flags]",
        description=manual.ABOUT,
        epilog=manual.more(),
        formatter_class=_Formatter,
        add_help=False,
        allow_abbrev=False,
    )
    _servers(parser.add_argument_group("servers"))
    _mail(parser.add_argument_group("mail"))
    _time(parser.add_argument_group("time"))
    _wrong(parser.add_argument_group("what is odd or goes wrong"))
    _files(parser.add_argument_group("control and files"))
    other = parser.add_argument_group("other")
    other.add_argument("-h", "--help", action="help", help="show this page")
    said = f"whm-simulator {_version()}"
    other.add_argument("--version", action="version", version=said, help="show the version")
    return parser


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=manual.WIDTH)


def _servers(group: Any) -> None:
    add = group.add_argument
    add(
        "--servers",
        type=values.count,
        default=1,
        metavar="N",
        help="how many servers, called web1, web2, ... (1)",
    )
    add(
        "--listen",
        type=values.address,
        default=ANY_LOOPBACK_PORT,
        metavar="HOST:PORT",
        help="address of the first server; the others take the ports after it, and with port 0"
        " each takes a free one (127.0.0.1:0)",
    )
    add(
        "--by-name",
        action="store_true",
        help="one port for all servers, told apart by the TLS server name, or by the Host header"
        " without --tls; the first label counts: web7, web7.localhost and web7.example.net",
    )
    add(
        "--tls",
        action="store_true",
        help="speak HTTPS, with certificates for 127.0.0.1, localhost and the server's own name,"
        " signed by an authority of this simulator's own",
    )
    add("--user", type=values.word, default="root", metavar="USER", help="who may log in (root)")
    add(
        "--token",
        type=values.word,
        metavar="TOKEN",
        help="API token of every server (each has its own, derived from the seed and its name)",
    )
    add(
        "--login", type=values.login, action="append", default=[],
        metavar="USER[=TOKEN]:ACL,...",
        help="one more user of every server and the privileges of its token, such as"
        " reseller1:track-email,list-accts; can be repeated",
    )  # fmt: skip


def _mail(group: Any) -> None:
    add = group.add_argument
    add("--seed", default="1", metavar="S", help="which mail there is: any text (1)")
    add(
        "--accounts",
        type=values.count,
        default=10,
        metavar="N",
        help="cPanel accounts of a server (10)",
    )
    add("--domains", type=values.count, default=1, metavar="N", help="domains of an account (1)")
    add(
        "--rate",
        type=values.rate,
        default=20.0,
        metavar="R",
        help="messages a minute on each server, averaged over a day, 0 to 100000 (20)",
    )
    add(
        "--history",
        type=values.history,
        default=86_400,
        metavar="TIME",
        help="how long mail is kept, such as 90m, 24h or 10d, at most 3650d (24h)",
    )
    add(
        "--age",
        type=values.age,
        metavar="TIME",
        help="how long ago the servers sent their first mail, 0s for none before the first start"
        " (longer than mail is kept)",
    )
    add(
        "--timezone",
        type=values.zone,
        default=ZoneInfo("UTC"),
        metavar="ZONE",
        help="the servers' own zone, such as Europe/Berlin: habits and actiontime follow it (UTC)",
    )
    add(
        "--compromised",
        action="append",
        default=[],
        metavar="TEXT",
        help="an account that sends spam from some time on, see below; can be repeated",
    )
    add(
        "--bad-day",
        action="append",
        default=[],
        metavar="TEXT",
        help="a mailbox provider that defers or refuses mail for some time, see below; can be"
        " repeated",
    )
    add(
        "--exim-mainlog",
        type=Path,
        metavar="FILE",
        help="serve the deliveries of a real Exim main log instead, the same on every server;"
        " --start sets the time to that of the log",
    )
    add(
        "--userdomains",
        type=Path,
        metavar="FILE",
        help='for --exim-mainlog: lines "DOMAIN: USER", as in /etc/userdomains',
    )
    add(
        "--cache-rows", type=values.rows, default=400_000, metavar="N",
        help="rows kept in memory for all servers together (400000)",
    )  # fmt: skip


def _time(group: Any) -> None:
    add = group.add_argument
    add(
        "--speed",
        type=values.factor,
        default=1.0,
        metavar="FACTOR",
        help="how many simulated seconds pass in a real one, 1 to 3600; 0 stands still (1)",
    )
    add(
        "--start", type=values.instant, metavar="UNIX",
        help="simulated time at the start, in unix seconds (now)",
    )  # fmt: skip


def _wrong(group: Any) -> None:
    add = group.add_argument
    add(
        "--quirk",
        action="append",
        default=[],
        metavar="[SERVER:]TEXT",
        help="how servers behave where cPanel's documents leave it open, see below; can be"
        " repeated",
    )
    add(
        "--fault",
        type=values.fault,
        action="append",
        default=[],
        metavar="SERVER:FAULT[,NAME=VALUE...]",
        help="something that goes wrong, now or later, see below; * means every server; can be"
        " repeated",
    )
    add(
        "--faults", type=values.fault_file, action="append", default=[], metavar="FILE",
        help="a JSON list of such faults, objects as of POST /faults",
    )  # fmt: skip


def _files(group: Any) -> None:
    add = group.add_argument
    add(
        "--control",
        type=values.address,
        nargs="?",
        const=ANY_LOOPBACK_PORT,
        metavar="HOST:PORT",
        help="open the control endpoint for truth, faults and time, on loopback only (127.0.0.1:0)",
    )
    add(
        "--ready-file",
        type=Path,
        metavar="FILE",
        help="once listening, write a JSON object with names, endpoints, users, tokens and"
        " ca_file of all servers, and the URL of the control endpoint",
    )
    add(
        "--state-dir", type=Path, metavar="DIR",
        help="folder for ca.pem, its key, ports, faults and time: started again with the same"
        " flags, even after kill -9, all is as it was (a temporary one, removed at the end)",
    )  # fmt: skip


def _version() -> str:
    try:
        return version("cpanel-mail-exporter")
    except PackageNotFoundError:
        return "unknown"
