"""Which delivery records `email_logs` shows: a record -> yes or no."""

from collections.abc import Sequence
from dataclasses import dataclass

from cpanel_mail_exporter.ledger.direction import direction
from cpanel_mail_exporter.model.query import DELIVERY_TYPES
from cpanel_mail_exporter.model.records import DeliveryRecord


@dataclass(frozen=True, slots=True)
class LogChoice:
    """What a record must be to be shown; each condition that is given must hold.

    Attributes:
        types: WHM's words for what happened. Words that aren't WHM's own are shown, too.
        domains: values of the label `domain`, in small letters; empty for any.
        users: values of the label `user`; empty for any.
        directions: as the ledger tells them; empty for any.
        not_domains, not_users: values that aren't shown.
    """

    types: tuple[str, ...] = DELIVERY_TYPES
    domains: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    directions: frozenset[str] = frozenset()
    not_domains: frozenset[str] = frozenset()
    not_users: frozenset[str] = frozenset()

    def chosen(self, records: Sequence[DeliveryRecord]) -> Sequence[DeliveryRecord]:
        """Those of *records* that are shown, in their order."""
        # A server may ignore which types were asked for.
        unwanted = frozenset(DELIVERY_TYPES) - frozenset(self.types)
        if unwanted:
            records = [record for record in records if record.type not in unwanted]
        if self.domains or self.not_domains:
            records = [record for record in records if self._has_domain(record.domain.lower())]
        if self.users or self.not_users:
            records = [record for record in records if self._has_user(record.user)]
        if self.directions:
            records = [record for record in records if direction(record) in self.directions]
        return records

    def _has_domain(self, domain: str) -> bool:
        return (not self.domains or domain in self.domains) and domain not in self.not_domains

    def _has_user(self, user: str) -> bool:
        return (not self.users or user in self.users) and user not in self.not_users
