"""How many series there are and may be: one line for the log, and the figures of the page."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from cpanel_mail_exporter.app.exporter import Exporter
from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.config.options import OPTIONS
from cpanel_mail_exporter.config.settings import Settings
from cpanel_mail_exporter.exposition.cardinality import SeriesCounted, count_series
from cpanel_mail_exporter.metrics.bounds import Bound, Budgets, bounds, cost, most_of_all
from cpanel_mail_exporter.metrics.catalogue import EMAIL_LOGS
from cpanel_mail_exporter.metrics.selection import NAMES, possible
from cpanel_mail_exporter.web.cardinality_page import PATH
from cpanel_mail_exporter.web.ports import CardinalityFigures, FamilyFigures, ServerFigures

KEPT_SECONDS = 10.0
"""Whoever asks within so many seconds of a count gets it again."""
_NAMED_FAMILIES = 3
_LOOK_SECONDS = 5.0
FLAGS: Mapping[str, str] = {
    option.key: option.flags[0] for option in OPTIONS if option.key and option.flags
}
"""The flag of each setting that has one, by its key in the configuration file."""

logger = logging.getLogger(__name__)


class Cardinality:
    """Counts what *exporter* publishes, in a thread and one count at a time.

    Args:
        providers: how many names of mailbox providers there are now; files of them are read again.
    """

    def __init__(
        self, settings: Settings, exporter: Exporter, clock: Clock, providers: Callable[[], int]
    ) -> None:
        self._settings = settings
        self._exporter = exporter
        self._clock = clock
        self._providers = providers
        self._lock = asyncio.Lock()
        self._counted: tuple[float, SeriesCounted] | None = None

    async def figures(self) -> CardinalityFigures:
        """What the page shows, counted now or a few seconds ago."""
        at_elapsed, counted = await self._count()
        found, most = self._bounds()
        keys = {bound.family.name: bound.key for bound in found}
        return CardinalityFigures(
            families=[
                FamilyFigures(
                    name=one.family.name,
                    series=one.series,
                    most=most.get(one.family.name),
                    is_bounded=most.get(one.family.name, 1) is not None,
                    labels=one.labels,
                    sampled=one.sampled,
                    setting=keys.get(one.family.name, ""),
                    flag=FLAGS.get(keys.get(one.family.name, ""), ""),
                )
                for one in counted.families
            ],
            servers=[ServerFigures(*one) for one in counted.servers if one.name],
            own_series=sum(one.series for one in counted.servers if not one.name),
            sizes_bytes=self._exporter.board.sizes_bytes(),
            hidden=tuple(name for name in NAMES if name in self._settings.hidden_families),
            age_seconds=self._clock.elapsed() - at_elapsed,
        )

    async def say(self) -> None:
        """Say in one line of the log what is to be expected and, once servers were polled, is."""
        is_polled = self._polled() > 0
        now = 0
        if is_polled:
            # No label is looked at, which nobody sees here and takes memory of its own.
            parts = self._exporter.board.parts()
            now = (await asyncio.to_thread(count_series, parts, EMAIL_LOGS, looked_into=0)).series
        logger.info("%s", self.sentence(now))

    async def say_when_polled(self) -> None:
        """Say it once more when the first poll of every server has ended."""
        while self._polled() < len(self._settings.servers):
            await self._clock.sleep(_LOOK_SECONDS)
        await self._clock.sleep(_LOOK_SECONDS)
        await self.say()

    def _polled(self) -> int:
        boards = self._exporter.board.servers
        return sum(board.history.last_poll_unix is not None for board in boards)

    def sentence(self, now: int) -> str:
        """The line; *now* is how many series there are, 0 if that can't be known yet."""
        _, most = self._bounds()
        unbounded = [name for name, count in most.items() if count is None]
        counts = {name: count for name, count in most.items() if count is not None}
        largest = sorted(counts, key=lambda name: (-counts[name], name))[:_NAMED_FAMILIES]
        named = ", ".join(f"{name} {counts[name]:,}" for name in largest)
        total = sum(counts.values())
        there = f"series: {now:,} now, about {cost(now)} in Prometheus; " if now else ""
        known = f"expected series: at most {total:,} ({named}), up to {cost(total)} in Prometheus"
        if unbounded:
            known = (
                f"expected series: no bound for {', '.join(unbounded)}; of all others at most "
                f"{total:,} ({named}), up to {cost(total)} in Prometheus"
            )
        return f"{there}{known}; see {PATH}"

    async def _count(self) -> tuple[float, SeriesCounted]:
        async with self._lock:
            now = self._clock.elapsed()
            if self._counted is None or now - self._counted[0] > KEPT_SECONDS:
                parts = self._exporter.board.parts()
                self._counted = now, await asyncio.to_thread(count_series, parts, EMAIL_LOGS)
            return self._counted

    def _bounds(self) -> tuple[Sequence[Bound], Mapping[str, int | None]]:
        """Bounds of the families that can have series, and the most of each over all servers."""
        settings = self._settings
        budgets = budgets_of(settings, self._providers())
        can_be = possible(self._exporter.collectors, settings.hidden_families)
        found = [bound for bound in bounds(budgets) if bound.family.name in can_be]
        return found, most_of_all(found, len(settings.servers), budgets)


def budgets_of(settings: Settings, providers: int) -> Budgets:
    """The budgets as they are set."""
    return Budgets(
        providers=providers,
        email_logs=settings.email_logs.max_series,
        email_logs_total=settings.email_logs.max_series_total,
        user_stats=settings.user_stats.user_series,
        user_events=settings.delivery_events.user_series,
        replies=settings.delivery_events.reply_series,
        queue_users=settings.further.queue_users,
        accounts=settings.further.account_series,
        spam_accounts=settings.max_spam_run_accounts,
    )
