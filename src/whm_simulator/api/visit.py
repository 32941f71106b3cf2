"""One call's surroundings: whose mail is asked about, by whom, when, and with which quirks."""

from typing import NamedTuple

from whm_simulator.api.quirks import PLAIN, Quirks
from whm_simulator.mail.source import Mail

ROOT = "root"
ALL_ACLS = frozenset({"all"})


class Caller(NamedTuple):
    """Who is logged in: ``root``, or a reseller who sees only accounts that it owns."""

    user: str = ROOT
    acls: frozenset[str] = ALL_ACLS


class Visit(NamedTuple):
    """What every function is given beside its parameters; *now_unix* is by the server's clock."""

    mail: Mail
    now_unix: float
    caller: Caller = Caller()
    quirks: Quirks = PLAIN
