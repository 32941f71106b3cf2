"""Asks one WHM server over HTTP: sends, times out, and turns every failure into a PollError.

Never follows a redirect, never logs, never keeps a body, and asks with GET alone: the
documentation lists nothing else for these functions.
"""

import asyncio
import errno
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime

import aiohttp
from yarl import URL

from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.model.accounts import Account, UniqueRecipients
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    BadStatus,
    ConnectFailed,
    Denied,
    DnsFailed,
    FunctionMissing,
    FunctionRefused,
    NotJson,
    PollError,
    Redirected,
    TimedOut,
    TlsFailed,
    WrongShape,
)
from cpanel_mail_exporter.model.query import (
    AnswerEnd,
    RecordsAnswer,
    SearchQuery,
    TextAnswer,
    Totals,
    TotalsAnswer,
    UserStatsAnswer,
)
from cpanel_mail_exporter.model.queue import QueuedMessage
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.secret import Secret
from cpanel_mail_exporter.model.services import Service
from cpanel_mail_exporter.whm.decode import (
    ACCOUNTS_MEMBER,
    HOSTNAME_MEMBER,
    SERVICES_MEMBER,
    UNIQUE_RECIPIENTS_MEMBER,
    VERSION_MEMBER,
    NotJsonText,
    Record,
    Rows,
    UnexpectedShape,
    account_rows,
    delivery_rows,
    queue_rows,
    service_rows,
    totals_rows,
    unique_recipient_rows,
    unknown_fields,
    user_stat_rows,
)
from cpanel_mail_exporter.whm.request import (
    ACCOUNTS_FUNCTION,
    HOSTNAME_FUNCTION,
    MAIL_QUEUE_FUNCTION,
    SEARCH_FUNCTION,
    SERVICES_FUNCTION,
    TOTALS_FUNCTION,
    UNIQUE_RECIPIENTS_FUNCTION,
    USER_STATS_FUNCTION,
    VERSION_FUNCTION,
    accounts_query,
    plain_query,
    search_query,
    service_query,
    totals_query,
    unique_recipients_query,
    user_stats_query,
)
from cpanel_mail_exporter.whm.resolver import ThreadForEachName
from cpanel_mail_exporter.whm.stream import AnswerStream, RowStream, TextStream

_REASON_CHARACTERS = 200
_IDLE_SECONDS = 15.0
_CHUNK_BYTES = 64 * 1024


