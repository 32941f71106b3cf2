"""Rows of get_unique_sender_recipient_count_per_user -> counts by user."""

import msgspec

from cpanel_mail_exporter.model.accounts import UniqueRecipients
from cpanel_mail_exporter.whm.decode.outcome import Rows, UnexpectedShape
from cpanel_mail_exporter.whm.decode.rows import decode_rows
from cpanel_mail_exporter.whm.decode.scalars import text, whole_number
from cpanel_mail_exporter.whm.wire import WireUniqueRecipients

UNIQUE_RECIPIENTS_MEMBER = "payload"
"""Name of the list in an answer of get_unique_sender_recipient_count_per_user."""

_MOST = 10**15

_all = msgspec.json.Decoder(list[WireUniqueRecipients])
_one = msgspec.json.Decoder(WireUniqueRecipients)


def unique_recipient_rows(array: bytes) -> Rows[UniqueRecipients]:
    """Decode a JSON array of such rows; one without a user or without a count is rejected.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    return decode_rows(array, _all.decode, _unique_recipients, _one.decode, _unique_recipients)


def _unique_recipients(row: WireUniqueRecipients) -> UniqueRecipients:
    user = text(row.user)
    count = whole_number(row.unique_sender_recipient_count)
    if not user or count is None or not 0 <= count < _MOST:
        raise UnexpectedShape("no row of get_unique_sender_recipient_count_per_user")
    return UniqueRecipients(user, count)
