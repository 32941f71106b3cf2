"""Looks into certificate files before they are relied on; gives nothing, or one sentence."""

import ssl
from pathlib import Path

from cpanel_mail_exporter.config.reading import read_regular

_LIMIT_BYTES = 4 * 1024 * 1024


def check_issuers(path: Path) -> None:
    """See that *path* holds PEM certificates to trust.

    Raises:
        ValueError: it can't be read, or holds none.
    """
    text = _pem(path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise ValueError(
            f"{path} holds no certificate in PEM form; give the file with BEGIN CERTIFICATE"
        ) from None


def check_key(cert_path: Path, key_path: Path) -> None:
    """See that *key_path* holds the private key of the certificate in *cert_path*.

    Raises:
        ValueError: it can't be read, holds none, asks for a password, or belongs to another one.
    """
    _pem(key_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    asked: list[bool] = []

    def no_password() -> str:
        # Without this OpenSSL would ask at the terminal and wait.
        asked.append(True)
        return ""

    try:
        context.load_cert_chain(cert_path, key_path, password=no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        if asked:
            raise ValueError(
                f"the key in {key_path} is protected by a password; give one without"
            ) from None
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            raise ValueError(
                f"the key in {key_path} isn't that of the certificate in {cert_path}; give its own"
            ) from None
        raise ValueError(
            f"{cert_path} and {key_path} can't be used together to serve TLS "
            f"({getattr(error, 'reason', None) or 'no private key in PEM form'}); check both"
        ) from None


def _pem(path: Path) -> str:
    return read_regular(path, _LIMIT_BYTES).data.decode("ascii", errors="replace")
