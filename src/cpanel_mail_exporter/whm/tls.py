"""How WHM servers' certificates are checked: settings in, SSL contexts out."""

import ssl
from pathlib import Path


def client_context(ca_file: Path | None, *, insecure_skip_verify: bool) -> ssl.SSLContext:
    """An SSL context for asking a WHM server.

    Args:
        ca_file: PEM file with the issuers to trust instead of the system's, or with the very
            certificate that a server shows.
        insecure_skip_verify: trust any certificate for any name.

    Raises:
        OSError: *ca_file* can't be read or holds no certificate (ssl.SSLError is one).
    """
    context = ssl.create_default_context(cafile=ca_file)
    # A server's own self-signed certificate may stand in ca_file, and it may lack what newer
    # versions of Python ask of an issuer: the same files are to work with all of them.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
