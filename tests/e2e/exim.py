"""A real Exim on loopback with a spool, accounts and an outside world of its own.

Mail leaves it for pretended servers that accept, refuse, put off, hang or hang up, and that
remember what they did; everything else is Exim's own doing, its main log above all. Routers and
transports bear cPanel's names, so that what is read from the log looks as on a cPanel server.

    with real_exim() as exim:
        exim.submit("shop@example.com", ["amy@accepts.example"])
        exim.wait_until_idle()
        ... exim.mainlog, exim.user_domains, exim.held(), exim.outside.heard, exim.delivered("ann")
"""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.exim_setup import ALIASES, CONFIGURATION
from tests.e2e.outside import MANNERS, Manner, Outside
from tests.e2e.programs import PATIENCE_SECONDS, free_port, program, running, wait_for

HOSTNAME = "mx.example.net"
CPANEL_LOGS = (
    "+incoming_port +outgoing_port +subject +received_recipients +received_sender"
    " +sender_on_delivery +smtp_confirmation"
)
USER_DOMAINS = "example.com: shop\nexample.org: office\n"

_HELD = re.compile(
    r" *\d+[mhd] +(?P<size>[\d.]+[KM]?) +(?P<id>\S+) <(?P<sender>.*)>(?P<frozen> \*.*)?"
)


class Held(NamedTuple):
    """A message in Exim's queue; *recipients* are those that aren't done.

    ``size`` is as shown: bytes below 1,024, and from there on a rounded figure with a letter.
    """

    msgid: str
    sender: str
    recipients: frozenset[str]
    is_frozen: bool
    size: str


class RealExim:
    """A running Exim daemon, its files and its commands.

    Attributes:
        user: who it works as; its bounces are that user's.
        folder: holds everything.
        outside: the servers that it sends to.
        mainlog: its main log.
        user_domains: a file like cPanel's: example.com is the account shop, example.org office.
    """

    def __init__(self, binary: str, user: str, folder: Path, port: int, outside: Outside) -> None:
        self._command = (binary, "-C", str(folder / "configure"))
        self._port = port
        self.user = user
        self.folder = folder
        self.outside = outside
        self.mainlog = folder / "log" / "mainlog"
        self.user_domains = folder / "userdomains"

    def submit(
        self,
        sender: str,
        recipients: Sequence[str],
        *,
        login: str | None = None,
        source: str = "127.0.0.77",
    ) -> dict[str, tuple[int, bytes]]:
        """Hand a message in over SMTP, from the address *source*; gives the refused recipients."""
        with smtplib.SMTP(
            "127.0.0.1", self._port, "client.example.org", 10, source_address=(source, 0)
        ) as client:
            client.ehlo()
            if login is not None:
                client.login(login, "a password")
            try:
                return client.sendmail(sender, recipients, f"Subject: to {recipients[0]}\r\n\r\nHi")
            except smtplib.SMTPRecipientsRefused as refused:
                return refused.recipients

    def submit_locally(self, sender: str, recipients: Sequence[str]) -> None:
        """Hand a message in as a program of root's on the same machine does."""
        self.run("-f", sender or "<>", *recipients, text="Subject: from a program\n\nHi\n")

    def run(self, *arguments: str, text: str = "") -> str:
        """Run an Exim command to its end and give what it printed."""
        return subprocess.run(
            (*self._command, *arguments),
            input=text,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        ).stdout

    def hold(self, is_held: bool) -> None:
        """From now on let mail wait in the queue, or deliver it at once as usual."""
        if is_held:
            (self.folder / "hold").touch()
        else:
            (self.folder / "hold").unlink()

    def held(self) -> set[Held]:
        """What ``exim -bp`` shows."""
        found: set[Held] = set()
        for block in self.run("-bp").split("\n\n"):
            head, *recipients = block.strip("\n").split("\n")
            message = _HELD.fullmatch(head)
            if message is not None:
                waiting = frozenset(line.strip() for line in recipients if line[8:9] != "D")
                is_frozen = message["frozen"] is not None
                found.add(
                    Held(message["id"], message["sender"], waiting, is_frozen, message["size"])
                )
        return found

    def wait_until_idle(self) -> None:
        """Until no process is delivering any more."""
        wait_for(lambda: len(self.processes()) <= 1 or None, "Exim's deliveries")

    def processes(self) -> list[int]:
        """Ids of this Exim's processes: the daemon, and one for each thing it does."""
        configuration = os.fsencode(self._command[-1])
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if configuration in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
        return found

    def delivered(self, mailbox: str) -> Counter[str]:
        """Messages in a mailbox by envelope sender."""
        path = self.folder / "mail" / mailbox
        text = path.read_text() if path.exists() else ""
        senders = re.findall(r"^From (\S+) ", text, re.MULTILINE)
        return Counter("" if sender == "MAILER-DAEMON" else sender for sender in senders)

    def rotate(self) -> None:
        """Rename the main log, as exicyclog does."""
        self.mainlog.rename(self.mainlog.with_name("mainlog.01"))


