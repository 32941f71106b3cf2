"""Certificates of the simulated servers, signed by an authority made for one run."""

import ssl
from pathlib import Path

from whm_simulator.errors import SimulatorError

_NAMES = ("127.0.0.1", "::1", "localhost")


class Authority:
    """Signs a certificate for each server; its own is written to *ca_file* for clients."""

    def __init__(self, ca_file: Path) -> None:
        try:
            import trustme  # noqa: PLC0415 - only --tls needs it
        except ImportError:
            raise SimulatorError(
                "--tls needs the package trustme: install cpanel-mail-exporter[simulator]."
            ) from None
        self._authority = trustme.CA(organization_name="whm-simulator")
        self._authority.cert_pem.write_to_path(ca_file)

    def context_for(self, hostname: str) -> ssl.SSLContext:
        """What a server called *hostname*, reached by loopback, shows its clients."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*_NAMES, hostname).configure_cert(context)
        return context
