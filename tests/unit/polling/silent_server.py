"""The part of a server that tests of delivery records have no use for."""

from collections.abc import Awaitable, Callable

from cpanel_mail_exporter.model.accounts import Account, UniqueRecipients
from cpanel_mail_exporter.model.query import AnswerEnd, RecordsAnswer, TextAnswer
from cpanel_mail_exporter.model.queue import QueuedMessage
from cpanel_mail_exporter.model.services import Service

Receive = Callable[[list[QueuedMessage]], Awaitable[None]]


class SilentServer:
    """A server whose simple collectors are never asked; a test fails that asks one."""

    async def mail_queue(self, receive: Receive) -> AnswerEnd:
        raise AssertionError

    async def accounts(self) -> RecordsAnswer[Account]:
        raise AssertionError

    async def unique_recipients(
        self, start_unix: int, end_unix: int
    ) -> RecordsAnswer[UniqueRecipients]:
        raise AssertionError

    async def service(self, name: str) -> RecordsAnswer[Service]:
        raise AssertionError

    async def version(self) -> TextAnswer:
        raise AssertionError

    async def hostname(self) -> TextAnswer:
        raise AssertionError
