"""SIGHUP: the operator's files of rules and providers are read again; a bad one changes nothing."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from cpanel_mail_exporter.app.meaning import LiveMeaning
from cpanel_mail_exporter.config.problems import ConfigError

logger = logging.getLogger(__name__)


@contextmanager
def reload_signal(
    meaning: LiveMeaning, say_series: Callable[[], Awaitable[None]]
) -> Iterator[None]:
    """Within it SIGHUP makes files be read again, in a thread of their own.

    Args:
        meaning: reads them.
        say_series: says afterwards how many series are there and to be expected.
    """
    loop = asyncio.get_running_loop()
    under_way: set[asyncio.Task[None]] = set()

    async def reload() -> None:
        await read_again(meaning)
        await say_series()

    def hear() -> None:
        task = loop.create_task(reload(), name="reload")
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    loop.add_signal_handler(signal.SIGHUP, hear)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        for task in under_way:
            task.cancel()


async def read_again(meaning: LiveMeaning) -> None:
    """Read the files again and say in one line of the log what came of it."""
    try:
        known = await asyncio.to_thread(meaning.read_again)
    except ConfigError as error:
        first, *others = error.problems
        more = f" (and {len(others)} more mistakes: see check-config)" if others else ""
        logger.error("%s%s; the rules and providers known so far stay in use", first, more)
        return
    logger.info(
        "rules and providers were read again; own rules: %s, own names of providers: %s",
        known.own_rules,
        known.own_places,
    )
