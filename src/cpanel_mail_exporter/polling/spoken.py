"""A server's own words in an error: what they may say of people is masked."""

from cpanel_mail_exporter.ledger.masking import masked
from cpanel_mail_exporter.model.errors import ApiRefused, Denied, PollError, Unsupported
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord

_NOTHING = DeliveryRecord(**dict.fromkeys(DELIVERY_LABELS, ""), send_unix=None, action_unix=None)


def without_people(error: PollError) -> PollError:
    """The same error; if the server said why, with addresses and what looks like ids masked."""
    if not isinstance(error, (ApiRefused, Denied, Unsupported)):
        return error
    detail = masked(_NOTHING._replace(message=error.detail))
    return type(error)(error.server, error.function, detail)
