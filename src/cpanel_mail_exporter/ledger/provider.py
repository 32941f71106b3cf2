"""Who takes the mail: a record's destination -> a mailbox provider."""

from cpanel_mail_exporter.ledger.counters import INBOUND, INTERNAL, LOCAL_PROVIDER
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.model.records import DeliveryRecord

_STAYS_HERE = frozenset((INBOUND, INTERNAL))


def provider(record: DeliveryRecord, direction: str, meaning: Meaning) -> str:
    """`local` for mail that stays on the server, else what *meaning* says of where it went.

    The exchanger that was spoken to also finds domains of customers. The final address goes before
    the one that was written, unless it is a file or a program.
    """
    if direction in _STAYS_HERE:
        return LOCAL_PROVIDER
    address = record.delivered_to
    if "@" not in address:
        address = record.recipient
    return meaning.provider(record.host, address.rpartition("@")[2])
