"""`explain`: texts in, what the exporter makes of each out, for people or as JSON."""

import json
import sys
from collections.abc import Iterator
from typing import Any, BinaryIO, TextIO

from cpanel_mail_exporter.bounces.classes import CLASSES
from cpanel_mail_exporter.bounces.spoken_to import spoken_to
from cpanel_mail_exporter.config.bounce_files import BounceKnowledge, read_bounce_files
from cpanel_mail_exporter.config.settings import ExplainSettings

_MEANINGS = {one.name: one.meaning for one in CLASSES}


def explain(settings: ExplainSettings, lines: BinaryIO, out: TextIO) -> None:
    """Write what is made of the text, or of each of *lines*, one answer for each, in their order.

    Raises:
        ConfigError: with every mistake in the operator's files.
    """
    known = read_bounce_files(settings.bounces)
    if settings.text is None and lines.isatty():
        print("one text a line; end with Ctrl-D", file=sys.stderr)  # noqa: T201
    for number, text in enumerate(_texts(settings, lines)):
        found = explained(text, settings, known)
        if settings.as_json:
            out.write(json.dumps(found, ensure_ascii=False) + "\n")
        else:
            out.write(("\n" if number else "") + _for_people(found))
    out.flush()


def explained(text: str, settings: ExplainSettings, known: BounceKnowledge) -> dict[str, Any]:
    """What is known about one text; `rule` and `file` are None where no rule fits."""
    reason, rule = known.classifier.classify(text, settings.router, settings.type)
    named = spoken_to(text)
    return {
        "reason": reason.reason,
        "severity": reason.severity,
        "code": reason.code,
        "enhanced_code": reason.enhanced_code,
        "provider": known.providers.of(
            settings.host or named.host, settings.domain or named.domain
        ),
        "rule": rule.name if rule else None,
        "file": (rule.origin or str(settings.bounces.rules_file)) if rule else None,
    }


def _texts(settings: ExplainSettings, lines: BinaryIO) -> Iterator[str]:
    if settings.text is not None:
        yield settings.text
        return
    for line in lines:
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _for_people(found: dict[str, Any]) -> str:
    rule = f"{found['rule']} in {found['file']}" if found["rule"] else "none fits"
    rows = (
        ("reason", f"{found['reason']} ({found['severity']}): {_MEANINGS[found['reason']]}"),
        ("rule", rule),
        ("reply code", found["code"] or "none"),
        ("enhanced code", found["enhanced_code"] or "none"),
        ("provider", found["provider"]),
    )
    return "".join(f"{title:<14} {value}\n" for title, value in rows)
