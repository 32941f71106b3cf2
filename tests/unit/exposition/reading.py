"""An exposition read back, strictly and independently of the code that wrote it.

prometheus_client's own parsers aren't used for hostile texts: see tests/properties.
"""

import re
from dataclasses import dataclass, field

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"')
_ESCAPE = re.compile(r"\\(.)")
_MEANING = {"n": "\n", '"': '"', "\\": "\\"}

Labels = tuple[tuple[str, str], ...]


@dataclass
class Read:
    """Families in the order they stand, with what was declared and sampled."""

    kinds: dict[str, str] = field(default_factory=dict)
    helps: dict[str, str] = field(default_factory=dict)
    samples: list[tuple[str, Labels, str]] = field(default_factory=list)
    exemplars: dict[tuple[str, Labels], tuple[Labels, float, float]] = field(default_factory=dict)
    """Labels, value and time by series."""

    def of(self, name: str) -> dict[tuple[str, ...], str]:
        """Value by label values, of one sample name."""
        return {
            tuple(value for _, value in labels): number
            for found, labels, number in self.samples
            if found == name
        }

    def names(self) -> list[str]:
        """Sample names, each once, in order."""
        return list(dict.fromkeys(name for name, _, _ in self.samples))


def read(body: bytes, *, openmetrics: bool = False) -> Read:
    """Read a body; an AssertionError says what is wrong with it.

    Every sample must stand below HELP and TYPE of its family, every family in one place, no
    series twice. The only line ends are line feeds.
    """
    text = body.decode()
    result = Read()
    if openmetrics:
        assert text.endswith("# EOF\n")
        text = text.removesuffix("# EOF\n")
    assert not text or text.endswith("\n")
    family = ""
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            family, _, about = line.removeprefix("# HELP ").partition(" ")
            assert family not in result.helps, f"{family} stands in two places"
            result.helps[family] = _unescaped(about)
        elif line.startswith("# TYPE "):
            name, _, kind = line.removeprefix("# TYPE ").partition(" ")
            assert name == family
            result.kinds[family] = kind
        else:
            name, labels, value, more = _sample(line)
            kind = result.kinds[family]
            if more:
                assert openmetrics
                assert name == f"{family}_bucket"
                result.exemplars[name, labels] = _exemplar(more, dict(labels)["le"])
            if kind == "histogram":
                assert name in {f"{family}{part}" for part in ("_bucket", "_sum", "_count")}
            else:
                is_total = openmetrics and kind == "counter"
                assert name == (f"{family}_total" if is_total else family)
            result.samples.append((name, labels, value))
    series = [(name, labels) for name, labels, _ in result.samples]
    assert len(series) == len(set(series)), "a series stands twice"
    return result


def _sample(line: str) -> tuple[str, Labels, str, str]:
    """Name, labels, value, and what stands behind ` # `."""
    name = _NAME.match(line)
    assert name is not None, line
    labels, at = _labels(line, name.end())
    assert line[at] == " "
    value, _, more = line[at + 1 :].partition(" # ")
    assert value.split() == [value]
    float(value)
    return name[0], labels, value, more


def _labels(line: str, at: int) -> tuple[Labels, int]:
    labels: list[tuple[str, str]] = []
    if line[at] == "{":
        while line[at] != "}":
            pair = _PAIR.match(line, at + 1)
            assert pair is not None, line[at:]
            labels.append((pair[1], _unescaped(pair[2])))
            at = pair.end()
        at += 1
    return tuple(labels), at


def _exemplar(text: str, le: str) -> tuple[Labels, float, float]:
    """What the OpenMetrics standard asks of an exemplar: short, and inside its bucket."""
    labels, at = _labels(text, 0)
    assert sum(len(name) + len(value) for name, value in labels) <= 128
    space, value, instant = text[at:].split(" ")
    assert space == ""
    assert float(value) <= float(le)
    return labels, float(value), float(instant)


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda match: _MEANING[match[1]], value)
