"""Where each server's mail comes from: a made-up world, or the main log of a real Exim."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from whm_simulator.app.settings import Settings
from whm_simulator.errors import BadSettings, SimulatorError
from whm_simulator.exim_log.log_mail import LogMail
from whm_simulator.mail.overlay import Overlay
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Mail, Queued, Span
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


def mails_of(
    settings: Settings, world: WorldSettings, first_start_unix: float, stopping: threading.Event
) -> MailOf:
    """Gives each server's mail; a log is read once, for all servers.

    Raises:
        SimulatorError: a file can't be read.
    """
    mail_of = _all_mails_of(settings, world, stopping)
    if settings.age_seconds is None:
        return mail_of
    begin_unix = math.ceil(first_start_unix - settings.age_seconds)
    return lambda name, number: YoungMail(mail_of(name, number), begin_unix)


def _all_mails_of(settings: Settings, world: WorldSettings, stopping: threading.Event) -> MailOf:
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


@dataclass(frozen=True, slots=True)
class YoungMail(Overlay):
    """*mail* of a server that has been in service only since *begin_unix*."""

    begin_unix: int

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """The rows of mail sent since then."""
        return self.mail.rows(now_unix, self._since(span), acted)

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        """Sums over them."""
        return self.mail.sums(now_unix, self._since(span))

    def queue(self, now_unix: float) -> list[Queued]:
        """What of it Exim still holds."""
        return [one for one in self.mail.queue(now_unix) if one.time_unix >= self.begin_unix]

    def _since(self, span: Span | None) -> Span:
        if span is None:
            return Span(self.begin_unix, 2**53)
        return Span(max(span.first_unix, self.begin_unix), span.last_unix)


def _hostname_of(name: str) -> str:
    return f"{name}.example.net"
