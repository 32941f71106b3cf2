"""A certificate is used whole or not at all; what can't be used is one sentence."""

import os
import ssl
from contextlib import suppress
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from cpanel_mail_exporter.web.tls import BadCertificate, Certificate

AUTHORITY = trustme.CA()


def issue(folder: Path, *, cert: bool = True, key: bool = True) -> tuple[Path, Path]:
    issued = AUTHORITY.issue_cert("exporter.example.com")
    cert_file, key_file = folder / "web.crt", folder / "web.key"
    if cert:
        cert_file.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    if key:
        key_file.write_bytes(issued.private_key_pem.bytes())
    return cert_file, key_file


def served(certificate: Certificate, server_name: str | None) -> bytes:
    """The certificate a client gets, by a handshake in memory."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    AUTHORITY.configure_trust(trusting)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname=server_name)
    server = certificate.context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(10):
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    found = client.getpeercert(binary_form=True)
    assert found is not None
    return found


@pytest.mark.parametrize("server_name", ["exporter.example.com", None])
def test_renewed_files_are_served_in_new_handshakes(
    tmp_path: Path, server_name: str | None
) -> None:
    certificate = Certificate(*issue(tmp_path))
    first = served(certificate, server_name)
    assert certificate.reload_if_changed() is False
    assert served(certificate, server_name) == first
    issue(tmp_path)
    assert certificate.reload_if_changed() is True
    assert served(certificate, server_name) != first
    assert certificate.reload_if_changed() is False


def test_a_certificate_renewed_before_its_key_waits_for_it(tmp_path: Path) -> None:
    certificate = Certificate(*issue(tmp_path))
    first = served(certificate, None)
    issued = AUTHORITY.issue_cert("exporter.example.com")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "web.crt")
    with pytest.raises(BadCertificate) as caught:
        certificate.reload_if_changed()
    assert str(caught.value) == (
        f"Cannot use certificate {tmp_path / 'web.crt'} with key {tmp_path / 'web.key'}: "
        "the key doesn't belong to the certificate."
    )
    assert served(certificate, None) == first
    assert certificate.reload_if_changed() is False, "a problem is told once"
    issued.private_key_pem.write_to_path(tmp_path / "web.key")
    assert certificate.reload_if_changed() is True
    assert served(certificate, None) != first


def test_files_that_vanish_and_come_back_do_no_harm(tmp_path: Path) -> None:
    certificate = Certificate(*issue(tmp_path))
    first = served(certificate, None)
    (tmp_path / "web.key").rename(tmp_path / "away")
    with pytest.raises(BadCertificate, match="a file can't be read"):
        certificate.reload_if_changed()
    assert served(certificate, None) == first
    (tmp_path / "away").rename(tmp_path / "web.key")
    assert certificate.reload_if_changed() is True
    assert served(certificate, None) == first


def test_an_exchanged_link_is_noticed(tmp_path: Path) -> None:
    """Mounted secrets are renewed by exchanging a link, with no file written in place."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        issue(tmp_path / name)
    (tmp_path / "live").symlink_to("old")
    live = tmp_path / "live"
    certificate = Certificate(live / "web.crt", live / "web.key")
    (tmp_path / "next").symlink_to("new")
    os.replace(tmp_path / "next", live)  # noqa: PTH105
    assert certificate.reload_if_changed() is True


def break_missing(cert: Path, key: Path) -> None:
    cert.unlink()


def break_text(cert: Path, key: Path) -> None:
    cert.write_text("not a certificate")


def break_swapped(cert: Path, key: Path) -> None:
    cert.write_bytes(key.read_bytes())


def break_folder(cert: Path, key: Path) -> None:
    key.unlink()
    key.mkdir()


def break_other_key(cert: Path, key: Path) -> None:
    issue(cert.parent, cert=False)


def break_encrypted(cert: Path, key: Path) -> None:
    loaded = serialization.load_pem_private_key(key.read_bytes(), None)
    key.write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"hunter2"),
        )
    )


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (break_missing, "a file can't be read (No such file or directory)"),
        (break_text, "they aren't PEM"),
        (break_swapped, "they aren't PEM"),
        (break_folder, "a file can't be read (Is a directory)"),
        (break_other_key, "the key doesn't belong to the certificate"),
        (break_encrypted, "the key is encrypted; store it without a password"),
    ],
)
def test_files_that_cannot_be_used_are_one_sentence(tmp_path: Path, harm, reason: str) -> None:
    cert, key = issue(tmp_path)
    harm(cert, key)
    with pytest.raises(BadCertificate) as caught:
        Certificate(cert, key)
    assert str(caught.value) == f"Cannot use certificate {cert} with key {key}: {reason}."


def test_old_versions_of_tls_are_refused(tmp_path: Path) -> None:
    certificate = Certificate(*issue(tmp_path))
    assert certificate.context.minimum_version == ssl.TLSVersion.TLSv1_2
