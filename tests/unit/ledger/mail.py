"""True mail to count, and the slow and obvious way to count it."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cpanel_mail_exporter.ledger.counters import BOUNDS, CounterKey
from cpanel_mail_exporter.ledger.ledger import Ledger
from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.model.reason import Reason
from cpanel_mail_exporter.model.records import DeliveryRecord
from tests.unit.exposition.records import delivery

OUTBOUND = {
    "user": "acc1",
    "domain": "example.com",
    "delivery_user": "-remote-",
    "delivery_domain": "",
    "router": "dkim_lookuphost",
    "transport": "dkim_remote_smtp",
    "transport_is_remote": "1",
    "host": "mx1.example.net",
    "recipient": "amy@example.net",
    "delivered_to": "",
}
INBOUND = {
    "user": "-remote-",
    "domain": "",
    "delivery_user": "acc1",
    "delivery_domain": "example.com",
    "router": "virtual_user",
    "transport": "dovecot_virtual_delivery",
    "transport_is_remote": "0",
    "host": "localhost",
    "recipient": "info@example.com",
    "delivered_to": "info@example.com",
}
GMAIL = OUTBOUND | {"host": "alt3.gmail-smtp-in.l.google.com", "user": "acc2"}
INTERNAL = INBOUND | {"user": "acc3", "domain": "example.org"}
FORWARDED = GMAIL | {"user": "-remote-", "domain": ""}
REFUSED = OUTBOUND | {
    "router": "enforce_mail_permissions",
    "transport": "",
    "transport_is_remote": "0",
    "host": "",
    "delivery_user": "",
}

WAYS: dict[str, tuple[dict[str, str], str, str]] = {
    "inbound": (INBOUND, "inbound", "local"),
    "outbound": (OUTBOUND, "outbound", "other"),
    "gmail": (GMAIL, "outbound", "google"),
    "internal": (INTERNAL, "internal", "local"),
    "forwarded": (FORWARDED, "forwarded", "google"),
    "refused": (REFUSED, "outbound", "other"),
}
"""Fields of a row, and the direction and provider that it has."""

REASONS: dict[str, Reason] = {
    "550-5.1.1 no such user": Reason("unknown_user", "hard", "550", "5.1.1"),
    "452 4.2.2 over quota": Reason("mailbox_full", "soft", "452", "4.2.2"),
    "421 slow down": Reason("rate_limited", "soft", "421"),
    "Connection timed out": Reason("network", "soft"),
    "554 the moon is full": Reason("other", "soft", "554"),
}
"""What some texts mean; nobody has a rule for any other."""


class Table:
    """A Meaning of a few texts and one provider."""

    def reason(self, record: DeliveryRecord) -> Reason:
        """As REASONS has it."""
        assert record.type in {"failure", "defer"}, "of others nobody may ask"
        return REASONS.get(record.message, Reason("other", "soft"))

    def provider(self, host: str, domain: str) -> str:
        """`google` by its exchanger or its domain."""
        is_google = host.endswith(".l.google.com") or domain == "gmail.example"
        return "google" if is_google else "other"


MEANING = Table()


def row(way: str, kind: str, sent: int | None, acted: int | None, **labels: Any) -> DeliveryRecord:
    """A row of WHM: *way* is a key of WAYS, *kind* its type."""
    fields = {"msg_id": "m1", "size": "2000", **WAYS[way][0], "type": kind, **labels}
    return delivery(sent, acted, **fields)


@dataclass(frozen=True)
class Happened:
    """One true event: a key of WAYS, and the row that WHM gives of it."""

    way: str
    record: DeliveryRecord
    visible_unix: int = 0


def counted(
    events: Iterable[Happened],
    since_unix: int = 0,
    *,
    forgotten_before_unix: int = 0,
) -> dict[CounterKey, int]:
    """What a perfect reading of *events* comes to, numbers that are 0 left out."""
    found: Counter[CounterKey] = Counter()
    events = list(events)
    sized = set()
    deferred = set()
    final = set()
    for event in events:
        r = event.record
        assert r.send_unix is not None
        assert r.action_unix is not None
        recipient = (r.msg_id, r.recipient)
        if r.send_unix >= forgotten_before_unix:
            if r.type == "defer":
                deferred.add(recipient)
            elif r.type in {"success", "failure"}:
                final.add(recipient)
        if r.action_unix < since_unix:
            continue
        _, direction, provider = WAYS[event.way]
        is_known = r.type in {"success", "failure", "defer"}
        outcome = r.type if is_known else "other"
        found["events", (outcome, direction, provider)] += 1
        found["user_events", (r.user, r.domain, outcome)] += 1
        if not is_known:
            found["drift", ("unknown_type",)] += 1
        if r.type in {"failure", "defer"}:
            reason = REASONS.get(r.message, Reason("other", "soft"))
            name = "failures" if r.type == "failure" else "deferrals"
            found[name, (reason.reason, reason.severity, provider, direction)] += 1
            if reason.code:
                found["smtp_replies", (reason.code, reason.enhanced_code)] += 1
        if r.type == "success":
            took = r.action_unix - r.send_unix
            _observe(found, "time_to_deliver_seconds", (direction, provider), took)
        if r.type == "failure":
            _observe(found, "time_to_fail_seconds", (direction,), r.action_unix - r.send_unix)
        if r.type in {"success", "failure"}:
            earlier = sum(
                other.record.type == "defer"
                and (other.record.msg_id, other.record.recipient) == recipient
                and (other.record.action_unix or 0) <= r.action_unix
                for other in events
            )
            _observe(found, "attempts", (direction,), earlier + 1)
        if (r.msg_id, direction) not in sized:
            sized.add((r.msg_id, direction))
            _observe(found, "message_size_bytes", (direction,), int(r.size))
    found["deferred_recipients", ()] = len(deferred - final)
    return nonzero(found)


def performed(events: Iterable[Happened]) -> dict[tuple[str, int], tuple[int, ...]]:
    """What each account did in each hour, read perfectly.

    The numbers are tried, delivered, deferred, failed, unknown and stopped.
    """
    found: dict[tuple[str, int], list[int]] = {}
    for event in events:
        r = event.record
        assert r.send_unix is not None
        assert r.action_unix is not None
        if WAYS[event.way][1] != "outbound" or r.type not in {"success", "failure", "defer"}:
            continue
        does = found.setdefault((r.user, r.action_unix // 3_600 * 3_600), [0] * 6)
        does[0] += r.action_unix - r.send_unix <= 600
        if event.way == "refused" and r.type != "success":
            does[5] += 1
        else:
            does[("success", "defer", "failure").index(r.type) + 1] += 1
            reason = REASONS.get(r.message)
            is_unknown = reason is not None and reason.reason == "unknown_user"
            does[4] += r.type == "failure" and is_unknown
    return {key: tuple(does) for key, does in found.items()}


def remembered(store: LedgerStore) -> dict[tuple[str, int], tuple[int, ...]]:
    """The same as it is stored, be it by slots or by hours."""
    found = {
        (user, hour): list(does[:6])
        for user in {way["user"] for way, _, _ in WAYS.values()}
        for hour, does in store.hours(user).items()
    }
    for (user, slot), does in store.activity(0).items():
        whole = found.setdefault((user, slot // 3_600 * 3_600), [0] * 6)
        whole[:] = map(sum, zip(whole, does[:6], strict=True))
    return {key: tuple(does) for key, does in found.items()}


def numbers(ledger: Ledger, now_unix: float) -> dict[CounterKey, int]:
    """What a publication made now shows of it."""
    published = ledger.published(now_unix)
    assert published is not None
    return dict(published.numbers)


def nonzero(found: dict[CounterKey, int]) -> dict[CounterKey, int]:
    """The same without those that are 0."""
    return {key: value for key, value in found.items() if value}


def _observe(found: Counter[CounterKey], name: str, labels: tuple[str, ...], value: int) -> None:
    bound = next((str(bound) for bound in BOUNDS[name] if value <= bound), "inf")
    found[f"{name}_bucket", (*labels, bound)] += 1
    found[f"{name}_sum", labels] += value
