"""One item of `servers:` in the configuration file -> ServerSettings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from cpanel_mail_exporter.config import options
from cpanel_mail_exporter.config.certificate import check_issuers
from cpanel_mail_exporter.config.options import LABELS, SERVER, TLS_CONFIG, TOKEN_ENV, TOKEN_FILE
from cpanel_mail_exporter.config.problems import Place, Problems, quoted
from cpanel_mail_exporter.config.sections import Section, texts_of
from cpanel_mail_exporter.config.settings import ServerSettings, TlsSettings, TokenSource
from cpanel_mail_exporter.config.token_file import parse_token, read_token
from cpanel_mail_exporter.config.tree import Node

MOST_LABELS = 4
_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LABELS_OF_PROMETHEUS = frozenset({"server", "job", "instance", "le", "quantile"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a server's settings depend on besides its own lines.

    Attributes:
        folder: of the configuration file; relative paths start there.
        environ: variables, for `token_env`.
        default_zone: the exporter's own zone.
        reserved_labels: label names of the exporter's own families.
    """

    folder: Path
    environ: Mapping[str, str]
    default_zone: tzinfo
    reserved_labels: frozenset[str]


def read_server(node: Node, around: Surroundings, problems: Problems) -> ServerSettings | None:
    """Read one server; None if it can't be used, which is told."""
    section = Section(node, SERVER, problems)
    name = section.require(options.NAME)
    endpoint = section.require(options.ENDPOINT)
    user = section.read(options.USER)
    zone = section.read(options.TIMEZONE)
    token = _read_token(section, around, problems)
    tls = _read_tls(section.section(TLS_CONFIG), around, problems)
    labels = _read_labels(section.node(LABELS), around, problems)
    if name is None or endpoint is None or token is None:
        return None
    return ServerSettings(
        name=name.value,
        endpoint=endpoint.value,
        token=token,
        timezone=zone.value if zone else around.default_zone,
        user=user.value if user else options.USER.default,
        tls=tls,
        labels=labels,
    )


def _read_token(section: Section, around: Surroundings, problems: Problems) -> TokenSource | None:
    file, variable = section.node(TOKEN_FILE), section.node(TOKEN_ENV)
    if file is not None and variable is not None:
        later = max(file.place, variable.place, key=lambda place: (place.line, place.column))
        problems.add(later, "token_file and token_env stand side by side; keep one of them")
        return None
    if file is None and variable is None:
        if section.is_readable:
            problems.add(section.place, "has no token; add 'token_file: FILE' or 'token_env: NAME'")
        return None
    path, name = section.read(TOKEN_FILE), section.read(TOKEN_ENV)
    try:
        if path is not None:
            full_path = around.folder / path.value
            return TokenSource(read_token(full_path), full_path)
        if name is not None:
            # The name isn't repeated: it may be a token, put there by mistake.
            text = around.environ.get(name.value)
            if not text:
                raise ValueError(
                    f"the variable named here is {'not set' if text is None else 'empty'}; "
                    "set it where the exporter is started"
                )
            return TokenSource(parse_token(text))
    except ValueError as error:
        named = path or name
        problems.add(named.place if named else section.place, str(error))
    return None


def _read_tls(section: Section | None, around: Surroundings, problems: Problems) -> TlsSettings:
    if section is None:
        return TlsSettings()
    ca_file = section.read(options.CA_FILE)
    server_name = section.read(options.TLS_NAME)
    skip_verify = section.read(options.SKIP_VERIFY)
    if ca_file is not None:
        try:
            check_issuers(around.folder / ca_file.value)
        except ValueError as error:
            problems.add(ca_file.place, str(error))
    return TlsSettings(
        ca_file=around.folder / ca_file.value if ca_file else None,
        server_name=server_name.value if server_name else None,
        insecure_skip_verify=skip_verify.value if skip_verify else False,
    )


def _read_labels(
    node: Node | None, around: Surroundings, problems: Problems
) -> tuple[tuple[str, str], ...]:
    if node is None:
        return ()
    if len(node.fields) > MOST_LABELS:
        problems.add(node.place, f"holds more than {MOST_LABELS} labels; keep {MOST_LABELS}")
    for field in node.fields:
        _check_label_name(field.key, field.place, around.reserved_labels, problems)
    labels = []
    for name, place, text in texts_of(node, problems):
        if text:
            labels.append((name, text))
        else:
            problems.add(place, "is empty, which Prometheus takes for no label; remove it")
    return tuple(labels)


def _check_label_name(
    name: str, place: Place, reserved_labels: frozenset[str], problems: Problems
) -> None:
    if not _LABEL_NAME.fullmatch(name):
        problems.add(
            place,
            f"{quoted(name)} can't be a label's name; use letters, digits and '_', "
            "and no digit at the start",
        )
    elif name.startswith("__"):
        problems.add(
            place, f"{quoted(name)} begins with '__', which Prometheus keeps for itself; rename it"
        )
    elif name in _LABELS_OF_PROMETHEUS:
        problems.add(
            place, f"{quoted(name)} is set by Prometheus or by the exporter; choose another name"
        )
    elif name in reserved_labels:
        problems.add(
            place, f"{quoted(name)} is a label of the exporter's own families; choose another name"
        )
