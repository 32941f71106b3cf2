"""What a reseller sees of a server: the accounts it owns, and the mail to and from them.

cPanel documents that resellers see only accounts they own, and that only root sees all.
Assumed: mail between an owned account and anybody else is seen whole, with the other's address.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from whm_simulator.mail.overlay import Overlay
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import AccountCard, Queued, Span
from whm_simulator.mail.sums import Sender, Sums, sums_of


@dataclass(frozen=True, slots=True)
class OwnedMail(Overlay):
    """``Mail`` cut down to the accounts whose owner is *owner*."""

    owner: str

    def accounts(self, now_unix: float) -> Sequence[AccountCard]:
        """The owned accounts."""
        return [card for card in self.mail.accounts(now_unix) if card.owner == self.owner]

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """Rows of mail that an owned account sends or gets.

        A row that names no receiving account (nothing has been tried yet) belongs to the one that
        has the recipient's domain.
        """
        users, domains = self._owned(now_unix)
        return [
            row
            for row in self.mail.rows(now_unix, span, acted)
            if row.user in users
            or row.deliveryuser in users
            or (row.deliveryuser is None and _domain(row.recipient) in domains)
        ]

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        """Sums over the rows that are seen."""
        return sums_of(self.rows(now_unix, span))

    def queue(self, now_unix: float) -> list[Queued]:
        """Messages of owned accounts; of others' messages only the recipients that are owned."""
        users, domains = self._owned(now_unix)
        seen = []
        for message in self.mail.queue(now_unix):
            if message.user in users:
                seen.append(message)
                continue
            own = tuple(one for one in message.recipients if _domain(one) in domains)
            if own:
                seen.append(message._replace(recipients=own))
        return seen

    def _owned(self, now_unix: float) -> tuple[set[str | None], set[str]]:
        """Names and domains of the owned accounts."""
        cards = self.accounts(now_unix)
        users: set[str | None] = {card.user for card in cards}
        return users, {domain for card in cards for domain in (card.domain, *card.domains)}


def _domain(address: str) -> str:
    return address.rpartition("@")[2]
