"""Lines of `email_logs` in blocks by send time, each compressed once; the newest are kept.

A builder takes the records of one poll as they are read and gives a frozen `LogBlocks`. Blocks
don't overlap in time, so the oldest lines can be let go without looking at the others.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from cpanel_mail_exporter.exposition.log_lines import NO_TIME, LogLine
from cpanel_mail_exporter.exposition.pieces import Piece, piece

BLOCK_LINES = 500

Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines, oldest first."""

    piece: Piece
    lines: int


@dataclass(frozen=True, slots=True)
class LogBlocks:
    """The lines of one server.

    Attributes:
        blocks: those that are let go first come first: rows outside the range, then the oldest.
        wanted: different lines that were read, kept or not; one that comes again after it was let
            go is counted again.
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
                kept.append(_block(_last_lines(block.piece.plain(), room), room))
                break
            kept.append(block)
            room -= block.lines
        return LogBlocks(tuple(reversed(kept)), self.wanted)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A block whose lines can still be told apart, should another block overlap it.

    Keys are packed, since there may be a million of them: 8 bytes for each time, and the message
    ids as one text.
    """

    block: Block
    first: Key
    last: Key
    send_times: "array[int]"
    action_times: "array[int]"
    message_ids: str

    def lines(self) -> Iterator[LogLine]:
        texts = self.block.piece.plain().decode().split("\n")[:-1]
        ids = self.message_ids.split("\n")
        for sent, acted, msg_id, text in zip(
            self.send_times, self.action_times, ids, texts, strict=True
        ):
            yield LogLine(sent, acted, msg_id, f"{text}\n", None if sent == NO_TIME else sent, "")


class LogBlocksBuilder:
    """Takes the records of one poll, gives the blocks to publish.

    Args:
        max_series: the most lines to keep, 0 for all. Memory stays near what these take.
    """

    def __init__(self, max_series: int) -> None:
        self._most = max_series
        self._open: list[LogLine] = []
        self._drafts: list[_Draft] = []
        self._outside: set[LogLine] = set()
        self._let_go = 0

    def add(self, lines: Sequence[LogLine]) -> None:
        """Take lines sent inside the window, in order of send time as far as may be."""
        self._open += lines
        if len(self._open) >= BLOCK_LINES:
            self._close_blocks(keep_last_second=True)

    def add_outside(self, lines: Sequence[LogLine]) -> None:
        """Take lines outside the range that was asked for; they are the first to go."""
        self._outside.update(lines)
        if self._most and len(self._outside) > 2 * self._most + BLOCK_LINES:
            newest = sorted(self._outside)[-self._most :]
            self._let_go += len(self._outside) - len(newest)
            self._outside = set(newest)

    def finish(self) -> LogBlocks:
        """The blocks of everything taken.

        `wanted` counts a line again that came back after it had been let go.
        """
        self._close_blocks(keep_last_second=False)
        drafts = [*_cut(sorted(self._outside)), *_apart(self._drafts)]
        self._drafts = []
        blocks = tuple(draft.block for draft in drafts)
        wanted = self._let_go + sum(block.lines for block in blocks)
        everything = LogBlocks(blocks, wanted)
        return everything.newest(self._most) if self._most else everything

    def _close_blocks(self, *, keep_last_second: bool) -> None:
        """Make blocks of the open lines; those of the last second may get company and wait."""
        self._open.sort()
        end = len(self._open)
        if keep_last_second:
            last_second = self._open[-1].sent
            while end and self._open[end - 1].sent == last_second:
                end -= 1
            end = end or len(self._open)
        self._drafts += _cut(self._open[:end])
        del self._open[:end]
        if self._most:
            self._let_oldest_go()

    def _let_oldest_go(self) -> None:
        """Drop the oldest blocks as soon as enough newer lines are there to fill the bound.

        Blocks that overlap may hold the same lines: they go together, and count as the largest.
        """
        clusters = _clusters(self._drafts)
        newer = sum(map(_surely_different, clusters))
        while clusters:
            newer -= _surely_different(clusters[0])
            if newer < self._most:
                break
            self._let_go += sum(draft.block.lines for draft in _merged(clusters.pop(0)))
        self._drafts = [draft for cluster in clusters for draft in cluster]


def _first(draft: _Draft) -> Key:
    return draft.first


def _block(lines: bytes, count: int) -> Block:
    return Block(piece(lines, keep=False), count)


def _cut(lines: Sequence[LogLine]) -> list[_Draft]:
    """Sorted lines -> drafts of at most BLOCK_LINES; equal lines become one."""
    # Sorted, so equal ones stand side by side; comparing neighbours is cheaper than hashing lines.
    unique = [*lines[:1], *[line for before, line in pairwise(lines) if line != before]]
    return [
        _draft(unique[start : start + BLOCK_LINES]) for start in range(0, len(unique), BLOCK_LINES)
    ]


def _draft(lines: Sequence[LogLine]) -> _Draft:
    sent, acted, ids, texts = list(zip(*lines, strict=True))[:4]
    return _Draft(
        block=_block("".join(texts).encode(), len(lines)),
        first=lines[0][:3],
        last=lines[-1][:3],
        send_times=array("q", sent),
        action_times=array("q", acted),
        message_ids="\n".join(ids),
    )


def _apart(drafts: Sequence[_Draft]) -> list[_Draft]:
    """The same lines in drafts that don't overlap, in order of time, equal lines once."""
    return [draft for cluster in _clusters(drafts) for draft in _merged(cluster)]


def _clusters(drafts: Sequence[_Draft]) -> list[list[_Draft]]:
    """Drafts in order of time, those together that overlap."""
    clusters: list[list[_Draft]] = []
    end: Key | None = None
    for draft in sorted(drafts, key=_first):
        if end is None or draft.first > end:
            clusters.append([])
            end = draft.last
        clusters[-1].append(draft)
        end = max(end, draft.last)
    return clusters


def _surely_different(cluster: Sequence[_Draft]) -> int:
    """How many different lines a cluster holds at least."""
    return max(draft.block.lines for draft in cluster)


def _merged(cluster: list[_Draft]) -> list[_Draft]:
    if len(cluster) < 2:
        return cluster
    return _cut(sorted(line for draft in cluster for line in draft.lines()))


def _last_lines(text: bytes, count: int) -> bytes:
    """The last *count* lines; a newline inside a value is escaped, so every newline ends a line."""
    return b"\n".join(text.split(b"\n")[-count - 1 :])
