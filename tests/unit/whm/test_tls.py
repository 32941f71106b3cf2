"""Which certificates of WHM servers are trusted."""

import ssl
from pathlib import Path

import pytest
import trustme

from cpanel_mail_exporter.whm.tls import client_context


def test_by_default_certificates_and_names_are_checked() -> None:
    context = client_context(None, insecure_skip_verify=False)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_ca_file_takes_the_place_of_the_system_s_issuers(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    context = client_context(ca_file, insecure_skip_verify=False)
    assert context.cert_store_stats()["x509_ca"] == 1
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_skipping_checks_skips_both() -> None:
    context = client_context(None, insecure_skip_verify=True)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_ca_file_that_cannot_be_used_is_an_os_error(
    tmp_path: Path, content: bytes | None
) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_bytes(content)
    with pytest.raises(OSError):  # noqa: PT011 - that it is one is all that is promised
        client_context(ca_file, insecure_skip_verify=False)
