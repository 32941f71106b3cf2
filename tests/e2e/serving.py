"""The real web side before boards that no poll fills, in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from cpanel_mail_exporter.clock import SystemClock
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.web.server import WebServer


@contextmanager
def served(board: Board) -> Iterator[str]:
    """Serve *board*; gives the `host:port` it is found at."""
    ready = threading.Event()
    address: list[str] = []
    stopping: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        web = WebServer(
            published=board,
            views=list,
            version="1",
            now_unix=SystemClock().now_unix,
            host="127.0.0.1",
            port=0,
        )
        host, port = await web.start()
        address.append(f"{host}:{port}")
        stop = asyncio.Event()
        stopping.append((asyncio.get_running_loop(), stop))
        ready.set()
        await stop.wait()
        await web.stop()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield address[0]
    finally:
        for loop, stop in stopping:
            loop.call_soon_threadsafe(stop.set)
        thread.join()
