"""Rows of listaccts -> accounts."""

import msgspec

from cpanel_mail_exporter.model.accounts import Account
from cpanel_mail_exporter.whm.decode.outcome import Rows, UnexpectedShape
from cpanel_mail_exporter.whm.decode.rows import decode_rows
from cpanel_mail_exporter.whm.decode.scalars import flag, text, whole_number
from cpanel_mail_exporter.whm.wire import Scalar, WireAccount

ACCOUNTS_MEMBER = "acct"
"""Name of the list in an answer of listaccts."""

_UNKNOWN = "*unknown*"
_BEYOND_ALL_LIMITS = 10**15

_all = msgspec.json.Decoder(list[WireAccount])
_one = msgspec.json.Decoder(WireAccount)


def account_rows(array: bytes) -> Rows[Account]:
    """Decode a JSON array of listaccts rows; one without a user is rejected.

    Raises:
        NotJsonText: *array* is no JSON array.
    """
    return decode_rows(array, _all.decode, _account, _one.decode, _account)


def _account(row: WireAccount) -> Account:
    user = _name(row.user)
    if not user:
        raise UnexpectedShape("no row of listaccts")
    return Account(
        user,
        _name(row.domain),
        _name(row.owner),
        _limit(row.max_email_per_hour),
        _limit(row.max_defer_fail_percentage),
        flag(row.outgoing_mail_suspended),
        flag(row.outgoing_mail_hold),
        flag(row.suspended),
    )


def _name(value: Scalar) -> str:
    """A name, empty for the word that public code shows for one that isn't known."""
    name = text(value)
    return "" if name == _UNKNOWN else name


def _limit(value: Scalar) -> int | None:
    """A finite limit, None for all else.

    Documented are an integer and the word `unlimited`. 0 is no limit either: cPanel's settings
    call it so for the hourly limit, and public code shows it stored for an unlimited percentage;
    that code also gives the word `*unknown*` to accounts with no limit of their own. A forum post
    shows -1, which nothing explains.
    """
    number = None if isinstance(value, bool) else whole_number(value)
    return number if number is not None and 0 < number < _BEYOND_ALL_LIMITS else None
