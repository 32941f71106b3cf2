"""The written minutes of one server: looked up where they are kept, written where they aren't."""

import threading

from whm_simulator.mail.source import Interrupted
from whm_simulator.world.blocks import Block, block_of
from whm_simulator.world.cache import Bounded
from whm_simulator.world.chronicle import Chronicle
from whm_simulator.world.desk import Cause
from whm_simulator.world.draft import Draft, draft_of
from whm_simulator.world.page import Page
from whm_simulator.world.reports import MINUTES_BACK, reports_in
from whm_simulator.world.site import Site

_CAUSES_KEPT = 8


class Scribe:
    """Writes and keeps the minutes of *site*. Safe across threads."""

    def __init__(
        self, site: Site, chronicle: Chronicle, kept: Bounded[Block], stopping: threading.Event
    ) -> None:
        self._site = site
        self._chronicle = chronicle
        self._kept = kept
        self._stopping = stopping
        self._causes: dict[int, list[Cause]] = {}
        self._lock = threading.Lock()

    def block(self, minute: int) -> Block:
        """The *minute*-th minute of unix time.

        Raises:
            Interrupted: it must be written, and the simulator is being stopped.
        """
        key = self._site.name, minute
        block = self._kept.get(key)
        if block is not None:
            return block
        if self._stopping.is_set():
            raise Interrupted
        with self._lock:
            block = self._kept.get(key)
            if block is None:
                block = self._written(minute)
                self._kept.put(key, block, len(block.attempts) + 1)
        return block

    def _written(self, minute: int) -> Block:
        draft = self._draft(minute)
        causes = [draft.causes]
        for age in range(1, MINUTES_BACK + 1):
            known = self._causes.get(minute - age)
            causes.append(self._draft(minute - age).causes if known is None else known)
        rows = draft.rows
        if any(causes):
            rows += reports_in(self._site, minute, causes)
        stories = self._chronicle.sent_in(minute)
        if stories:
            page = Page(self._site.settings.zone)
            for story in stories:
                letter = story.letter(has_old_exim=self._site.has_old_exim)
                page.put(letter, story.recipient, story.attempts())
            rows += page.rows
        return block_of(rows)

    def _draft(self, minute: int) -> Draft:
        draft = draft_of(self._site, self._chronicle.plan(minute // 60), minute)
        self._causes[minute] = draft.causes
        while len(self._causes) > _CAUSES_KEPT:
            del self._causes[next(iter(self._causes))]
        return draft
