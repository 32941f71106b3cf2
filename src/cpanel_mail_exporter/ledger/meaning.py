"""What the ledger needs to be told about an event beyond its row: a port, filled by `bounces`."""

from typing import Protocol

from cpanel_mail_exporter.model.reason import Reason
from cpanel_mail_exporter.model.records import DeliveryRecord


class Meaning(Protocol):
    """Says why an event failed, and who takes its mail. Pure: equal rows mean the same.

    One object serves the ledgers of all servers, which ask from several threads at once, and ask
    for every row they count: answers should come from a cache.
    """

    def reason(self, record: DeliveryRecord) -> Reason:
        """Why *record*, a failure or a deferral, isn't a success."""

    def provider(self, host: str, domain: str) -> str:
        """The mailbox provider behind a mail exchanger or a recipient's domain.

        Args:
            host: name of the mail exchanger that was spoken to, may be empty.
            domain: the recipient's.

        Returns:
            A short word of a known set, `other` beyond it.
        """
