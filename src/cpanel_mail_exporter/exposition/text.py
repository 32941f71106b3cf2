"""Families with samples -> lines.

The lines are the same in both formats but for exemplars, which only OpenMetrics knows; the comments
are not.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.escaping import bound, help_text, label_value, number
from cpanel_mail_exporter.model.family import (
    EXEMPLAR_LABEL,
    Distribution,
    Exemplar,
    Family,
    FamilySamples,
    Sample,
)

LabelPairs = tuple[tuple[str, str], ...]

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
    return "".join(_lines(family, before, rendered.samples, exemplars)).encode()


def _lines(
    family: Family, before: str, samples: Iterable[Sample], exemplars: bool
) -> Iterable[str]:
    for values, value in samples:
        own = pairs(tuple(zip(family.labels, values, strict=True)))
        inside = f"{before},{own}" if before and own else before or own
        if isinstance(value, Distribution):
            yield from _histogram_lines(family, inside, value, exemplars)
        else:
            yield _line(family.name, inside, value)


def _histogram_lines(
    family: Family, inside: str, seen: Distribution, exemplars: bool
) -> Iterable[str]:
    """Buckets that each hold those below them, then sum and count; no `_created`."""
    count = 0
    bounds = (*family.bounds, math.inf)
    examples = seen.exemplars if exemplars and seen.exemplars else (None,) * len(bounds)
    for upper, own_count, example in zip(bounds, seen.counts, examples, strict=True):
        count += own_count
        le = f'le="{bound(upper)}"'
        line = _line(f"{family.name}_bucket", f"{inside},{le}" if inside else le, count)
        # A new series may be shown at 0 for a while, when there is nothing to give an example of.
        yield _with_exemplar(line, example) if example and own_count else line
    yield _line(f"{family.name}_sum", inside, seen.sum)
    yield _line(f"{family.name}_count", inside, count)


def _with_exemplar(line: str, seen: Exemplar) -> str:
    labels = pairs(((EXEMPLAR_LABEL, seen.message_id),))
    return f"{line[:-1]} # {{{labels}}} {number(seen.value)} {seen.observed_unix}\n"


def _line(name: str, inside: str, value: float) -> str:
    return f"{name}{{{inside}}} {number(value)}\n" if inside else f"{name} {number(value)}\n"
