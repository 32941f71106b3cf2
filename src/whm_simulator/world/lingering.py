"""What stays in the queue for hours and days: messages put off again and again, frozen reports."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from whm_simulator.mail.source import Queued
from whm_simulator.world.site import Site
from whm_simulator.world.story import REPORT_STREAM, Story

FROZEN_SECONDS = 5 * 86_400
"""Exim's timeout_frozen_after: a frozen message of that age is removed."""


class Lingering(NamedTuple):
    """A message of one recipient that stays in the queue.

    Attributes:
        queued: as the queue shows it until *end_unix*.
        end_unix: when its last attempt ends.
        removed_unix: from then on it is gone; later than *end_unix* if it freezes.
    """

    queued: Queued
    end_unix: int
    removed_unix: int

    def at(self, now_unix: float) -> Queued | None:
        """What the queue shows of it at *now_unix*."""
        if not self.queued.time_unix <= now_unix < self.removed_unix:
            return None
        return self.queued if now_unix < self.end_unix else self.queued._replace(is_frozen=True)


def lingering_of(site: Site, stories: Iterable[Story]) -> Iterator[Lingering]:
    """Those of *stories* that the queue holds longer than their first attempt takes.

    A report of failure that fails in turn has nobody to be told, so Exim freezes it.
    """
    for story in stories:
        freezes = story.stream == REPORT_STREAM and story.course.is_failed
        if not story.course.retries and not freezes:
            continue
        end_unix = story.end_unix
        letter = story.letter(has_old_exim=site.has_old_exim)
        queued = Queued(
            letter.msgid, story.face.sender, (story.recipient,), story.size, story.send_unix,
            is_frozen=False, user=story.face.user,
        )  # fmt: skip
        removed_unix = max(end_unix, story.send_unix + FROZEN_SECONDS) if freezes else end_unix
        yield Lingering(queued, end_unix, removed_unix)
