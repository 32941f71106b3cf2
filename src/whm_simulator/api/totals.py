"""``emailtrack_user_stats`` and ``emailtrack_stats``: sums over the rows of a range.

Assumed where cPanel says nothing: a range is one of send time with both ends included; SENDCOUNT
and TOTALSIZE count each message once, DEFERFAILCOUNT is deferrals and failures together (as in the
known samples), and a limit shows as reached if a message of the range was refused for it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from whm_simulator.api.answer import Answer
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params, is_on, one_of, whole_number
from whm_simulator.api.search import goes_by
from whm_simulator.world.blocks import Refusal
from whm_simulator.world.delivery import REFUSED_BY_CPANEL
from whm_simulator.world.plan import Verdict
from whm_simulator.world.rows import DEFER, FAILURE, INPROGRESS, SUCCESS, Row
from whm_simulator.world.stream import Span, World

_DELIVERY_TYPES = ("all", "remote", "remote-or-faildefer", "local")


@dataclass(slots=True)
class Totals:
    """Sums over rows; messages are told apart by their id."""

    events: dict[str, int] = field(
        default_factory=lambda: {SUCCESS: 0, DEFER: 0, FAILURE: 0, INPROGRESS: 0}
    )
    sizes_bytes: dict[str, int] = field(default_factory=dict)
    refused_ids: list[str] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Count *row*."""
        self.events[row.type] += 1
        self.sizes_bytes[row.msgid] = row.size
        if row.router == REFUSED_BY_CPANEL.router:
            self.refused_ids.append(row.msgid)

    def members(self) -> dict[str, int]:
        """The members that both functions have, with WHM's names."""
        defers, failures = self.events[DEFER], self.events[FAILURE]
        return {
            "DEFERCOUNT": defers,
            "DEFERFAILCOUNT": defers + failures,
            "FAILCOUNT": failures,
            "SENDCOUNT": len(self.sizes_bytes),
            "SUCCESSCOUNT": self.events[SUCCESS],
            "TOTALSIZE": sum(self.sizes_bytes.values()),
        }


def emailtrack_user_stats(world: World, params: Params, now_unix: float) -> Answer:
    """One record for each user that sent something in the range, by user name."""
    output = Output.of(params)
    span = _span(params, ("starttime",), ("endtime",), now_unix)
    rows = _rows(world, params, now_unix, span)
    sender = params.get("sender", "")
    by_user: dict[str, Totals] = {}
    domains: dict[str, str] = {}
    for row in rows:
        if sender and row.sender != sender:
            continue
        if row.user not in by_user:
            by_user[row.user] = Totals()
            domains[row.user] = row.domain
        by_user[row.user].add(row)
    owners = {account.user: account.owner for account in world.site.accounts}
    refusals = world.refusals(now_unix, span)
    records = []
    for user in sorted(by_user):
        totals = by_user[user]
        reached = [refusals[msgid] for msgid in totals.refused_ids]
        is_account = user in owners
        records.append(
            {
                **totals.members(),
                "DOMAIN": domains[user],
                "OWNER": owners.get(user, "root"),
                "PRIMARY_DOMAIN": domains[user] if is_account else "",
                "REACHED_MAXDEFERFAIL": _reached_defer_fail(reached),
                "REACHED_MAXEMAILS": _reached_emails(reached),
                "USER": user,
            }
        )
    metadata: dict[str, Any] = {"overflowed": 0}
    records = output.apply([dict(sorted(record.items())) for record in records], metadata)
    return Answer("emailtrack_user_stats", records, metadata=metadata)


def emailtrack_stats(world: World, params: Params, now_unix: float) -> Answer:
    """One record of sums over the range; sums over no mail at all are null."""
    output = Output.of(params)
    span = _span(params, ("starttime", "startdate"), ("endtime", "enddate"), now_unix)
    user = params.get("user", "")
    totals = Totals()
    for row in _rows(world, params, now_unix, span):
        if not user or row.user == user:
            totals.add(row)
    record: dict[str, int | None] = {
        **totals.members(),
        "INPROGRESSCOUNT": totals.events[INPROGRESS],
    }
    if not totals.sizes_bytes:
        for name in record.keys() - {"SENDCOUNT", "INPROGRESSCOUNT"}:
            record[name] = None
    if is_on(params, "nosize"):
        del record["TOTALSIZE"]
    if is_on(params, "nosuccess"):
        del record["SUCCESSCOUNT"]
    metadata: dict[str, Any] = {}
    records = output.apply([dict(sorted(record.items()))], metadata)
    return Answer("emailtrack_stats", records, metadata=metadata)


def _span(params: Params, starts: tuple[str, ...], ends: tuple[str, ...], now_unix: float) -> Span:
    """The range asked for: from 0 to now unless the parameters say otherwise."""
    start, end = 0, math.floor(now_unix)
    for name in reversed(starts):
        start = whole_number(params, name, start)
    for name in reversed(ends):
        end = whole_number(params, name, end)
    return Span(start, end)


def _rows(world: World, params: Params, now_unix: float, span: Span) -> Iterable[Row]:
    delivery_type = one_of(params, "deliverytype", _DELIVERY_TYPES, "all")
    rows = world.rows(now_unix, span)
    if delivery_type == "all":
        return rows
    return [row for row in rows if goes_by(delivery_type, row)]


def _newest(reached: list[Refusal], *verdicts: Verdict) -> Refusal | None:
    return next((refusal for refusal in reversed(reached) if refusal.verdict in verdicts), None)


def _reached_emails(reached: list[Refusal]) -> str | int:
    """The documentation says 0 or 1; real servers send 0 or "150/150"."""
    refusal = _newest(reached, Verdict.RETRY_LATER, Verdict.DISCARD_HOURLY)
    return f"{refusal.counted}/{refusal.limit}" if refusal else 0


def _reached_defer_fail(reached: list[Refusal]) -> str | int:
    """The documentation says 0 or 1; real servers send 0 or "5/5 (100%)"."""
    refusal = _newest(reached, Verdict.DISCARD_DEFER_FAIL)
    if refusal is None:
        return 0
    percent = refusal.counted * 100 // refusal.limit
    return f"{refusal.counted}/{refusal.limit} ({percent}%)"
