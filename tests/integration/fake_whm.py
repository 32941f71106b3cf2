"""A WHM server on a real socket that answers byte for byte what a test says."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
"""Bytes to send before the connection is closed, or what to do instead."""


@dataclass(frozen=True)
class Request:
    """The head of a request."""

    line: str
    headers: dict[str, str]


@dataclass
class FakeWhm:
    """What a server saw.

    Attributes:
        connections: how many were made, whether or not a request came.
        requests: in the order they came.
    """

    port: int = 0
    connections: int = 0
    requests: list[Request] = field(default_factory=list)


def http(
    body: bytes | str = b"",
    *,
    status: str = "200 OK",
    content_type: str = "application/json",
    **headers: str,
) -> bytes:
    """A whole HTTP answer; *headers* with `_` for `-` come after, or instead of, the usual."""
    content = body.encode() if isinstance(body, str) else body
    fields = {"Content-Type": content_type, "Content-Length": str(len(content))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + content


def then_reset(start: bytes = b"") -> Answer:
    """Send *start*, then reset the connection."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await writer.drain()
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return answer


def then_hang(start: bytes = b"") -> Answer:
    """Send *start*, then nothing more."""

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await writer.drain()
        await asyncio.Event().wait()

    return answer


@asynccontextmanager
async def serving(
    answer: Answer, *, tls: ssl.SSLContext | None = None, waits_for_request: bool = True
) -> AsyncIterator[FakeWhm]:
    """Serve *answer* to every request on a port of the system's choice."""
    whm = FakeWhm()
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        whm.connections += 1
        try:
            if waits_for_request:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *fields = head.rstrip("\r\n").split("\r\n")
                whm.requests.append(Request(line, dict(f.split(": ", 1) for f in fields)))
            if isinstance(answer, bytes):
                writer.write(answer)
                await writer.drain()
            else:
                await answer(writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.close()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
    whm.port = server.sockets[0].getsockname()[1]
    try:
        yield whm
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def refusing_port() -> Iterator[int]:
    """A port that is taken, so that nobody else gets it, and refuses connections."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
