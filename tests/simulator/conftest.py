"""Worlds that are cheap to make and servers on ports of the system's choice."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Protocol

import aiohttp
import msgspec
import pytest

from whm_simulator.api.functions import call
from whm_simulator.api.visit import Visit
from whm_simulator.app import Address, Settings, Simulator
from whm_simulator.world.cache import BlockCache
from whm_simulator.world.settings import WorldSettings
from whm_simulator.world.stream import World

NOW_UNIX = 1_795_252_447
"""2026-11-21 09:14:07 UTC, the instant at which most tests look at the world."""


def make_world(
    *, name: str = "web1", number: int = 1, max_cached_rows: int = 400_000, **settings: Any
) -> World:
    return World(WorldSettings(**settings), name, number, BlockCache(max_cached_rows))


@pytest.fixture(scope="session")
def world() -> World:
    """A day of web1's mail, shared by tests that only look at it."""
    return make_world()


class Ask(Protocol):
    def __call__(self, function: str, /, **params: object) -> Any: ...


@pytest.fixture
def ask(world: World) -> Ask:
    """Calls a function of the shared world: the decoded answer at ``NOW_UNIX``."""
    return asker(world)


def asker(world: World, now_unix: float = NOW_UNIX) -> Ask:
    def ask(function: str, /, **params: object) -> Any:
        named = {"api.version": "1", **{key: str(value) for key, value in params.items()}}
        return msgspec.json.decode(b"".join(call(Visit(world, now_unix), function, named).pieces()))

    return ask


ALL_TYPES = {"success": "1", "defer": "1", "failure": "1", "inprogress": "1"}


def filters(*conditions: tuple[str, str, object]) -> dict[str, str]:
    """Parameters for filters on (field, operator, value), lettered a, b, c ..."""
    params = {"api.filter.enable": "1"}
    for letter, (field, kind, wanted) in zip("abcdefghij", conditions, strict=False):
        params[f"api.filter.{letter}.field"] = field
        params[f"api.filter.{letter}.type"] = kind
        params[f"api.filter.{letter}.arg0"] = str(wanted)
    return params


class SetClock:
    """A clock that stands still until a test sets it."""

    def __init__(self, now_unix: float = NOW_UNIX) -> None:
        self.now_unix = now_unix

    def __call__(self) -> float:
        return self.now_unix


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


Start = Callable[..., Awaitable[Simulator]]


@pytest.fixture
async def start(clock: SetClock) -> AsyncIterator[Start]:
    """Starts a simulator with a control endpoint and a short history on the test's clock."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> Simulator:
            settings.setdefault("control", Address("127.0.0.1", 0))
            settings.setdefault("world", WorldSettings(history_seconds=3600))
            return await stack.enter_async_context(Simulator(Settings(**settings), clock))

        yield start


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client that shows answers as they came, and asks for no compression."""
    headers = {"Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(auto_decompress=False, headers=headers) as session:
        session._retry_connection = False  # else it repeats a GET whose connection was dropped
        yield session


def login(simulator: Simulator, number: int = 0) -> dict[str, str]:
    server = simulator.servers[number]
    return {"Authorization": f"whm {server.user}:{server.token}"}


def url(simulator: Simulator, function: str, number: int = 0) -> str:
    return f"{simulator.servers[number].endpoint}/json-api/{function}"
