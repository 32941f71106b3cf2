"""Starts the simulator, the exporter and Prometheus, each with its flags, until each is ready."""

import sys
from contextlib import suppress
from dataclasses import dataclass

import aiohttp

from cpanel_mail_exporter.clock import Clock
from cpanel_mail_exporter.config.settings import DemoSettings
from cpanel_mail_exporter.demo.folder import Folder, Simulation
from cpanel_mail_exporter.demo.programs import DemoFailed, Programs
from cpanel_mail_exporter.model.endpoint import Endpoint
from cpanel_mail_exporter.web.listening import CannotListen, open_sockets

SIMULATOR, EXPORTER, PROMETHEUS = "simulator", "exporter", "prometheus"
"""What the programs' files are called."""

_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.05
_ANSWER_SECONDS = 2.0

# All servers together, so that a demo of many costs no more than one of few.
_MESSAGES_PER_MINUTE = 24.0
_MOST_MESSAGES_PER_MINUTE = 8.0

# What goes wrong in every demo, so that there is something to find.
_BAD_PROVIDER = "microsoft"
_BAD_SINCE_SECONDS = 3600
_TAKEN_OVER = "office1"
_TAKEN_OVER_AFTER_SECONDS = 60
_SPAM_PER_MINUTE = 30


@dataclass(frozen=True, slots=True)
class Story:
    """What goes wrong in the simulated world.

    Attributes:
        provider: the mailbox provider that defers most mail since before the start.
        server, user: the account that a spammer uses.
        spam_from_unix: since when.
    """

    provider: str
    server: str
    user: str
    spam_from_unix: int


async def free_address(host: str, port: int) -> Endpoint:
    """Where a program can listen, a free port chosen in place of 0.

    Raises:
        DemoFailed: it can't be had.
    """
    try:
        opened = await open_sockets(host, port)
    except CannotListen as error:
        hint = " (--listen 127.0.0.1:0 takes a free one)."
        raise DemoFailed(str(error).removesuffix(".") + hint) from None
    chosen = opened[0].getsockname()[1]
    for socket in opened:
        socket.close()
    return Endpoint("http", host, chosen)


@dataclass(frozen=True, slots=True)
class Starter:
    """Starts programs that keep their files in *folder*.

    Every method raises DemoFailed if its program, or one before it, ends or isn't ready in time.
    """

    programs: Programs
    folder: Folder
    session: aiohttp.ClientSession
    clock: Clock

    async def simulator(self, servers: int, seed: int) -> tuple[Simulation, Story]:
        """Start WHM servers that speak TLS, on ports of the system's choice."""
        rate = min(_MOST_MESSAGES_PER_MINUTE, _MESSAGES_PER_MINUTE / servers)
        now = int(self.clock.now_unix())
        story = Story(_BAD_PROVIDER, "web1", _TAKEN_OVER, now + _TAKEN_OVER_AFTER_SECONDS)
        spam = f"@{story.spam_from_unix},rate={_SPAM_PER_MINUTE}"
        flags = {
            "--bad-day": f"{story.provider}@{now - _BAD_SINCE_SECONDS},for=1d",
            "--compromised": f"{story.server}/{story.user}{spam}",
            "--servers": servers,
            "--seed": seed,
            "--rate": f"{rate:.3f}",
            "--listen": "127.0.0.1:0",
            "--ready-file": self.folder.ready_file,
            "--state-dir": self.folder.path,
        }
        command = [*_python("whm_simulator", flags), "--tls", "--control"]
        await self.programs.start("The simulator", command, self.folder.log(SIMULATOR))
        await self.programs.ready(self._ready_file(), _READY_SECONDS)
        return self.folder.read_ready_file(), story

    async def exporter(self, settings: DemoSettings, address: Endpoint, url: str) -> None:
        """Start the exporter.

        Args:
            settings: for its log.
            address: where it is to listen.
            url: base URL by which it is reached from here.
        """
        flags = {
            "--config.file": self.folder.exporter_config,
            "--listen": address.authority,
            "--log.level": settings.log_level,
            "--log.format": settings.log_format,
        }
        command = _python("cpanel_mail_exporter", flags)
        await self.programs.start("The exporter", command, self.folder.log(EXPORTER))
        await self.programs.ready(self._answered(f"{url}/-/healthy"), _READY_SECONDS)

    async def prometheus(self, program: str, address: Endpoint) -> None:
        """Start Prometheus.

        Args:
            program: path of its executable.
            address: where it is to listen.
        """
        command = [
            program,
            f"--config.file={self.folder.prometheus_config}",
            f"--storage.tsdb.path={self.folder.prometheus_data}",
            f"--web.listen-address={address.authority}",
        ]
        await self.programs.start("Prometheus", command, self.folder.log(PROMETHEUS))
        await self.programs.ready(self._answered(f"{address.url}/-/ready"), _READY_SECONDS)

    async def _ready_file(self) -> None:
        while not self.folder.ready_file.exists():
            await self.clock.sleep(_LOOK_SECONDS)

    async def _answered(self, url: str) -> None:
        timeout = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                async with self.session.get(url, timeout=timeout) as answer:
                    if answer.ok:
                        return
            await self.clock.sleep(_LOOK_SECONDS)


def _python(module: str, flags: dict[str, object]) -> list[str]:
    return [sys.executable, "-m", module, *(str(word) for flag in flags.items() for word in flag)]
