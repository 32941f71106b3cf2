"""Certificates of the simulated servers, signed by an authority of the run's own.

Each is made when its server is first asked for it, so that a thousand servers start at once.
"""

import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whm_simulator.errors import SimulatorError

if TYPE_CHECKING:
    import trustme

_LOOPBACK_NAMES = ("127.0.0.1", "::1", "localhost")
_OTHER_NAME = "elsewhere.example.org"
_GOOD, _OTHER = "ca", "other-ca"


class ServerContext(ssl.SSLContext):
    """What one server shows its clients; a connection tells by it whose it is."""

    server: str | None = None


class Certificates:
    """Contexts of all servers, good ones and those of certificate faults.

    Args:
        folder: where the authorities are kept, ``ca.pem`` for clients among them; what is there
            already is used again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._authorities = {_GOOD: _authority(folder, _GOOD)}
        self._contexts: dict[tuple[str | None, str | None], ServerContext] = {}

    @property
    def ca_file(self) -> Path:
        """The good authority's certificate."""
        return self._folder / f"{_GOOD}.pem"

    def context_for(
        self, server: str | None, hostname: str | None, fault: str | None = None
    ) -> ServerContext:
        """What a server shows its clients.

        Args:
            server: its name; None for whoever listens where no server is meant.
            hostname: its own name, which the certificate is for beside those of loopback.
            fault: the certificate fault it suffers from.
        """
        context = self._contexts.get((server, fault))
        if context is None:
            names = [*_LOOPBACK_NAMES, *([hostname] if hostname else [])]
            if server:
                names.append(f"{server}.localhost")
            context = self._made(names, fault)
            context.server = server
            self._contexts[server, fault] = context
        return context

    def _made(self, names: list[str], fault: str | None) -> ServerContext:
        whose, begins, ends = _GOOD, None, None
        match fault:
            case "certificate_authority":
                whose = _OTHER
            case "certificate_name":
                names = [_OTHER_NAME]
            case "certificate_expired":
                ends = datetime.now(UTC) - timedelta(days=1)
                begins = ends - timedelta(days=90)
        if whose not in self._authorities:
            self._authorities[whose] = _authority(self._folder, whose)
        context = ServerContext(ssl.PROTOCOL_TLS_SERVER)
        # A resumed session shows no certificate, and would hide that it has changed.
        context.options |= ssl.OP_NO_TICKET
        context.num_tickets = 0
        certificate = self._authorities[whose].issue_cert(*names, not_before=begins, not_after=ends)
        certificate.configure_cert(context)
        return context


class ChosenContext(ssl.SSLContext):
    """Listens in place of the context that *choose* gives for each new connection."""

    choose: Any = None

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """The beginning of a connection."""
        context: ServerContext = self.choose()
        return context.wrap_bio(*arguments, **options)


def _authority(folder: Path, name: str) -> "trustme.CA":
    try:
        import trustme  # noqa: PLC0415 - only --tls needs it
    except ImportError:
        raise SimulatorError(
            "--tls needs the package trustme: install cpanel-mail-exporter[simulator]."
        ) from None
    public, private = folder / f"{name}.pem", folder / f"{name}-key.pem"
    if public.exists() and private.exists():
        try:
            return trustme.CA.from_pem(public.read_bytes(), private.read_bytes())
        except ValueError:
            raise SimulatorError(
                f"{public} and {private} are no authority; remove both or choose another folder."
            ) from None
    authority = trustme.CA(organization_name=f"whm-simulator {name}")
    # The key first: with both files there, both are whole.
    _write_private(private, authority.private_key_pem.bytes())
    part = public.with_name(public.name + ".part")
    authority.cert_pem.write_to_path(part)
    part.replace(public)
    return authority


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
