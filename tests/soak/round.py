"""One round: a simulated WHM, exporters that are killed again and again, and the comparison."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.soak import plan
from tests.soak.expected import SETTLE_SECONDS
from tests.soak.exporter import Exporter, Shown
from tests.soak.laws import (
    CAPPED,
    FAULTS,
    NOT_WHERE_THE_PAST_IS_COUNTED,
    Difference,
    Readings,
    differences,
)
from tests.soak.plan import Server
from tests.soak.whm import Whm

EXPORTERS = 2
SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS = 0.2, 2.0
PATIENCE_SECONDS = 150.0
QUIET_POLLS, QUIET_SECONDS = 6, 3.0
"""Mail of the last day is looked after in every 5th poll, so fewer would prove nothing."""
_LOOK_SECONDS, _SCRAPE_SECONDS = 0.01, 0.5


@dataclass(frozen=True)
class Terms:
    """What a round is like.

    Attributes:
        seed: all that is drawn follows from it, but for what the machine's own pace decides.
        kills: of the exporter, all its processes together.
        speed: simulated seconds in a real one.
        whm_kills: of the simulated WHM, which comes back at once.
        is_together: quirks are drawn and combined, else each comes in its turn.
    """

    seed: str
    kills: int = 50
    speed: float = 60.0
    whm_kills: int = 2
    is_together: bool = False


@dataclass
class Result:
    """What a round came to.

    Attributes:
        events: rows of the truth that had to be counted, all servers together.
        kills_at_commits: those of *kills* that hit just before or after a commit.
        numbers: how many numbers were compared.
        unreached: servers that didn't come to rest, and why.
    """

    terms: Terms
    servers: Sequence[Server]
    kills: int = 0
    kills_at_commits: int = 0
    whm_kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    events: int = 0
    numbers: int = 0
    seconds: float = 0.0
    differences: list[Difference] = field(default_factory=list)
    unreached: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Everything came to rest, and nothing differs."""
        return not self.differences and not self.unreached


