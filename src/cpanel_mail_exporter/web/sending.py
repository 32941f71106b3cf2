"""A body's pieces in, bytes on the wire out, at the pace of the client.

Nothing is joined but small pieces; large ones are sent as views of the shared bytes, so that any
number of scrapes at once hold the publication only once.
"""

import asyncio
from collections.abc import Iterable, Iterator

from cpanel_mail_exporter.exposition.body import PART_BYTES, Body
from cpanel_mail_exporter.web.http import BaseRequest, StreamResponse

CHUNK_BYTES = PART_BYTES


class BodyLengthWrong(Exception):
    """A body's pieces don't add up to its length; the client can't be given a right answer."""


def chunks(pieces: Iterable[bytes], chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes | memoryview]:
    """Cut and gather *pieces* into chunks of at most *chunk_bytes*, none of them empty.

    >>> [bytes(chunk) for chunk in chunks([b"ab", b"c", b"defghij", b"k"], 4)]
    [b'abc', b'defg', b'hij', b'k']
    """
    gathered: list[bytes] = []
    gathered_bytes = 0
    for piece in pieces:
        if gathered and gathered_bytes + len(piece) > chunk_bytes:
            yield b"".join(gathered)
            gathered, gathered_bytes = [], 0
        if len(piece) >= chunk_bytes:
            # Not gathered: the next piece needn't be made before this one has been taken.
            view = memoryview(piece)
            for start in range(0, len(piece), chunk_bytes):
                yield view[start : start + chunk_bytes]
        elif piece:
            gathered.append(piece)
            gathered_bytes += len(piece)
    if gathered:
        yield b"".join(gathered)


async def send_body(response: StreamResponse, request: BaseRequest, body: Body) -> None:
    """Send *response* with *body*; for HEAD its headers alone.

    Raises:
        ConnectionError: the client has gone, or was dropped for not reading.
        BodyLengthWrong: the pieces and the length disagree.
    """
    response.content_length = body.length
    await response.prepare(request)
    if request.method != "HEAD":
        sent_bytes = 0
        for chunk in chunks(body.open()):
            sent_bytes += len(chunk)
            if sent_bytes > body.length:
                break
            await response.write(chunk)
            # A fast reader never makes write() wait, and others want their turn.
            await asyncio.sleep(0)
        if sent_bytes != body.length:
            raise BodyLengthWrong(f"announced {body.length} bytes, but the pieces differ")
        await request.writer.drain()
    await response.write_eof()
