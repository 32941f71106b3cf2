"""Families with samples -> lines. The lines are the same in both formats, the comments are not."""

from collections.abc import Iterable

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.escaping import help_text, label_value, number
from cpanel_mail_exporter.model.family import Family, FamilySamples

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
        ValueError: a sample has more or fewer label values than its family has labels.
    """
    family = rendered.family
    before = pairs(server_labels) if family.of_server else ""
    return "".join(_lines(family, before, rendered.samples)).encode()


def _lines(
    family: Family, before: str, samples: Iterable[tuple[tuple[str, ...], float]]
) -> Iterable[str]:
    for values, value in samples:
        own = pairs(tuple(zip(family.labels, values, strict=True)))
        inside = f"{before},{own}" if before and own else before or own
        yield (
            f"{family.name}{{{inside}}} {number(value)}\n"
            if inside
            else (f"{family.name} {number(value)}\n")
        )
