"""The web configuration file (the form of Prometheus' exporter-toolkit) -> TLS and basic auth."""

import re
from dataclasses import dataclass, field
from pathlib import Path

from cpanel_mail_exporter.config.certificate import check_issuers, check_key
from cpanel_mail_exporter.config.options import (
    BASIC_AUTH_USERS,
    CERT_FILE,
    KEY_FILE,
    TLS_SERVER_CONFIG,
)
from cpanel_mail_exporter.config.problems import Problems
from cpanel_mail_exporter.config.reading import read_regular
from cpanel_mail_exporter.config.sections import Found, Section, texts_of
from cpanel_mail_exporter.config.tree import LIMIT_BYTES, Node, parse_tree
from cpanel_mail_exporter.model.secret import Secret

_HASH = re.compile(r"\$2[aby]\$(?P<cost>[0-9]{2})\$[./A-Za-z0-9]{53}")
_LEAST_COST, _MOST_COST = 4, 17


@dataclass(frozen=True, slots=True)
class WebFile:
    """What the web configuration file asks for; cert_file and key_file are both set or neither."""

    cert_file: Path | None = None
    key_file: Path | None = None
    users: dict[str, Secret] = field(default_factory=dict)


def read_web_file(named: Found[Path], problems: Problems) -> WebFile:
    """Read and check the file and the certificate it names; problems are told, not raised."""
    path = named.value
    try:
        data = read_regular(path, LIMIT_BYTES).data
    except ValueError as error:
        problems.add(named.place, str(error))
        return WebFile()
    root = parse_tree(data, str(path), problems)
    if root is None:
        return WebFile()
    top = Section(root, "", problems, web=True)
    tls, users = top.section(TLS_SERVER_CONFIG), top.node(BASIC_AUTH_USERS)
    if root.kind == "mapping" and not root.fields:
        problems.add(
            root.place, "asks for nothing; write tls_server_config or basic_auth_users, or both"
        )
    cert_file, key_file = _read_tls(tls, path.parent, problems)
    return WebFile(cert_file, key_file, _read_users(users, problems))


def _read_tls(
    section: Section | None, folder: Path, problems: Problems
) -> tuple[Path | None, Path | None]:
    if section is None or not section.is_readable:
        return None, None
    cert, key = section.require(CERT_FILE), section.require(KEY_FILE)
    if cert is None or key is None:
        return None, None
    cert_path, key_path = folder / cert.value, folder / key.value
    place = cert.place
    try:
        check_issuers(cert_path)
        place = key.place
        check_key(cert_path, key_path)
    except ValueError as error:
        problems.add(place, str(error))
    return cert_path, key_path


def _read_users(node: Node | None, problems: Problems) -> dict[str, Secret]:
    """Hashes by user name.

    Neither a hash nor a strange name is repeated: it may be a password in the wrong place.
    """
    users: dict[str, Secret] = {}
    if node is None:
        return users
    if node.kind == "mapping" and not node.fields:
        problems.add(node.place, "names no user, so nobody could log in; name one or remove it")
    for user in node.fields:
        if not user.key or ":" in user.key:
            problems.add(
                user.place, "a user's name can't be empty or hold ':'; write 'NAME: HASH' on a line"
            )
    for name, place, text in texts_of(node, problems):
        match = _HASH.fullmatch(text)
        if match is None:
            problems.add(
                place,
                "isn't a bcrypt hash; make one with: htpasswd -nBC 10 '' (60 signs after ':')",
            )
        elif not _LEAST_COST <= int(match["cost"]) <= _MOST_COST:
            problems.add(
                place,
                f"the bcrypt cost isn't {_LEAST_COST} to {_MOST_COST}; "
                "hash the password again with a cost of 10",
            )
        else:
            users[name] = Secret(text)
    return users
