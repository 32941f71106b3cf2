"""Which row is which: 64-bit identities of events, messages and recipients.

WHM gives its rows no id. An event is known again by what can't be filled in later; what can
(router, message, size, account of the recipient) is left out, so that a row that is completed
between two readings stays the same event. Rows alike in all of this are as many events as there
are rows. In one second of 10,000 events two different ones fall together once in 10**11 seconds.
"""

from hashlib import blake2b
from struct import Struct

from cpanel_mail_exporter.model.records import DeliveryRecord

_signed = Struct("<q").unpack
# Hashing begins with a copy of this: working out its parameters takes longer than copying them.
_empty = blake2b(digest_size=8).copy


def home_second(record: DeliveryRecord) -> int | None:
    """The second that a row is kept under: its send time, else its action time, else None."""
    return record.action_unix if record.send_unix is None else record.send_unix


def event_identity(record: DeliveryRecord) -> int:
    """The same for rows that tell of the same event; a signed 64-bit number."""
    send_unix, action_unix = record.send_unix, record.action_unix
    sent = record.sendunixtime if send_unix is None else send_unix
    acted = record.actionunixtime if action_unix is None else action_unix
    text = (
        f"{record.type}\0{record.msg_id}\0{record.recipient}\0{record.delivered_to}\0{sent}\0{acted}"
        f"\0{record.transport}\0{record.host}\0{record.ip}"
    )
    if text.count("\0") != 8:
        to = record.recipient, record.delivered_to, record.transport, record.host, record.ip
        text = repr((record.type, record.msg_id, *to, sent, acted))
    return _hashed(text)


def message_identity(second: int, msg_id: str) -> int:
    """The same for rows of the same message that are kept under the same second.

    Rows of one message share their send time [documented as the time it was sent]. Should some lack
    it, or have another, they are a message of their own: what is read and forgotten together, and
    what is told of it, never depends on seconds that may not be at hand.
    """
    return _hashed(f"{second}\0{msg_id}")


def recipient_identity(second: int, msg_id: str, recipient: str) -> int:
    """The same for rows about the same envelope recipient of such a message."""
    text = f"{second}\0{msg_id}\0{recipient}"
    if text.count("\0") != 2:
        text = repr((second, msg_id, recipient))
    return _hashed(text)


def _hashed(text: str) -> int:
    """The parts of a text are kept apart by zero characters.

    Where a part holds one itself, the text is a `repr` without any, so that no two lists of parts
    have the same.
    """
    hashing = _empty()
    hashing.update(text.encode("utf-8", "surrogatepass"))
    number: int
    (number,) = _signed(hashing.digest())
    return number
