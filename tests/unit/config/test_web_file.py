"""The web configuration file: what is taken over, and each way to get it wrong."""

from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from cpanel_mail_exporter.config.reference import WEB_EXAMPLE
from cpanel_mail_exporter.config.settings import Settings, WebSettings
from cpanel_mail_exporter.model.secret import Secret

HASH = bcrypt.hashpw(b"SECRETWORD", bcrypt.gensalt(4)).decode()
HASH_ADVICE = "isn't a bcrypt hash; make one with: htpasswd -nBC 10 '' (60 signs after ':')"


@pytest.fixture
def folder(tmp_path: Path, certificates: Path) -> Path:
    for file in certificates.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
        (tmp_path / file.name).chmod(0o600)
    key = load_pem_private_key((certificates / "web.key").read_bytes(), None)
    (tmp_path / "locked.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"SECRETWORD"))
    )
    return tmp_path


LINE = ("--endpoint=h", "--apikey=EXAMPLETOKEN")


def test_certificate_key_and_users_are_taken_over(
    loaded: Callable[..., Settings], folder: Path
) -> None:
    (folder / "web.yml").write_text(
        "tls_server_config: {cert_file: web.crt, key_file: web.key}\n"
        f"basic_auth_users: {{alice: {HASH}, 'Jürgen': {HASH}, 123: {HASH}}}\n"
    )
    settings = loaded(*LINE, f"--web.config.file={folder}/web.yml")
    assert settings.web == WebSettings(
        cert_file=folder / "web.crt",
        key_file=folder / "web.key",
        basic_auth_users={name: Secret(HASH) for name in ("alice", "Jürgen", "123")},
    )
    assert HASH not in repr(settings)


def test_the_example_of_the_reference_page_can_be_used(
    loaded: Callable[..., Settings], folder: Path
) -> None:
    (folder / "web.yml").write_text(WEB_EXAMPLE)
    settings = loaded(*LINE, f"--web.config.file={folder}/web.yml")
    assert list(settings.web.basic_auth_users) == ["prometheus"]


