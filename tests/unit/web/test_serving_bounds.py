"""How much is done at a stretch, and how much is held, while 100,000 lines are served: counted."""

import gc
import tracemalloc
import weakref
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from cpanel_mail_exporter.exposition import log_blocks, publication
from cpanel_mail_exporter.exposition.blocks import BLOCK_LINES
from cpanel_mail_exporter.exposition.body import PART_BYTES, Body, Format
from cpanel_mail_exporter.exposition.pieces import Piece, piece, plain_body
from cpanel_mail_exporter.publishing.board import Board
from cpanel_mail_exporter.web.sending import CHUNK_BYTES, chunks, send_body
from tests.unit.publishing.boards import board, deliveries, poll, stat, terms
from tests.unit.publishing.boards import log_blocks as blocks_of
from tests.unit.publishing.clock import StandingClock

NOW = 1_795_350_000.0
LINES = 100_000


class Answer:
    """What `send_body` needs of a request and its response; says what is written when."""

    method = "GET"

    def __init__(self) -> None:
        self.written: list[bytes | memoryview] = []
        self.inflated: list[bytes] = []
        self.most_inflated_bytes = 0
        self.writer = self

    async def prepare(self, request: Any) -> None:
        pass

    async def write(self, chunk: bytes | memoryview) -> None:
        self._turn()
        self.written.append(chunk)

    async def drain(self) -> None:
        self._turn()

    async def write_eof(self) -> None:
        self._turn()

    def _turn(self) -> None:
        """Here others get their turn."""
        done = sum(map(len, self.inflated))
        self.most_inflated_bytes = max(self.most_inflated_bytes, done)
        self.inflated.clear()


@pytest.fixture(scope="module")
def full() -> Board:
    one = board(StandingClock(NOW), terms(max_series=0))
    rows = blocks_of(deliveries(LINES), one.servers[0].terms.labels)
    poll(one.servers[0], NOW, user_stats=[stat()], email_logs=rows)
    one.build()
    return one


@pytest.mark.parametrize("names", [None, ["email_logs"]])
@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("form", Format)
async def test_between_two_turns_of_others_at_most_two_parts_are_inflated(
    full: Board,
    monkeypatch: pytest.MonkeyPatch,
    form: Format,
    compressed: bool,
    names: Collection[str] | None,
) -> None:
    answer = Answer()
    parts = Piece.parts

    def noted(self: Piece) -> Iterator[bytes]:
        for part in parts(self):
            if self.kept is None:
                answer.inflated.append(part)
            yield part

    monkeypatch.setattr(Piece, "parts", noted)
    monkeypatch.setattr(Piece, "plain", None)
    whole = full.everything()
    exposition = whole if names is None else whole.only(names)
    body = exposition.body(form, compressed)
    await send_body(answer, answer, body)  # type: ignore[arg-type]
    assert sum(map(len, answer.written)) == body.length
    assert max(map(len, answer.written)) <= CHUNK_BYTES
    assert answer.most_inflated_bytes <= (0 if compressed else 2 * PART_BYTES)
    assert compressed or answer.most_inflated_bytes > 0


def test_a_new_publication_compresses_no_line_again(
    full: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is compressed anew are the small families alone."""
    compressed: list[bytes] = []

    def noted(plain: bytes, *, keep: bool) -> Piece:
        compressed.append(plain)
        return piece(plain, keep=keep)

    monkeypatch.setattr(publication, "piece", noted)
    monkeypatch.setattr(log_blocks, "piece", noted)
    before = full.everything()
    poll(full.servers[0], NOW + 1, user_stats=[stat(), stat(user="user2")])
    full.build()
    assert full.everything() is not before
    assert 0 < sum(map(len, compressed)) < 50_000


def test_scrapes_at_once_share_the_bytes(full: Board) -> None:
    for form in Format:
        body = full.everything().body(form, compressed=True)
        for one, other in zip(body.open(), body.open(), strict=True):
            assert one is other
    text, openmetrics = (
        [id(part) for part in full.everything().body(form, compressed=True).open()]
        for form in Format
    )
    blocks = LINES // BLOCK_LINES
    assert len(set(text) & set(openmetrics)) >= blocks


def test_what_a_waiting_client_holds_does_not_grow_with_the_lines() -> None:
    """Two parts of the text where blocks meet, and what inflates them, however large a block is."""
    block = piece(b"a line with a long text\n" * 90_000, keep=False)
    body = plain_body([block] * 3)
    clients = [chunks(body.open()) for _ in range(50)]
    tracemalloc.start()
    try:
        for _ in range(30):
            held = [next(client) for client in clients]
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert max(map(len, held)) <= CHUNK_BYTES
    assert held_bytes < len(clients) * 4 * PART_BYTES


async def test_a_client_that_vanished_holds_nothing() -> None:
    class Part:
        """Something that a body's pieces hang on."""

    part = Part()
    watched = weakref.ref(part)

    def body_of(part: Part) -> Body:
        def pieces() -> Iterator[bytes]:
            assert part
            while True:
                yield bytes(CHUNK_BYTES)

        return Body(10**9, pieces)

    class Gone(Answer):
        async def write(self, chunk: bytes | memoryview) -> None:
            raise ConnectionResetError

    answer = Gone()
    with pytest.raises(ConnectionResetError):
        await send_body(answer, answer, body_of(part))  # type: ignore[arg-type]
    del part
    gc.collect()
    assert watched() is None
