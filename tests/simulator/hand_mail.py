"""Mail written by hand, so that tests of the API can state whole answers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any

import msgspec

from whm_simulator.api.functions import call
from whm_simulator.api.params import params_of
from whm_simulator.api.quirks import PLAIN, Quirks
from whm_simulator.api.visit import Caller, Visit
from whm_simulator.mail.rows import INPROGRESS, Row
from whm_simulator.mail.source import AccountCard, Mail, Queued, Span
from whm_simulator.mail.sums import Sender, Sums, sums_of

NOW_UNIX = 1_795_252_447
"""2026-11-21 09:14:07 UTC."""

ROOT_CALLER = Caller()

CARDS = (
    AccountCard("alpha", "alpha.example.com", "root", ("alpha.example.com", "shop.example.com")),
    AccountCard(
        "beta", "beta.example.org", "reseller1", ("beta.example.org",), 150, 60, False, True, False
    ),
    AccountCard(
        "delta", "delta.example.com", "reseller2", ("delta.example.com",), 0, 0, True, False, True
    ),
    AccountCard("gamma", "gamma.example.net", "reseller1", ("gamma.example.net",), 100),
)
"""Accounts of root and of two resellers, by user name."""

ACCOUNT_OF = {domain: card.user for card in CARDS for domain in card.domains}


def attempt(
    msgid: str,
    sent: int,
    sender: str,
    recipient: str,
    acted: int,
    kind: str = "success",
    **other: Any,
) -> Row:
    """A delivery attempt; *sent* and *acted* are seconds after ``NOW_UNIX``.

    The sender's account and the way to the recipient follow from the domains of the addresses.
    """
    at_unix = NOW_UNIX + acted
    domain = sender.rpartition("@")[2]
    user = ACCOUNT_OF.get(domain, "-remote-")
    there = recipient.rpartition("@")[2]
    is_local = there in ACCOUNT_OF
    members: dict[str, Any] = {
        "actiontime": datetime.fromtimestamp(at_unix, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "actionunixtime": at_unix,
        "deliveredto": recipient if kind == "success" else None,
        "deliverydomain": there if is_local else None,
        "deliveryuser": ACCOUNT_OF.get(there, "-remote-"),
        "domain": domain if user != "-remote-" else "",
        "email": sender,
        "host": "localhost" if is_local else f"mx.{there}",
        "ip": "127.0.0.1" if is_local else "192.0.2.25",
        "message": "Accepted" if kind == "success" else f"{kind} of {recipient}",
        "msgid": msgid,
        "recipient": recipient,
        "router": "virtual_user" if is_local else "dkim_lookuphost",
        "sender": sender,
        "senderauth": "dovecot_login",
        "senderhost": "client.example.org",
        "senderip": "198.51.100.7",
        "sendunixtime": NOW_UNIX + sent,
        "size": 1000 + sent % 977,
        "spamscore": 0,
        "transport": "dovecot_virtual_delivery" if is_local else "dkim_remote_smtp",
        "transport_is_remote": int(not is_local),
        "type": kind,
        "user": user,
    }
    return Row(**(members | other))


def refused(msgid: str, sent: int, sender: str, recipient: str, text: str) -> Row:
    """A message that cPanel itself discards, with cPanel's *text*."""
    return attempt(
        msgid, sent, sender, recipient, sent, "failure", message=text, host=None, ip=None,
        router="enforce_mail_permissions", transport=None, transport_is_remote=0,
        deliverydomain=None, deliveryuser=None,
    )  # fmt: skip


def waiting(row: Row) -> Row:
    """What stands for *row* until its attempt ends."""
    return msgspec.structs.replace(
        row, actiontime=None, actionunixtime=None, deliveredto=None, deliverydomain=None,
        deliveryuser=None, host=None, ip=None, message=None, router=None, transport=None,
        transport_is_remote=0, type=INPROGRESS,
    )  # fmt: skip


