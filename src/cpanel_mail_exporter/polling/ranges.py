"""Which ranges of time have changed since they were read: few small questions instead of many rows.

Time is cut into leaves of five minutes, two of them into a range twice as long, and so on: a tree.
A range's fingerprint is WHM's own answer of emailtrack_stats for it, asked before the range was
read. While the answer stays the same, so do its rows; where it differs, its halves are looked at,
down to one that is short enough to be read again. It doesn't matter which instant of a row
WHM's ranges are about, nor whether their ends belong to them: the same question is compared with
itself, and reads go by the same instant.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

from cpanel_mail_exporter.model.query import Totals
from cpanel_mail_exporter.model.window import Slice

LEAF_SECONDS = 300
READ_SECONDS = 16 * LEAF_SECONDS
"""Longest range that is read again in one piece: 80 minutes."""

_FORGOTTEN_AFTER_SECONDS = 3 * READ_SECONDS

Fingerprint = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask for the totals of a range; to be answered with a fingerprint."""

    range: Slice


@dataclass(frozen=True, slots=True)
class Read:
    """Read a range again; to be answered with whether its rows were taken.

    Its new fingerprints are among those to be stored already, so that they can be stored together
    with its rows.
    """

    range: Slice


Step = Ask | Read
Walk = Generator[Step, "Fingerprint | bool", bool]


def fingerprint(totals: Totals) -> Fingerprint:
    """What tells two answers apart.

    What is in progress is left out: it comes and goes, and turns into rows that are counted.
    """
    return (
        totals.sent,
        totals.success,
        totals.failure,
        totals.defer,
        totals.defer_fail,
        totals.size_bytes,
    )


def floor(instant_unix: int, width: int = LEAF_SECONDS) -> int:
    """The last boundary of ranges of *width* seconds that isn't after an instant."""
    return instant_unix // width * width


def cover(span: Slice) -> list[Slice]:
    """The fewest ranges that make up *span*, whose ends are boundaries of leaves; newest first.

    >>> [(r.start, r.seconds) for r in cover(Slice(300, 2400))]
    [(1200, 1200), (600, 600), (300, 300)]
    """
    ranges: list[Slice] = []
    start = span.start
    while start < span.end:
        width = LEAF_SECONDS
        while start % (2 * width) == 0 and start + 2 * width <= span.end:
            width *= 2
        ranges.append(Slice(start, start + width))
        start += width
    return ranges[::-1]


def pieces(span: Slice, width: int = READ_SECONDS) -> list[Slice]:
    """*span* cut at the boundaries of ranges of *width* seconds; newest first.

    >>> [(p.start, p.end) for p in pieces(Slice(4_500, 10_000))]
    [(9600, 10000), (4800, 9600), (4500, 4800)]
    """
    found: list[Slice] = []
    start = span.start
    while start < span.end:
        end = min(floor(start, width) + width, span.end)
        found.append(Slice(start, end))
        start = end
    return found[::-1]


def halves(parent: Slice) -> tuple[Slice, Slice]:
    """The two ranges that a range longer than a leaf is made of; the newer first."""
    middle = (parent.start + parent.end) // 2
    return Slice(middle, parent.end), Slice(parent.start, middle)


class Fingerprints:
    """The fingerprints of one server's ranges, and which of them are still to be stored."""

    def __init__(self) -> None:
        self._known: dict[int, dict[int, Fingerprint]] = {}
        self._unstored: set[int] = set()

    def __getitem__(self, of: Slice) -> Fingerprint | None:
        return self._known.get(of.start, {}).get(of.seconds)

    def __len__(self) -> int:
        return sum(len(widths) for widths in self._known.values())

    def keep(self, found: Mapping[Slice, Fingerprint]) -> None:
        """Take what ranges had before they were read."""
        for of, seen in found.items():
            self._known.setdefault(of.start, {})[of.seconds] = seen
            self._unstored.add(of.start)

    def put_back(self, before: Mapping[Slice, Fingerprint | None]) -> None:
        """Undo a `keep`: the rows were not taken."""
        for of, seen in before.items():
            if seen is not None:
                self.keep({of: seen})
                continue
            widths = self._known.get(of.start, {})
            widths.pop(of.seconds, None)
            self._unstored.add(of.start)
            if not widths:
                self._known.pop(of.start, None)

    def drop(self, inside: Slice, *, narrower_than: int | None = None) -> None:
        """Forget ranges that lie in a span, or only those shorter than so many seconds."""
        for start in [start for start in self._known if start in inside]:
            widths = self._known[start]
            for width in list(widths):
                if start + width <= inside.end and (narrower_than is None or width < narrower_than):
                    del widths[width]
                    self._unstored.add(start)
            if not widths:
                del self._known[start]

    def clear(self) -> None:
        """Forget them all."""
        self._unstored.update(self._known)
        self._known.clear()

    def drop_before(self, instant_unix: int) -> None:
        """Forget ranges that begin before an instant; the store forgets those by itself."""
        for start in [start for start in self._known if start < instant_unix]:
            del self._known[start]
            self._unstored.discard(start)

    def unstored(self) -> dict[int, str | None]:
        """Texts to store, by first second of ranges; None where nothing is left."""
        return {start: _text(self._known.get(start)) for start in self._unstored}

    def stored(self, starts: Mapping[int, str | None]) -> None:
        """These have been stored as `unstored` gave them."""
        for start, text in starts.items():
            if _text(self._known.get(start)) == text:
                self._unstored.discard(start)

    def load(self, texts: Mapping[int, str]) -> None:
        """Take what was stored; texts of another form are passed over: their ranges are read."""
        self._known = {}
        self._unstored = set()
        for start, text in texts.items():
            try:
                self._known[start] = {
                    int(width): tuple(map(int, numbers.split(",")))
                    for width, numbers in (part.split(":") for part in text.split(";"))
                }
            except ValueError:
                continue


def walk(of: Slice, known: Fingerprints, newest_unix: int) -> Walk:
    """Find what has changed in a range, read it, and take over the new fingerprints.

    Ends early when it is closed: what was found so far is kept. A range whose rows could not be
    taken keeps the fingerprint it had, and so do those it is part of.

    Returns:
        whether all of it is known as it stood when it was asked for.
    """
    asked = yield Ask(of)
    if not isinstance(asked, tuple):
        return False
    if known[of] == asked:
        return True
    parts = halves(of) if of.seconds > LEAF_SECONDS else ()
    if of.seconds <= READ_SECONDS and not (parts and all(known[part] for part in parts)):
        found = {of: asked}
        for part in parts:
            answer = yield Ask(part)
            if isinstance(answer, tuple):
                found[part] = answer
        return (yield from _read(of, found, known))
    is_clean = True
    for part in parts:
        is_clean &= yield from walk(part, known, newest_unix)
    if is_clean:
        known.keep({of: asked})
        if of.seconds >= READ_SECONDS and of.end < newest_unix - _FORGOTTEN_AFTER_SECONDS:
            # Where news are rare now, so that days of small ranges don't pile up.
            known.drop(of, narrower_than=READ_SECONDS)
    return is_clean


def _read(of: Slice, found: Mapping[Slice, Fingerprint], known: Fingerprints) -> Walk:
    before = {each: known[each] for each in found}
    known.keep(found)
    is_read: Fingerprint | bool = False
    try:
        is_read = yield Read(of)
    finally:
        if not is_read:
            known.put_back(before)
    return bool(is_read)


def _text(widths: Mapping[int, Fingerprint] | None) -> str | None:
    if not widths:
        return None
    return ";".join(f"{width}:{','.join(map(str, seen))}" for width, seen in widths.items())
