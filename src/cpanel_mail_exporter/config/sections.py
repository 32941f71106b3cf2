"""Reads mappings of a tree by the known options; what doesn't fit becomes a problem."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cpanel_mail_exporter.config.option import Form, Option
from cpanel_mail_exporter.config.options import children
from cpanel_mail_exporter.config.problems import Place, Problems, quoted, suggestion
from cpanel_mail_exporter.config.tree import Kind, Node

T = TypeVar("T")

_OF_FORM: dict[Form, frozenset[Kind]] = {
    "text": frozenset({"text"}),
    "duration": frozenset({"text"}),
    "window": frozenset({"text"}),
    "whole number": frozenset({"whole number"}),
    "true or false": frozenset({"true or false"}),
    "list": frozenset({"list"}),
    "mapping": frozenset({"mapping"}),
}
_ADVICE: dict[Form, str] = {
    "text": "put it in quotes if it is meant as text",
    "duration": "write one with its unit, such as 60s",
    "window": "write today, a duration such as 24h, or off",
    "whole number": "write a number without quotes",
    "true or false": "write true or false, without quotes",
    "list": "write [a, b] or lines that begin with '-'",
    "mapping": "write it as 'key: value' lines",
}


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """A checked value and where it was written."""

    value: T
    place: Place


class Section:
    """One mapping: its known keys, each with the node below it.

    Args:
        node: what was found; if it isn't a mapping that is told, and the section is empty.
        path: of the mapping in `options`, with `[]` for items.
        web: whether it belongs to the web configuration file.
    """

    def __init__(self, node: Node, path: str, problems: Problems, *, web: bool = False) -> None:
        self.place = node.place
        self._path = path
        self._web = web
        self._problems = problems
        self._nodes: dict[str, Node] = {}
        self.is_readable = has_form(node, "mapping", problems)
        if not self.is_readable:
            return
        known = children(path, web=web)
        for field in node.fields:
            if field.key in known:
                self._nodes[field.key] = field.node
            else:
                problems.add(field.place, self._unknown(field.key, known))

    def _unknown(self, key: str, known: Sequence[str]) -> str:
        near = suggestion(key, known) or f"; known here: {', '.join(known)}"
        if self._web:
            return f"the key {quoted(key)} isn't supported{near}"
        return f"unknown key {quoted(key)}{near}"

    def node(self, option: Option[T]) -> Node | None:
        """What stands below the key of *option*, unread."""
        return self._nodes.get(self._name(option))

    def read(self, option: Option[T]) -> Found[T] | None:
        """The checked value; None if it is absent, or wrong, which is told."""
        node = self.node(option)
        if node is None or not _is_written_as(node, option.form, self._problems):
            return None
        return self._checked(node, lambda: option.parse(node.text))

    def read_words(
        self, option: Option[T], parse_words: Callable[[Sequence[str]], T]
    ) -> Found[T] | None:
        """The checked value of a list of texts."""
        node = self.node(option)
        if node is None or not has_form(node, "list", self._problems):
            return None
        # No shortcut: each item that isn't a text is told.
        are_texts = [has_form(item, "text", self._problems) for item in node.items]
        if not all(are_texts):
            return None
        return self._checked(node, lambda: parse_words([item.text for item in node.items]))

    def require(self, option: Option[T]) -> Found[T] | None:
        """The checked value; that it is absent is told as well."""
        if self.is_readable and self.node(option) is None:
            name = self._name(option)
            self._problems.add(self.place, f"has no {name!r}; add '{name}: {option.shape}'")
        return self.read(option)

    def section(self, option: Option[T]) -> "Section | None":
        """The mapping below the key of *option*."""
        node = self.node(option)
        if node is None:
            return None
        path = option.web_key if self._web else option.key
        return Section(node, path, self._problems, web=self._web)

    def _name(self, option: Option[T]) -> str:
        key = option.web_key if self._web else option.key
        return key.removeprefix(f"{self._path}.") if self._path else key

    def _checked(self, node: Node, parse: Callable[[], T]) -> Found[T] | None:
        try:
            return Found(parse(), node.place)
        except ValueError as error:
            self._problems.add(node.place, str(error))
            return None


def has_form(node: Node, form: Form, problems: Problems) -> bool:
    """Whether *node* is written as *form* wants it; if not, that is told."""
    if node.kind in _OF_FORM[form]:
        return True
    if node.kind == "nothing":
        problems.add(node.place, "has no value; write one, or remove the key")
    elif node.kind != "refused":
        advice = _ADVICE[form]
        if form == "text" and node.kind in {"list", "mapping"}:
            advice = "write one text"
        problems.add(node.place, f"is a {node.kind}, not a {form}; {advice}")
    return False


def texts_of(node: Node, problems: Problems) -> Iterator[tuple[str, Place, str]]:
    """Keys, places and texts of a mapping of free keys; what isn't a text is told and left out."""
    if has_form(node, "mapping", problems):
        for field in node.fields:
            if has_form(field.node, "text", problems):
                yield field.key, field.node.place, field.node.text


def _is_written_as(node: Node, form: Form, problems: Problems) -> bool:
    # YAML takes a bare `off` for a boolean, and `0` is a duration without a unit.
    if form == "window" and node.kind == "true or false" and node.text.lower() == "off":
        return True
    if form == "duration" and node.text == "0":
        return True
    return has_form(node, form, problems)
