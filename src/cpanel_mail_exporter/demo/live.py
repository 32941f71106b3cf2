"""Scrapes the exporter again and again and shows what it tells, on a terminal or line by line."""

import asyncio
import os
import signal
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp

from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.demo.figures import Figures, read_figures
from cpanel_mail_exporter.demo.styled import plain
from cpanel_mail_exporter.demo.summary import Moment, Places, screen, sentence
from cpanel_mail_exporter.demo.terminal import Terminal

_REDRAW_SECONDS = 2.0
_LINE_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_SCRAPE_SECONDS = 10.0
_GZIP = 31  # zlib's window bits for a gzip member

_NO_ANSWER = "The exporter didn't answer the newest scrape"


class Scraper:
    """Asks one exporter for its /metrics, as Prometheus does.

    Args:
        session: must leave compressed bodies as they are.
        url: of /metrics.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, clock: Clock) -> None:
        self._session = session
        self._url = url
        self._clock = clock

    async def scrape(self) -> Figures | None:
        """The figures of this moment; None if there was no good answer."""
        begun = self._clock.elapsed()
        timeout = aiohttp.ClientTimeout(total=_SCRAPE_SECONDS)
        headers = {"Accept-Encoding": "gzip"}
        try:
            async with self._session.get(self._url, headers=headers, timeout=timeout) as answer:
                answer.raise_for_status()
                sent = await answer.read()
            seconds = self._clock.elapsed() - begun
            is_packed = answer.headers.get("Content-Encoding") == "gzip"
            return await asyncio.to_thread(_read, sent, seconds, is_packed=is_packed)
        except (aiohttp.ClientError, TimeoutError, ValueError, zlib.error):
            return None


def _read(sent: bytes, seconds: float, *, is_packed: bool) -> Figures:
    body = zlib.decompress(sent, _GZIP) if is_packed else sent
    return read_figures(body, sent_bytes=len(sent), seconds=seconds)


async def show_on_terminal(
    scraper: Scraper, places: Places, terminal: Terminal, clock: Clock
) -> None:
    """Redraw the screen every 2 s, and when the window's size changes, until cancelled."""
    begun = clock.elapsed()
    figures: Figures | None = None
    trouble = ""

    def draw() -> None:
        moment = Moment(clock.now_unix(), clock.elapsed() - begun, figures, trouble)
        terminal.draw(screen(places, moment, *terminal.size()))

    with terminal, _terminal_signals(terminal, draw):
        draw()
        while True:
            newest = await scraper.scrape()
            figures, trouble = newest or figures, "" if newest else _NO_ANSWER
            draw()
            await clock.sleep(_REDRAW_SECONDS)


async def show_by_lines(
    scraper: Scraper, places: Places, say: Callable[[str], None], clock: Clock
) -> None:
    """Say where to look, then how it goes every 10 s, until cancelled.

    The first time is as soon as every server was polled, if that is earlier.
    """
    for line in places.lines():
        say(plain(line))
    next_line = clock.elapsed() + _LINE_SECONDS
    while True:
        figures = await scraper.scrape()
        is_late = clock.elapsed() >= next_line
        if is_late or (figures and all(s.is_up is not None for s in figures.servers)):
            say(sentence(figures, clock.now_unix()) if figures else f"{_NO_ANSWER}.")
            next_line = clock.elapsed() + _LINE_SECONDS
            await clock.sleep(_LINE_SECONDS)
        else:
            await clock.sleep(_LOOK_SECONDS)


@contextmanager
def _terminal_signals(terminal: Terminal, draw: Callable[[], None]) -> Iterator[None]:
    """Redraw on another size; give the terminal back while Ctrl-Z has stopped us."""

    def pause() -> None:
        terminal.give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        terminal.take()
        draw()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGWINCH, draw)
    loop.add_signal_handler(signal.SIGTSTP, pause)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGWINCH)
        loop.remove_signal_handler(signal.SIGTSTP)
