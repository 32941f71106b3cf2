"""Lines that came although their send time wasn't asked for, or can't be read.

They are shown, each once, as long as the last reading that brought them speaks for them.
"""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from cpanel_mail_exporter.exposition.block_row import line_count
from cpanel_mail_exporter.exposition.blocks import KeyedBlock, Row, apart, cut, packed
from cpanel_mail_exporter.model.window import Slice


@dataclass(frozen=True, slots=True)
class OutsideLines:
    """Frozen; its methods give another one.

    Attributes:
        brought: lines by the span of the reading that brought them last, sorted.
        let_go: how many more such a reading brought that aren't kept.
    """

    brought: Mapping[Slice, Sequence[KeyedBlock]] = field(default_factory=dict)
    let_go: Mapping[Slice, int] = field(default_factory=dict)

    @property
    def wanted(self) -> int:
        """How many lines there are, kept or not, as far as can be told."""
        return sum(map(line_count, self.brought.values())) + sum(self.let_go.values())

    def blocks(self) -> list[KeyedBlock]:
        """All that are kept, oldest first, those without a send time before."""
        return packed(apart(self._all()))

    def after(self, span: Slice, rows: AbstractSet[Row], let_go_lines: int) -> "OutsideLines":
        """A reading of *span* brought *rows*, and *let_go_lines* others that it didn't keep.

        What readings of parts of that span brought is replaced. A line that isn't among those
        kept may have been let go before, and is counted as one of them.
        """
        others = OutsideLines(
            {old: blocks for old, blocks in self.brought.items() if not _covers(span, old)},
            {old: count for old, count in self.let_go.items() if not _covers(span, old)},
        )
        if not rows and not let_go_lines:
            return others
        rest = others.without_rows(rows)
        again = others.wanted - rest.wanted
        back = len(rows) - again + let_go_lines
        let_go: dict[Slice, int] = {}
        for old, count in rest.let_go.items():
            if count > back:
                let_go[old] = count - back
            back = max(0, back - count)
        if let_go_lines:
            let_go[span] = let_go_lines
        brought = {**rest.brought, span: cut(sorted(rows))} if rows else rest.brought
        return OutsideLines(brought, let_go)

    def without_rows(self, rows: AbstractSet[Row]) -> "OutsideLines":
        """The same without these lines."""
        if not rows:
            return self
        seconds = Slice(min(rows)[0], max(rows)[0] + 1)
        return self._filtered(seconds, lambda row: row not in rows)

    def without(self, span: Slice) -> "OutsideLines":
        """The same without lines sent in *span*."""
        return self._filtered(span, lambda row: row[0] not in span)

    def since(self, start_unix: int) -> "OutsideLines":
        """Only those brought by readings of a span that ends later."""
        return OutsideLines(
            {span: blocks for span, blocks in self.brought.items() if span.end > start_unix},
            {span: count for span, count in self.let_go.items() if span.end > start_unix},
        )

    def newest(self, most: int) -> "OutsideLines":
        """At most the last *most* lines; the others count as let go."""
        blocks = self.blocks()
        surplus = line_count(blocks) - most
        if surplus <= 0:
            return self
        kept = OutsideLines({}, self.let_go)
        if most > 0:
            while blocks[0].lines <= surplus:
                surplus -= blocks.pop(0).lines
            oldest = blocks[0].opened().rows()[surplus]
            seconds = Slice(min(block.first[0] for block in self._all()), oldest[0] + 1)
            kept = self._filtered(seconds, lambda row: row >= oldest)
        gone = {
            span: line_count(blocks) - line_count(kept.brought.get(span, ()))
            for span, blocks in self.brought.items()
        }
        let_go = {**self.let_go}
        for span, lines in gone.items():
            if lines:
                let_go[span] = let_go.get(span, 0) + lines
        return OutsideLines(kept.brought, let_go)

    def _all(self) -> list[KeyedBlock]:
        return [block for blocks in self.brought.values() for block in blocks]

    def _filtered(self, seconds: Slice, is_kept: Callable[[Row], bool]) -> "OutsideLines":
        """Lines sent in *seconds* are looked at one by one, all others stay."""
        brought: dict[Slice, Sequence[KeyedBlock]] = {}
        for span, blocks in self.brought.items():
            left: list[KeyedBlock] = []
            for block in blocks:
                if block.last[0] < seconds.start or block.first[0] >= seconds.end:
                    left.append(block)
                    continue
                rows = block.opened().rows()
                kept = [row for row in rows if is_kept(row)]
                left += cut(kept) if len(kept) < len(rows) else [block]
            if left:
                brought[span] = left
        return OutsideLines(brought, self.let_go)


def _covers(span: Slice, other: Slice) -> bool:
    return span.start <= other.start and other.end <= span.end
