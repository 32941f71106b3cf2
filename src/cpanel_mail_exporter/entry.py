"""The way in: a signal to stop is heard from the first instant, while the rest is still imported.

Imports take half a second on a small machine, and who stops a service that has just been started
wants no error for it. Nothing has been begun by then, so there is nothing to clean up. Nor must who
reloads one that has just been started end it: what is to be read again is about to be read.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_ISSUERS = "SSL_CERT_FILE"
"""The variable by which OpenSSL is told another file than the system's."""


def main() -> int:
    """Run the program; see `cli.main` for what it returns."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _not_yet)
    with _no_issuers_loaded():
        from cpanel_mail_exporter import cli  # noqa: PLC0415 - after the signals, see above

    return cli.main()


@contextmanager
def _no_issuers_loaded() -> Iterator[None]:
    """Spare what is imported meanwhile from reading the system's file of issuers' certificates.

    aiohttp makes two SSL contexts of its own when it is imported, and both read it: 2 MB for as
    long as the program runs. None of them is ever used: each server's context is made by `whm.tls`.
    """
    named = os.environ.get(_ISSUERS)
    os.environ[_ISSUERS] = os.devnull
    try:
        yield
    finally:
        if named is None:
            del os.environ[_ISSUERS]
        else:
            os.environ[_ISSUERS] = named


def _end(_number: int, _frame: object) -> None:
    os._exit(0)


def _not_yet(_number: int, _frame: object) -> None:
    """A reload before the program serves; `cli` lets other commands end on a hang-up again."""
