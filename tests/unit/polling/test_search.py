"""From answers to blocks: what a server returned is shown, but for types nobody asked for."""

from collections.abc import Callable

from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.model.query import AnswerEnd, SearchQuery, UserStatsAnswer
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading_state import ReadingMemory
from cpanel_mail_exporter.polling.search import read_log_blocks
from tests.unit.exposition.records import delivery

KINDS = ("success", "defer", "failure", "inprogress", "archive", "")


class EveryType:
    """A server that ignores which types are asked for."""

    async def user_stats(self, start_unix: int, end_unix: int) -> UserStatsAnswer:
        raise NotImplementedError

    async def search(
        self, query: SearchQuery, receive: Callable[[list[DeliveryRecord]], None]
    ) -> AnswerEnd:
        if query.first_row == 1:
            receive([delivery(1_005, type=kind) for kind in KINDS])
            receive([delivery(5, type=kind) for kind in KINDS])
        return AnswerEnd()


async def shown(types: tuple[str, ...]) -> tuple[list[str], int]:
    blocks, counts, _ = await read_log_blocks(
        EveryType(), Slice(1_000, 1_010), types, ReadingMemory(), LogLines("x", ()), 0, "web1"
    )
    text = b"".join(block.piece.plain() for block in blocks.blocks).decode()
    found = [line.partition(',type="')[2].partition('"')[0] for line in text.splitlines()]
    return sorted(found), counts.rows


async def test_types_that_were_not_asked_for_are_left_out_and_unknown_words_are_shown() -> None:
    kinds = sorted(["success", "failure", "archive", ""] * 2)
    assert await shown(("success", "failure")) == (kinds, 12)
    assert await shown(KINDS[:4]) == (sorted(KINDS * 2), 12)
