"""Which row is which: 64-bit identities of events, messages and recipients.

WHM gives its rows no id. An event is known again by what can't be filled in later; what can
(router, message, size, account of the recipient) is left out, so that a row that is completed
between two readings stays the same event. Rows alike in all of this are as many events as there
are rows. In one second of 10,000 events two different ones fall together once in 10**11 seconds.
"""

from hashlib import blake2b
from struct import Struct

from cpanel_mail_exporter.model.records import DeliveryRecord

_SEPARATOR = "\0"
_signed = Struct("<q").unpack


def home_second(record: DeliveryRecord) -> int | None:
    """The second that a row is kept under: its send time, else its action time, else None."""
    return record.action_unix if record.send_unix is None else record.send_unix


def event_identity(record: DeliveryRecord) -> int:
    """The same for rows that tell of the same event; a signed 64-bit number."""
    sent = record.sendunixtime if record.send_unix is None else str(record.send_unix)
    acted = record.actionunixtime if record.action_unix is None else str(record.action_unix)
    return _hashed(
        (
            record.type,
            record.msg_id,
            record.recipient,
            record.delivered_to,
            sent,
            acted,
            record.transport,
            record.host,
            record.ip,
        )
    )


def message_identity(msg_id: str) -> int:
    """The same for rows of the same message."""
    return _hashed((msg_id,))


def recipient_identity(msg_id: str, recipient: str) -> int:
    """The same for rows about the same envelope recipient of the same message."""
    return _hashed((msg_id, recipient))


def _hashed(parts: tuple[str, ...]) -> int:
    text = _SEPARATOR.join(parts)
    if text.count(_SEPARATOR) != len(parts) - 1:
        text = repr(parts)  # holds no separator, so nothing else is written like it
    number: int
    (number,) = _signed(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    return number
