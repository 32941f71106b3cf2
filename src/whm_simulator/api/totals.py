"""``emailtrack_user_stats`` and ``emailtrack_stats``: sums over the rows of a range.

Assumed where cPanel says nothing: SENDCOUNT and TOTALSIZE count each message once, DEFERFAILCOUNT
is deferrals and failures together (as in the known samples), and a limit shows as reached if a
message of the range was refused for it. DOMAIN of an account is its primary one, whichever it sent
from, unless the quirk ``user-rows=domain`` splits them.
"""

from typing import Any

from whm_simulator.api.answer import Answer
from whm_simulator.api.output import Output
from whm_simulator.api.params import Params, is_on, one_of
from whm_simulator.api.ranges import range_of, rows_in, sums_in
from whm_simulator.api.search import goes_by
from whm_simulator.api.visit import Visit
from whm_simulator.mail.source import Span
from whm_simulator.mail.sums import Reached, Sender, Sums, sums_of

_DELIVERY_TYPES = ("all", "remote", "remote-or-faildefer", "local")


def emailtrack_user_stats(visit: Visit, params: Params) -> Answer:
    """One record for each user that sent something in the range, by user name."""
    output = Output.of(params, visit.quirks)
    span = range_of(visit, params, ("starttime",), ("endtime",))
    cards = {card.user: card for card in visit.mail.accounts(visit.now_unix)}
    whole: dict[str, Sender] = {user: Sender(user, card.domain) for user, card in cards.items()}
    found: dict[Sender, Sums] = {}
    for sender, sums in sorted(
        _sums(visit, params, span, params.get("sender", "")).items(), key=_by_sender
    ):
        key = sender
        if visit.quirks.user_rows == "user":
            key = whole.setdefault(sender.user, sender)
        found.setdefault(key, Sums()).add(sums)
    records = []
    for (user, domain), sums in sorted(found.items(), key=_by_sender):
        card = cards.get(user)
        record = {
            **_members(sums),
            "DOMAIN": domain,
            "OWNER": card.owner if card else "root",
            "PRIMARY_DOMAIN": card.domain if card else "",
            "REACHED_MAXDEFERFAIL": _reached(visit, sums.max_defer_fail),
            "REACHED_MAXEMAILS": _reached(visit, sums.max_emails),
            "USER": user,
        }
        records.append(dict(sorted(record.items())))
    metadata: dict[str, Any] = {"overflowed": 0}
    shown = output.apply(records, metadata)
    return Answer("emailtrack_user_stats", shown, metadata=metadata)


def emailtrack_stats(visit: Visit, params: Params) -> Answer:
    """One record of sums over the range; sums over no mail at all are null."""
    output = Output.of(params, visit.quirks)
    span = range_of(visit, params, ("starttime", "startdate"), ("endtime", "enddate"))
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


def _by_sender(item: tuple[Sender, Sums]) -> Sender:
    return item[0]


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


def _reached(visit: Visit, reached: Reached | None) -> int | str:
    if reached is None:
        return 0
    return 1 if visit.quirks.limits == "number" else reached.text


def _sums(visit: Visit, params: Params, span: Span, sender: str = "") -> dict[Sender, Sums]:
    delivery_type = one_of(params, "deliverytype", _DELIVERY_TYPES, "all")
    if delivery_type == "all" and not sender:
        return sums_in(visit, span)
    return sums_of(
        row
        for row in rows_in(visit, span)
        if goes_by(delivery_type, row) and sender in ("", row.sender)
    )