def open_session(*, user_agent: str) -> aiohttp.ClientSession:
    """The HTTP session that all servers share: no cookies, no proxies, no bound on connections.

    Each server is asked one thing at a time, which bounds them; idle connections are kept only
    long enough for the requests of one poll.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0, keepalive_timeout=_IDLE_SECONDS, resolver=ThreadForEachName()
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={
            "User-Agent": user_agent,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        },
        trust_env=False,
    )


@dataclass(frozen=True, slots=True)
class Access:
    """How one server is reached.

    Attributes:
        name: the operator's name for it, used in messages.
        token: gives the API token to send now; it may change between calls.
        tls: how its certificate is checked; None for plain HTTP.
        server_name: name that the certificate must be for, None for the endpoint's host.
        timeout_seconds: for one request, from connecting to the last byte.
    """

    name: str
    endpoint: Endpoint
    user: str
    token: Callable[[], Secret]
    tls: ssl.SSLContext | None
    server_name: str | None
    timeout_seconds: float


class WhmServer:
    """One WHM server, as the poller asks it."""

    def __init__(self, session: aiohttp.ClientSession, access: Access, clock: Clock) -> None:
        self._session = session
        self._access = access
        self._clock = clock

    async def user_stats(self, start_unix: int, end_unix: int) -> UserStatsAnswer:
        """Ask emailtrack_user_stats for the sums of a window.

        Raises:
            PollError: in all its kinds but Unsupported and StorageFailed.
        """
        records, end = await self._whole(
            USER_STATS_FUNCTION, user_stats_query(start_unix, end_unix), user_stat_rows
        )
        return UserStatsAnswer(records, end)

    async def totals(self, start_unix: int, end_unix: int) -> TotalsAnswer:
        """Ask emailtrack_stats for the sums of all mail of a range.

        An answer without a record means no mail: cPanel documents one, and an empty list is taken
        as well.

        Raises:
            PollError: in all its kinds but Unsupported and StorageFailed.
        """
        records, end = await self._whole(
            TOTALS_FUNCTION, totals_query(start_unix, end_unix), totals_rows
        )
        if end.rows_rejected:
            raise WrongShape(self._access.name, TOTALS_FUNCTION, "its record can't be decoded")
        return TotalsAnswer(records[0] if records else Totals(), end)

    async def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], Awaitable[None]]
    ) -> AnswerEnd:
        """Ask emailtrack_search for one page; *receive* gets its rows while they arrive.

        They are rows of a whole answer only when this returns: WHM says at the end of an answer
        whether it is one. Nothing more is read from the server until *receive* is done.

        Raises:
            PollError: in all its kinds but Unsupported and StorageFailed.
        """
        unknown: frozenset[str] | None = None

        def decode(array: bytes) -> Rows[DeliveryRecord]:
            nonlocal unknown
            if unknown is None:
                unknown = unknown_fields(array)
            return delivery_rows(array)

        end = await self._ask(SEARCH_FUNCTION, search_query(query), RowStream(decode), receive)
        return replace(end, unknown_fields=unknown) if unknown else end

    async def mail_queue(
        self, receive: Callable[[list[QueuedMessage]], Awaitable[None]]
    ) -> AnswerEnd:
        """Ask fetch_mail_queue; *receive* gets its messages while they arrive, as with `search`.

        The whole queue comes in one answer. To ask for some columns alone would spare the message
        ids, but nobody knows whether this function can.

        Raises:
            PollError: in all its kinds but Unsupported and StorageFailed.
        """
        return await self._ask(MAIL_QUEUE_FUNCTION, plain_query(), RowStream(queue_rows), receive)

    async def accounts(self) -> RecordsAnswer[Account]:
        """Ask listaccts for the accounts that the token's user may see.

        Raises:
            PollError: in all its kinds but Unsupported and StorageFailed.
        """
        rows = RowStream(account_rows, ACCOUNTS_MEMBER)
        return await self._records(ACCOUNTS_FUNCTION, accounts_query(), rows)

    async def unique_recipients(
        self, start_unix: int, end_unix: int
    ) -> RecordsAnswer[UniqueRecipients]:
        """Ask get_unique_sender_recipient_count_per_user about a window.

        Raises:
            PollError: in all its kinds but Unsupported and StorageFailed.
        """
        query = unique_recipients_query(start_unix, end_unix)
        rows = RowStream(unique_recipient_rows, UNIQUE_RECIPIENTS_MEMBER)
        return await self._records(UNIQUE_RECIPIENTS_FUNCTION, query, rows)

    async def service(self, name: str) -> RecordsAnswer[Service]:
        """Ask servicestatus about one service; a server that doesn't know it gives no record.

        Raises:
            PollError: in all its kinds but Unsupported and StorageFailed.
        """
        rows = RowStream(service_rows, SERVICES_MEMBER)
        return await self._records(SERVICES_FUNCTION, service_query(name), rows)

    async def version(self) -> TextAnswer:
        """Ask for the version of cPanel & WHM.

        Raises:
            PollError: in all its kinds but Unsupported and StorageFailed.
        """
        return await self._text(VERSION_FUNCTION, VERSION_MEMBER)

    async def hostname(self) -> TextAnswer:
        """Ask gethostname for the server's own name.

        Raises:
            PollError: in all its kinds but Unsupported and StorageFailed.
        """
        return await self._text(HOSTNAME_FUNCTION, HOSTNAME_MEMBER)

    async def _whole(
        self, function: str, query: str, decode: Callable[[bytes], Rows[Record]]
    ) -> tuple[list[Record], AnswerEnd]:
        """A short answer: all of its records together."""
        answer = await self._records(function, query, RowStream(decode))
        return answer.records, answer.end

    async def _records(
        self, function: str, query: str, rows: AnswerStream[Record]
    ) -> RecordsAnswer[Record]:
        records: list[Record] = []

        async def receive(some: list[Record]) -> None:
            records.extend(some)

        end = await self._ask(function, query, rows, receive)
        return RecordsAnswer(records, end)

    async def _text(self, function: str, member: str) -> TextAnswer:
        answer = await self._records(function, plain_query(), TextStream(member))
        return TextAnswer(answer.records[0], answer.end)

    async def _ask(
        self,
        function: str,
        query: str,
        rows: AnswerStream[Record],
        receive: Callable[[list[Record]], Awaitable[None]],
    ) -> AnswerEnd:
        name = self._access.name
        try:
            return await self._exchange(function, query, rows, receive)
        except NotJsonText as error:
            failure: PollError = NotJson(
                name, function, f"{error} (a login page, or it was cut off)"
            )
        except UnexpectedShape as error:
            failure = WrongShape(name, function, str(error))
        except (aiohttp.ClientError, OSError) as error:
            kind, detail = self._translated(error)
            failure = kind(name, function, detail)
        # Raised here, so that it doesn't carry the foreign error along: that one holds the request
        # with its token, and pieces of what was answered.
        raise failure

    async def _exchange(
        self,
        function: str,
        query: str,
        rows: AnswerStream[Record],
        receive: Callable[[list[Record]], Awaitable[None]],
    ) -> AnswerEnd:
        access = self._access
        rejected = 0
        async with self._session.get(
            URL(f"{access.endpoint.url}/json-api/{function}?{query}", encoded=True),
            headers={"Authorization": f"whm {access.user}:{access.token().reveal()}"},
            allow_redirects=False,
            ssl=access.tls or True,
            server_hostname=access.server_name if access.endpoint.scheme == "https" else None,
            timeout=aiohttp.ClientTimeout(total=access.timeout_seconds),
        ) as response:
            skew = self._clock_skew(response)
            self._judge_status(function, response)
            async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
                piece = rows.feed(chunk)
                if piece is not None:
                    rejected += await _hand_on(piece, receive)
                    # Bytes that are there already don't let others run, and gzip makes many.
                    await asyncio.sleep(0)
        verdict, last = rows.finish()
        if verdict.refusal is not None:
            kind: type[PollError] = ApiRefused
            if verdict.is_login_refusal:
                kind = Denied
            elif verdict.is_function_refusal:
                kind = FunctionRefused
            raise kind(access.name, function, f'WHM says "{self._tidy(verdict.refusal)}"')
        rejected += await _hand_on(last, receive)
        return AnswerEnd(rejected, verdict.is_cut, skew)

    def _judge_status(self, function: str, response: aiohttp.ClientResponse) -> None:
        status = response.status
        name = self._access.name
        if status in {401, 403}:
            raise Denied(name, function, f"access denied (HTTP {status})")
        if 300 <= status < 400:
            raise Redirected(name, function, f"redirected elsewhere (HTTP {status})")
        if status == 404:
            raise FunctionMissing(name, function, "HTTP status 404")
        if status != 200:
            raise BadStatus(name, function, f"HTTP status {status}")

    def _clock_skew(self, response: aiohttp.ClientResponse) -> float | None:
        try:
            date = parsedate_to_datetime(response.headers["Date"])
        except (KeyError, ValueError, TypeError, OverflowError):
            return None
        if date.tzinfo is None:  # "-0000": UTC, told by one who doesn't know its zone
            date = date.replace(tzinfo=UTC)
        return date.timestamp() - self._clock.now_unix()

    def _tidy(self, reason: str) -> str:
        """WHM's reason in one short line; should it repeat the token, that is taken out."""
        token = self._access.token().reveal()
        line = "".join(c if c.isprintable() else " " for c in reason.replace(token, "<secret>"))
        return line if len(line) <= _REASON_CHARACTERS else line[:_REASON_CHARACTERS] + "..."

    def _translated(self, error: Exception) -> tuple[type[PollError], str]:
        where = self._access.endpoint.authority
        for kinds, kind, detail in _FOREIGN:
            if isinstance(error, kinds):
                return kind, detail.format(
                    where=where,
                    seconds=f"{self._access.timeout_seconds:g}",
                    why=_why(error),
                )
        return ConnectFailed, f"connection to {where} failed ({_why(error)})"


