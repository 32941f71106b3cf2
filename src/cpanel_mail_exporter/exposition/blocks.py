"""Lines of `email_logs` in compressed blocks that can be cut and put together again.

Takes rendered lines, gives blocks of at most BLOCK_LINES of them. A block is never changed: what
cuts or joins blocks makes new ones, and leaves all others the same objects.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from isal import isal_zlib

from cpanel_mail_exporter.exposition.pieces import Piece, piece_of

BLOCK_LINES = 500
_LINES_AT_ONCE = 64
"""Lines that are compressed at once, about 60 kB of text. A whole block's text is so large that its
memory is given back to the system each time, and getting it again costs more than compressing."""

Key = tuple[int, int, str]
Row = tuple[int, int, str, str]
"""What is kept of a line: when it was sent, when acted on, its message id, its text."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some lines, oldest first."""

    piece: Piece
    lines: int


@dataclass(frozen=True, slots=True)
class OpenBlock:
    """Some lines, oldest first, each at hand by its number; `texts` are without their newlines."""

    send_times: "array[int]"
    action_times: "array[int]"
    message_ids: list[str]
    texts: list[bytes]

    @property
    def lines(self) -> int:
        """How many lines."""
        return len(self.texts)

    def part(self, first: int, end: int) -> "OpenBlock":
        """Lines *first* to before *end*."""
        return OpenBlock(
            self.send_times[first:end],
            self.action_times[first:end],
            self.message_ids[first:end],
            self.texts[first:end],
        )

    def opened(self) -> "OpenBlock":
        """Itself."""
        return self

    def rows(self) -> list[Row]:
        """The lines one by one."""
        texts = [f"{text.decode()}\n" for text in self.texts]
        return list(zip(self.send_times, self.action_times, self.message_ids, texts, strict=True))


@dataclass(frozen=True, slots=True)
class KeyedBlock:
    """A block that can be opened, and knows where it stands without that.

    Attributes:
        block: what is published of it.
        first: key of its first line.
        last: key of its last line.
        send_times: of each line, 8 bytes each.
        order: the rest of the keys: action times and message ids, packed and compressed, since
            there may be a million of them.
    """

    block: Block
    first: Key
    last: Key
    send_times: "array[int]"
    order: bytes

    @property
    def lines(self) -> int:
        """How many lines."""
        return self.block.lines

    def opened(self) -> OpenBlock:
        """The same lines, to be cut or looked at."""
        order = isal_zlib.decompress(self.order)
        end_of_times = 8 * self.lines
        action_times = array("q", order[:end_of_times])
        message_ids = order[end_of_times:].decode().split("\n")
        # A newline inside a value is escaped, so every newline ends a line.
        texts = self.block.piece.plain().split(b"\n")[:-1]
        return OpenBlock(self.send_times, action_times, message_ids, texts)


AnyBlock = KeyedBlock | OpenBlock


def cut(lines: Sequence[Row]) -> list[KeyedBlock]:
    """Sorted lines -> blocks of at most BLOCK_LINES; equal lines become one."""
    unique = _unique(lines)
    blocks: list[KeyedBlock] = []
    for start in range(0, len(unique), BLOCK_LINES):
        sent, acted, ids, texts = zip(*unique[start : start + BLOCK_LINES], strict=True)
        plain = ("".join(texts[part]).encode() for part in _parts(texts))
        blocks.append(_keyed(array("q", sent), array("q", acted), ids, plain))
    return blocks


def packed(blocks: Iterable[AnyBlock]) -> list[KeyedBlock]:
    """The same lines, all closed, and small neighbours put together.

    Two that stand side by side afterwards hold more than BLOCK_LINES, so that there are never
    more than one and twice as many blocks as would do. Only what is put together is opened.
    """
    groups: list[list[AnyBlock]] = []
    room = 0
    for block in blocks:
        if not block.lines:
            continue
        if block.lines > room:
            groups.append([])
            room = BLOCK_LINES
        groups[-1].append(block)
        room -= block.lines
    return [_closed(group) for group in groups]


def apart(blocks: Sequence[KeyedBlock]) -> list[KeyedBlock]:
    """The same lines in blocks that don't overlap, in order of time, equal lines once."""
    return [block for cluster in clusters(blocks) for block in merged(cluster)]


def clusters(blocks: Sequence[KeyedBlock]) -> list[list[KeyedBlock]]:
    """Blocks in order of time, those together that overlap."""
    found: list[list[KeyedBlock]] = []
    end: Key | None = None
    for block in sorted(blocks, key=lambda block: block.first):
        if end is None or block.first > end:
            found.append([])
            end = block.last
        found[-1].append(block)
        end = max(end, block.last)
    return found


def merged(cluster: list[KeyedBlock]) -> list[KeyedBlock]:
    """The lines of blocks that overlap in order, equal lines once; a few are open at a time."""
    if len(cluster) < 2:
        return cluster
    blocks: list[KeyedBlock] = []
    ready: list[Row] = []
    for rows in _in_order(cluster):
        ready += _unique(rows)
        whole = len(ready) - len(ready) % BLOCK_LINES
        blocks += cut(ready[:whole])
        del ready[:whole]
    return blocks + cut(ready)


def _in_order(cluster: Iterable[KeyedBlock]) -> Iterator[list[Row]]:
    """The rows of blocks, sorted; those that stand equally far are given together."""
    ordered = sorted(cluster, key=lambda block: block.first)
    following: list[Key | None] = [block.first for block in ordered[1:]]
    rows: list[Row] = []
    for block, next_first in zip(ordered, [*following, None], strict=True):
        rows += block.opened().rows()
        rows.sort()
        # No block that is still closed has a row before this.
        end = len(rows) if next_first is None else bisect_left(rows, next_first)
        yield rows[:end]
        del rows[:end]


def texts(blocks: Iterable[AnyBlock]) -> Iterator[bytes]:
    """Text after text; one block at a time is opened."""
    return (text for block in blocks for text in block.opened().texts)


def _closed(group: Sequence[AnyBlock]) -> KeyedBlock:
    if len(group) == 1 and isinstance(group[0], KeyedBlock):
        return group[0]
    send_times, action_times = array("q"), array("q")
    ids: list[str] = []
    lines: list[bytes] = []
    for block in group:
        opened = block.opened()
        send_times += opened.send_times
        action_times += opened.action_times
        ids += opened.message_ids
        lines += opened.texts
    plain = (b"\n".join([*lines[part], b""]) for part in _parts(lines))
    return _keyed(send_times, action_times, ids, plain)


def _unique(lines: Sequence[Row]) -> list[Row]:
    """Sorted lines, equal ones once."""
    # They stand side by side, and comparing neighbours is cheaper than hashing lines.
    return [*lines[:1], *[line for before, line in pairwise(lines) if line != before]]


def _parts(lines: Sequence[object]) -> Iterator[slice]:
    """Which of *lines* are compressed at once."""
    return (slice(start, start + _LINES_AT_ONCE) for start in range(0, len(lines), _LINES_AT_ONCE))


def _keyed(
    send_times: "array[int]", action_times: "array[int]", ids: Sequence[str], plain: Iterable[bytes]
) -> KeyedBlock:
    return KeyedBlock(
        Block(piece_of(plain), len(send_times)),
        first=(send_times[0], action_times[0], ids[0]),
        last=(send_times[-1], action_times[-1], ids[-1]),
        send_times=send_times,
        order=isal_zlib.compress(action_times.tobytes() + "\n".join(ids).encode(), 1),
    )