MISTAKES: list[tuple[str, list[str]]] = [
    ("", [" is empty; see docs/reference/configuration.md for an example"]),
    ("{}", ["1: asks for nothing; write tls_server_config or basic_auth_users, or both"]),
    ("[]", ["1: is a list, not a mapping; write it as 'key: value' lines"]),
    (
        "http_server_config: {http2: false}\nbasic_auth_user: {}\n",
        [
            "1: the key 'http_server_config' isn't supported; did you mean 'tls_server_config'?",
            "2: the key 'basic_auth_user' isn't supported; did you mean 'basic_auth_users'?",
        ],
    ),
    (
        "tls_server_config: {client_auth_type: NoClientCert, min_version: TLS13}\n",
        [
            "1: tls_server_config: has no 'cert_file'; add 'cert_file: FILE'",
            "1: tls_server_config: has no 'key_file'; add 'key_file: FILE'",
            (
                "1: tls_server_config: the key 'client_auth_type' isn't supported; "
                "known here: cert_file, key_file"
            ),
            (
                "1: tls_server_config: the key 'min_version' isn't supported; "
                "known here: cert_file, key_file"
            ),
        ],
    ),
    (
        "tls_server_config: {cert_file: web.crt}\n",
        ["1: tls_server_config: has no 'key_file'; add 'key_file: FILE'"],
    ),
    (
        "tls_server_config: {cert_file: none.crt, key_file: web.key}\n",
        [
            (
                "1: tls_server_config.cert_file: can't read FOLDER/none.crt: no such file or "
                "directory; check the path, and that the exporter's user may read it"
            )
        ],
    ),
    (
        "tls_server_config: {cert_file: web.crt, key_file: none.key}\n",
        [
            (
                "1: tls_server_config.key_file: can't read FOLDER/none.key: no such file or "
                "directory; check the path, and that the exporter's user may read it"
            )
        ],
    ),
    (
        "tls_server_config: {cert_file: web.key, key_file: web.key}\n",
        [
            (
                "1: tls_server_config.cert_file: FOLDER/web.key holds no certificate in PEM form; "
                "give the file with BEGIN CERTIFICATE"
            )
        ],
    ),
    (
        "tls_server_config: {cert_file: web.crt, key_file: web.crt}\n",
        [
            (
                "1: tls_server_config.key_file: FOLDER/web.crt and FOLDER/web.crt can't be used "
                "together to serve TLS (no private key in PEM form); check both"
            )
        ],
    ),
    (
        "tls_server_config: {cert_file: web.crt, key_file: other.key}\n",
        [
            (
                "1: tls_server_config.key_file: the key in FOLDER/other.key isn't that of the "
                "certificate in FOLDER/web.crt; give its own"
            )
        ],
    ),
    (
        "tls_server_config: {cert_file: web.crt, key_file: locked.key}\n",
        [
            (
                "1: tls_server_config.key_file: the key in FOLDER/locked.key is protected by a "
                "password; give one without"
            )
        ],
    ),
    (
        "basic_auth_users: {}\n",
        ["1: basic_auth_users: names no user, so nobody could log in; name one or remove it"],
    ),
    (
        "basic_auth_users: [alice]\n",
        ["1: basic_auth_users: is a list, not a mapping; write it as 'key: value' lines"],
    ),
    (
        (
            "basic_auth_users:\n  alice: SECRETWORD\n  bob:\n"
            f"  carol: {HASH}x\n  dave: {HASH[:59]}\n"
            f"  eve: {HASH.replace('$04$', '$03$')}\n  fay: {HASH.replace('$04$', '$18$')}\n"
            f"  guy: {HASH.replace('$2b$', '$2x$')}\n  'h:i': {HASH}\n  '': {HASH}\n"
        ),
        [
            f"2: basic_auth_users.alice: {HASH_ADVICE}",
            "3: basic_auth_users.bob: has no value; write one, or remove the key",
            f"4: basic_auth_users.carol: {HASH_ADVICE}",
            f"5: basic_auth_users.dave: {HASH_ADVICE}",
            (
                "6: basic_auth_users.eve: the bcrypt cost isn't 4 to 17; "
                "hash the password again with a cost of 10"
            ),
            (
                "7: basic_auth_users.fay: the bcrypt cost isn't 4 to 17; "
                "hash the password again with a cost of 10"
            ),
            f"8: basic_auth_users.guy: {HASH_ADVICE}",
            (
                "9: basic_auth_users: a user's name can't be empty or hold ':'; "
                "write 'NAME: HASH' on a line"
            ),
            (
                "10: basic_auth_users: a user's name can't be empty or hold ':'; "
                "write 'NAME: HASH' on a line"
            ),
        ],
    ),
    (
        "basic_auth_users: {alice:SECRETWORD}\n",
        [
            (
                "1: basic_auth_users: a user's name can't be empty or hold ':'; "
                "write 'NAME: HASH' on a line"
            ),
            "1: basic_auth_users: has no value; write one, or remove the key",
        ],
    ),
]


@pytest.mark.parametrize(("text", "expected"), MISTAKES)
def test_each_mistake_gets_its_sentence(
    said: Callable[..., list[str]], folder: Path, text: str, expected: list[str]
) -> None:
    file = folder / "web.yml"
    file.write_text(text)
    lines = said(*LINE, f"--web.config.file={file}")
    assert [
        line.removeprefix(f"{file}:").replace(str(folder), "FOLDER") for line in lines
    ] == expected


def test_a_web_file_that_is_not_there_is_told_at_its_flag(
    said: Callable[..., list[str]], tmp_path: Path
) -> None:
    assert said(*LINE, f"-web.config.file={tmp_path}/none.yml") == [
        (
            f"--web.config.file: can't read {tmp_path}/none.yml: no such file or directory; "
            "check the path, and that the exporter's user may read it"
        )
    ]
