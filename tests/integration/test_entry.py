"""The first moments of the program."""

import signal
import subprocess
import sys

import pytest

_IMPORT_THAT_IS_INTERRUPTED = """
import os, sys
from cpanel_mail_exporter import entry

class Interrupter:
    def find_spec(self, name, path, target=None):
        if name == "cpanel_mail_exporter.config":
            os.kill(os.getpid(), {number})

sys.meta_path.insert(0, Interrupter())
sys.exit(entry.main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_python_still_imports_ends_it_well_and_silently(
    number: signal.Signals,
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _IMPORT_THAT_IS_INTERRUPTED.format(number=int(number)), "--help"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_a_reload_while_python_still_imports_does_not_end_it() -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            _IMPORT_THAT_IS_INTERRUPTED.format(number=int(signal.SIGHUP)),
            "explain",
            "Mailbox full",
        ],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.startswith(b"reason         mailbox_full")