@contextmanager
def real_exim(
    *,
    log_selector: str = CPANEL_LOGS,
    timezone: str = "UTC",
    extra: str = "",
    manners: Sequence[Manner] = MANNERS,
) -> Iterator[RealExim]:
    """An Exim that listens and delivers until the block ends.

    Args:
        log_selector: what its log shows.
        timezone: of its log.
        extra: further main options, a line each.
        manners: the servers outside.
    """
    binary = program("exim4")
    if os.geteuid() != 0:
        message = "Exim obeys a configuration of root's only, and these tests don't run as root"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    # Not below pytest's folder: nobody but its owner may enter that, and Exim delivers as another.
    folder = Path(tempfile.mkdtemp(prefix="exim-"))
    try:
        with Outside(manners) as outside:
            folder.chmod(0o755)
            options = {"log_selector": log_selector, "timezone": timezone, "extra": extra}
            user = _own_user(binary)
            _write_files(folder, user, outside, options)
            exim = RealExim(binary, user, folder, free_port(), outside)
            with _daemon(exim):
                yield exim
    finally:
        shutil.rmtree(folder)


def _own_user(binary: str) -> str:
    """Who Exim works as, by how it was built."""
    command = (binary, "-C", "/dev/null", "-bP", "exim_user")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]


def _write_files(folder: Path, user: str, outside: Outside, options: dict[str, str]) -> None:
    configuration = CONFIGURATION.format(folder=folder, hostname=HOSTNAME, user=user, **options)
    for name, text in (
        ("configure", configuration),
        ("aliases", ALIASES.format(folder=folder)),
        ("hosts", "".join(f"{name}: {host}::{port}\n" for name, host, port in outside.addresses)),
        ("userdomains", USER_DOMAINS),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o644)
    for name in ("spool", "log", "mail"):
        (folder / name).mkdir()
        shutil.chown(folder / name, user)


@contextmanager
def _daemon(exim: RealExim) -> Iterator[None]:
    arguments = (*exim._command, "-bdf", "-oX", f"127.0.0.1.{exim._port}")
    log = exim.folder / "daemon.txt"
    with _adopting_orphans(), running(*arguments, log=log, stdin=subprocess.DEVNULL) as process:

        def listens() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                with smtplib.SMTP("127.0.0.1", exim._port, "client.example.org", 5):
                    return True
            except OSError:
                return False

        wait_for(listens, "Exim")
        try:
            yield
        finally:
            process.terminate()
            process.wait(10)
            _end_all(exim)


def _end_all(exim: RealExim) -> None:
    """End deliveries that are under way, such as to a server that hangs."""
    end = time.monotonic() + PATIENCE_SECONDS
    while left := exim.processes():
        assert time.monotonic() < end, f"Exim's processes {left} don't end"
        for process_id in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGTERM)
        time.sleep(0.02)


@contextmanager
def _adopting_orphans() -> Iterator[None]:
    """Become the parent of processes whose own one ends, and bury them at the end.

    Exim's deliveries outlive what started them, and the first process of a container may never ask
    how they ended, so that they would be left as zombies.
    """
    set_child_subreaper = 36
    libc = ctypes.CDLL(None)
    libc.prctl(set_child_subreaper, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(set_child_subreaper, 0, 0, 0, 0)
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                name, state, parent = _status(entry)
            except OSError:
                continue
            if name.startswith("exim") and state == "Z" and parent == os.getpid():
                os.waitpid(int(entry.name), 0)


def _status(process: Path) -> tuple[str, str, int]:
    """Name, state and parent of a process by its folder in ``/proc``."""
    front, _, rest = (process / "stat").read_text().rpartition(")")
    state, parent = rest.split()[:2]
    return front.partition("(")[2], state, int(parent)
