"""The configuration file -> servers and the settings written beside them, or problems."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, TypeVar

from cpanel_mail_exporter.config import options, values
from cpanel_mail_exporter.config.email_logs import read_email_logs
from cpanel_mail_exporter.config.family_patterns import parse_family_patterns
from cpanel_mail_exporter.config.option import Option
from cpanel_mail_exporter.config.options import (
    DELIVERY_EVENTS,
    DELIVERY_EVENTS_ENABLED,
    EMAIL_LOGS,
    SERVERS,
    STORAGE,
    USER_STATS,
)
from cpanel_mail_exporter.config.problems import Place, Problems, quoted
from cpanel_mail_exporter.config.reading import read_regular
from cpanel_mail_exporter.config.sections import Found, Section, has_form
from cpanel_mail_exporter.config.servers import Surroundings, read_server
from cpanel_mail_exporter.config.settings import ServerSettings
from cpanel_mail_exporter.config.tree import LIMIT_BYTES, Node, parse_tree

T = TypeVar("T")

_FURTHER: tuple[tuple[Option[str], Option[bool], Option[int] | None], ...] = (
    (options.MAIL_QUEUE, options.MAIL_QUEUE_ENABLED, options.QUEUE_USER_SERIES),
    (options.ACCOUNTS, options.ACCOUNTS_ENABLED, options.ACCOUNT_SERIES),
    (options.UNIQUE_RECIPIENTS, options.UNIQUE_RECIPIENTS_ENABLED, None),
    (options.SERVICES, options.SERVICES_ENABLED, None),
    (options.SERVER_INFO, options.SERVER_INFO_ENABLED, None),
)
"""Families with a switch, and a bound on their series where they have one."""


@dataclass(slots=True)
class FileParts:
    """What the configuration file says, each value checked by itself."""

    servers: tuple[ServerSettings, ...] = ()
    found: dict[Option[Any], Found[Any]] = field(default_factory=dict)

    def find(self, option: Option[T]) -> Found[T] | None:
        """The value of *option*, None where the file doesn't set it."""
        return self.found.get(option)


def read_config_file(
    named: Found[Path],
    problems: Problems,
    *,
    environ: Mapping[str, str],
    default_zone: tzinfo,
    reserved_labels: frozenset[str],
) -> FileParts:
    """Read the configuration file and the token files it names; problems are told, not raised."""
    parts = FileParts()
    path = named.value
    try:
        data = read_regular(path, LIMIT_BYTES).data
    except ValueError as error:
        problems.add(named.place, str(error))
        return parts
    root = parse_tree(data, str(path), problems)
    if root is None:
        return parts
    top = Section(root, "", problems)
    around = Surroundings(path.parent, environ, default_zone, reserved_labels)
    parts.servers = _read_servers(top, around, problems)
    for option in (
        options.SERVER_LABEL,
        options.POLL_INTERVAL,
        options.REQUEST_TIMEOUT,
        options.STALE_AFTER,
    ):
        _note(parts, option, top.read(option))
    _read_families(parts, top, problems)
    _read_paths(parts, top, path.parent)
    _check_server_label(parts, top, problems)
    return parts


def _read_servers(
    top: Section, around: Surroundings, problems: Problems
) -> tuple[ServerSettings, ...]:
    node = top.node(SERVERS)
    if node is None:
        if top.is_readable:
            problems.add(top.place, "names no servers; add 'servers:' and a list below it")
        return ()
    if not has_form(node, "list", problems):
        return ()
    if not node.items:
        problems.add(node.place, "is empty; name at least one server")
    servers = [read_server(item, around, problems) for item in node.items]
    _check_names(node, problems)
    return tuple(server for server in servers if server is not None)


def _check_names(servers: Node, problems: Problems) -> None:
    first: dict[str, Place] = {}
    for server in servers.items:
        for entry in server.fields:
            name = entry.node
            if entry.key != "name" or name.kind != "text":
                continue
            if name.text in first:
                problems.add(
                    name.place,
                    f"the name {quoted(name.text)} is taken in line {first[name.text].line}; "
                    "give each server its own",
                )
            first.setdefault(name.text, name.place)


def _read_family(
    parts: FileParts, top: Section, option: Option[str], switch: Option[T], off: T
) -> Section | None:
    """Note the switch; give the mapping for what else stands in it, None if it is just `off`."""
    node = top.node(option)
    if node is None:
        return None
    if node.kind in {"text", "true or false"} and node.text.lower() == "off":
        parts.found[switch] = Found(off, node.place)
        return None
    section = top.section(option)
    if section is not None:
        _note(parts, switch, section.read(switch))
    return section


def _read_families(parts: FileParts, top: Section, problems: Problems) -> None:
    if family := _read_family(parts, top, USER_STATS, options.USER_STATS_WINDOW, None):
        labels = family.read_words(options.USER_STATS_LABELS, values.parse_user_labels)
        _note(parts, options.USER_STATS_LABELS, labels)
        _note(parts, options.USER_STATS_SERIES, family.read(options.USER_STATS_SERIES))
    if family := _read_family(parts, top, EMAIL_LOGS, options.EMAIL_LOGS_WINDOW, None):
        parts.found |= read_email_logs(family, problems)
    if family := _read_family(parts, top, DELIVERY_EVENTS, DELIVERY_EVENTS_ENABLED, False):
        _note(parts, options.BACKFILL, family.read(options.BACKFILL))
        for number in (options.LOOK_BACK, options.USER_SERIES, options.REPLY_SERIES):
            _note(parts, number, family.read(number))
    for further, switch, budget in _FURTHER:
        family = _read_family(parts, top, further, switch, False)
        if family is not None and budget is not None:
            _note(parts, budget, family.read(budget))
    if (spam_runs := top.section(options.SPAM_RUNS)) is not None:
        most = options.SPAM_RUNS_MAX_ACCOUNTS
        _note(parts, most, spam_runs.read(most))
    if (choice := top.section(options.FAMILY_CHOICE)) is not None:
        for patterns in (options.FAMILIES_ALLOW, options.FAMILIES_DENY):
            _note(parts, patterns, choice.read_words(patterns, parse_family_patterns))


def _read_paths(parts: FileParts, top: Section, folder: Path) -> None:
    """Relative ones start at *folder*, the file's own."""
    if (storage := top.section(STORAGE)) is not None:
        _note_path(parts, folder, storage, options.STORAGE_PATH)
    if (bounces := top.section(options.BOUNCES)) is not None:
        for file in (options.RULES_FILE, options.PROVIDERS_FILE):
            _note_path(parts, folder, bounces, file)


def _check_server_label(parts: FileParts, top: Section, problems: Problems) -> None:
    servers = top.node(SERVERS)
    found = parts.find(options.SERVER_LABEL)
    if servers and found and not found.value and len(servers.items) > 1:
        problems.add(
            found.place,
            "without the label 'server' several servers can't be told apart; write true",
        )


def _note_path(parts: FileParts, folder: Path, section: Section, option: Option[Path]) -> None:
    found = section.read(option)
    if found is not None:
        parts.found[option] = Found(folder / found.value, found.place)


def _note(parts: FileParts, option: Option[T], found: Found[T] | None) -> None:
    if found is not None:
        parts.found[option] = found
