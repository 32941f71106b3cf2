"""The stories of one server by the hour in which they begin, and the reports they cause.

What is asked for again soon is kept, the rest is told anew.
"""

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from whm_simulator.world.means import HOUR_SECONDS, HourMeans, means_of
from whm_simulator.world.plan import HourPlan, plan_hour
from whm_simulator.world.retry import RETRY_OFFSETS_SECONDS
from whm_simulator.world.site import Site
from whm_simulator.world.stories import Seed, late_failures, passed_on, story_of
from whm_simulator.world.story import Story, report_on

T = TypeVar("T")

LONGEST_STORY_HOURS = RETRY_OFFSETS_SECONDS[-1] // HOUR_SECONDS + 2
"""No story goes on for longer."""

_HOURS_KEPT = 3


class Chronicle:
    """Plans and stories of *site*. Safe across threads."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._lock = threading.RLock()
        self._means: OrderedDict[int, HourMeans] = OrderedDict()
        self._plans: OrderedDict[int, HourPlan] = OrderedDict()
        self._stories: OrderedDict[int, list[Story]] = OrderedDict()
        self._passed_on: OrderedDict[int, list[Story]] = OrderedDict()
        self._by_minute: OrderedDict[int, dict[int, list[Story]]] = OrderedDict()
        self._failures: OrderedDict[int, list[tuple[int, Seed]]] = OrderedDict()

    def plan(self, hour: int) -> HourPlan:
        """The plan of *hour*."""
        return self._kept(self._plans, hour, _HOURS_KEPT, lambda: plan_hour(self._site, hour))

    def stories(self, hour: int) -> list[Story]:
        """Stories that begin in *hour*, and reports that are sent in it because of others."""
        return self._kept(self._stories, hour, _HOURS_KEPT, lambda: self._find_stories(hour))

    def sent_in(self, minute: int) -> list[Story]:
        """Stories and reports whose message is sent in *minute*."""
        by_minute = self._kept(self._by_minute, minute // 60, _HOURS_KEPT,
                               lambda: self._find_minutes(minute // 60))  # fmt: skip
        return by_minute.get(minute, [])

    def _find_minutes(self, hour: int) -> dict[int, list[Story]]:
        found: dict[int, list[Story]] = {}
        for story in self.stories(hour):
            found.setdefault(story.send_unix // 60, []).append(story)
        return found

    def _find_stories(self, hour: int) -> list[Story]:
        late = [story_of(self._site, seed) for _, seed in self._late_failures(hour)]
        passed_on = self._passed_on_in(hour)
        causes = [*self._passed_on_in(hour - 1), *passed_on]
        low, high = hour * HOUR_SECONDS - 1, (hour + 1) * HOUR_SECONDS
        for begun in range(hour - LONGEST_STORY_HOURS, hour + 1):
            failures = self._failures.get(begun)
            if failures is None:
                failures = self._late_failures(begun)
            if failures and failures[-1][0] >= low:
                first, last = bisect_left(failures, (low,)), bisect_left(failures, (high,))
                causes += [story_of(self._site, seed) for _, seed in failures[first:last]]
        reports = (report_on(self._site, cause) for cause in causes)
        return late + passed_on + [
            report for report in reports if report and report.send_unix // HOUR_SECONDS == hour
        ]  # fmt: skip

    def _means_of(self, hour: int) -> HourMeans:
        return self._kept(self._means, hour, _HOURS_KEPT, lambda: means_of(self._site, hour))

    def _passed_on_in(self, hour: int) -> list[Story]:
        return self._kept(
            self._passed_on, hour, _HOURS_KEPT,
            lambda: passed_on(self._site, self._means_of(hour), hour),
        )  # fmt: skip

    def _late_failures(self, hour: int) -> list[tuple[int, Seed]]:
        """When each of the stories ends that begin in *hour* and fail late, with its seed."""
        site = self._site

        def find() -> list[tuple[int, Seed]]:
            seeds = late_failures(site, self._means_of(hour), hour)
            return sorted((story_of(site, seed).end_unix, seed) for seed in seeds)

        return self._kept(self._failures, hour, LONGEST_STORY_HOURS + _HOURS_KEPT, find)

    def _kept(self, known: OrderedDict[int, T], hour: int, most: int, make: Callable[[], T]) -> T:
        with self._lock:
            found = known.get(hour)
            if found is None:
                found = known[hour] = make()
                while len(known) > most:
                    known.popitem(last=False)
            else:
                known.move_to_end(hour)
            return found
