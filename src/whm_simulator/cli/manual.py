"""The text of ``whm-simulator --help`` around its flags, made from the tables that it explains."""

import textwrap

from whm_simulator.api.functions import FUNCTIONS
from whm_simulator.api.quirk_table import quirk_help
from whm_simulator.web.control import PATHS
from whm_simulator.web.faults import KINDS, OPTIONS
from whm_simulator.world.accounts import user_names
from whm_simulator.world.places import PLACE_OF

WIDTH = 98
_COLUMN = 34

ABOUT = """\
Plays one or more cPanel & WHM servers: a WHM API 1 over HTTP or HTTPS with token login, and behind
it a made-up but plausible, living stream of mail. The same seed gives the same mail at the same
time, in any process. Nothing is ever sent anywhere.
"""

_EXAMPLES = """\
examples:
  Three servers over TLS, and a file that says how to reach them:
    whm-simulator --servers 3 --tls --control --ready-file ready.json

  A reseller beside root, numbers as text on web2, and a server that is slow for five minutes:
    whm-simulator --servers 2 --login reseller1:track-email,list-accts \\
      --quirk web2:numbers=strings --fault 'web1:latency,seconds=20,after=60s,for=5m'

  A thousand servers on one port, an hour of their time each second:
    whm-simulator --servers 1000 --by-name --tls --speed 3600 --rate 1

  One that can be killed and started again as if nothing had happened:
    whm-simulator --tls --listen 127.0.0.1:2087 --state-dir simulator

  What really happened until now, by type and account:
    curl 'http://127.0.0.1:2000/truth/totals?server=web1&by=type,user'
"""
_INCIDENTS = """\
incidents (--compromised, --bad-day):
  --compromised SERVER/USER[@WHEN][,rate=N][,for=TIME]
      somebody sends N spam messages a minute (40) with the account's password for TIME (3h); at
      the end the account's outgoing mail is suspended
  --bad-day PLACE[@WHEN][,for=TIME]
      a receiving site defers most mail, slowly, and refuses some, for TIME (6h)
  WHEN is +60s after the first start or an instant in unix seconds, and now if it is left out.
"""
_EXIT_CODES = """\
exit codes:
  0 stopped by SIGINT or SIGTERM, 1 could not start, 2 bad flags
"""


def more() -> str:
    """Everything that follows the flags."""
    return "\n".join(
        (
            _functions(),
            _INCIDENTS
            + _wrapped(f"Users are such as {', '.join(user_names(6))}, ...")
            + _wrapped(f"Places: {', '.join(PLACE_OF)}."),
            "quirks (--quirk NAME=VALUE, for one server --quirk web2:NAME=VALUE):\n"
            + quirk_help(WIDTH),
            _faults(),
            _control(),
            _EXIT_CODES,
            _EXAMPLES,
        )
    )


def _functions() -> str:
    names = ", ".join(sorted(FUNCTIONS))
    options = "api.filter.*, api.sort.*, api.chunk.* and api.columns.*"
    text = _wrapped(f"{names}; with {options}, by GET and by POST of a form.")
    return f"functions (/json-api/FUNCTION?api.version=1):\n{text}"


def _faults() -> str:
    lines = [
        "faults (--fault, --faults and POST /faults; none is on unless it is asked for).",
        "  While a fault lasts, each call of the server ...",
    ]
    for name, kind in KINDS.items():
        usage = f"{name} {kind.takes[0]}={kind.takes[1]:g}" if kind.takes else name
        lines += _entry(usage, kind.does.replace("`", ""), _COLUMN)
    lines += ["", "  Every fault takes as well:"]
    for name, meaning in OPTIONS.items():
        lines += _entry(name, meaning, _COLUMN)
    lines.append(
        _wrapped(
            "after and for are simulated time, all else is real. Several faults can be set at once;"
            " of several of one kind the first counts. Data faults never touch the truth, nor the"
            " queue. With --by-name a closed port is a refused handshake, or a cut connection"
            " without TLS."
        )
    )
    lines += [
        '  {"server": "web1", "fault": "latency", "seconds": 3, "function": "emailtrack_search"}',
        '  [{"server": "*", "fault": "500", "share": 0.25}, {"server": "web2", "fault": "hang"}]',
        "",
    ]
    return "\n".join(lines)


def _control() -> str:
    lines = ["control endpoint (--control), plain HTTP without login, on loopback only:"]
    width = max(len(path) for path, _ in PATHS) + 3
    lines += [f"  {path:<{width}}{meaning}" for path, meaning in PATHS]
    lines.append(
        _wrapped(
            "Rows have WHM's field names, and reason, the class of a failure. They exist at until"
            " (simulated now); since leaves out older attempts, events=1 what is in progress. by"
            " takes any field, and reason."
        )
    )
    return "\n".join(lines)


def _wrapped(text: str) -> str:
    return (
        textwrap.fill(
            text,
            WIDTH,
            initial_indent="  ",
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        + "\n"
    )


def _entry(usage: str, meaning: str, column: int) -> list[str]:
    """A term and what it means, from *column* on."""
    wrapped = textwrap.wrap(meaning, WIDTH - column)
    return [f"  {usage:<{column - 2}}{wrapped[0]}", *(" " * column + line for line in wrapped[1:])]
