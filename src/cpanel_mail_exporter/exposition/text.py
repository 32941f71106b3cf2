"""Families with samples -> lines.

The lines are the same in both formats but for exemplars, which only OpenMetrics knows; the comments
are not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.escaping import bound, help_text, is_plain, label_value, number
from cpanel_mail_exporter.model.family import (
    EXEMPLAR_LABEL,
    Distribution,
    Exemplar,
    Family,
    FamilySamples,
)

LabelPairs = tuple[tuple[str, str], ...]
Value = int | float | Distribution

END_OF_OPENMETRICS = b"# EOF\n"


@dataclass(frozen=True, slots=True)
class FamilyLines:
    """The sample lines of one family.

    Attributes:
        text: as the classic text format has them.
        openmetrics: with exemplars; the same object where there are none.
    """

    family: Family
    text: bytes
    openmetrics: bytes

    def of(self, form: Format) -> bytes:
        """The lines in one format."""
        return self.openmetrics if form is Format.OPENMETRICS else self.text


def comments(family: Family, form: Format) -> bytes:
    """HELP and TYPE of a family; OpenMetrics names a counter without its `_total`."""
    is_open = form is Format.OPENMETRICS
    name = family.name
    if is_open and family.kind == "counter":
        name = name.removesuffix("_total")
    text = help_text(family.help, quotes=is_open)
    return f"# HELP {name} {text}\n# TYPE {name} {family.kind}\n".encode()


def pairs(labels: LabelPairs) -> str:
    """Label pairs as they stand between braces.

    >>> pairs((("server", "web1"), ("region", "eu")))
    'server="web1",region="eu"'
    """
    return ",".join(f'{name}="{label_value(value)}"' for name, value in labels)


def names_of(family: Family) -> frozenset[str]:
    """What a family is called in comments and samples of either format.

    >>> sorted(names_of(Family("a_total", "counter", "")))
    ['a', 'a_total']
    """
    endings = {"counter": (), "gauge": (), "histogram": ("_bucket", "_sum", "_count")}[family.kind]
    names = {family.name, *(f"{family.name}{ending}" for ending in endings)}
    if family.kind == "counter":
        names.add(family.name.removesuffix("_total"))
    return frozenset(names)


def family_lines(rendered: FamilySamples, server_labels: LabelPairs = ()) -> FamilyLines:
    """The sample lines of one family in both formats; arguments and errors as `sample_lines`."""
    text = openmetrics = sample_lines(rendered, server_labels)
    if rendered.family.kind == "histogram":
        values = [value for _, value in rendered.samples]
        if any(isinstance(value, Distribution) and value.exemplars for value in values):
            openmetrics = sample_lines(rendered, server_labels, exemplars=True)
    return FamilyLines(rendered.family, text, openmetrics)


def sample_lines(
    rendered: FamilySamples, server_labels: LabelPairs = (), *, exemplars: bool = False
) -> bytes:
    """The sample lines of one family, *server_labels* before its own.

    Args:
        rendered: the family and its samples.
        server_labels: label pairs of the server that the samples are about.
        exemplars: show those that buckets have.

    Raises:
        ValueError: a sample has more or fewer label values than its family has labels, or a
            histogram's more or fewer counts than buckets.
    """
    family = rendered.family
    before = pairs(server_labels) if family.of_server else ""
    write = _histogram_lines(family, exemplars) if family.kind == "histogram" else _line(family)
    own = ",".join(f'{label}="%s"' for label in family.labels)
    start = f"{before}," if before and own else before
    lines: list[str] = []
    for values, value in rendered.samples:
        if len(values) != len(family.labels):
            raise ValueError(f"{family.name}: {len(values)} values of {len(family.labels)} labels")
        # One look at all values together tells whether any needs an escape; few ever do.
        shown = values if is_plain("".join(values)) else tuple(map(label_value, values))
        lines.append(write(start + own % shown, value))
    return "".join(lines).encode()


def _line(family: Family) -> Callable[[str, Value], str]:
    """Writes a sample, given its label pairs and its value."""
    name = family.name

    def write(inside: str, value: Value) -> str:
        if isinstance(value, Distribution):
            raise TypeError(f"{name} is no histogram")
        return f"{name}{{{inside}}} {number(value)}\n" if inside else f"{name} {number(value)}\n"

    return write


def _histogram_lines(family: Family, exemplars: bool) -> Callable[[str, Value], str]:
    """Writes buckets that each hold those below them, then sum and count; no `_created`."""
    name = family.name
    les = [f'le="{bound(upper)}"' for upper in (*family.bounds, math.inf)]
    no_examples: tuple[Exemplar | None, ...] = (None,) * len(les)

    def write(inside: str, value: Value) -> str:
        if not isinstance(value, Distribution):
            raise TypeError(f"{name} is a histogram")
        start = f"{name}_bucket{{{inside}," if inside else f"{name}_bucket{{"
        examples = value.exemplars if exemplars and value.exemplars else no_examples
        lines: list[str] = []
        count = 0
        for le, own_count, example in zip(les, value.counts, examples, strict=True):
            count += own_count
            # A new series may be shown at 0 for a while, when there is nothing to exemplify.
            example_of = _exemplar(example) if example and own_count else ""
            lines.append(f"{start}{le}}} {number(count)}{example_of}\n")
        end = f"{{{inside}}}" if inside else ""
        lines.append(f"{name}_sum{end} {number(value.sum)}\n{name}_count{end} {number(count)}\n")
        return "".join(lines)

    return write


def _exemplar(seen: Exemplar) -> str:
    labels = pairs(((EXEMPLAR_LABEL, seen.message_id),))
    return f" # {{{labels}}} {number(seen.value)} {seen.observed_unix}"
