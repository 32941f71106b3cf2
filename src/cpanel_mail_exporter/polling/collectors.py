"""Collectors that ask a function or two and keep nothing between visits: what each asks."""

from collections.abc import Awaitable, Callable
from datetime import tzinfo

from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    Denied,
    FunctionMissing,
    FunctionRefused,
    PollError,
)
from cpanel_mail_exporter.model.facts import ServerFacts
from cpanel_mail_exporter.model.outcome import (
    ACCOUNTS,
    MAIL_QUEUE,
    SERVER_INFO,
    SERVICES,
    UNIQUE_RECIPIENTS,
    USER_STATS,
)
from cpanel_mail_exporter.model.query import RecordsAnswer, TextAnswer
from cpanel_mail_exporter.model.queue import QueuedMessage, QueueTally
from cpanel_mail_exporter.model.services import WATCHED_SERVICES, ServerInfo, Service
from cpanel_mail_exporter.model.window import Window
from cpanel_mail_exporter.polling.ports import MailServer
from cpanel_mail_exporter.polling.server_clock import ServerClock
from cpanel_mail_exporter.polling.visit import Asked, Guard, Visit

_HOUR_SECONDS = 3_600
_CLOCKS_APART_SECONDS = 3


class SimpleCollectors:
    """All of them for one server.

    Args:
        server: who is asked.
        clock: the server's.
        guard: what each is asked under.
        window: of the sums by user; None if they aren't asked.
        zone: the server's, for its local midnight.
        provider: mailbox provider of a mail exchanger (may be empty) and a recipient's domain.
    """

    def __init__(
        self,
        server: MailServer,
        clock: ServerClock,
        guard: Guard,
        window: Window | None,
        zone: tzinfo,
        provider: Callable[[str, str], str],
    ) -> None:
        self._server = server
        self._clock = clock
        self._guard = guard
        self._window = window
        self._zone = zone
        self._provider = provider
        self._work: dict[str, Callable[[Asked], Awaitable[ServerFacts]]] = {
            USER_STATS: self._user_stats,
            MAIL_QUEUE: self._mail_queue,
            ACCOUNTS: self._accounts,
            UNIQUE_RECIPIENTS: self._unique_recipients,
            SERVICES: self._services,
            SERVER_INFO: self._server_info,
        }

    async def ask(self, collector: str, visit: Visit) -> None:
        """Ask one of them; *visit* takes its outcome and what it found."""
        await self._guard.ask(collector, self._work[collector], visit)

    async def _user_stats(self, asked: Asked) -> ServerFacts:
        now = self._clock.now_unix()
        if self._window is not None:
            asked.window_start_unix = self._window.start_unix(now, self._zone)
        answer = await self._server.user_stats(asked.window_start_unix, now)
        asked.note(answer.end, len(answer.records))
        self._clock.now_unix(asked.skew)
        asked.unreadable_flags = sum(record.unreadable_flags for record in answer.records)
        return ServerFacts(user_stats=answer.records)

    async def _mail_queue(self, asked: Asked) -> ServerFacts:
        # Ages go by what earlier answers told of the server's clock: this one tells at its end.
        tally = QueueTally(self._clock.now_unix(), self._provider)

        async def receive(messages: list[QueuedMessage]) -> None:
            tally.add(messages)

        end = await self._server.mail_queue(receive)
        summary = tally.summary()
        asked.note(end, summary.messages)
        return ServerFacts(mail_queue=summary)

    async def _accounts(self, asked: Asked) -> ServerFacts:
        answer = await self._server.accounts()
        asked.note(answer.end, len(answer.records))
        return ServerFacts(accounts=answer.records)

    async def _unique_recipients(self, asked: Asked) -> ServerFacts:
        # WHM refuses an end later than its own clock, which is known to within a few seconds.
        end = self._clock.now_unix() - _CLOCKS_APART_SECONDS
        asked.window_start_unix = end - _HOUR_SECONDS
        answer = await self._server.unique_recipients(asked.window_start_unix, end)
        asked.note(answer.end, len(answer.records))
        return ServerFacts(unique_recipients=answer.records)

    async def _services(self, asked: Asked) -> ServerFacts:
        """One service that WHM doesn't want to tell of keeps nobody from knowing the other."""
        found: list[Service] = []
        refusals: list[PollError] = []
        for name in WATCHED_SERVICES:
            try:
                answer: RecordsAnswer[Service] = await self._server.service(name)
            except FunctionRefused:
                raise
            except ApiRefused as refusal:
                refusals.append(refusal)
                continue
            asked.note(answer.end, len(answer.records))
            found += answer.records
        if len(refusals) == len(WATCHED_SERVICES):
            raise refusals[0]
        return ServerFacts(services=found)

    async def _server_info(self, asked: Asked) -> ServerFacts:
        """Name and version; one of the two if the other is refused."""
        texts: list[str] = []
        refusals: list[PollError] = []
        for ask in (self._server.hostname, self._server.version):
            try:
                answer: TextAnswer = await ask()
            except (ApiRefused, Denied, FunctionMissing) as refusal:
                if isinstance(refusal, Denied) and not (asked.was_let_in or any(texts)):
                    raise  # it may be the login, which isn't to be tried once more
                refusals.append(refusal)
                texts.append("")
                continue
            asked.note(answer.end, 1)
            texts.append(answer.text)
        if len(refusals) == len(texts):
            raise refusals[0]
        return ServerFacts(server_info=ServerInfo(hostname=texts[0], version=texts[1]))
