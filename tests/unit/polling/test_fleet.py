"""Many servers start side by side without a flood, and none waits for one that hangs."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from cpanel_mail_exporter.polling.fleet import (
    FIRST_REQUESTS,
    StartGate,
    poll_all_once,
    run_fleet,
)
from cpanel_mail_exporter.polling.poller import Gate, Poller


class FakePollers:
    """Pollers whose polls end when a test says so."""

    def __init__(self, count: int) -> None:
        self.polling = 0
        self.most = 0
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.let_go = [asyncio.Event() for _ in range(count)]
        self.pollers = cast("list[Poller]", [self.One(self, number) for number in range(count)])

    class One:
        def __init__(self, all_of_them: "FakePollers", number: int) -> None:
            self.all = all_of_them
            self.number = number

        async def poll(self) -> float:
            everything = self.all
            everything.begun.append(self.number)
            everything.polling += 1
            everything.most = max(everything.most, everything.polling)
            try:
                await everything.let_go[self.number].wait()
            finally:
                everything.polling -= 1
            everything.ended.append(self.number)
            return 0.0

        async def run(self, gate: Gate) -> None:
            async with gate:
                await self.poll()
            await asyncio.Event().wait()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0)


async def test_at_most_32_servers_make_their_first_requests_at_a_time() -> None:
    fakes = FakePollers(100)
    polling = asyncio.create_task(poll_all_once(fakes.pollers))
    await until(lambda: fakes.polling == FIRST_REQUESTS)
    for _ in range(20):
        await asyncio.sleep(0)
    assert fakes.begun == list(range(FIRST_REQUESTS))
    for event in fakes.let_go:
        event.set()
    await polling
    assert sorted(fakes.ended) == list(range(100))
    assert fakes.most == FIRST_REQUESTS == 32


async def test_the_fleet_runs_until_it_is_cancelled() -> None:
    fakes = FakePollers(100)
    for event in fakes.let_go:
        event.set()
    running = asyncio.create_task(run_fleet(fakes.pollers))
    await until(lambda: len(fakes.ended) == 100)
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_server_that_hangs_gives_its_place_to_another() -> None:
    gate = StartGate(places=1, patience=0.01)
    hanging = asyncio.Event()

    async def hang() -> None:
        async with gate.pass_for_one():
            hanging.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await hanging.wait()
    async with asyncio.timeout(60), gate.pass_for_one():
        pass
    task.cancel()
    await asyncio.wait([task])


async def at_once() -> None:
    """A poll that takes no time."""


def in_turn(gate: StartGate, log: list[str], name: str, body: Callable[[], Awaitable[Any]]) -> Any:
    async def one() -> None:
        async with gate.pass_for_one():
            log.append(name)
            await body()

    return one()


async def test_a_place_is_given_back_once_and_not_again_when_its_poll_ends_late() -> None:
    """Else each server that hung would let one more in for good."""
    gate = StartGate(places=1, patience=0.01)
    log: list[str] = []
    late = asyncio.Event()
    first = asyncio.create_task(in_turn(gate, log, "first", late.wait))
    await until(lambda: log == ["first"])
    stay = asyncio.Event()
    gate._patience = 3_600.0  # those who enter now stay patient
    second = asyncio.create_task(in_turn(gate, log, "second", stay.wait))
    third = asyncio.create_task(in_turn(gate, log, "third", at_once))
    await until(lambda: "second" in log)
    late.set()
    await first
    for _ in range(20):
        await asyncio.sleep(0)
    assert log == ["first", "second"], "the place that the first left was already taken"
    stay.set()
    await asyncio.gather(second, third)
    assert log == ["first", "second", "third"]


@pytest.mark.parametrize("error", [ValueError(), asyncio.CancelledError()])
async def test_a_place_is_given_back_when_a_poll_fails(error: BaseException) -> None:
    gate = StartGate(places=1)
    with pytest.raises(type(error)):
        async with gate.pass_for_one():
            raise error
    async with asyncio.timeout(60), gate.pass_for_one():
        pass


async def test_who_is_cancelled_while_it_queues_takes_no_place() -> None:
    gate = StartGate(places=1)
    async with gate.pass_for_one():
        log: list[str] = []
        queued = asyncio.create_task(in_turn(gate, log, "queued", at_once))
        await asyncio.sleep(0)
        queued.cancel()
        await asyncio.wait([queued])
    async with asyncio.timeout(60), gate.pass_for_one():
        pass
    assert log == []
