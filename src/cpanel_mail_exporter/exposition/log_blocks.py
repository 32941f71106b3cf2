"""Lines of `email_logs` as they are published, and what sorts the lines of an answer into blocks.

Blocks don't overlap in time, so the oldest lines can be let go without looking at the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cpanel_mail_exporter.exposition.blocks import (
    BLOCK_LINES,
    Block,
    KeyedBlock,
    apart,
    clusters,
    cut,
    merged,
)
from cpanel_mail_exporter.exposition.let_go import LetGo
from cpanel_mail_exporter.exposition.log_lines import LogLine
from cpanel_mail_exporter.exposition.pieces import piece


@dataclass(frozen=True, slots=True)
class LogBlocks:
    """The lines of one server.

    Attributes:
        blocks: those that are let go first come first: rows outside the range, then the oldest.
        wanted: different lines that were read, kept or not; one that comes again after it was let
            go may be counted again.
    """

    blocks: tuple[Block, ...] = ()
    wanted: int = 0

    @property
    def lines(self) -> int:
        """How many lines are kept."""
        return sum(block.lines for block in self.blocks)

    def newest(self, most: int) -> "LogBlocks":
        """The same with at most *most* lines; at most one block is made anew."""
        kept: list[Block] = []
        room = most
        for block in reversed(self.blocks):
            if room <= 0:
                break
            if block.lines > room:
                last = _last_lines(block.piece.plain(), room)
                kept.append(Block(piece(last, keep=False), room))
                break
            kept.append(block)
            room -= block.lines
        return LogBlocks(tuple(reversed(kept)), self.wanted)


class BlockSorter:
    """Takes lines in about the order in which they were sent, gives blocks that don't overlap.

    Args:
        max_series: the most lines needed, 0 for all. Memory stays near what these take.
    """

    def __init__(self, max_series: int) -> None:
        self._most = max_series
        self._open: list[LogLine] = []
        self._blocks: list[KeyedBlock] = []
        self._let_go = LetGo()

    def add(self, lines: Sequence[LogLine]) -> None:
        """Take lines, in order of send time as far as may be."""
        self._open += lines
        if len(self._open) >= BLOCK_LINES:
            self._close_blocks(keep_last_second=True)

    def finish(self) -> tuple[list[KeyedBlock], LetGo]:
        """The blocks of everything taken, equal lines once, and what was let go of it.

        More lines than were needed may be kept. A line that came again after it had been let go
        is let go twice.
        """
        self._close_blocks(keep_last_second=False)
        blocks, self._blocks = apart(self._blocks), []
        return blocks, self._let_go

    def _close_blocks(self, *, keep_last_second: bool) -> None:
        """Make blocks of the open lines; those of the last second may get company and wait."""
        self._open.sort()
        end = len(self._open)
        if keep_last_second:
            last_second = self._open[-1].sent
            while end and self._open[end - 1].sent == last_second:
                end -= 1
            end = end or len(self._open)
        self._blocks += cut(self._open[:end])
        del self._open[:end]
        if self._most:
            self._let_oldest_go()

    def _let_oldest_go(self) -> None:
        """Drop the oldest blocks as soon as enough newer lines are there to fill the bound.

        Blocks that overlap may hold the same lines: they go together, and count as the largest.
        Where lines come in no order, so that all overlap, they are put in order from time to time.
        """
        if sum(block.lines for block in self._blocks) > 2 * self._most + 2 * BLOCK_LINES:
            self._blocks = apart(self._blocks)
        left = clusters(self._blocks)
        newer = sum(map(_surely_different, left))
        dropped: list[int] = []
        while left:
            newer -= _surely_different(left[0])
            if newer < self._most:
                break
            dropped += [sent for block in merged(left.pop(0)) for sent in block.send_times]
        self._let_go = self._let_go.with_lines(dropped)
        self._blocks = [block for cluster in left for block in cluster]


class LogBlocksBuilder:
    """Takes the lines of one window that is read whole, gives the blocks to publish.

    Args:
        max_series: the most lines to keep, 0 for all. Memory stays near what these take.
    """

    def __init__(self, max_series: int) -> None:
        self._most = max_series
        self._inside = BlockSorter(max_series)
        self._outside: set[LogLine] = set()
        self._let_go_lines = 0

    def add(self, lines: Sequence[LogLine]) -> None:
        """Take lines sent inside the window, in order of send time as far as may be."""
        self._inside.add(lines)

    def add_outside(self, lines: Sequence[LogLine]) -> None:
        """Take lines outside the range that was asked for; they are the first to go."""
        self._outside.update(lines)
        if self._most and len(self._outside) > 2 * self._most + BLOCK_LINES:
            newest = sorted(self._outside)[-self._most :]
            self._let_go_lines += len(self._outside) - len(newest)
            self._outside = set(newest)

    def finish(self) -> LogBlocks:
        """The blocks of everything taken.

        `wanted` counts a line again that came back after it had been let go.
        """
        inside, let_go = self._inside.finish()
        blocks = tuple(keyed.block for keyed in (*cut(sorted(self._outside)), *inside))
        wanted = self._let_go_lines + let_go.lines + sum(block.lines for block in blocks)
        everything = LogBlocks(blocks, wanted)
        return everything.newest(self._most) if self._most else everything


def _surely_different(cluster: Sequence[KeyedBlock]) -> int:
    """How many different lines a cluster holds at least."""
    return max(block.lines for block in cluster)


def _last_lines(text: bytes, count: int) -> bytes:
    """The last *count* lines; a newline inside a value is escaped, so every newline ends a line."""
    return b"\n".join(text.split(b"\n")[-count - 1 :])
