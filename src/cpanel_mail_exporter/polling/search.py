"""One window of emailtrack_search, asked page by page and turned into log blocks as it comes."""

import asyncio

from cpanel_mail_exporter.exposition.log_blocks import LogBlocks, LogBlocksBuilder
from cpanel_mail_exporter.exposition.log_lines import LogLine, LogLines
from cpanel_mail_exporter.model.errors import WrongShape
from cpanel_mail_exporter.model.query import DELIVERY_TYPES
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.ports import MailServer
from cpanel_mail_exporter.polling.reading import TooManyPages, WindowReader
from cpanel_mail_exporter.polling.reading_state import ReadCounts, ReadingMemory


async def read_log_blocks(
    server: MailServer,
    window: Slice,
    types: tuple[str, ...],
    memory: ReadingMemory,
    lines: LogLines,
    max_series: int,
    server_name: str,
) -> tuple[LogBlocks, ReadCounts, float | None]:
    """Read a whole window.

    Returns:
        its lines, what was come across, and the clock skew in seconds if an answer told it.

    Raises:
        PollError: one of the answers failed; nothing of the others is kept.
    """
    builder = LogBlocksBuilder(max_series)
    # A server may ignore which types were asked for; words that aren't WHM's own are shown.
    unwanted = frozenset(DELIVERY_TYPES) - frozenset(types)

    def wanted(found: list[LogLine]) -> list[LogLine]:
        return [line for line in found if line.type not in unwanted]

    reader = WindowReader[LogLine](
        window,
        types,
        memory,
        inside=lambda found: builder.add(wanted(found)),
        outside=lambda found: builder.add_outside(wanted(found)),
    )
    skew: float | None = None
    try:
        while (query := reader.next_query()) is not None:
            # Rendered as they come, while they are at hand: a line is smaller than its record.
            end = await server.search(query, lambda rows: reader.rows(lines.render(rows)))
            reader.page_end(end)
            skew = end.clock_skew_seconds if skew is None else skew
    except TooManyPages as error:
        raise WrongShape(
            server_name, "emailtrack_search", "the server sends new pages without end"
        ) from error
    # Putting the last blocks together may take a while where rows came unsorted.
    blocks = await asyncio.to_thread(builder.finish)
    return blocks, reader.counts, skew
