"""Which row is which: 64-bit identities of events, messages and recipients.

WHM gives its rows no id. An event is known again by what can't be filled in later; what can
(router, message, size, account of the recipient) is left out, so that a row that is completed
between two readings stays the same event. Rows alike in all of this are as many events as there
are rows. In one second of 10,000 events two different ones fall together once in 10**11 seconds.

Identities are signed 64-bit numbers, worked out many at a time: this runs for every row there is.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from operator import itemgetter
from struct import unpack

from cpanel_mail_exporter.model.records import DeliveryRecord

# Hashing begins with a copy of this: working out its parameters takes longer than copying them.
_empty = blake2b(digest_size=8).copy
_parts = itemgetter(
    *map(
        DeliveryRecord._fields.index,
        (
            *("type", "msg_id", "recipient", "delivered_to"),
            *("send_unix", "sendunixtime", "action_unix", "actionunixtime"),
            *("transport", "host", "ip"),
        ),
    )
)


def home_second(record: DeliveryRecord) -> int | None:
    """The second that a row is kept under: its send time, else its action time, else None."""
    return record.action_unix if record.send_unix is None else record.send_unix


def event_identity(record: DeliveryRecord) -> int:
    """The same for rows that tell of the same event."""
    return event_identities((record,))[0]


def event_identities(records: Sequence[DeliveryRecord]) -> tuple[int, ...]:
    """The same of each of *records*."""
    texts = [
        f"{kind}\0{msg_id}\0{recipient}\0{delivered_to}\0{sent_text if sent is None else sent}"
        f"\0{acted_text if acted is None else acted}\0{transport}\0{host}\0{ip}"
        for (
            kind,
            msg_id,
            recipient,
            delivered_to,
            sent,
            sent_text,
            acted,
            acted_text,
            transport,
            host,
            ip,
        ) in map(_parts, records)
    ]
    if not _are_apart(texts, 9):
        texts = [
            text if text.count("\0") == 8 else _unmistakable(record)
            for text, record in zip(texts, records, strict=True)
        ]
    return _hashed(texts)


def _unmistakable(record: DeliveryRecord) -> str:
    """The text of an event with a zero character in one of its parts."""
    sent = record.sendunixtime if record.send_unix is None else record.send_unix
    acted = record.actionunixtime if record.action_unix is None else record.action_unix
    to = record.recipient, record.delivered_to, record.transport, record.host, record.ip
    return repr((record.type, record.msg_id, *to, sent, acted))


def message_identity(second: int, msg_id: str) -> int:
    """The same for rows of the same message that are kept under the same second.

    Rows of one message share their send time [documented as the time it was sent]. Should some lack
    it, or have another, they are a message of their own: what is read and forgotten together, and
    what is told of it, never depends on seconds that may not be at hand.
    """
    return message_identities(((second, msg_id),))[0]


def message_identities(messages: Iterable[tuple[int, str]]) -> tuple[int, ...]:
    """The same of each of *messages*."""
    return _hashed([f"{second}\0{msg_id}" for second, msg_id in messages])


def recipient_identity(second: int, msg_id: str, recipient: str) -> int:
    """The same for rows about the same envelope recipient of such a message."""
    return recipient_identities([(second, msg_id, recipient)])[0]


def recipient_identities(recipients: Sequence[tuple[int, str, str]]) -> tuple[int, ...]:
    """The same of each of *recipients*: second, message id and envelope recipient."""
    texts = [f"{second}\0{msg_id}\0{recipient}" for second, msg_id, recipient in recipients]
    if not _are_apart(texts, 3):
        texts = [
            text if text.count("\0") == 2 else repr(one)
            for text, one in zip(texts, recipients, strict=True)
        ]
    return _hashed(texts)


def _are_apart(texts: list[str], parts: int) -> bool:
    """Whether none of *texts*, of so many parts each, holds a zero character but those between.

    The parts of a text are kept apart by zero characters. Where a part holds one itself, the text
    is a `repr` without any, so that no two lists of parts have the same.
    """
    return "\0".join(texts).count("\0") == max(0, parts * len(texts) - 1)


def _hashed(texts: list[str]) -> tuple[int, ...]:
    digests = []
    for text in texts:
        hashing = _empty()
        hashing.update(text.encode("utf-8", "surrogatepass"))
        digests.append(hashing.digest())
    return unpack(f"<{len(digests)}q", b"".join(digests))
