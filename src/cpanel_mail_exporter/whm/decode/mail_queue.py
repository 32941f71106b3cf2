"""Rows of fetch_mail_queue -> messages that wait."""

from collections.abc import Sequence

import msgspec

from cpanel_mail_exporter.model.queue import QueuedMessage
from cpanel_mail_exporter.whm.decode.outcome import Rows, UnexpectedShape
from cpanel_mail_exporter.whm.decode.rows import decode_rows
from cpanel_mail_exporter.whm.decode.scalars import flag, text, whole_number
from cpanel_mail_exporter.whm.wire import OddQueued, Scalar, WireQueued

_NO_SENDER = frozenset((None, "", "<>"))
_LATEST_UNIX = 100_000_000_000
_LARGEST_BYTES = 10**15
_LONGEST_USER = 255

_all = msgspec.json.Decoder(list[WireQueued])
_odd = msgspec.json.Decoder(OddQueued)
_new_tuple = tuple.__new__  # what QueuedMessage(...) calls, without its detour


def queue_rows(array: bytes) -> Rows[QueuedMessage]:
    """Decode a JSON array of fetch_mail_queue rows; one whose time can't be read is rejected.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    return decode_rows(array, _all.decode, _message, _odd.decode, _odd_message)


def _message(row: WireQueued) -> QueuedMessage:
    """Convert a row as documented; any other goes the long way."""
    arrived, size, frozen = row.time, row.size, row.frozen
    if not (
        type(arrived) is type(size) is type(frozen) is int
        and 0 < arrived < _LATEST_UNIX
        and 0 <= size < _LARGEST_BYTES
        and row.user is not None
        and len(row.user) <= _LONGEST_USER
        and row.recipients is not None
    ):
        return _odd_message(row)
    return _new_tuple(
        QueuedMessage,
        (row.sender in _NO_SENDER, frozen != 0, size, arrived, row.recipients, row.user),
    )


def _odd_message(row: WireQueued | OddQueued) -> QueuedMessage:
    """Convert a row of any kind; what is null, absent or an empty text is as good as not told.

    Null and absent are the same, since a server may leave out what has no value: so a row without
    a sender is a bounce, whose sender is empty.
    """
    arrived = whole_number(row.time)
    size = _or_none(row.size)
    size_bytes = 0 if size is None else whole_number(size)
    frozen = _or_none(row.frozen)
    is_frozen = False if frozen is None else flag(frozen)
    user = text(row.user).strip()
    if (
        arrived is None
        or not 0 < arrived < _LATEST_UNIX
        or size_bytes is None
        or not 0 <= size_bytes < _LARGEST_BYTES
        or is_frozen is None
        or len(user) > _LONGEST_USER
    ):
        raise UnexpectedShape("no row of fetch_mail_queue")
    is_bounce = row.sender in _NO_SENDER
    return QueuedMessage(is_bounce, is_frozen, size_bytes, arrived, _addresses(row), user)


def _addresses(row: WireQueued | OddQueued) -> Sequence[str]:
    """The recipients; one text instead of a list is taken as well, and null among them left out."""
    recipients = row.recipients
    if isinstance(recipients, list):
        return [text(each) for each in recipients if _or_none(each) is not None]
    return text(recipients).replace(",", " ").split()


def _or_none(value: Scalar) -> Scalar:
    return None if value == "" else value
