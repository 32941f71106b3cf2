"""``emailtrack_user_stats`` and ``emailtrack_stats``: sums over the rows of a range.

Assumed where cPanel says nothing: a range is one of send time with both ends included; SENDCOUNT
and TOTALSIZE count each message once, DEFERFAILCOUNT is deferrals and failures together (as in the
known samples), and a limit shows as reached if a message of the range was refused for it.
"""

import math
from typing import Any

from whm_simulator.api.answer import Answer
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params, is_on, one_of, whole_number
from whm_simulator.api.search import goes_by
from whm_simulator.api.visit import Visit
from whm_simulator.mail.source import Span
from whm_simulator.mail.sums import Sender, Sums, sums_of

_DELIVERY_TYPES = ("all", "remote", "remote-or-faildefer", "local")


def emailtrack_user_stats(visit: Visit, params: Params) -> Answer:
    """One record for each user that sent something in the range, by user name."""
    output = Output.of(params)
    span = _span(params, ("starttime",), ("endtime",), visit.now_unix)
    sender = params.get("sender", "")
    by_user: dict[str, Sums] = {}
    domains: dict[str, str] = {}
    for (user, domain), sums in _sums(visit, params, span, sender).items():
        if user not in by_user:
            by_user[user] = Sums()
            domains[user] = domain
        by_user[user].add(sums)
    cards = {card.user: card for card in visit.mail.accounts(visit.now_unix)}
    records = []
    for user in sorted(by_user):
        sums, card = by_user[user], cards.get(user)
        records.append(
            {
                **_members(sums),
                "DOMAIN": domains[user],
                "OWNER": card.owner if card else "root",
                "PRIMARY_DOMAIN": card.domain if card else "",
                "REACHED_MAXDEFERFAIL": sums.max_defer_fail.text if sums.max_defer_fail else 0,
                "REACHED_MAXEMAILS": sums.max_emails.text if sums.max_emails else 0,
                "USER": user,
            }
        )
    metadata: dict[str, Any] = {"overflowed": 0}
    records = output.apply([dict(sorted(record.items())) for record in records], metadata)
    return Answer("emailtrack_user_stats", records, metadata=metadata)


def emailtrack_stats(visit: Visit, params: Params) -> Answer:
    """One record of sums over the range; sums over no mail at all are null."""
    output = Output.of(params)
    span = _span(params, ("starttime", "startdate"), ("endtime", "enddate"), visit.now_unix)
    user = params.get("user", "")
    whole = Sums()
    for sender, sums in _sums(visit, params, span).items():
        if not user or sender.user == user:
            whole.add(sums)
    record: dict[str, int | None] = {**_members(whole), "INPROGRESSCOUNT": whole.inprogress}
    if not whole.messages:
        for name in record.keys() - {"SENDCOUNT", "INPROGRESSCOUNT"}:
            record[name] = None
    if is_on(params, "nosize"):
        del record["TOTALSIZE"]
    if is_on(params, "nosuccess"):
        del record["SUCCESSCOUNT"]
    metadata: dict[str, Any] = {}
    records = output.apply([dict(sorted(record.items()))], metadata)
    return Answer("emailtrack_stats", records, metadata=metadata)


def _members(sums: Sums) -> dict[str, int]:
    """The members that both functions have, with WHM's names."""
    return {
        "DEFERCOUNT": sums.defer,
        "DEFERFAILCOUNT": sums.defer + sums.failure,
        "FAILCOUNT": sums.failure,
        "SENDCOUNT": sums.messages,
        "SUCCESSCOUNT": sums.success,
        "TOTALSIZE": sums.size_bytes,
    }


def _sums(visit: Visit, params: Params, span: Span, sender: str = "") -> dict[Sender, Sums]:
    delivery_type = one_of(params, "deliverytype", _DELIVERY_TYPES, "all")
    if delivery_type == "all" and not sender:
        return visit.mail.sums(visit.now_unix, span)
    return sums_of(
        row
        for row in visit.mail.rows(visit.now_unix, span)
        if goes_by(delivery_type, row) and sender in ("", row.sender)
    )


def _span(params: Params, starts: tuple[str, ...], ends: tuple[str, ...], now_unix: float) -> Span:
    """The range asked for: from 0 to now unless the parameters say otherwise."""
    start, end = 0, math.floor(now_unix)
    for name in reversed(starts):
        start = whole_number(params, name, start)
    for name in reversed(ends):
        end = whole_number(params, name, end)
    return Span(start, end)
