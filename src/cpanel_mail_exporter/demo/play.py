"""The demo's wiring: starts the programs in order, shows them, and leaves nothing behind."""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

import aiohttp

from cpanel_mail_exporter.clock import Clock, SystemClock
from cpanel_mail_exporter.config.settings import DemoSettings
from cpanel_mail_exporter.demo.folder import Folder, Simulation
from cpanel_mail_exporter.demo.live import Scraper, show_by_lines, show_on_terminal
from cpanel_mail_exporter.demo.programs import DemoFailed, Programs
from cpanel_mail_exporter.demo.starting import (
    EXPORTER,
    PROMETHEUS,
    SIMULATOR,
    Starter,
    Story,
    free_address,
)
from cpanel_mail_exporter.demo.summary import Places
from cpanel_mail_exporter.demo.terminal import Terminal, is_terminal
from cpanel_mail_exporter.model.endpoint import Endpoint

# Served on every address of the machine, but reached by the one that is surely ours.
_REACHED = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_QUERY = "sum(email_logs)by(type)"


def run(settings: DemoSettings) -> int:
    """Run the demo until SIGINT, SIGTERM or SIGHUP, or until one of its programs ends.

    Returns:
        0 when a signal ended it; 1 when it couldn't start or go on, with the reason on standard
        error.

    Raises:
        BrokenPipeError: who read the output has gone.
    """
    try:
        asyncio.run(_until_stopped(settings, SystemClock()))
    except DemoFailed as error:
        return _failed(str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        return _failed(f"The demo can't go on: {error}.")
    with suppress(OSError):
        _say("The demo has ended: its programs are stopped, its folder is removed.")
    return 0


def _failed(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return 1


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


async def _until_stopped(settings: DemoSettings, clock: Clock) -> None:
    with _stop_signals() as stopped:
        play = asyncio.create_task(_play(settings, clock))
        waiting = asyncio.create_task(stopped.wait())
        await asyncio.wait({play, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        play.cancel()
        # Signals that come while it cleans up change nothing.
        with suppress(asyncio.CancelledError):
            await play


@contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, stopped.set)
    try:
        yield stopped
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


async def _play(settings: DemoSettings, clock: Clock) -> None:
    address = await free_address(settings.host, settings.port)
    exporter = Endpoint("http", _REACHED.get(address.host, address.host), address.port)
    with tempfile.TemporaryDirectory(prefix="cpanel-mail-demo-") as path:
        folder = Folder(Path(path))
        async with Programs() as programs, aiohttp.ClientSession(auto_decompress=False) as session:
            starter = Starter(programs, folder, session, clock)
            _say(f"Starting simulated WHM servers: {settings.servers} ...")
            simulation, story = await starter.simulator(settings.servers, settings.seed)
            folder.write_exporter_config(simulation.servers)
            _say("Starting the exporter ...")
            await starter.exporter(settings, address, exporter.url)
            prometheus = None
            if settings.with_prometheus and (program := shutil.which(PROMETHEUS)):
                _say("Starting Prometheus ...")
                prometheus = await free_address("127.0.0.1", 0)
                folder.write_prometheus_config(exporter.url, prometheus.authority)
                await starter.prometheus(program, prometheus)
            places = _places(folder, simulation, story, exporter, prometheus, settings)
            scraper = Scraper(session, f"{exporter.url}/metrics", clock)
            if is_terminal(sys.stdout):
                show = show_on_terminal(scraper, places, Terminal(sys.stdout), clock)
            else:
                show = show_by_lines(scraper, places, _say, clock)
            await programs.unless_one_ends(show)


def _places(
    folder: Folder,
    simulation: Simulation,
    story: Story,
    exporter: Endpoint,
    prometheus: Endpoint | None,
    settings: DemoSettings,
) -> Places:
    if prometheus is not None:
        graph = f"{prometheus.url}/graph?g0.expr={_QUERY}&g0.tab=0"
    elif settings.with_prometheus:
        graph = "no: the program prometheus is not in PATH; install it for graphs"
    else:
        graph = "no: Prometheus is left out, as was asked for"
    fault = f'{{"server":"{simulation.servers[-1].name}","fault":"500"}}'
    control = simulation.control.removeprefix("http://")
    configured = [EXPORTER, *([PROMETHEUS] if prometheus else [])]
    return Places(
        (
            ("Story", _told(story)),
            ("Status", f"{exporter.url}/"),
            ("Metrics", f"curl -s {exporter.url}/metrics | grep ^email_user_stats"),
            ("Graph", graph),
            ("Break", f"curl -d '{fault}' {control}/faults"),
            ("Config", _files(folder, configured, "yml")),
            ("Logs", _files(folder, [SIMULATOR, *configured], "log")),
        )
    )


def _told(story: Story) -> str:
    at = datetime.fromtimestamp(story.spam_from_unix).astimezone()
    return (
        f"{story.provider.title()} defers most mail; "
        f"from {at:%H:%M:%S} {story.user} on {story.server} sends spam"
    )


def _files(folder: Folder, names: list[str], ending: str) -> str:
    """Their paths as a shell takes them: braces around several names."""
    joined = ",".join(names)
    return f"{folder.path}/{f'{{{joined}}}' if len(names) > 1 else joined}.{ending}"
