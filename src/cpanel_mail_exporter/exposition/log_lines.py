"""A delivery record -> its line of `email_logs`. Rendered once, when the record arrives."""

from collections.abc import Iterable

from cpanel_mail_exporter.exposition.escaping import label_value
from cpanel_mail_exporter.exposition.text import LabelPairs, pairs
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord


class LogLines:
    """Renders the lines of one server: its labels first, then the 22 of the record, value 1."""

    def __init__(self, name: str, server_labels: LabelPairs) -> None:
        before = pairs(server_labels).replace("%", "%%")
        own = ",".join(f'{label}="%s"' for label in DELIVERY_LABELS)
        self._template = f"{name}{{{before},{own}}} 1\n" if before else f"{name}{{{own}}} 1\n"

    def render(self, records: Iterable[DeliveryRecord]) -> list[str]:
        """One line with its newline for each record.

        Values seldom need escaping, which one look at all of a record's values together tells.
        """
        template = self._template
        lines: list[str] = []
        for record in records:
            values = record[:22]
            if _is_plain("".join(values)):
                lines.append(template % values)
            else:
                lines.append(template % _escaped(values))
        return lines


def _is_plain(text: str) -> bool:
    return not ('"' in text or "\\" in text or "\n" in text)


def _escaped(values: tuple[str, ...]) -> tuple[str, ...]:
    """The same with escapes: nearly always it is the message alone that needs them."""
    before, message, after = values[:7], values[7], values[8:]
    if _is_plain("".join(before + after)):
        return (*before, label_value(message), *after)
    return tuple([label_value(value) for value in values])
