"""Small blocks to cut and join in tests, and the lines of blocks with every figure checked."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from cpanel_mail_exporter.exposition import blocks, count_window, log_blocks, log_window
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks


@contextmanager
def blocks_of(lines: int) -> Iterator[None]:
    """Blocks hold at most that many lines."""
    with ExitStack() as stack:
        for module in (blocks, count_window, log_blocks, log_window):
            stack.enter_context(patch.object(module, "BLOCK_LINES", lines))
        yield


def lines(published: LogBlocks) -> list[str]:
    """The lines of all blocks; each block's own figures must be true."""
    result: list[str] = []
    for block in published.blocks:
        text = block.piece.plain()
        assert len(text) == block.piece.length
        own = text.decode().split("\n")
        assert own.pop() == ""
        assert len(own) == block.lines > 0
        result += [f"{line}\n" for line in own]
    assert published.lines == len(result)
    return result
