"""What `explain` was given -> checked settings, or every mistake at once."""

from datetime import UTC
from pathlib import Path

from cpanel_mail_exporter.config import options
from cpanel_mail_exporter.config.bounce_files import named_files
from cpanel_mail_exporter.config.file import FileParts, read_config_file
from cpanel_mail_exporter.config.flags import Invocation
from cpanel_mail_exporter.config.options import CONFIG_FILE
from cpanel_mail_exporter.config.precedence import Values
from cpanel_mail_exporter.config.problems import Problems
from cpanel_mail_exporter.config.sections import Found
from cpanel_mail_exporter.config.settings import ExplainSettings


def load_explain(invocation: Invocation) -> ExplainSettings:
    """Check what `explain` was given.

    Of a configuration file only the names of the bounces' files are looked at: who explains a text
    need not be allowed to read the servers' tokens.

    Raises:
        ConfigError: with every problem.
    """
    problems = Problems(invocation.problems)
    values = Values(invocation.values, problems)
    named = values.find(CONFIG_FILE)
    if named is not None:
        values.parts = _parts_for_explain(named, problems)
    problems.raise_any()
    return ExplainSettings(
        text=invocation.text,
        bounces=named_files(values),
        as_json=values.value(options.AS_JSON),
        host=values.value_or(options.HOST, ""),
        domain=values.value_or(options.DOMAIN, ""),
        router=values.value_or(options.ROUTER, ""),
        type=values.value_or(options.TYPE, ""),
    )


def _parts_for_explain(named: Found[Path], problems: Problems) -> FileParts:
    unheeded = Problems()
    parts = read_config_file(
        named, unheeded, environ={}, default_zone=UTC, reserved_labels=frozenset()
    )
    for problem in unheeded:
        if problem.place == named.place or problem.place.path.startswith(options.BOUNCES.key):
            problems.add(problem.place, problem.sentence)
    return parts
