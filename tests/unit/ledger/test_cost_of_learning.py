"""What learning an event costs, in calls of functions: they are the same on every machine."""

import pytest

from cpanel_mail_exporter.app.meaning import build_meaning
from cpanel_mail_exporter.ledger.ledger import Ledger
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.calls_counted import calls_of
from tests.unit.ledger.mail import row

T = 1_000_800
EVENTS = 2_000
REFUSAL = (
    "SMTP error from remote mail server after RCPT TO:<{to}>: host mx1.example.net [192.0.2.25]: "
    '550-5.1.1 The email account "{to}" that you tried to reach does not exist'
)


def event(number: int, kind: str) -> DeliveryRecord:
    """An account's mail to a recipient of its own, 100 accounts in turn."""
    to = f"reader{number}@example.net"
    return row(
        "outbound",
        kind,
        T + number,
        T + number + 7,
        msg_id=f"1wtYVW-{number:011d}-3Ryp",
        user=f"account{number % 100}",
        recipient=to,
        delivered_to="" if kind == "failure" else to,
        message="Accepted" if kind == "success" else REFUSAL.format(to=to),
    )


def cost(records: list[DeliveryRecord], *, counts_past: bool) -> float:
    """Calls for each of *records*, all of them new to a ledger of its own, and of long ago."""
    now = T + EVENTS + 2 * 3_600
    ledger = Ledger("web1", MemoryStore(), build_meaning())
    ledger.begin(now, counts_past=counts_past)
    calls = calls_of(lambda: ledger.learn(records, now))
    return calls / len(records)


@pytest.mark.parametrize(("kind", "most"), [("success", 46), ("failure", 62), ("defer", 66)])
def test_an_event_that_is_new_takes_few_calls(kind: str, most: int) -> None:
    """The bounds lie a little above what it took when they were set."""
    assert cost([event(number, kind) for number in range(EVENTS)], counts_past=True) <= most


@pytest.mark.parametrize(("kind", "most"), [("success", 23), ("failure", 39), ("defer", 30)])
def test_an_event_that_is_only_marked_takes_half_as_many(kind: str, most: int) -> None:
    """As at the first poll of a new ledger."""
    assert cost([event(number, kind) for number in range(EVENTS)], counts_past=False) <= most
