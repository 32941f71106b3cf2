"""What email_logs shows of the rows of a reading: here, series that count many rows."""

import asyncio
from typing import Protocol

from cpanel_mail_exporter.exposition.count_lines import CountLines
from cpanel_mail_exporter.exposition.count_window import CountWindow
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.log_choice import LogChoice
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading import Accepted


class ShownRows(Protocol):
    """What email_logs shows of one server's rows."""

    def begin(self, span: Slice | None) -> None:
        """A reading of a span of send time begins, whose rows it replaces, or (None) of others."""

    async def take(self, accepted: Accepted) -> None:
        """Take rows of the reading that goes on."""

    async def finish(self) -> None:
        """The reading has ended well: its rows are shown from now on."""

    def begin_at(self, start_unix: int) -> None:
        """Let rows go that were sent before the window."""

    async def shown(self, share: int) -> LogBlocks:
        """What is to be shown, with little more kept than *share* lines of it; 0 for all."""


class CountSink:
    """The lines of email_logs of one server where each counts rows."""

    def __init__(self, lines: CountLines, choice: LogChoice, max_series: int) -> None:
        self._lines = lines
        self._choice = choice
        self._most = max_series
        self._window = CountWindow(max_series)
        self._reading = self._window.reading(None)

    def begin(self, span: Slice | None) -> None:
        """A reading of a span of send time begins, whose rows it replaces, or (None) of others."""
        self._reading = self._window.reading(span)

    async def take(self, accepted: Accepted) -> None:
        """Take rows of the reading that goes on."""
        await asyncio.to_thread(self._take, accepted)

    async def finish(self) -> None:
        """The reading has ended well: its rows are counted from now on."""
        await asyncio.to_thread(self._reading.finish)

    def begin_at(self, start_unix: int) -> None:
        """Let rows go that were sent before the window."""
        self._window.begin_at(start_unix)

    async def shown(self, share: int) -> LogBlocks:
        """What is to be shown, with little more kept than *share* lines of it; 0 for all."""
        self._window.keep_at_most(kept_lines(self._most, share))
        return await asyncio.to_thread(self._window.blocks)

    def _take(self, accepted: Accepted) -> None:
        rows = self._lines.render(self._choice.chosen(accepted.rows))
        self._reading.add(rows, accepted.multiset)


def kept_lines(most: int, share: int) -> int:
    """Lines to keep: twice a share, so that one that grows a little finds lines to show."""
    return min([bound for bound in (most, 2 * share) if bound], default=0)
