"""Mail servers of the outside world, each on a loopback address of its own, and what they did.

An address each, since Exim keeps a connection for all servers of one address.
"""

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

from aiosmtpd.smtp import SMTP, Envelope, Session


class Manner(NamedTuple):
    """How the server of *domain* treats each recipient.

    ``{address}`` in an answer is the recipient. Without an answer to RCPT the server *hangs*, or
    else hangs up; if it isn't even *listening*, connections are refused.
    """

    domain: str
    to_rcpt: str | None = "250 2.1.5 Ok"
    to_data: str = '250 2.0.0 Ok: queued as "4XyZ\\9"'
    hangs: bool = False
    listening: bool = True


MANNERS = (
    Manner("accepts.example"),
    Manner(
        "refuses.example",
        "550-5.1.1 <{address}>: The email account that you tried to reach\r\n"
        "550-5.1.1 does not exist.\r\n550 5.1.1 User unknown",
    ),
    Manner(
        "dislikes.example",
        to_data="554-5.7.1 Your message looks like spam.\r\n554 5.7.1 See http://example.net/why",
    ),
    Manner("puts-off.example", "451 4.7.1 <{address}>: Recipient address rejected: Greylisted"),
    Manner("puts-off-briefly.example", "452 4.2.2 <{address}>: Mailbox full"),
    Manner("hangs.example", None, hangs=True),
    Manner("hangs-up.example", None),
    Manner("is-down.example", listening=False),
)


class Heard(NamedTuple):
    """What a server was asked: *sender* and *recipient* of an envelope, and at which command."""

    domain: str
    command: str
    sender: str
    recipient: str


class Outside:
    """All servers, from ``with`` to its end.

    Attributes:
        addresses: domain, address and port of each server.
        heard: RCPT commands and whole messages, by recipient.
    """

    def __init__(self, manners: Sequence[Manner]) -> None:
        self._manners = manners
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="outside")
        self._sockets: list[socket.socket] = []
        self._servers: list[asyncio.Server] = []
        self.addresses: list[tuple[str, str, int]] = []
        self.heard: Counter[Heard] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        for number, manner in enumerate(self._manners, start=11):
            listener = socket.socket()
            self._sockets.append(listener)
            listener.bind((f"127.0.0.{number}", 0))
            host, port = listener.getsockname()
            self.addresses.append((manner.domain, host, port))
            if manner.listening:
                asyncio.run_coroutine_threadsafe(self._serve(listener, manner), self._loop).result(
                    10
                )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        for listener in self._sockets:
            listener.close()

    async def _serve(self, listener: socket.socket, manner: Manner) -> None:
        def protocol() -> SMTP:
            return SMTP(_Handler(manner, self.heard), hostname=f"mx.{manner.domain}")

        self._servers.append(await self._loop.create_server(protocol, sock=listener))

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await task


class _Handler:
    """One server's side of its conversations, as aiosmtpd calls it."""

    def __init__(self, manner: Manner, heard: Counter[Heard]) -> None:
        self._manner = manner
        self._heard = heard

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        manner = self._manner
        self._heard[Heard(manner.domain, "RCPT", envelope.mail_from or "", address)] += 1
        if manner.to_rcpt is not None:
            answer = manner.to_rcpt.format(address=address)
            if answer.startswith("2"):
                envelope.rcpt_tos.append(address)
            return answer
        if manner.hangs:
            await asyncio.Event().wait()
        assert server.transport is not None
        server.transport.abort()
        return "421 4.3.2 gone"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        for address in envelope.rcpt_tos:
            heard = Heard(self._manner.domain, "DATA", envelope.mail_from or "", address)
            self._heard[heard] += 1
        return self._manner.to_data