_FOREIGN: tuple[tuple[tuple[type[Exception], ...], type[PollError], str], ...] = (
    ((TimeoutError, asyncio.TimeoutError), TimedOut, "no whole answer within {seconds} s"),
    (
        (aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError),
        TlsFailed,
        "the certificate of {where} is not trusted ({why})",
    ),
    (
        (aiohttp.ClientSSLError, ssl.SSLError),
        TlsFailed,
        "no TLS could be agreed with {where} ({why})",
    ),
    ((aiohttp.ClientConnectorDNSError,), DnsFailed, "the name in {where} can't be resolved"),
    ((aiohttp.ContentTypeError,), NotJson, "the answer is no JSON"),
    ((aiohttp.ClientPayloadError,), ConnectFailed, "the answer from {where} broke off"),
    ((aiohttp.ClientResponseError,), ConnectFailed, "what answers at {where} speaks no HTTP"),
    ((aiohttp.ServerDisconnectedError,), ConnectFailed, "{where} closed the connection"),
)
"""Foreign errors, the special before the general, and what each means to a poll."""


def _why(error: BaseException) -> str:
    """The system's own words for a failure, never the foreign library's: those may be anything."""
    # aiohttp's own TLS errors are SSLErrors by type alone, without the attributes of one.
    cause = getattr(error, "os_error", None) or error
    if isinstance(cause, ssl.SSLError):
        reason = getattr(cause, "reason", None) or "no reason given"
        words = getattr(cause, "verify_message", None) or reason.replace("_", " ").lower()
        return str(words).rstrip(".")
    if isinstance(cause, ConnectionResetError):
        return os.strerror(errno.ECONNRESET)
    if isinstance(cause, OSError):
        return os.strerror(cause.errno) if cause.errno else "none of its addresses answered"
    return type(error).__name__


async def _hand_on(rows: Rows[Record], receive: Callable[[list[Record]], Awaitable[None]]) -> int:
    if rows.records:
        await receive(rows.records)
    return rows.rejected
