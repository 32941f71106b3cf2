"""Starts the parts of an exporter, and stops them within seconds of a signal."""

import asyncio
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from cpanel_mail_exporter import __version__
from cpanel_mail_exporter.app.cardinality import Cardinality
from cpanel_mail_exporter.app.exporter import DISTRIBUTION, Exporter, web_server
from cpanel_mail_exporter.app.ledgers import Ledgers, open_ledgers
from cpanel_mail_exporter.app.privacy import open_mask
from cpanel_mail_exporter.app.process import (
    allow_many_connections,
    collect_garbage_seldom,
    share_one_heap,
)
from cpanel_mail_exporter.app.reload import reload_signal
from cpanel_mail_exporter.app.start_warnings import warn, warn_of_open_port
from cpanel_mail_exporter.clock import SystemClock
from cpanel_mail_exporter.config.settings import Settings
from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.log_privacy import LabelMask
from cpanel_mail_exporter.polling.fleet import poll_all_once, run_fleet
from cpanel_mail_exporter.whm.client import open_session

_STOP_SECONDS = 4.0

logger = logging.getLogger(__name__)


async def serve(settings: Settings) -> None:
    """Poll and serve until SIGTERM or SIGINT; SIGHUP makes it read rules and providers again.

    Raises:
        CannotListen: the address can't be bound.
        BadCertificate: certificate or key can't be used.
        ConfigError: the storage path can't be used, or another process uses it.
    """
    clock = SystemClock()
    warn(settings)
    warn_of_open_port(settings)
    allow_many_connections()
    share_one_heap()
    collect_garbage_seldom()
    mask = open_mask(settings)
    ledgers = open_ledgers(settings)
    await _serve(settings, ledgers, mask, clock)
    with suppress(TimeoutError):
        # A thread may still be storing something; if it hangs, the system ends its locks with it.
        async with asyncio.timeout(_STOP_SECONDS):
            await asyncio.get_running_loop().shutdown_default_executor()
            ledgers.close()
    logger.info("stopped")


async def _serve(
    settings: Settings, ledgers: Ledgers, mask: LabelMask | None, clock: SystemClock
) -> None:
    async with open_session(user_agent=f"{DISTRIBUTION}/{__version__}") as session:
        exporter = Exporter(settings, session, clock, ledgers, mask=mask)
        cardinality = Cardinality(settings, exporter, clock, ledgers.meaning.provider_count)
        web = web_server(settings, exporter, clock, cardinality.figures)
        host, port = await web.start()
        shown = f"[{host}]" if ":" in host else host
        logger.info("listening on %s:%s, servers: %s", shown, port, len(settings.servers))
        await cardinality.say()
        work = [
            asyncio.create_task(exporter.board.run(), name="publish"),
            asyncio.create_task(run_fleet(exporter.pollers), name="poll"),
        ]
        said = asyncio.create_task(cardinality.say_when_polled(), name="say series")
        try:
            with _stop_signals() as stopped, reload_signal(ledgers.meaning, cardinality.say):
                await _first_to_end(stopped, work)
        finally:
            for task in (*work, said):
                task.cancel()
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await web.stop()
                    await asyncio.gather(*work, said, return_exceptions=True)


async def poll_once(settings: Settings) -> bool:
    """Poll each server once and print the exposition; True if every collector succeeded."""
    clock = SystemClock()
    warn(settings)
    allow_many_connections()
    share_one_heap()
    collect_garbage_seldom()
    async with open_session(user_agent=f"{DISTRIBUTION}/{__version__}") as session:
        ledgers = open_ledgers(settings, once=True)
        mask = open_mask(settings)
        exporter = Exporter(settings, session, clock, ledgers, mask=mask, once=True)
        with _stop_signals() as stopped:
            polls = asyncio.create_task(poll_all_once(exporter.pollers))
            await _first_to_end(stopped, [polls])
            polls.cancel()
    exporter.board.build()
    for part in exporter.board.everything().body(Format.TEXT, compressed=False).open():
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()
    return exporter.all_succeeded()


async def _first_to_end(stopped: asyncio.Event, work: Sequence[asyncio.Task[None]]) -> None:
    """Wait for a stop signal or the end of the work; a part that breaks ends the program."""
    waiting = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait({waiting, *work}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    for task in done:
        task.result()


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