class Round:
    """Runs one round in an empty *folder*."""

    def __init__(self, terms: Terms, folder: Path) -> None:
        self._rng = Random(terms.seed)
        in_turn, together = plan.every_quirk_in_turn, plan.quirks_together
        servers = together(self._rng) if terms.is_together else in_turn()
        self.result = Result(terms, servers)
        self._terms = terms
        self._whm = Whm(servers, terms.seed, terms.speed, folder)
        self._folder = folder
        self._exporters: list[Exporter] = []

    def run(self) -> Result:
        """Kill, wait, compare; every process has ended afterwards."""
        begun = time.monotonic()
        self._whm.start()
        try:
            entries = self._whm.ready["servers"]
            self._exporters = [
                Exporter(
                    entries[n::EXPORTERS],
                    self._folder / f"exporter{n}",
                    counts_past=n == 0,
                    rng=Random(f"{self._terms.seed} exporter {n}"),
                )
                for n in range(EXPORTERS)
            ]
            self._set_faults({})
            self._kill_again_and_again()
            shown = self._come_to_rest()
            self._compare(shown)
        finally:
            for exporter in self._exporters:
                exporter.kill()
            self._whm.kill()
        self.result.seconds = time.monotonic() - begun
        return self.result

    def _kill_again_and_again(self) -> None:
        terms, result = self._terms, self.result
        kills = terms.kills
        faults = plan.faults_in_turn(self._rng, -(-kills // 30))
        for place in sorted(self._rng.sample(range(kills), min(kills, terms.whm_kills))):
            faults.insert(place, "")  # the whole WHM
        for exporter in self._exporters:
            self._start(exporter)
        while result.kills < kills:
            for exporter in self._exporters:
                if exporter.is_dead() and result.kills < kills:
                    result.kills += 1
                    result.kills_at_commits += exporter.killed_itself
                    self._something_goes_wrong(faults.pop(0) if faults else None)
                    self._start(exporter)
            time.sleep(_LOOK_SECONDS)

    def _start(self, exporter: Exporter) -> None:
        exporter.start(plan.death(exporter.rng, SHORTEST_LIFE_SECONDS, LONGEST_LIFE_SECONDS))

    def _something_goes_wrong(self, name: str | None) -> None:
        if name == "":
            self._whm.kill()
            self._whm.start()
            self.result.whm_kills += 1
        elif name is not None:
            together = {name}
            if self._terms.is_together:
                together.add(self._rng.choice(sorted(FAULTS)))
            servers = [
                server
                for exporter in self._exporters
                for server in exporter.servers
                if not (exporter.counts_past and together & NOT_WHERE_THE_PAST_IS_COUNTED)
            ]
            self._set_faults(dict.fromkeys(self._rng.sample(servers, 2), sorted(together)))

    def _set_faults(self, new: Mapping[str, Sequence[str]]) -> None:
        """Set new faults on the servers named, or end those of all if none is."""
        orders: list[dict[str, object]] = []
        for server in self.result.servers:
            if new and server.name not in new:
                continue
            orders += [{"server": server.name, "fault": name} for name in server.always]
            if server.name in new:
                names = [*new[server.name], *server.sometimes]
                orders += [plan.fault_order(self._rng, server, name) for name in names]
                self.result.faults.update(names)
            elif not server.always:
                orders.append({"server": server.name, "fault": "none"})
        self._whm.set_faults(orders)
        with (self._folder / "faults.jsonl").open("a") as log:
            log.write(json.dumps({"now_unix": self._whm.now_unix(), "orders": orders}) + "\n")

    def _come_to_rest(self) -> dict[str, Shown]:
        """Faults are over, time stands still after more than 65 minutes, and polls go on."""
        self._set_faults({})
        self._whm.set_time(factor=0)
        self._start_for_good()
        self._until_polled()
        # In steps, so that what happened in one is learned before its outcomes are settled.
        for _ in range(2):
            now_unix = int(self._whm.now_unix()) + SETTLE_SECONDS // 2 + 120
            self._whm.set_time(now_unix=now_unix)
            self._until_polled()
        # New series are shown at 0 first; those that a process finds stand at their values.
        self._start_for_good()
        return self._until_quiet()

    def _start_for_good(self) -> None:
        for exporter in self._exporters:
            exporter.kill()
            exporter.start()

    def _until_polled(self) -> None:
        """Wait for enough good polls of each server to look after all mail of a day."""
        end = time.monotonic() + PATIENCE_SECONDS
        first: dict[str, int] = {}
        waiting = {server.name for server in self.result.servers}
        while waiting and time.monotonic() < end:
            for name, one in self._scrape().items():
                if one.is_well and one.polls >= first.setdefault(name, one.polls) + QUIET_POLLS:
                    waiting.discard(name)
            time.sleep(_SCRAPE_SECONDS)
        self.result.unreached += [f"{name} was not polled well" for name in sorted(waiting)]

    def _until_quiet(self) -> dict[str, Shown]:
        """Scrape until nothing is left to read, and several polls have changed nothing.

        Where a cap hides older mail, the reading can't come to an end, and isn't waited for.
        """
        capped = {server.name for server in self.result.servers if server.law == CAPPED}
        end = time.monotonic() + PATIENCE_SECONDS
        since: dict[str, tuple[Shown, float]] = {}
        shown: dict[str, Shown] = {}
        incomplete: Counter[str] = Counter()
        while time.monotonic() < end:
            shown = self._scrape()
            now = time.monotonic()
            restless = {server.name for server in self.result.servers}
            for name, one in shown.items():
                incomplete[name] = max(incomplete[name], one.incomplete)
                first, at = since.get(name, (one, now))
                is_behind = one.backlog != 0 and name not in capped
                if one.numbers != first.numbers or is_behind or not one.is_well:
                    first, at = one, now
                since[name] = first, at
                if one.polls >= first.polls + QUIET_POLLS and now >= at + QUIET_SECONDS:
                    restless.discard(name)
            if not restless:
                break
            time.sleep(_SCRAPE_SECONDS)
        else:
            for name in sorted(restless):
                last = shown.get(name)
                said = "nothing" if last is None else repr(last._replace(numbers={}))
                self.result.unreached.append(f"{name} didn't come to rest: {said}")
        return {name: one._replace(incomplete=incomplete[name]) for name, one in shown.items()}

    def _scrape(self) -> dict[str, Shown]:
        shown: dict[str, Shown] = {}
        for exporter in self._exporters:
            if exporter.is_dead():
                raise RuntimeError(f"it died by itself:\n{exporter.log.read_text()}")
            shown |= exporter.scrape()
        return shown

    def _compare(self, shown: dict[str, Shown]) -> None:
        for server in self.result.servers:
            one = shown.get(server.name)
            if one is None or one.since_unix is None:
                self.result.unreached.append(f"{server.name} doesn't say since when it counts")
                continue
            end_unix = int(self._whm.now_unix()) + clock_offset(server)
            readings = Readings(
                real=self._whm.rows(server.name, until_unix=end_unix),
                shown=self._whm.rows(server.name),
                since_unix=one.since_unix,
                end_unix=end_unix,
            )
            [exporter] = [each for each in self._exporters if server.name in each.servers]
            acted = exporter.activity(server.name, one.since_unix)
            found = differences(server.name, server.law, readings, one.numbers, acted)
            self.result.differences += found
            counted = sum(row["actionunixtime"] >= one.since_unix for row in readings.shown)
            self.result.events += counted
            self.result.numbers += len(one.numbers) + len(acted)
            self._check_beginning(server.name, one)
            if server.law == CAPPED and not one.incomplete:
                exact = differences(server.name, "exact", readings, one.numbers)
                if exact:
                    self.result.unreached.append(
                        f"{server.name} lacks events, and shows no incomplete slice"
                    )
            self._keep(server, readings, one)

    def _check_beginning(self, server: str, one: Shown) -> None:
        """Who counts the past counts since the beginning of time, who doesn't since its start."""
        [exporter] = [each for each in self._exporters if server in each.servers]
        if exporter.counts_past != (one.since_unix == 0):
            self.result.unreached.append(f"{server} counts since {one.since_unix}")

    def _keep(self, server: Server, readings: Readings, one: Shown) -> None:
        """Leave what was compared in the folder, for who has to find a difference."""
        kept = {
            "law": server.law,
            "quirks": server.quirks,
            "since_unix": readings.since_unix,
            "end_unix": readings.end_unix,
            "found": [[name, labels, value] for (name, labels), value in one.numbers.items()],
            "real": readings.real,
            "shown": readings.shown,
        }
        (self._folder / f"{server.name}.json").write_text(json.dumps(kept))


def clock_offset(server: Server) -> int:
    """Seconds that the server's clock is ahead."""
    for quirk in server.quirks:
        name, _, text = quirk.partition("=")
        if name == "clock-offset":
            return int(text.removesuffix("m")) * 60
    return 0
