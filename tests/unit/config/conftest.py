"""Certificates and short ways to load, for the tests of this room."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import trustme

from cpanel_mail_exporter.config.flags import parse
from cpanel_mail_exporter.config.load import load
from cpanel_mail_exporter.config.problems import ConfigError
from cpanel_mail_exporter.config.settings import Settings

RESERVED = frozenset({"domain", "user"})


@pytest.fixture
def loaded() -> Callable[..., Settings]:
    """Settings of a command line and an environment."""

    def load_it(*arguments: str, environ: Mapping[str, str] | None = None) -> Settings:
        environ = {"TZ": "UTC"} | dict(environ or {})
        return load(parse(arguments, environ), environ, reserved_labels=RESERVED)

    return load_it


@pytest.fixture
def said(loaded: Callable[..., Settings]) -> Callable[..., list[str]]:
    """Lines of what is said about a wrong command line and environment."""

    def lines(*arguments: str, environ: Mapping[str, str] | None = None) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            loaded(*arguments, environ=environ)
        return str(caught.value).splitlines()

    return lines


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with web.crt, web.key and ca.pem that fit, and other.key that doesn't."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    for name in ("web", "other"):
        made = authority.issue_cert("web1.example.com")
        made.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        (folder / f"{name}.crt").write_bytes(b"".join(p.bytes() for p in made.cert_chain_pems))
        (folder / f"{name}.key").chmod(0o600)
    return folder
