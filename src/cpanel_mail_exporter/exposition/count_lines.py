"""A delivery record -> the series of `email_logs` that counts it, where labels are left out."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cpanel_mail_exporter.exposition.escaping import is_plain, label_value
from cpanel_mail_exporter.exposition.log_lines import NO_TIME, LabelValues
from cpanel_mail_exporter.exposition.text import LabelPairs, pairs
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord


class CountedRow(NamedTuple):
    """A row and where it counts.

    Attributes:
        sent: `send_unix`, NO_TIME where there is none.
        series: hash of *text*; of this process only.
        row: hash of the whole record, the same for equal ones; of this process only.
        text: the line without its value.
    """

    sent: int
    series: int
    row: int
    text: str


class CountLines:
    """Renders the series of one server.

    Args:
        name: of the family.
        server_labels: label pairs that every line begins with.
        labels: those of DELIVERY_LABELS that are shown, in that order.
        values: gives a record's label values where they aren't those that WHM sent.
    """

    def __init__(
        self,
        name: str,
        server_labels: LabelPairs,
        labels: Sequence[str],
        values: LabelValues | None = None,
    ) -> None:
        self._template = _template(name, server_labels, labels)
        self._values = values
        places = [DELIVERY_LABELS.index(label) for label in labels]
        self._places = places

    def render(self, records: Iterable[DeliveryRecord]) -> list[CountedRow]:
        """One for each record."""
        template, shown, places = self._template, self._values, self._places
        rows: list[CountedRow] = []
        for record in records:
            all_values = record[:22] if shown is None else shown(record)
            values = tuple([all_values[place] for place in places])
            if not is_plain("".join(values)):
                values = tuple(map(label_value, values))
            text = template % values
            sent = record.send_unix
            rows.append(
                CountedRow(NO_TIME if sent is None else sent, hash(text), hash(record), text)
            )
        return rows


def _template(name: str, server_labels: LabelPairs, labels: Sequence[str]) -> str:
    """A line without its value, with a place for the value of each of *labels*."""
    before = pairs(server_labels).replace("%", "%%")
    own = ",".join(f'{label}="%s"' for label in labels)
    inside = f"{before},{own}" if before and own else before or own
    return f"{name}{{{inside}}}" if inside else name
