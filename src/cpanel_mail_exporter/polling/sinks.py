"""Where the rows of a reading go: the ledger, and the lines of email_logs. They fail apart."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.log_choice import LogChoice
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.exposition.log_window import LogReading, LogWindow
from cpanel_mail_exporter.ledger.ledger import Ledger
from cpanel_mail_exporter.model.errors import StorageFailed
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading import Accepted
from cpanel_mail_exporter.polling.shown_rows import kept_lines

_LARGE_ROWS = 1_000
"""So many rows aren't held longer than need be, and not all rendered at once."""

_Result = TypeVar("_Result")


class EventSink:
    """One server's ledger: rows are learned in a worker thread, one transaction each.

    After the first failure of a poll nothing more is learned in it, and what was read is to be read
    again; `error` says why.
    """

    def __init__(self, ledger: Ledger, *, counts_past: bool) -> None:
        self.error: StorageFailed | None = None
        self.newest_event_unix: int | None = None
        self.is_open = False
        self._ledger = ledger
        self._counts_past = counts_past
        self._held: Accepted | None = None
        self._seen: dict[int, int] = {}
        self._multiset: int | None = None

    async def begin(self, now_unix: int) -> bool:
        """Make ready for a poll; True if what was stored is to be looked at.

        Args:
            now_unix: the server's own time, before its mail is asked for.
        """
        self.error = None
        self._start_over()
        was_open = self.is_open
        self.is_open = (
            await self._do(lambda: self._ledger.begin(now_unix, counts_past=self._counts_past))
            is not None
        )
        return self.is_open and not was_open

    async def stored(self, span: Slice) -> tuple[Mapping[str, str], Mapping[int, str]] | None:
        """What the reading has stored: its cursors, and texts of ranges that begin in *span*."""
        return await self._do(lambda: (self._ledger.cursors(), self._ledger.slices(span)))

    async def take(self, accepted: Accepted, now_unix: int) -> None:
        """Learn rows. The last ones are held back, to be stored together with the cursor."""
        await self._learn_held(now_unix)
        self._held = accepted

    async def make_room(self, now_unix: int) -> None:
        """Another answer is about to come: don't hold many rows meanwhile."""
        if self._held is not None and len(self._held.rows) >= _LARGE_ROWS:
            await self._learn_held(now_unix)

    async def _learn_held(self, now_unix: int) -> None:
        held, self._held = self._held, None
        if held is not None:
            await self._learn(held, now_unix, None, None)

    async def finish(
        self, now_unix: int, cursors: Mapping[str, str], slices: Mapping[int, str | None]
    ) -> bool:
        """End a reading: learn what is held, and store the cursor with it; False if it failed."""
        held, self._held = self._held, None
        if held is None:
            await self.note(cursors, slices)
        else:
            await self._learn(held, now_unix, cursors, slices)
        self._start_over()
        return self.error is None

    def abandon(self) -> None:
        """A reading broke off; what was held of it is forgotten."""
        self._start_over()

    async def note(self, cursors: Mapping[str, str], slices: Mapping[int, str | None]) -> None:
        """Store the cursor alone."""
        await self._do(lambda: self._ledger.note(cursors, slices))

    async def settle(self, newest_reading_unix: int, held: Sequence[Slice]) -> None:
        """Observe the attempts of outcomes that lie far enough behind."""
        await self._do(lambda: self._ledger.settle(newest_reading_unix, held))

    async def watch(self, now_unix: int) -> None:
        """See which accounts may be sending spam."""
        await self._do(lambda: self._ledger.watch(now_unix))

    async def forget(self, before_unix: int) -> None:
        """Forget mail sent before an instant."""
        await self._do(lambda: self._ledger.forget(before_unix))

    async def outcomes(self, span: Slice) -> Mapping[str, int] | None:
        """Events known of a span by outcome; None if they can't be read."""
        return await self._do(lambda: self._ledger.outcomes(span))

    async def open_deferral_seconds(self, limit: int) -> Sequence[int]:
        """When mail was sent that has been deferred and isn't through yet."""
        return await self._do(lambda: self._ledger.open_deferral_seconds(limit)) or ()

    def note_drift(self, what: str) -> None:
        """Count an answer that was other than documented."""
        self._ledger.note_drift(what, 1)

    async def rest(self) -> int | None:
        """Nothing is asked until the next poll; gives the space taken on disk, None if unknown."""

        def rest() -> int:
            self._ledger.rest()
            return self._ledger.size_bytes()

        error = self.error
        size_bytes = await self._do(rest)
        self.error = error or self.error
        return size_bytes

    async def _learn(
        self,
        accepted: Accepted,
        now_unix: int,
        cursors: Mapping[str, str] | None,
        slices: Mapping[int, str | None] | None,
    ) -> None:
        if accepted.multiset != self._multiset:
            self._multiset, self._seen = accepted.multiset, {}
        applied = await self._do(
            lambda: self._ledger.learn(accepted.rows, now_unix, cursors, slices, self._seen)
        )
        newest = applied.newest_event_unix if applied else None
        if newest is not None:
            self.newest_event_unix = max(newest, self.newest_event_unix or newest)

    def _start_over(self) -> None:
        self._held = None
        self._multiset = None
        self._seen = {}

    async def _do(self, work: Callable[[], _Result]) -> _Result | None:
        if self.error is not None:
            return None
        try:
            return await asyncio.to_thread(work)
        except StorageFailed as error:
            self.error = error
            self.is_open = False
            return None


class LineSink:
    """The lines of email_logs of one server, one for each row."""

    def __init__(
        self,
        lines: LogLines,
        types: tuple[str, ...],
        max_series: int,
        choice: LogChoice | None = None,
    ) -> None:
        self._lines = lines
        self._choice = choice or LogChoice(types)
        self._most = max_series
        self._window = LogWindow(max_series)
        self._reading: LogReading | None = None

    def begin(self, span: Slice | None) -> None:
        """A reading of a span of send time begins, whose lines it replaces, or (None) of others."""
        self._reading = None if span is None else self._window.reading(span)

    async def take(self, accepted: Accepted) -> None:
        """Take rows of the reading that goes on."""
        await asyncio.to_thread(self._take, accepted)

    async def finish(self) -> None:
        """The reading has ended well: its lines are shown from now on."""
        reading, self._reading = self._reading, None
        if reading is not None:
            # Putting blocks together may take a while where rows came unsorted.
            await asyncio.to_thread(reading.finish)

    def begin_at(self, start_unix: int) -> None:
        """Let lines go that were sent before the window."""
        self._window.begin_at(start_unix)

    async def shown(self, share: int) -> LogBlocks:
        """What is to be shown, with little more kept than *share* lines of it; 0 for all."""
        self._window.keep_at_most(kept_lines(self._most, share))
        return self._window.blocks()

    def _take(self, accepted: Accepted) -> None:
        if self._reading is None:
            take = self._window.add
        else:
            take = self._reading.add if accepted.is_inside else self._reading.add_outside
        rows = self._choice.chosen(accepted.rows)
        # Some at a time: lines take as much memory as their rows, until they are compressed.
        for start in range(0, len(rows), _LARGE_ROWS):
            take(self._lines.render(rows[start : start + _LARGE_ROWS]))
