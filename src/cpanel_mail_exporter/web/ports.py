"""What the web side needs from the rest: bytes to serve and the state of each server in words.

Others implement these; web itself knows neither pollers nor settings.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

from cpanel_mail_exporter.exposition.body import Body, Format


class Exposition(Protocol):
    """What is served at one moment, or part of it."""

    def body(self, format: Format, compressed: bool) -> Body:  # noqa: A002
        """Bytes in one exposition format, as one gzip member if *compressed*."""


class Publication(Exposition, Protocol):
    """What is served at one moment; it never changes, a newer one takes its place."""

    def only(self, names: Collection[str]) -> Exposition:
        """Those of its families that have one of *names*."""


class Published(Protocol):
    """Where the publications of this moment are found."""

    def everything(self) -> Publication:
        """Families of the exporter itself and of all servers."""

    def of_server(self, name: str) -> Publication | None:
        """Families of the one server configured as *name*, None if there is no such server."""


class Health(IntEnum):
    """How a server fares; the worst is the smallest, so that sorting puts it first."""

    FAILING = 0
    INCOMPLETE = 1
    WAITING = 2
    GOOD = 3


@dataclass(frozen=True, slots=True)
class ServerView:
    """One server as people and service discovery see it.

    Attributes:
        name: its configured name.
        endpoint_authority: `host:port` it is asked at.
        labels: the operator's own label pairs.
        was_polled: a poll of it has ended, well or badly.
        state: one sentence, for a failure with what to do about it.
        last_success_unix: end of the last good poll, None if there was none.
        next_poll_unix: when it is asked next, None if that isn't known.
        collectors: name and state in words of each collector.
        health: what the sentence amounts to; decides order and colour on the status page.
    """

    name: str
    endpoint_authority: str
    labels: tuple[tuple[str, str], ...]
    was_polled: bool
    state: str
    last_success_unix: float | None
    next_poll_unix: float | None
    collectors: tuple[tuple[str, str], ...]
    health: Health


ServerViews = Callable[[], Sequence[ServerView]]
"""Gives every configured server's view, in the order of the configuration."""


class UnexplainedText(NamedTuple):
    """Failures and deferrals of one kind of text that no rule explains.

    Attributes:
        text: without addresses.
        code: reply code, empty without one.
        provider: who takes the mail.
        events: how many there were since the text was first noted.
        last_unix: when the newest of them happened.
    """

    text: str
    code: str
    provider: str
    events: int
    last_unix: int


class ServerTexts(NamedTuple):
    """Those of one server, the newest first."""

    name: str
    texts: Sequence[UnexplainedText]


UnexplainedTexts = Callable[[], Sequence[ServerTexts]]
"""Gives those of every server whose delivery events are counted, in the configuration's order."""


class FamilyFigures(NamedTuple):
    """One family over all servers.

    Attributes:
        series: how many it has now.
        most: how many it can have, None where nothing bounds it or that isn't known.
        is_bounded: False where nothing bounds it.
        labels: different values by label, the most first, in *sampled* series.
        sampled: series whose labels were looked at, 0 if none was.
        setting: key of the configuration file that makes it smaller, empty without one.
        flag: the same on the command line.
    """

    name: str
    series: int
    most: int | None
    is_bounded: bool
    labels: Sequence[tuple[str, int]]
    sampled: int
    setting: str
    flag: str


class ServerFigures(NamedTuple):
    """One server, with its largest families."""

    name: str
    series: int
    largest: Sequence[tuple[str, int]]


class CardinalityFigures(NamedTuple):
    """How many series are published; families and servers with the most first.

    Attributes:
        own_series: those of the exporter itself.
        sizes_bytes: of an answer with everything, by format and encoding.
        hidden: families that the operator doesn't want to see.
        age_seconds: how long ago they were counted.
    """

    families: Sequence[FamilyFigures]
    servers: Sequence[ServerFigures]
    own_series: int
    sizes_bytes: Mapping[tuple[str, str], int]
    hidden: Sequence[str]
    age_seconds: float


Cardinality = Callable[[], Awaitable[CardinalityFigures]]
"""Counts the series of all servers; may take a second, in which others are served."""


async def nothing_counted() -> CardinalityFigures:
    """Where nothing is published."""
    return CardinalityFigures((), (), 0, {}, (), 0.0)
