"""``listaccts``: the accounts, with all members that cPanel documents.

What has to do with mail comes from the server's mail; all else is made up from the account's name,
the same at any time. Assumed where cPanel says nothing: a search without ``searchmethod`` is one by
regular expression, letters of either case are the same to it, a search for a domain looks at all
domains of an account, and a search needs both ``searchtype`` and ``search``.
"""

import re
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

from whm_simulator.api.answer import Answer
from whm_simulator.api.errors import FunctionError
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params, one_of, values_of
from whm_simulator.api.visit import Visit
from whm_simulator.mail.source import AccountCard

_UNLIMITED = "unlimited"
_FIRST_START_UNIX = 1_369_256_589
_STARTS_SECONDS = 350_000_000
_PLANS = ("basic", "business", "plus")

_SEARCHED: dict[str, Callable[[AccountCard], tuple[str, ...]]] = {
    "domain": lambda card: (card.domain, *card.domains),
    "owner": lambda card: (card.owner,),
    "user": lambda card: (card.user,),
    "ip": lambda card: (_ip(card),),
    "package": lambda card: (_plan(card),),
}


def listaccts(visit: Visit, params: Params) -> Answer:
    """One record for each account that fits the search, with the wanted members."""
    output = Output.of(params, visit.quirks)
    fits = _search_of(params)
    wanted = set(values_of(params, "want"))
    records = []
    for card in visit.mail.accounts(visit.now_unix):
        if fits(card):
            record = _record(visit, card)
            if wanted:
                record = {name: value for name, value in record.items() if name in wanted}
            records.append(record)
    metadata: dict[str, Any] = {}
    shown = output.apply(records, metadata)
    return Answer("listaccts", shown, key="acct", metadata=metadata)


def _search_of(params: Params) -> Callable[[AccountCard], bool]:
    kind = one_of(params, "searchtype", tuple(_SEARCHED), "")
    method = one_of(params, "searchmethod", ("exact", "regex"), "regex")
    text = params.get("search", "")
    if not kind or not text:
        return lambda _card: True
    values_of_card = _SEARCHED[kind]
    if method == "exact":
        return lambda card: text in values_of_card(card)
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error:
        raise FunctionError(f'The "search" argument is no regular expression: "{text}".') from None
    return lambda card: any(map(pattern.search, values_of_card(card)))


def _record(visit: Visit, card: AccountCard) -> dict[str, Any]:
    start_unix = _start_unix(card)
    started = datetime.fromtimestamp(start_unix, visit.mail.zone)
    record = {
        **dict.fromkeys(_WITHOUT_LIMIT, _UNLIMITED),
        "backup": 0,
        "child_nodes": [],
        "diskused": f"{_number(card, 'disk') % 4000 + 14}M",
        "domain": card.domain,
        "email": f"owner@{card.domain}",
        "inodesused": _number(card, "inodes") % 200_000 + 300,
        "ip": _ip(card),
        "ipv6": [f"2001:db8::{_number(card, 'ipv6') % 65_535 + 1:x}"],
        "is_locked": 0,
        "legacy_backup": 0,
        "mailbox_format": "maildir",
        "max_defer_fail_percentage": card.max_defer_fail_percentage or _UNLIMITED,
        "max_email_per_hour": card.max_email_per_hour or _UNLIMITED,
        "min_defer_fail_to_trigger_protection": "5",
        "outgoing_mail_hold": int(card.is_outgoing_held),
        "outgoing_mail_suspended": int(card.is_outgoing_suspended),
        "owner": card.owner,
        "partition": "home",
        "plan": _plan(card),
        "shell": "/usr/local/cpanel/bin/noshell",
        "startdate": started.strftime("%y %b %d %H:%M"),
        "suspended": int(card.is_suspended),
        "suspendreason": "Unpaid" if card.is_suspended else "not suspended",
        "suspendtime": start_unix + 86_400 if card.is_suspended else None,
        "temporary": 0,
        "theme": "jupiter",
        "uid": str(_number(card, "uid") % 60_000 + 1001),
        "unix_startdate": start_unix,
        "user": card.user,
    }
    return dict(sorted(record.items()))


_WITHOUT_LIMIT = (
    "disklimit", "inodeslimit", "max_emailacct_quota", "maxaddons", "maxftp", "maxlst", "maxparked",
    "maxpop", "maxsql", "maxsub",
)  # fmt: skip


def _number(card: AccountCard, topic: str) -> int:
    return zlib.crc32(f"{topic}/{card.user}/{card.domain}".encode())


def _start_unix(card: AccountCard) -> int:
    return _FIRST_START_UNIX + _number(card, "start") % _STARTS_SECONDS


def _ip(card: AccountCard) -> str:
    """One address is shared by all accounts of an owner."""
    return f"192.0.2.{zlib.crc32(card.owner.encode()) % 200 + 10}"


def _plan(card: AccountCard) -> str:
    """The package; those of a reseller begin with its name."""
    plan = _PLANS[_number(card, "plan") % len(_PLANS)]
    return plan if card.owner == "root" else f"{card.owner}_{plan}"
