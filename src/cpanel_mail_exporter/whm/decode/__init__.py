"""Wire -> records: the only room that knows WHM's quirks. Takes bytes, gives records, no I/O."""

from cpanel_mail_exporter.whm.decode.about import HOSTNAME_MEMBER, VERSION_MEMBER, judge_text
from cpanel_mail_exporter.whm.decode.accounts import ACCOUNTS_MEMBER, account_rows
from cpanel_mail_exporter.whm.decode.deliveries import delivery_rows, unknown_fields
from cpanel_mail_exporter.whm.decode.envelope import Verdict, judge
from cpanel_mail_exporter.whm.decode.mail_queue import queue_rows
from cpanel_mail_exporter.whm.decode.mending import mended
from cpanel_mail_exporter.whm.decode.outcome import NotJsonText, Record, Rows, UnexpectedShape
from cpanel_mail_exporter.whm.decode.scalars import (
    flag,
    limit_reached,
    limit_use,
    text,
    whole_number,
)
from cpanel_mail_exporter.whm.decode.services import SERVICES_MEMBER, service_rows
from cpanel_mail_exporter.whm.decode.totals import totals_rows
from cpanel_mail_exporter.whm.decode.unique import (
    UNIQUE_RECIPIENTS_MEMBER,
    unique_recipient_rows,
)
from cpanel_mail_exporter.whm.decode.user_stats import user_stat_rows

__all__ = [
    "ACCOUNTS_MEMBER",
    "HOSTNAME_MEMBER",
    "SERVICES_MEMBER",
    "UNIQUE_RECIPIENTS_MEMBER",
    "VERSION_MEMBER",
    "NotJsonText",
    "Record",
    "Rows",
    "UnexpectedShape",
    "Verdict",
    "account_rows",
    "delivery_rows",
    "flag",
    "judge",
    "judge_text",
    "limit_reached",
    "limit_use",
    "mended",
    "queue_rows",
    "service_rows",
    "text",
    "totals_rows",
    "unique_recipient_rows",
    "unknown_fields",
    "user_stat_rows",
    "whole_number",
]
