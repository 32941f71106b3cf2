"""Families and samples, as the exposition formats know them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["gauge", "counter", "histogram"]

Labels = tuple[str, ...]
"""Label values, in the order of the family's label names."""


EXEMPLAR_LABEL = "message_id"
LONGEST_EXEMPLAR_ID = 128 - len(EXEMPLAR_LABEL)
"""Characters: label names and values of an exemplar may be 128 together (OpenMetrics 1.0)."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One observation of a bucket, told by the message that it is about.

    Attributes:
        message_id: as WHM has it; not empty, and at most LONGEST_EXEMPLAR_ID characters.
        value: what was observed.
        observed_unix: when it happened, by the clock of the server.
    """

    message_id: str
    value: int | float
    observed_unix: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """What one histogram has observed.

    Attributes:
        counts: observations by bucket, each counted in one bucket only; one more than the family
            has bounds, the last for those above all of them.
        sum: of the observed values.
        exemplars: one for each of `counts`, None where a bucket has none; or nothing at all.
    """

    counts: tuple[int, ...]
    sum: int | float
    exemplars: tuple[Exemplar | None, ...] = ()


Sample = tuple[Labels, int | float | Distribution]


@dataclass(frozen=True, slots=True)
class Family:
    """Declaration of one metric family.

    Attributes:
        name: full name; a counter's ends in `_total`.
        kind: `gauge`, `counter` or `histogram`; samples of a histogram are Distributions.
        help: one sentence for the operator; names the WHM function and field where there is one.
        labels: label names in the order they are shown, without those of the server.
        of_server: whether its series are about one WHM server (and carry its labels).
        bounds: upper bounds of a histogram's buckets, inclusive and rising, without infinity.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    of_server: bool = True
    bounds: tuple[int | float, ...] = ()


@dataclass(frozen=True, slots=True)
class FamilySamples:
    """One family with the samples of one server, or of the exporter itself."""

    family: Family
    samples: Sequence[Sample]
