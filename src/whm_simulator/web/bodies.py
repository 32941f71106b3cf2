"""Bodies on their way out: whole or in pieces, compressed or not, slow, cut short or endless.

Rows become bytes off the event loop, a piece at a time, so that other clients get their turn.
"""

import asyncio
import functools
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor

import msgspec
from aiohttp import web
from isal import isal_zlib

from whm_simulator.mail.rows import Row

_LEVEL = 1
_GZIP, _RAW = 31, -15
_MEGABYTE = 1 << 20
_DRIP_SECONDS = 0.1


def gzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same body as one gzip member; never an empty piece."""
    compressor = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
    for piece in pieces:
        if packed := compressor.compress(piece):
            yield packed
    yield compressor.flush()


def first_half(pieces: Iterator[bytes], number: int) -> Iterator[bytes]:
    """The first half of a body in *number* pieces, the last one short; to the byte if it is one."""
    if number > 1:
        yield from itertools.islice(pieces, (number - 1) // 2)
    else:
        yield from (piece[: len(piece) // 2] for piece in pieces)


async def off_loop(executor: Executor, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """*pieces*, each made in *executor*."""
    loop = asyncio.get_running_loop()
    make: Callable[[], bytes | None] = functools.partial(next, pieces, None)
    while (piece := await loop.run_in_executor(executor, make)) is not None:
        yield piece


async def send(
    request: web.BaseRequest, response: web.StreamResponse, pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    """Send a body of unknown length."""
    await response.prepare(request)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response


async def whole(body: bytes) -> AsyncIterator[bytes]:
    """*body* as its only piece."""
    yield body


async def cut_after(request: web.BaseRequest, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """*pieces*, after which the connection is closed.

    Raises:
        ConnectionResetError: it has been closed.
    """
    async for piece in pieces:
        yield piece
    if request.transport is not None:
        request.transport.close()
    raise ConnectionResetError("cut in the middle of a body")


async def slowly(pieces: AsyncIterator[bytes], bytes_per_second: float) -> AsyncIterator[bytes]:
    """*pieces* at so many bytes a second, in small steps."""
    step = max(1, round(bytes_per_second * _DRIP_SECONDS))
    async for piece in pieces:
        for index in range(0, len(piece), step):
            yield piece[index : index + step]
            await asyncio.sleep(step / bytes_per_second)


async def endless() -> AsyncIterator[bytes]:
    """An answer of ever the same row."""
    yield b'{"data":{"records":['
    block = msgspec.json.encode([_ROW] * 200)[1:-1] + b","
    while True:
        yield block
        await asyncio.sleep(0)


async def bomb(megabytes: int, command: str) -> AsyncIterator[bytes]:
    """A gzip member with an answer of no rows and *megabytes* of blanks between the brackets.

    One megabyte is packed once and then repeated, since a full flush makes it independent of what
    stands before it.
    """
    metadata = {"command": command, "reason": "OK", "result": 1, "version": 1}
    begin = b'{"data":{"records":['
    end = b']},"metadata":' + msgspec.json.encode(metadata) + b"}"
    blank = b" " * _MEGABYTE
    compressor = isal_zlib.compressobj(2, isal_zlib.DEFLATED, _RAW)
    first = compressor.compress(begin) + compressor.flush(isal_zlib.Z_FULL_FLUSH)
    block = compressor.compress(blank) + compressor.flush(isal_zlib.Z_FULL_FLUSH)
    last = compressor.compress(end) + compressor.flush()
    crc, blank_crc = isal_zlib.crc32(begin), isal_zlib.crc32(blank)
    yield b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff" + first
    for _ in range(megabytes):
        yield block
        crc = isal_zlib.crc32_combine(crc, blank_crc, _MEGABYTE)
        await asyncio.sleep(0)
    crc = isal_zlib.crc32_combine(crc, isal_zlib.crc32(end), len(end))
    size = len(begin) + megabytes * _MEGABYTE + len(end)
    yield last + crc.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little")


_ROW = Row(
    actiontime="2026-11-21 09:14:07",
    actionunixtime=1_795_252_447,
    deliveredto="anna@example.org",
    deliverydomain="example.org",
    deliveryuser="-remote-",
    domain="example.com",
    email="shop@example.com",
    host="mx.example.org",
    ip="192.0.2.25",
    message="Accepted",
    msgid="1vNkzX-000000001cR-0aaa",
    recipient="anna@example.org",
    router="dkim_lookuphost",
    sender="shop@example.com",
    senderauth="dovecot_login",
    senderhost="localhost",
    senderip="127.0.0.1",
    sendunixtime=1_795_252_446,
    size=4711,
    spamscore=0,
    transport="dkim_remote_smtp",
    transport_is_remote=1,
    type="success",
    user="example",
)
