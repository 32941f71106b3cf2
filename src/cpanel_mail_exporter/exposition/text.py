"""Families with samples -> lines. The lines are the same in both formats, the comments are not."""

import math
from collections.abc import Iterable

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.escaping import bound, help_text, label_value, number
from cpanel_mail_exporter.model.family import Distribution, Family, FamilySamples, Sample

LabelPairs = tuple[tuple[str, str], ...]

END_OF_OPENMETRICS = b"# EOF\n"


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


def sample_lines(rendered: FamilySamples, server_labels: LabelPairs = ()) -> bytes:
    """The sample lines of one family, *server_labels* before its own.

    Raises:
        ValueError: a sample has more or fewer label values than its family has labels, or a
            histogram's more or fewer counts than buckets.
    """
    family = rendered.family
    before = pairs(server_labels) if family.of_server else ""
    return "".join(_lines(family, before, rendered.samples)).encode()


def _lines(family: Family, before: str, samples: Iterable[Sample]) -> Iterable[str]:
    for values, value in samples:
        own = pairs(tuple(zip(family.labels, values, strict=True)))
        inside = f"{before},{own}" if before and own else before or own
        if isinstance(value, Distribution):
            yield from _histogram_lines(family, inside, value)
        else:
            yield _line(family.name, inside, value)


def _histogram_lines(family: Family, inside: str, seen: Distribution) -> Iterable[str]:
    """Buckets that each hold those below them, then sum and count; no `_created`."""
    count = 0
    for upper, own_count in zip((*family.bounds, math.inf), seen.counts, strict=True):
        count += own_count
        le = f'le="{bound(upper)}"'
        yield _line(f"{family.name}_bucket", f"{inside},{le}" if inside else le, count)
    yield _line(f"{family.name}_sum", inside, seen.sum)
    yield _line(f"{family.name}_count", inside, count)


def _line(name: str, inside: str, value: float) -> str:
    return f"{name}{{{inside}}} {number(value)}\n" if inside else f"{name} {number(value)}\n"
