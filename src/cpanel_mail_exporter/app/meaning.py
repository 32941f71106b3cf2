"""INTERIM while the bounces room is being built; replaced before it is handed over."""

from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.model.reason import Reason
from cpanel_mail_exporter.model.records import DeliveryRecord


class _Interim:
    def reason(self, record: DeliveryRecord) -> Reason:
        return Reason("other", "soft")

    def provider(self, host: str, domain: str) -> str:
        return "other"


def build_meaning() -> Meaning:
    return _Interim()
