"""What the counters must come to: rows of the simulator's truth -> numbers, slow and obvious.

It shares no code with the ledger: directions and bounds are written down here again, by what is
said of the families. What a text means and who takes the mail is asked of the exporter's own rules:
this is about counting, and other tests are about those. Rows are as `GET /truth` gives them, with
WHM's own field names.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from cpanel_mail_exporter.app.meaning import build_meaning
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord

Row = dict[str, Any]
Labels = tuple[tuple[str, str], ...]
Numbers = dict[tuple[str, Labels], int]
"""By sample name and label pairs in the order of the labels' names; zeros are left out."""

EVENTS = "cpanel_mail_delivery_events_total"
USER_EVENTS = "cpanel_mail_user_delivery_events_total"
FAILURES = "cpanel_mail_delivery_failures_total"
DEFERRALS = "cpanel_mail_delivery_deferrals_total"
SMTP_REPLIES = "cpanel_mail_smtp_replies_total"
"""Fewer than a hundred pairs of codes come here, so that none is in `_other`."""
TIME_TO_DELIVER = "cpanel_mail_time_to_deliver_seconds"
TIME_TO_FAIL = "cpanel_mail_time_to_fail_seconds"
ATTEMPTS = "cpanel_mail_delivery_attempts"
MESSAGE_SIZE = "cpanel_mail_message_size_bytes"

_TIMES = (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 14400, 43200, 86400, 172800, 345600)
BOUNDS: dict[str, tuple[int, ...]] = {
    TIME_TO_DELIVER: _TIMES,
    TIME_TO_FAIL: _TIMES,
    ATTEMPTS: (1, 2, 3, 5, 10, 20, 50),
    MESSAGE_SIZE: tuple(kib * 1024 for kib in (1, 4, 16, 64, 256, 1024, 4096, 10240, 25600, 51200)),
}
SETTLE_SECONDS = 3_900

OUTCOMES = {"success": "success", "failure": "failure", "defer": "defer"}
"""Every other word is `other`."""

FINAL = ("success", "failure")
WITH_A_REASON = {"failure": FAILURES, "defer": DEFERRALS}

DIRECTIONS = {
    # (the sender is elsewhere, the recipient is elsewhere)
    (True, False): "inbound",
    (False, True): "outbound",
    (False, False): "internal",
    (True, True): "forwarded",
}

FIELDS = {
    "deliveredto": "delivered_to",
    "deliverydomain": "delivery_domain",
    "deliveryuser": "delivery_user",
    "msgid": "msg_id",
    "senderauth": "sender_auth",
    "senderhost": "sender_host",
    "senderip": "sender_ip",
    "actiontime": "time",
}
"""Members of a row that a record has under another name."""

MEANING = build_meaning()


def direction(row: Row) -> str:
    """Where the mail came from and where it goes."""
    if not row["transport"]:
        if (row["router"] or "").startswith("enforce_mail_permissions"):
            return "outbound"
        if not row["deliveryuser"]:
            return "unknown"
        goes_elsewhere = row["deliveryuser"] == "-remote-"
    else:
        goes_elsewhere = bool(row["transport_is_remote"])
    return DIRECTIONS[row["user"] == "-remote-", goes_elsewhere]


def provider(row: Row) -> str:
    """Who takes the mail, by the exchanger that was spoken to, else by the domain."""
    if direction(row) in ("inbound", "internal"):
        return "local"
    address = row["deliveredto"] or row["recipient"]
    return MEANING.provider(row["host"] or "", address.rpartition("@")[2])


def record(row: Row) -> DeliveryRecord:
    """The row as the rules take it."""
    labels = dict.fromkeys(DELIVERY_LABELS, "")
    for member, value in row.items():
        name = FIELDS.get(member, member)
        if name in labels and value is not None:
            labels[name] = str(value)
    return DeliveryRecord(
        **labels, send_unix=row["sendunixtime"], action_unix=row["actionunixtime"]
    )


