"""A delivery record -> its line of `email_logs`. Rendered once, when the record arrives."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from cpanel_mail_exporter.exposition.escaping import is_plain, label_value
from cpanel_mail_exporter.exposition.text import LabelPairs, pairs
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord

NO_TIME = -1
LabelValues = Callable[[DeliveryRecord], tuple[str, ...]]
"""A record -> the values of all labels, in their order."""

_new_tuple = tuple.__new__  # what a named tuple's constructor calls, without its detour


class LogLine(NamedTuple):
    """A rendered line, in the order in which lines are kept: the newest longest.

    Attributes:
        sent: `send_unix`, NO_TIME where there is none.
        acted: `action_unix`, NO_TIME where there is none.
        msg_id: message id, line breaks taken out.
        text: the line with its newline.
        send_unix: as the record has it.
        type: WHM's word for what happened.
    """

    sent: int
    acted: int
    msg_id: str
    text: str
    send_unix: int | None
    type: str


class LogLines:
    """Renders the lines of one server: its labels first, then the 22 of the record, value 1.

    Args:
        name: of the family.
        server_labels: label pairs that every line begins with.
        values: gives a record's label values where they aren't those that WHM sent.
    """

    def __init__(
        self, name: str, server_labels: LabelPairs, values: LabelValues | None = None
    ) -> None:
        self._template = f"{line_template(name, server_labels, DELIVERY_LABELS)} 1\n"
        self._values = values

    def render(self, records: Iterable[DeliveryRecord]) -> list[LogLine]:
        """One line for each record.

        Values seldom need escaping, which one look at all of a record's values together tells.
        """
        template, shown = self._template, self._values
        lines: list[LogLine] = []
        for record in records:
            values = record[:22] if shown is None else shown(record)
            text = template % (values if is_plain("".join(values)) else _escaped(values))
            sent, acted = record.send_unix, record.action_unix
            parts = (
                NO_TIME if sent is None else sent,
                NO_TIME if acted is None else acted,
                record.msg_id.replace("\n", " "),
                text,
                sent,
                record.type,
            )
            lines.append(_new_tuple(LogLine, parts))
        return lines


def line_template(name: str, server_labels: LabelPairs, labels: Sequence[str]) -> str:
    """A line without its value, with a place for the value of each of *labels*."""
    before = pairs(server_labels).replace("%", "%%")
    own = ",".join(f'{label}="%s"' for label in labels)
    inside = f"{before},{own}" if before and own else before or own
    return f"{name}{{{inside}}}" if inside else name


def _escaped(values: tuple[str, ...]) -> tuple[str, ...]:
    """The same with escapes: nearly always it is the message alone that needs them."""
    before, message, after = values[:7], values[7], values[8:]
    if is_plain("".join(before + after)):
        return (*before, label_value(message), *after)
    return tuple([label_value(value) for value in values])
