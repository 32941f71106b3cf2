"""Families and samples, as the exposition formats know them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter"]

Labels = tuple[str, ...]
"""Label values, in the order of the family's label names."""

Sample = tuple[Labels, int | float]


@dataclass(frozen=True, slots=True)
class Family:
    """Declaration of one metric family.

    Attributes:
        name: full name; a counter's ends in `_total`.
        kind: `gauge` or `counter`.
        help: one sentence for the operator; names the WHM function and field where there is one.
        labels: label names in the order they are shown, without those of the server.
        of_server: whether its series are about one WHM server (and carry its labels).
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    of_server: bool = True


@dataclass(frozen=True, slots=True)
class FamilySamples:
    """One family with the samples of one server, or of the exporter itself."""

    family: Family
    samples: Sequence[Sample]
