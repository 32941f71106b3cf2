"""However polls, failures, restarts and mail fall together, every event is counted once."""

import asyncio
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.ledger.change import Change
from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.model.errors import (
    ApiRefused,
    BadStatus,
    ConnectFailed,
    NotJson,
    PollError,
    StorageFailed,
    TimedOut,
)
from cpanel_mail_exporter.model.query import Instant
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.fake_clock import FakeClock
from tests.unit.ledger.mail import Happened, row
from tests.unit.polling.living_server import LivingServer
from tests.unit.polling.visits import Visits

START = 1_795_252_447
HISTORY = 30_000
LONGEST_COURSE = 20_000
LONGEST_RUN = 30_000
LATEST = 3_600
LOOK_BACK = HISTORY + LONGEST_COURSE + LONGEST_RUN + 4 * LATEST
WINDOW = 3 * 3_600

MOST_POLLS = 150
"""Two rounds through all ranges or slices, a backlog of all of them, and what was to be learned."""

ERRORS: list[type[PollError]] = [TimedOut, BadStatus, ConnectFailed, NotJson, ApiRefused]


class BreakingStore:
    """A store whose commits fail when they are told to: `before` or `after` they are stored."""

    def __init__(self, store: LedgerStore) -> None:
        self.store = store
        self.breaks: list[str | None] = []

    def commit(self, change: Change) -> None:
        how = self.breaks.pop(0) if self.breaks else None
        if how != "before":
            self.store.commit(change)
        if how is not None:
            raise StorageFailed("web1", "storage", "disk full")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@dataclass(frozen=True)
class Step:
    """What happens before a poll, and when that is.

    Attributes:
        jump_seconds: how far the exporter's clock is set.
        breaks: number of a request, rows that are handed on before it fails, and how it does.
        stores: how commits fail, one after another.
    """

    seconds: int = 60
    restarts: bool = False
    has_time: bool = True
    jump_seconds: int = 0
    breaks: tuple[tuple[int, int, type[PollError]], ...] = ()
    stores: tuple[str | None, ...] = ()


@st.composite
def mails(draw: st.DrawFn) -> list[Happened]:
    """One message to some recipients, attempt by attempt, each row once in a while late."""
    # On the boundaries of ranges and next to them, where most can go wrong.
    minute = draw(st.integers(-HISTORY // 300, LONGEST_RUN // 300))
    sent = START // 300 * 300 + 300 * minute + draw(st.sampled_from([0, 1, 150, 299]))
    number = draw(st.integers(0, 3))
    found: list[Happened] = []
    for recipient in range(draw(st.integers(1, 2))):
        acted = sent
        for kind in draw(
            st.sampled_from(
                [["success"], ["defer", "success"], ["defer", "defer", "failure"], ["failure"]]
            )
        ):
            acted += draw(st.sampled_from([0, 1, 61, 300, 900, 7_200]))
            late = draw(st.sampled_from([0, 0, 0, 1, 299, 301, 900, LATEST]))
            way = draw(st.sampled_from(["gmail", "inbound"]))
            record = row(
                way,
                kind,
                sent,
                acted,
                msg_id=f"{sent}-{number}",
                recipient=f"{number}{recipient}@example.net",
            )
            happened = Happened(way, record, acted + late)
            found += [happened] * draw(st.sampled_from([1, 1, 1, 2]))
    return found


MAIL = st.lists(mails(), max_size=12, unique_by=lambda events: events[0].record.msg_id).map(
    lambda messages: list(chain(*messages))
)

STEPS = st.builds(
    Step,
    seconds=st.sampled_from([1, 60, 60, 60, 61, 300, 301, 1_800, 3_600, 9_000]),
    restarts=st.sampled_from([False, False, False, True]),
    has_time=st.sampled_from([True, True, True, False]),
    jump_seconds=st.sampled_from([0, 0, 0, 0, -700, 700]),
    breaks=st.lists(
        st.tuples(st.integers(0, 30), st.sampled_from([0, 0, 1, 8]), st.sampled_from(ERRORS)),
        max_size=2,
    ).map(tuple),
    stores=st.lists(st.sampled_from([None, None, "before", "after"]), max_size=5).map(tuple),
)

QUIRKS = st.sampled_from(
    [
        {},
        {"acts_by_send": True},
        {"acts_by_send": True, "clip": 5},
        {"acts_by_send": True, "type_cap": 4},
        {"has_inclusive_ends": True},
        {"has_inclusive_ends": True, "type_cap": 4},
        {"ignores_sort": True},
        {"ignores_sort": True, "clip": 5},
        {"ignores_size": True, "ignores_sort": True},
        {"type_cap": 4},
        {"clip": 5},
        {"ignores_filters": True},
        {"ignores_filters": True, "clip": 5},
        {"ignores_filters": True, "ignores_sort": True, "ignores_size": True},
    ]
)
"""Such as still let everything be read."""


async def read_all(
    server: LivingServer,
    happenings: list[Happened],
    steps: list[Step],
    kind: type[Visits] = Visits,
    **how: Any,
) -> Visits:
    """Go through *steps*, then until the server has nothing new any more."""
    store = BreakingStore(MemoryStore())
    server.happen(happenings)
    visits = kind(server, store=store, look_back_seconds=LOOK_BACK, window_seconds=WINDOW, **how)
    run = 0
    for step in steps:
        run += step.seconds
        if run > LONGEST_RUN:
            break
        server.clock.set_wall(server.clock.now_unix() + step.jump_seconds)
        server.ahead_seconds -= step.jump_seconds
        if step.restarts:
            visits.restart()
        server.breaks = {
            number: (rows, error("web1", "f", "broken on purpose"))
            for number, rows, error in step.breaks
        }
        store.breaks = list(step.stores)
        visits.has_time = step.has_time
        await visits.poll(step.seconds)
        visits.assert_not_too_much()
    server.breaks, store.breaks, visits.has_time = {}, [], True
    last = max([event.visible_unix for event in happenings], default=0)
    await visits.poll(max(60, last - server.now_unix()))
    await visits.poll_until_told(MOST_POLLS)
    assert server.most_in_flight == 1
    return visits


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    happenings=MAIL,
    steps=st.lists(STEPS, max_size=15),
    quirks=QUIRKS,
    totals=st.sampled_from([None, Instant.SENT, Instant.SENT, Instant.ACTED]),
    ends_belong=st.booleans(),
    ahead_seconds=st.sampled_from([0, 1, -400, 400, 3_000]),
    backfill=st.booleans(),
)
def test_in_the_end_all_is_counted_once_and_shown_and_never_more(
    happenings: list[Happened],
    steps: list[Step],
    quirks: dict[str, Any],
    totals: Instant | None,
    ends_belong: bool,
    ahead_seconds: int,
    backfill: bool,
) -> None:
    server = LivingServer(
        FakeClock(START - ahead_seconds), ahead_seconds, ends_belong=ends_belong, quirks=quirks
    )
    if totals is None:
        server.totals_error = ApiRefused("web1", "emailtrack_stats", "no such function")
    else:
        server.totals_by = totals
    asyncio.run(read_all(server, happenings, steps, backfill=backfill))
