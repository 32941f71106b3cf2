"""The bytes served now, in both formats: immutable, swapped whole when a poll brings news."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cpanel_mail_exporter.exposition.body import Body, Format
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.pieces import Piece, gzip_body, piece, plain_body
from cpanel_mail_exporter.exposition.text import END_OF_OPENMETRICS, comments
from cpanel_mail_exporter.model.family import Family


@dataclass(frozen=True, slots=True)
class Rendered:
    """Sample lines of one server, or of the exporter itself.

    Attributes:
        families: by name, each with its lines; families without samples are left out.
        logs: lines of the log family.
    """

    families: Mapping[str, tuple[Family, bytes]]
    logs: LogBlocks = LogBlocks()


@dataclass(frozen=True, slots=True)
class Publication:
    """One exposition; a scrape only copies its bytes."""

    bodies: Mapping[tuple[Format, bool], Body]

    def body(self, form: Format, compressed: bool) -> Body:
        """The exposition in one format, as gzip or plain."""
        return self.bodies[form, compressed]


def publication(
    rendered: Sequence[Rendered], order: Iterable[str], log_family: Family
) -> Publication:
    """Put the lines of several servers together, each family in one place.

    Args:
        rendered: in the order their lines are to stand within a family.
        order: names of families in the order to show them; others follow.
        log_family: the family whose lines are in `Rendered.logs`.
    """
    found: dict[str, Family] = {}
    lines: dict[str, list[bytes]] = {}
    for part in rendered:
        for name, (family, text) in part.families.items():
            found[name] = family
            lines.setdefault(name, []).append(text)
    blocks = [block.piece for part in rendered for block in part.logs.blocks]
    if blocks:
        found[log_family.name] = log_family
    names = [name for name in order if name in found]
    names += [name for name in found if name not in names]
    bodies: dict[tuple[Format, bool], Body] = {}
    for form in Format:
        pieces = _pieces([found[name] for name in names], lines, blocks, log_family, form)
        bodies[form, False] = plain_body(pieces)
        bodies[form, True] = gzip_body(pieces)
    return Publication(bodies)


def _pieces(
    families: Sequence[Family],
    lines: Mapping[str, Sequence[bytes]],
    blocks: Sequence[Piece],
    log_family: Family,
    form: Format,
) -> list[Piece]:
    before: list[bytes] = []
    after: list[bytes] = []
    part = before
    for family in families:
        part.append(comments(family, form))
        if family is log_family:
            part = after
        else:
            part += lines[family.name]
    if form is Format.OPENMETRICS:
        part.append(END_OF_OPENMETRICS)
    if part is before:
        return [piece(b"".join(before), keep=True)]
    return [piece(b"".join(before), keep=True), *blocks, piece(b"".join(after), keep=True)]
