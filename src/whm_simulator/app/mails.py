"""Where each server's mail comes from: a made-up world, or the main log of a real Exim."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from whm_simulator.app.settings import Settings
from whm_simulator.errors import BadSettings, SimulatorError
from whm_simulator.exim_log.log_mail import LogMail
from whm_simulator.mail.overlay import Overlay
from whm_simulator.mail.source import Mail
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
    return lambda name, _number: SharedMail(log, name)


@dataclass(frozen=True, slots=True)
class SharedMail(Overlay):
    """*mail* on one of several servers that show the same, each by its own *name*."""

    name: str

    @property
    def hostname(self) -> str:
        """The server's own name."""
        return _hostname_of(self.name)


def _hostname_of(name: str) -> str:
    return f"{name}.example.net"
