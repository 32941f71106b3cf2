"""Settings of `email_logs` -> what shows the rows of one server."""

from cpanel_mail_exporter.config.settings import EmailLogsSettings
from cpanel_mail_exporter.exposition.count_lines import CountLines
from cpanel_mail_exporter.exposition.log_choice import LogChoice
from cpanel_mail_exporter.exposition.log_lines import LogLines
from cpanel_mail_exporter.exposition.log_privacy import LabelMask
from cpanel_mail_exporter.exposition.text import LabelPairs
from cpanel_mail_exporter.metrics.catalogue import EMAIL_LOGS
from cpanel_mail_exporter.model.records import DELIVERY_LABELS
from cpanel_mail_exporter.polling.shown_rows import CountSink, ShownRows
from cpanel_mail_exporter.polling.sinks import LineSink


def shown_rows(
    server_labels: LabelPairs, logs: EmailLogsSettings, mask: LabelMask | None
) -> ShownRows | None:
    """What shows the rows, None if the family is off.

    Hashes are as different as what they are of, so they leave a row its own series. Where labels
    are left out, or only their domains are left, rows share series, which then count them.
    """
    if logs.window is None:
        return None
    where = logs.where
    choice = LogChoice(
        types=logs.types,
        domains=frozenset(where.domains),
        users=frozenset(where.users),
        directions=frozenset(where.directions),
        not_domains=frozenset(where.not_domains),
        not_users=frozenset(where.not_users),
    )
    values = mask.values if mask is not None else None
    if logs.labels == DELIVERY_LABELS and logs.privacy != "domain":
        lines = LogLines(EMAIL_LOGS.name, server_labels, values)
        return LineSink(lines, logs.types, logs.max_series, choice)
    counted = CountLines(EMAIL_LOGS.name, server_labels, logs.labels, values)
    return CountSink(counted, choice, logs.max_series)
