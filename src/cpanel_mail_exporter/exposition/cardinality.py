"""What is published -> how many series there are, by family and server, and what makes them many.

Lines are counted, all of them. Values of labels are counted in the largest families alone, and
where these are long in a sample, so that it stays a matter of a second whatever is published.
"""

import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import NamedTuple

from cpanel_mail_exporter.exposition.publication import Rendered
from cpanel_mail_exporter.model.family import Family

SAMPLE_LINES = 10_000
"""The most lines of one family whose labels are looked at."""
SAMPLE_BYTES = 16 * 1024 * 1024
"""About the most text of one family that is inflated and cut into lines for that."""
LOOKED_INTO = 12
"""Of how many families, the largest ones, labels are looked at."""
WORTH_LOOKING = 100
"""Below so many series a family isn't looked into."""
CUT_BYTES = 64 * 1024
"""About how much of a text is cut into lines at a time."""

_PAIR = re.compile(rb'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class FamilySeries(NamedTuple):
    """One family over all servers.

    Attributes:
        labels: by own label the different values in the lines that were looked at, the most first.
        sampled: how many lines were looked at; 0 if none was, *series* if all were.
    """

    family: Family
    series: int
    labels: tuple[tuple[str, int], ...] = ()
    sampled: int = 0


class ServerSeries(NamedTuple):
    """One server, or under no name the exporter itself.

    Attributes:
        largest: its families with most series, the largest first.
    """

    name: str
    series: int
    largest: tuple[tuple[str, int], ...] = ()


class SeriesCounted(NamedTuple):
    """All that is published, families and servers each with the most series first."""

    families: tuple[FamilySeries, ...]
    servers: tuple[ServerSeries, ...]

    @property
    def series(self) -> int:
        """All series."""
        return sum(one.series for one in self.families)


def count_series(
    parts: Sequence[tuple[str, Rendered]],
    log_family: Family,
    *,
    shown_families: int = 3,
    looked_into: int = LOOKED_INTO,
) -> SeriesCounted:
    """Count what is published. Takes up to a second for a million series, and a few MB.

    Args:
        parts: the rendered lines of each server.
        log_family: the family whose lines are in `Rendered.logs`.
        shown_families: how many of a server's families are named.
        looked_into: of how many families labels are looked at; with 0 it takes milliseconds.
    """
    families: dict[str, Family] = {}
    totals: Counter[str] = Counter()
    servers: list[ServerSeries] = []
    for name, rendered in parts:
        of_server: Counter[str] = Counter()
        for lines in rendered.families.values():
            families[lines.family.name] = lines.family
            # A newline inside a value is escaped, so every newline ends a line.
            of_server[lines.family.name] = lines.text.count(b"\n")
        if rendered.logs.blocks:
            families[log_family.name] = log_family
            of_server[log_family.name] = rendered.logs.lines
        totals.update(of_server)
        largest = tuple(of_server.most_common(shown_families))
        servers.append(ServerSeries(name, of_server.total(), largest))
    servers.sort(key=lambda one: (-one.series, one.name))
    counted = [
        _looked_into(families[name], series, parts, is_of_logs=families[name] is log_family)
        if place < looked_into and series >= WORTH_LOOKING
        else FamilySeries(families[name], series)
        for place, (name, series) in enumerate(totals.most_common())
    ]
    return SeriesCounted(tuple(counted), tuple(servers))


def _looked_into(
    family: Family, series: int, parts: Sequence[tuple[str, Rendered]], *, is_of_logs: bool
) -> FamilySeries:
    """One large family with the values of its labels."""
    if not family.labels:
        return FamilySeries(family, series)
    # Hashes side by side take a tenth of what a set for each label would, which is made of one
    # label after another.
    values = {label.encode(): array("q") for label in family.labels}
    sampled = 0
    texts = _texts_of_logs(parts) if is_of_logs else _texts_of(family, parts)
    for line in _sample(texts):
        sampled += 1
        for label, value in _PAIR.findall(line):
            seen = values.get(label)
            if seen is not None:
                seen.append(hash(value))
    counts = sorted(
        ((label.decode(), len(set(seen))) for label, seen in values.items()),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return FamilySeries(family, series, tuple(counts), sampled)


class _Text(NamedTuple):
    """Some lines, which may have to be inflated when they are looked at."""

    lines: int
    length: int
    plain: Callable[[], bytes]


def _texts_of(family: Family, parts: Sequence[tuple[str, Rendered]]) -> Sequence[_Text]:
    found = (rendered.families.get(family.name) for _, rendered in parts)
    texts = [one.text for one in found if one is not None]
    return _spread([_Text(text.count(b"\n"), len(text), partial(bytes, text)) for text in texts])


def _texts_of_logs(parts: Sequence[tuple[str, Rendered]]) -> Sequence[_Text]:
    return _spread(
        [
            _Text(block.lines, block.piece.length, block.piece.plain)
            for _, rendered in parts
            for block in rendered.logs.blocks
        ]
    )


def _spread(found: Sequence[_Text]) -> Sequence[_Text]:
    """So many of *found*, evenly spread, that they hold about SAMPLE_BYTES."""
    return found[:: -(-sum(text.length for text in found) // SAMPLE_BYTES) or 1]


def _sample(texts: Sequence[_Text]) -> Iterator[bytes]:
    """Lines spread evenly over *texts*: all of them where they are few."""
    step = -(-sum(text.lines for text in texts) // SAMPLE_LINES) or 1
    # One text at a time is inflated, and of that a part at a time is cut into lines: all at once
    # took 20 MB, a fifth of what the whole program does with 100,000 lines.
    return islice(chain.from_iterable(_lines(text.plain()) for text in texts), 0, None, step)


def _lines(text: bytes) -> Iterator[bytes]:
    """The lines of one text without their newlines."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + CUT_BYTES) + 1 or len(text)
        yield from text[start:end].split(b"\n")[:-1]
        start = end
