"""What polling needs of the outside: a server that can be asked, and a place for what it said."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.model.accounts import Account, UniqueRecipients
from cpanel_mail_exporter.model.deliveries import DeliveriesState
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.outcome import PollOutcome
from cpanel_mail_exporter.model.query import (
    AnswerEnd,
    RecordsAnswer,
    SearchQuery,
    TextAnswer,
    TotalsAnswer,
    UserStatsAnswer,
)
from cpanel_mail_exporter.model.queue import QueuedMessage
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.services import Service


class DeliveryServer(Protocol):
    """One WHM server as the reading of delivery records asks it; every failure is a PollError."""

    async def totals(self, start_unix: int, end_unix: int) -> TotalsAnswer:
        """Sums of all mail over a range."""

    async def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], Awaitable[None]]
    ) -> AnswerEnd:
        """One page of delivery records, handed on while they arrive.

        The answer isn't read on while *receive* works, so it may take its time.
        """


class MailServer(DeliveryServer, Protocol):
    """One WHM server in full."""

    async def user_stats(self, start_unix: int, end_unix: int) -> UserStatsAnswer:
        """Sums by user over a window."""

    async def mail_queue(
        self, receive: Callable[[list[QueuedMessage]], Awaitable[None]]
    ) -> AnswerEnd:
        """All messages in the queue, handed on as those of a search are."""

    async def accounts(self) -> RecordsAnswer[Account]:
        """The accounts and their limits."""

    async def unique_recipients(
        self, start_unix: int, end_unix: int
    ) -> RecordsAnswer[UniqueRecipients]:
        """Pairs of sending address and recipient by user, over a window."""

    async def service(self, name: str) -> RecordsAnswer[Service]:
        """How one service is doing."""

    async def version(self) -> TextAnswer:
        """The version of cPanel & WHM."""

    async def hostname(self) -> TextAnswer:
        """The server's own name."""


class Findings(Protocol):
    """Where the results of one server's polls go."""

    @property
    def log_line_share(self) -> int:
        """Lines of email_logs that are shown of it while there are too many of all; 0 for all."""

    def poll_ended(
        self,
        outcome: PollOutcome,
        facts: ServerFacts,
        email_logs: LogBlocks | None,
        deliveries: DeliveriesState | None,
    ) -> None:
        """A poll ended; what a collector didn't get whole is None."""


class Token(Protocol):
    """A server's API token."""

    def renew(self) -> bool:
        """Read it again if its source changed; True if the token is another one now."""