@dataclass
class HandMail:
    """``Mail`` made of *attempts*: each shows from its end on, and is in progress before."""

    attempts: Sequence[Row]
    cards: Sequence[AccountCard] = CARDS
    queued: Sequence[Queued] = ()
    hostname: str = "host1.example.net"
    zone: tzinfo = field(default=UTC)

    def accounts(self, now_unix: float) -> Sequence[AccountCard]:
        return self.cards

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        firsts: dict[tuple[str, str], Row] = {}
        shown = []
        for row in sorted(self.attempts, key=lambda row: row.actionunixtime or 0):
            firsts.setdefault((row.msgid, row.recipient), row)
            if (row.actionunixtime or 0) <= now_unix:
                shown.append(row)
        shown += [
            waiting(row)
            for row in firsts.values()
            if row.sendunixtime <= now_unix < (row.actionunixtime or 0)
        ]
        shown = [row for row in shown if within(span, row.sendunixtime)]
        if acted is not None:
            shown = [row for row in shown if within(acted, row.actionunixtime)]
        return sorted(shown, key=lambda row: row.sendunixtime)

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        return sums_of(self.rows(now_unix, span))

    def queue(self, now_unix: float) -> list[Queued]:
        return list(self.queued)

    def reason(self, row: Row) -> str | None:
        return None


def within(span: Span | None, instant: int | None) -> bool:
    """Whether *instant* is in *span*; nothing bounds where there is none."""
    if span is None:
        return True
    return instant is not None and span.first_unix <= instant <= span.last_unix


EVERY_TYPE = {"success": 1, "defer": 1, "failure": 1, "inprogress": 1}


def body(
    mail: Mail,
    function: str,
    params: Mapping[str, object] | Iterable[tuple[str, object]] = (),
    *,
    quirks: Quirks = PLAIN,
    caller: Caller = ROOT_CALLER,
    now_unix: float = NOW_UNIX,
) -> Any:
    """The decoded answer of *function*, asked with WHM API 1."""
    pairs = params.items() if isinstance(params, Mapping) else params
    named = params_of([("api.version", "1"), *((name, str(value)) for name, value in pairs)])
    answer = call(Visit(mail, now_unix, caller, quirks), function, named)
    return msgspec.json.decode(b"".join(answer.pieces()))


def found(mail: Mail, params: Mapping[str, object] = {}, **how: Any) -> list[dict[str, Any]]:
    """The records of a search for *params* and every type."""
    records: list[dict[str, Any]] = body(
        mail, "emailtrack_search", {**EVERY_TYPE, **params}, **how
    )["data"]["records"]
    return records


def filters(*conditions: tuple[str, str, object]) -> dict[str, object]:
    """Parameters for filters on (field, operator, value), lettered a, b, c ..."""
    params: dict[str, object] = {"api.filter.enable": "1"}
    for letter, (name, kind, wanted) in zip("abcdefghij", conditions, strict=False):
        params[f"api.filter.{letter}.field"] = name
        params[f"api.filter.{letter}.type"] = kind
        params[f"api.filter.{letter}.arg0"] = wanted
    return params


HOURLY = "Domain {} has exceeded the max emails per hour ({} ({}%)) allowed. Message discarded."
FAILS = (
    "Domain {} has exceeded the max defers and failures per hour ({} ({}%)) allowed."
    " Message discarded."
)

SMALL = HandMail(
    [
        attempt("m1", -1000, "info@alpha.example.com", "amy@example.net", -990),
        attempt("m1", -1000, "info@alpha.example.com", "info@beta.example.org", -999),
        attempt("m2", -800, "shop@beta.example.org", "bob@example.net", -790, "defer"),
        attempt("m2", -800, "shop@beta.example.org", "bob@example.net", -100),
        attempt("m2", -800, "shop@beta.example.org", "carol@example.net", -785, "failure"),
        attempt("m3", -600, "eve@example.net", "info@alpha.example.com", -598, spamscore=12),
        refused(
            "m4", -500, "news@gamma.example.net", "dan@example.net",
            HOURLY.format("gamma.example.net", "150/100", 150),
        ),
        refused(
            "m5", -400, "shop@beta.example.org", "dan@example.net",
            FAILS.format("beta.example.org", "5/5", 100),
        ),
        attempt(
            "m6", -300, "eve@example.net", "gone@delta.example.com", -300, "failure",
            transport=None, deliveryuser=None, message="No such person at this address",
        ),
        attempt("m7", -200, "", "info@beta.example.org", -199),
        attempt("m8", -5, "ann@shop.example.com", "amy@example.net", 30),
        attempt("m9", -5, "eve@example.net", "info@gamma.example.net", 2),
    ],
    queued=[
        Queued("m0", "", ("gone@example.org", "info@beta.example.org"), 4807, NOW_UNIX - 90_000,
               True, "mailnull"),
        Queued("m8", "ann@shop.example.com", ("amy@example.net",), 1000, NOW_UNIX - 5,
               False, "alpha"),
        Queued("m9", "eve@example.net", ("info@gamma.example.net",), 1000, NOW_UNIX - 5,
               False, None),
    ],
)  # fmt: skip
"""A quarter of an hour with something of everything."""
