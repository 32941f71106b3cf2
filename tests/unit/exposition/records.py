"""Delivery records to render, and the slow and obvious way to render one."""

from typing import Any

from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord

_DESCRIBED = DeliveryRecord(
    actionunixtime="1763663000",
    delivered_to="user1@example.com",
    delivery_domain="example.com",
    delivery_user="user1",
    domain="example.com",
    host="mx1.example.com",
    ip="192.0.2.10",
    message="Accepted",
    msg_id="MSG-0001",
    recipient="user1@example.com",
    router="localuser",
    sender="sender@example.com",
    sender_auth="localuser",
    sender_host="mail.example.com",
    sender_ip="198.51.100.20",
    sendunixtime="1763662998",
    size="10240",
    time="2025-11-21 01:23:49",
    transport="dovecot_delivery",
    transport_is_remote="0",
    type="success",
    user="user1",
    send_unix=1763662998,
    action_unix=1763663000,
)


def delivery(
    send_unix: int | None = 1763662998, action_unix: int | None = 1763663000, **labels: Any
) -> DeliveryRecord:
    """The record of the original's description with other instants and labels."""
    sent = "" if send_unix is None else str(send_unix)
    acted = "" if action_unix is None else str(action_unix)
    return _DESCRIBED._replace(
        **{"sendunixtime": sent, "actionunixtime": acted, **labels},
        send_unix=send_unix,
        action_unix=action_unix,
    )


def obvious_line(record: DeliveryRecord, server_labels: tuple[tuple[str, str], ...] = ()) -> str:
    """Every label quoted one by one, character by character."""
    pairs = [*server_labels, *zip(DELIVERY_LABELS, record[:22], strict=True)]
    return "email_logs{" + ",".join(f'{k}="{_escaped(v)}"' for k, v in pairs) + "} 1\n"


def _escaped(value: str) -> str:
    return "".join({"\\": "\\\\", '"': '\\"', "\n": "\\n"}.get(c, c) for c in value)
