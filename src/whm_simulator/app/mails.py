"""Where each server's mail comes from: a made-up world, or the main log of a real Exim."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo

from whm_simulator.app.settings import Settings
from whm_simulator.errors import BadSettings, SimulatorError
from whm_simulator.exim_log.log_mail import LogMail
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import AccountCard, Mail, Queued, Span
from whm_simulator.mail.sums import Sender, Sums
from whm_simulator.world.cache import BlockCache
from whm_simulator.world.incidents import bad_day_of, check, compromise_of
from whm_simulator.world.settings import WorldSettings
from whm_simulator.world.stream import World

MailOf = Callable[[str, int], Mail]
"""Gives the mail of a server by its name and number."""


def world_of(settings: Settings, now_unix: float) -> WorldSettings:
    """The world's settings with the incidents that the texts of *settings* mean.

    Args:
        settings: of the simulation.
        now_unix: simulated time of the first start, from which relative times count.

    Raises:
        BadSettings: a text can't be read, or names what isn't there.
    """
    world = settings.world
    try:
        compromises = [compromise_of(text, now_unix) for text in settings.compromised]
        bad_days = [bad_day_of(text, now_unix) for text in settings.bad_days]
        world = replace(
            world,
            compromises=(*world.compromises, *compromises),
            bad_days=(*world.bad_days, *bad_days),
        )
        check(world, settings.names)
    except ValueError as error:
        raise BadSettings(str(error)) from None
    return world


def mails_of(settings: Settings, world: WorldSettings, stopping: threading.Event) -> MailOf:
    """Gives each server's mail; a log is read once, for all servers.

    Raises:
        SimulatorError: a file can't be read.
    """
    if settings.mainlog is None:
        cache = BlockCache(world.max_cached_rows)
        return lambda name, number: World(world, name, number, cache, stopping)
    try:
        log = LogMail(settings.mainlog, world.zone, _hostname_of("web1"), settings.user_domains)
    except (OSError, ValueError) as error:
        raise SimulatorError(str(error)) from error
    return lambda name, _number: SharedMail(log, _hostname_of(name))


@dataclass(frozen=True, slots=True)
class SharedMail:
    """*mail* on one of several servers that show the same, each by its own name."""

    mail: Mail
    hostname: str

    @property
    def zone(self) -> tzinfo:
        """The server's own time zone."""
        return self.mail.zone

    def accounts(self, now_unix: float) -> Sequence[AccountCard]:
        """Its accounts."""
        return self.mail.accounts(now_unix)

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """Its rows."""
        return self.mail.rows(now_unix, span, acted)

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        """Sums over its rows."""
        return self.mail.sums(now_unix, span)

    def queue(self, now_unix: float) -> list[Queued]:
        """What Exim still holds."""
        return self.mail.queue(now_unix)

    def reason(self, row: Row) -> str | None:
        """Why *row* failed or was deferred."""
        return self.mail.reason(row)


def _hostname_of(name: str) -> str:
    return f"{name}.example.net"