def numbers(rows: Iterable[Row], since_unix: int) -> Numbers:
    """All counters and histograms of *rows*, attempts left out.

    Args:
        rows: as a server shows them, in progress or not.
        since_unix: events of an earlier action time aren't counted.
    """
    counters: Counter[tuple[str, Labels]] = Counter()
    seen: dict[tuple[str, Labels], list[int]] = defaultdict(list)
    sizes: dict[tuple[str, str], int] = {}
    for row in counted(rows, since_unix):
        way, outcome = direction(row), OUTCOMES.get(row["type"], "other")
        taker = provider(row)
        counters[EVENTS, pairs(outcome=outcome, direction=way, provider=taker)] += 1
        who = pairs(user=row["user"], domain=row["domain"], outcome=outcome)
        counters[USER_EVENTS, who] += 1
        if outcome in WITH_A_REASON:
            why = MEANING.reason(record(row))
            place = pairs(reason=why.reason, severity=why.severity, provider=taker, direction=way)
            counters[WITH_A_REASON[outcome], place] += 1
            if why.code:
                reply = pairs(code=why.code, enhanced_code=why.enhanced_code)
                counters[SMTP_REPLIES, reply] += 1
        took = row["actionunixtime"] - row["sendunixtime"]
        if outcome == "success":
            seen[TIME_TO_DELIVER, pairs(direction=way, provider=taker)].append(took)
        if outcome == "failure":
            seen[TIME_TO_FAIL, pairs(direction=way)].append(took)
        sizes[row["msgid"], way] = row["size"]
    for (_, way), size_bytes in sizes.items():
        seen[MESSAGE_SIZE, pairs(direction=way)].append(size_bytes)
    return {**counters, **histograms(seen)}


def activity(rows: Iterable[Row], since_unix: int) -> Numbers:
    """What each account did in whole hours since *since_unix*, by time of action.

    Mail to other servers, and what has nowhere to go; in the words of the ledger's file.
    """
    since = -(-since_unix // 3_600) * 3_600
    found: Counter[tuple[str, Labels]] = Counter()
    for row in counted(rows, since):
        way, kind = direction(row), row["type"]
        is_sent = way == "outbound" or (way == "unknown" and kind != "success")
        if kind not in OUTCOMES or row["user"] in ("", "-remote-") or not is_sent:
            continue
        what = {"success": "delivered", "failure": "failed", "defer": "deferred"}[kind]
        router = row["router"] or ""
        if kind != "success" and not row["transport"] and router.startswith("enforce_mail_perm"):
            what = "stopped"
        names = [what]
        if row["actionunixtime"] - row["sendunixtime"] <= 600:
            names.append("tried")
        if what == "failed" and MEANING.reason(record(row)).reason == "unknown_user":
            names.append("unknown")
        for name in names:
            found["activity", pairs(user=row["user"], what=name)] += 1
    return dict(found)


def attempts(rows: Sequence[Row], since_unix: int, until_unix: int) -> Numbers:
    """The histogram of attempts: outcomes until *until_unix*, with every deferral before them."""
    deferred: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        if row["type"] == "defer":
            deferred[row["msgid"], row["recipient"]].append(row["actionunixtime"])
    seen: dict[tuple[str, Labels], list[int]] = defaultdict(list)
    for row in counted(rows, since_unix):
        ended_unix = row["actionunixtime"]
        if row["type"] in FINAL and ended_unix <= until_unix:
            earlier = [at for at in deferred[row["msgid"], row["recipient"]] if at <= ended_unix]
            seen[ATTEMPTS, pairs(direction=direction(row))].append(len(earlier) + 1)
    return histograms(seen)


def counted(rows: Iterable[Row], since_unix: int) -> list[Row]:
    """The rows that tell of events, and of those that are counted."""
    return [
        row for row in rows if row["type"] != "inprogress" and row["actionunixtime"] >= since_unix
    ]


def histograms(seen: dict[tuple[str, Labels], list[int]]) -> Numbers:
    """Every sample of a histogram: buckets that hold something, sum and count."""
    found: Numbers = {}
    for (name, labels), values in seen.items():
        for bound in (*BOUNDS[name], float("inf")):
            place = pairs(**dict(labels), le=f"{bound:g}")
            found[f"{name}_bucket", place] = sum(value <= bound for value in values)
        found[f"{name}_sum", labels] = sum(values)
        found[f"{name}_count", labels] = len(values)
    return {key: value for key, value in found.items() if value}


def pairs(**labels: str) -> Labels:
    """Label pairs in the order of their names."""
    return tuple(sorted(labels.items()))
