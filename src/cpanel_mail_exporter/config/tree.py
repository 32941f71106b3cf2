"""YAML text in, a tree out in which each part knows its place; mistakes become problems."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from cpanel_mail_exporter.config.problems import Place, Problems, quoted
from cpanel_mail_exporter.config.values import holds_control

LIMIT_BYTES = 1024 * 1024
_DEEPEST = 20

Kind = Literal[
    "text",
    "whole number",
    "number",
    "true or false",
    "date",
    "nothing",
    "list",
    "mapping",
    "refused",
]
"""What stands there; `refused`: told as a problem already, so nothing more is said about it."""

_KINDS: dict[str, Kind] = {
    "tag:yaml.org,2002:str": "text",
    "tag:yaml.org,2002:int": "whole number",
    "tag:yaml.org,2002:float": "number",
    "tag:yaml.org,2002:bool": "true or false",
    "tag:yaml.org,2002:timestamp": "date",
    "tag:yaml.org,2002:null": "nothing",
    "tag:yaml.org,2002:value": "text",
    "tag:yaml.org,2002:merge": "text",
    "tag:yaml.org,2002:seq": "list",
    "tag:yaml.org,2002:map": "mapping",
}
_ALIAS = "!alias"

# Keys that a path repeats; others may be anything, even a password in the wrong column.
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


@dataclass(frozen=True, slots=True)
class Node:
    """A scalar, list or mapping.

    Attributes:
        text: a scalar as it was written, without quotes; not shown, it may be a secret.
        items: what a list holds.
        fields: what a mapping holds, in the file's order, each key once.
    """

    place: Place
    kind: Kind
    text: str = field(default="", repr=False)
    items: "tuple[Node, ...]" = ()
    fields: "tuple[Field, ...]" = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A key of a mapping, where it stands, and its value."""

    key: str
    place: Place
    node: Node


def parse_tree(data: bytes, file: str, problems: Problems) -> Node | None:
    """Read one YAML document; None if it is no YAML, or empty, which is told as a problem.

    Aliases and tags of other kinds than YAML's plain ones are refused, so that a small file stays
    small. A key that stands twice is a problem. Numbers and dates are not converted.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add(Place(file, line), "isn't UTF-8 text; save the file as UTF-8")
        return None
    root = _composed(text, file, problems)
    return None if root is None else _Converter(file, problems).node(root, "")


def _composed(text: str, file: str, problems: Problems) -> yaml.Node | None:
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems.add(Place(file, line), "holds a control character; remove it")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        problems.add(Place(file, line), _syntax_sentence(error))
    except (ValueError, OverflowError):
        # An escape beyond Unicode ("\UFFFFFFFF") is not caught by the library itself.
        line = 1 if loader is None else loader.line + 1
        problems.add(Place(file, line), "isn't valid YAML: it holds an impossible escape; mend it")
    else:
        if root is not None:
            return root
        problems.add(Place(file), "is empty; see docs/reference/configuration.md for an example")
    return None


def _syntax_sentence(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it can't be read"
    if "'\\t'" in problem:
        return "a tab stands where YAML wants spaces; indent with spaces"
    if "another document" in problem:
        return "a second document begins here ('---'); keep one in a file"
    return f"isn't valid YAML: {problem}; mend the text here or just above"


class _Loader(yaml.SafeLoader):
    """Composes nodes, but never follows an alias and never goes deep."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        # The stubs of PyYAML leave these two methods untyped.
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            mark: Any = event.start_mark
            return yaml.ScalarNode(_ALIAS, "", mark, mark)
        event.anchor = None
        if self._depth >= _DEEPEST:
            raise yaml.composer.ComposerError(
                None, None, f"it is nested more than {_DEEPEST} deep", event.start_mark
            )
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Converter:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems

    def node(self, node: yaml.Node, path: str) -> Node:
        place = self._place(node, path)
        kind = _KINDS.get(node.tag, "refused")
        if isinstance(node, yaml.SequenceNode) and kind == "list":
            items = (self.node(item, f"{path}[{at}]") for at, item in enumerate(node.value))
            return Node(place, "list", items=tuple(items))
        if isinstance(node, yaml.MappingNode) and kind == "mapping":
            return Node(place, "mapping", fields=tuple(self._fields(node, path)))
        if isinstance(node, yaml.ScalarNode) and kind not in {"list", "mapping"}:
            return self._scalar(node, place, kind)
        return self._refused(place, "has a tag ('!') that isn't supported; remove it")

    def _scalar(self, node: yaml.ScalarNode, place: Place, kind: Kind) -> Node:
        if node.tag == _ALIAS:
            return self._refused(place, "is an alias ('*'), which isn't supported; write it out")
        if kind == "refused":
            return self._refused(place, "has a tag ('!') that isn't supported; remove it")
        if holds_control(node.value):
            return self._refused(place, "holds a line break or control character; remove it")
        return Node(place, kind, text=node.value)

    def _fields(self, node: yaml.MappingNode, path: str) -> Iterator[Field]:
        lines: dict[str, int] = {}
        for key_node, value in node.value:
            place = self._place(key_node, path)
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _ALIAS:
                self._problems.add(place, "has a key that isn't plain text; write a word")
                continue
            key = key_node.value
            if holds_control(key):
                self._problems.add(place, "has a key with a control character; remove it")
            elif key in lines:
                self._problems.add(
                    place,
                    f"{_shown_key(key)} stands here again, first in line {lines[key]}; keep one",
                )
            else:
                lines[key] = place.line
                yield Field(key, place, self.node(value, _joined(path, key)))

    def _refused(self, place: Place, sentence: str) -> Node:
        self._problems.add(place, sentence)
        return Node(place, "refused")

    def _place(self, node: yaml.Node, path: str) -> Place:
        mark = node.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1, path)


def _joined(path: str, key: str) -> str:
    if not _PLAIN_KEY.fullmatch(key):
        return path
    return f"{path}.{key}" if path else key


def _shown_key(key: str) -> str:
    return quoted(key) if _PLAIN_KEY.fullmatch(key) else "a key"
