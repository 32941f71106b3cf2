"""Looks up host names, each look-up in a thread of its own.

The system's resolver can hang for half a minute and can't be broken off. In asyncio's own small
pool of threads a few names that hang would hold up every other server, and the program's end.
"""

import asyncio
import socket
import threading
from typing import Any

from aiohttp.abc import AbstractResolver, ResolveResult

_MOST_AT_ONCE = 128


class ThreadForEachName(AbstractResolver):
    """Resolver for aiohttp; a look-up nobody waits for any more ends by itself or with us."""

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Addresses of *host*.

        Raises:
            OSError: it has none, or the look-up failed (socket.gaierror).
        """
        async with self._places:
            found = await _in_own_thread(host, port, family)
        return [
            ResolveResult(
                hostname=host,
                host=address[0],
                port=address[1],
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, protocol, _, address in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


async def _in_own_thread(host: str, port: int, family: int) -> list[tuple[Any, ...]]:
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[tuple[Any, ...]]] = loop.create_future()

    def settle(found: list[tuple[Any, ...]] | None, error: OSError | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(found or [])

    def look_up() -> None:
        found, error = None, None
        try:
            found = socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        except OSError as failure:
            error = failure
        except UnicodeError:
            error = socket.gaierror(socket.EAI_NONAME, "the name can't be written as one")
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, found, error)

    # A daemon: the program's end doesn't wait for it.
    threading.Thread(target=look_up, name=f"look up {host}", daemon=True).start()
    return await answer
