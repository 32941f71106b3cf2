"""What is published -> how many series there are, by family and server, and what makes them many.

Lines are counted, all of them. Values of labels are counted in the largest families alone, and
where these are long in a sample, so that it stays a matter of a second whatever is published.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
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


class _Text(NamedTuple):
    """Some lines of one family; the text may have to be inflated."""

    lines: int
    size_bytes: int
    plain: Callable[[], bytes]


def _kept(text: bytes) -> _Text:
    # A newline inside a value is escaped, so every newline ends a line.
    return _Text(text.count(b"\n"), len(text), lambda: text)


def count_series(
    parts: Sequence[tuple[str, Rendered]], log_family: Family, *, shown_families: int = 3
) -> SeriesCounted:
    """Count what is published. Takes up to a second for a million series.

    Args:
        parts: the rendered lines of each server.
        log_family: the family whose lines are in `Rendered.logs`.
        shown_families: how many of a server's families are named.
    """
    texts: dict[str, list[_Text]] = {}
    families: dict[str, Family] = {}
    servers: list[ServerSeries] = []
    for name, rendered in parts:
        of_server: Counter[str] = Counter()
        for family, one in _texts(rendered, log_family):
            of_server[family.name] += one.lines
            families[family.name] = family
            texts.setdefault(family.name, []).append(one)
        servers.append(
            ServerSeries(name, of_server.total(), tuple(of_server.most_common(shown_families)))
        )
    totals = Counter({name: sum(one.lines for one in found) for name, found in texts.items()})
    counted = [
        _family_series(families[name], series, texts[name] if place < LOOKED_INTO else ())
        for place, (name, series) in enumerate(totals.most_common())
    ]
    servers.sort(key=lambda one: (-one.series, one.name))
    return SeriesCounted(tuple(counted), tuple(servers))


def _texts(rendered: Rendered, log_family: Family) -> list[tuple[Family, _Text]]:
    found = [(family, _kept(text)) for family, text in rendered.families.values()]
    found += [
        (log_family, _Text(block.lines, block.piece.length, block.piece.plain))
        for block in rendered.logs.blocks
    ]
    return found


def _family_series(family: Family, series: int, texts: Sequence[_Text]) -> FamilySeries:
    if series < WORTH_LOOKING or not family.labels or not texts:
        return FamilySeries(family, series)
    values: dict[bytes, set[int]] = {label.encode(): set() for label in family.labels}
    sampled = 0
    for line in _sample(texts):
        sampled += 1
        for label, value in _PAIR.findall(line):
            # Hashes take an eighth of what message texts would.
            seen = values.get(label)
            if seen is not None:
                seen.add(hash(value))
    counts = sorted(
        ((label.decode(), len(seen)) for label, seen in values.items()),
        key=lambda pair: (-pair[1], pair[0]),
    )
    return FamilySeries(family, series, tuple(counts), sampled)


def _sample(texts: Sequence[_Text]) -> list[bytes]:
    """Lines spread evenly over *texts*: all of them where they are few."""
    size_bytes = sum(text.size_bytes for text in texts)
    chosen = texts[:: -(-size_bytes // SAMPLE_BYTES) or 1]
    step = -(-sum(text.lines for text in chosen) // SAMPLE_LINES) or 1
    lines: list[bytes] = []
    skipped = 0
    for text in chosen:
        own = text.plain().split(b"\n")[:-1]
        lines += own[-skipped % step :: step]
        skipped += len(own)
    return lines
