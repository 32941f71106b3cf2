"""Wire -> records: the only room that knows WHM's quirks. Takes bytes, gives records, no I/O."""

from cpanel_mail_exporter.whm.decode.deliveries import delivery_rows, unknown_fields
from cpanel_mail_exporter.whm.decode.envelope import Verdict, judge
from cpanel_mail_exporter.whm.decode.mending import mended
from cpanel_mail_exporter.whm.decode.outcome import NotJsonText, Record, Rows, UnexpectedShape
from cpanel_mail_exporter.whm.decode.scalars import limit_reached, text, whole_number
from cpanel_mail_exporter.whm.decode.totals import totals_rows
from cpanel_mail_exporter.whm.decode.user_stats import user_stat_rows

__all__ = [
    "NotJsonText",
    "Record",
    "Rows",
    "UnexpectedShape",
    "Verdict",
    "delivery_rows",
    "judge",
    "limit_reached",
    "mended",
    "text",
    "totals_rows",
    "unknown_fields",
    "user_stat_rows",
    "whole_number",
]
