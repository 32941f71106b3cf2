"""A server's own words in an error: what they may say of people is masked."""

from cpanel_mail_exporter.ledger.masking import masked
from cpanel_mail_exporter.model.errors import ApiRefused, Denied, PollError
from cpanel_mail_exporter.model.records import DeliveryRecord

_NOTHING = DeliveryRecord(*[""] * 22, None, None)


def without_people(error: PollError) -> PollError:
    """The same error; if the server said why, with addresses and what looks like ids masked."""
    if not isinstance(error, (ApiRefused, Denied)):
        return error
    detail = masked(_NOTHING._replace(message=error.detail))
    return type(error)(error.server, error.function, detail)
