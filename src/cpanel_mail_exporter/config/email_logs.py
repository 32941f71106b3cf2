"""What stands below `email_logs` in the configuration file, but for its window."""

from collections.abc import Callable, Sequence
from typing import Any

from cpanel_mail_exporter.config import options, values
from cpanel_mail_exporter.config.option import Option
from cpanel_mail_exporter.config.problems import Problems
from cpanel_mail_exporter.config.sections import Found, Section

_Words = Callable[[Sequence[str]], tuple[str, ...]]

_WHERE: tuple[tuple[Option[tuple[str, ...]], _Words], ...] = (
    (options.WHERE_DOMAIN, values.parse_domains),
    (options.WHERE_USER, values.parse_words),
    (options.WHERE_DIRECTION, values.parse_directions),
    (options.WHERE_NOT_DOMAIN, values.parse_domains),
    (options.WHERE_NOT_USER, values.parse_words),
)


def read_email_logs(section: Section, problems: Problems) -> dict[Option[Any], Found[Any]]:
    """The checked values that are given; what is wrong is told."""
    found: dict[Option[Any], Found[Any] | None] = {
        options.EMAIL_LOGS_TYPES: section.read_words(options.EMAIL_LOGS_TYPES, values.parse_types),
        options.EMAIL_LOGS_LABELS: section.read_words(
            options.EMAIL_LOGS_LABELS, values.parse_log_labels
        ),
    }
    for option in (options.EMAIL_LOGS_PRIVACY, options.MAX_SERIES, options.MAX_SERIES_TOTAL):
        found[option] = section.read(option)
    if (where := section.section(options.EMAIL_LOGS_WHERE)) is not None:
        types = where.read_words(options.WHERE_TYPE, values.parse_types)
        if types is not None and section.node(options.EMAIL_LOGS_TYPES) is not None:
            problems.add(types.place, "says the same as email_logs.types; keep one of them")
        elif types is not None:
            found[options.EMAIL_LOGS_TYPES] = types
        for condition, parse in _WHERE:
            found[condition] = where.read_words(condition, parse)
    return {option: value for option, value in found.items() if value is not None}
