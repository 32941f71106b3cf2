"""What the program that serves keeps in memory though it never uses it: nothing that is known."""

import re
import subprocess
import sys
from pathlib import Path

import trustme

from tests.integration.test_description import StaticWhm, answers, environment

NEVER_USED = {
    "aiohttp.web": "routes, files and web sockets of aiohttp's server",
    "aiohttp.web_app": "the same, should it come by another way",
    "bcrypt": "only where logins are asked for",
    "cpanel_mail_exporter.app.explain": "another command",
    "cpanel_mail_exporter.config.reference": "written when the documentation is",
    "cpanel_mail_exporter.demo": "another command",
    "importlib.metadata": "the version is in the package",
    "importlib.resources": "the package's files lie beside its modules",
    "multiprocessing": "nothing needs it",
    "prometheus_client.parser": "for the demo",
    "unittest": "nothing needs it",
    "zipfile": "comes with importlib.metadata",
}
"""Modules with why they are left out; each takes some 100 kB, together they take 3 MB."""

_LOOK = """
import os, sys
from cpanel_mail_exporter import entry

sys.argv[1:] = ["--version"]
try:
    entry.main()
except SystemExit:
    pass

import ssl
from aiohttp import connector
for context in (
    connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED, ssl.create_default_context()
):
    print(len(context.get_ca_certs()))
print(os.environ.get("SSL_CERT_FILE"))
"""


def test_modules_of_other_commands_and_of_no_use_are_not_imported() -> None:
    with StaticWhm(answers()).serving() as whm:
        ended = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "cpanel_mail_exporter", "once", *whm.flags],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    imported = set(re.findall(r"^import time:.*\| +([\w.]+)$", ended.stderr, re.MULTILINE))
    assert {"aiohttp", "sqlite3", "cpanel_mail_exporter.web.server"} <= imported, ended.stderr
    assert "email_user_stats{" in ended.stdout
    assert imported & NEVER_USED.keys() == set()


def test_issuers_are_read_for_the_contexts_that_are_used_and_for_no_other(tmp_path: Path) -> None:
    file = tmp_path / "issuers.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    ended = subprocess.run(
        [sys.executable, "-c", _LOOK],
        env=environment(SSL_CERT_FILE=str(file), SSL_CERT_DIR=str(tmp_path)),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert ended.stdout.split()[-4:] == ["0", "0", "1", str(file)]
