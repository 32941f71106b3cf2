"""A delivery record -> its line of `email_logs`. Rendered once, when the record arrives."""

from collections.abc import Callable, Iterable
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
    """

    sent: int
    acted: int
    msg_id: str
    text: str


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
        self._texts = _texts_between(name, server_labels)
        self._values = values

    def render(self, records: Iterable[DeliveryRecord]) -> list[LogLine]:
        """One line for each record.

        Values seldom need escaping, which one look at all of a record's values together tells.
        """
        shown = self._values
        parts = [""] * (2 * len(DELIVERY_LABELS) + 1)  # of one line: text, value, text, ..., text
        parts[::2] = self._texts
        join = "".join
        lines: list[LogLine] = []
        for record in records:
            values: list[str]
            *values, sent, acted = record
            msg_id = values[8]
            if shown is not None:
                values = [*shown(record)]
            together = join(values)
            if not is_plain(together):
                _escape(values, together)
                msg_id = msg_id.replace("\n", " ")
            parts[1::2] = values
            line = (
                NO_TIME if sent is None else sent,
                NO_TIME if acted is None else acted,
                msg_id,
                join(parts),
            )
            lines.append(_new_tuple(LogLine, line))
        return lines


def _texts_between(name: str, server_labels: LabelPairs) -> list[str]:
    """What stands before, between and after the 22 values of a line."""
    server = pairs(server_labels)
    before = f"{server}," if server else ""
    first, *others = DELIVERY_LABELS
    between = [f'",{label}="' for label in others]
    return [f'{name}{{{before}{first}="', *between, '"} 1\n']


def _escape(values: list[str], together: str) -> None:
    """Put escapes into a line's values: nearly always it is the message alone that needs them.

    *together*: the values as one text. Without the message, wherever in it the same text is found
    first, it has the characters of the other values.
    """
    message = values[7]
    if is_plain(together.replace(message, "", 1)):
        values[7] = label_value(message)
    else:
        values[:] = map(label_value, values)
