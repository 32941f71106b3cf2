"""The bytes served now, in both formats: immutable, swapped whole when a poll brings news."""

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cpanel_mail_exporter.exposition.body import Body, Format
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.pieces import Piece, gzip_body, piece, plain_body
from cpanel_mail_exporter.exposition.text import (
    END_OF_OPENMETRICS,
    FamilyLines,
    comments,
    names_of,
)
from cpanel_mail_exporter.model.family import Family

_END = piece(END_OF_OPENMETRICS, keep=True)


@dataclass(frozen=True, slots=True)
class Rendered:
    """Sample lines of one server, or of the exporter itself.

    Attributes:
        families: by name, each with its lines; families without samples are left out.
        logs: lines of the log family.
    """

    families: Mapping[str, FamilyLines]
    logs: LogBlocks = LogBlocks()


@dataclass(frozen=True, slots=True)
class FamilyPieces:
    """One family as it is put into a body.

    Attributes:
        names: what the family and its samples are called in either format.
        pieces: its comments and lines in each format.
    """

    names: frozenset[str]
    pieces: Mapping[Format, tuple[Piece, ...]]


@dataclass(frozen=True, slots=True)
class Selection:
    """Some families of a publication, spliced of its own pieces when they are asked for."""

    families: tuple[FamilyPieces, ...]

    def body(self, form: Format, compressed: bool) -> Body:
        """The exposition in one format, as gzip or plain."""
        pieces = [part for family in self.families for part in family.pieces[form]]
        if form is Format.OPENMETRICS:
            pieces.append(_END)
        return gzip_body(pieces) if compressed else plain_body(pieces)


@dataclass(frozen=True, slots=True)
class Publication:
    """One exposition; a scrape only copies its bytes."""

    families: tuple[FamilyPieces, ...]
    bodies: Mapping[tuple[Format, bool], Body]

    def body(self, form: Format, compressed: bool) -> Body:
        """The exposition in one format, as gzip or plain."""
        return self.bodies[form, compressed]

    def only(self, names: Collection[str]) -> Selection:
        """Those families of which a name is among *names*.

        A family is named as in either format, or by one of its samples. It comes whole: buckets
        without their sum and count would be no histogram.
        """
        wanted = frozenset(names)
        return Selection(
            tuple(family for family in self.families if not wanted.isdisjoint(family.names))
        )


def publication(
    rendered: Sequence[Rendered], order: Iterable[str], log_family: Family
) -> Publication:
    """Put the lines of several servers together; see `assembling`."""
    steps = assembling(rendered, order, log_family)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: Publication = done.value
            return result


def assembling(
    rendered: Sequence[Rendered], order: Iterable[str], log_family: Family
) -> Generator[None, None, Publication]:
    """Put the lines of several servers together, each family in one place and in a step of its own.

    With a thousand servers all families together are megabytes to be compressed: who takes the
    steps can let others have their turn between them.

    Args:
        rendered: in the order their lines are to stand within a family.
        order: names of families in the order to show them; others follow.
        log_family: the family whose lines are in `Rendered.logs`.
    """
    found: dict[str, list[FamilyLines]] = {}
    for part in rendered:
        for name, lines in part.families.items():
            found.setdefault(name, []).append(lines)
    families: dict[str, FamilyPieces] = {}
    for name, lines_of_servers in found.items():
        families[name] = _family_pieces(lines_of_servers)
        yield
    blocks = tuple(block.piece for part in rendered for block in part.logs.blocks)
    if blocks:
        by_format = dict.fromkeys(Format, blocks)
        families[log_family.name] = _with_comments(log_family, by_format)
    names = [name for name in order if name in families]
    names += [name for name in families if name not in names]
    whole = Selection(tuple(families[name] for name in names))
    bodies = {
        (form, compressed): whole.body(form, compressed)
        for form in Format
        for compressed in (False, True)
    }
    return Publication(whole.families, bodies)


def _family_pieces(lines: Sequence[FamilyLines]) -> FamilyPieces:
    """Lines of several servers as one piece, which both formats share where they are the same."""
    text = piece(b"".join(part.text for part in lines), keep=True)
    by_format = dict.fromkeys(Format, (text,))
    if any(part.openmetrics is not part.text for part in lines):
        openmetrics = piece(b"".join(part.openmetrics for part in lines), keep=True)
        by_format[Format.OPENMETRICS] = (openmetrics,)
    return _with_comments(lines[-1].family, by_format)


def _with_comments(family: Family, lines: Mapping[Format, tuple[Piece, ...]]) -> FamilyPieces:
    return FamilyPieces(
        names_of(family), {form: (_comments(family, form), *lines[form]) for form in Format}
    )


@lru_cache(maxsize=1_024)
def _comments(family: Family, form: Format) -> Piece:
    """Comments never change, so they are rendered and compressed once for all publications."""
    return piece(comments(family, form), keep=True)
