"""The way in: a signal to stop is heard from the first instant, while the rest is still imported.

Imports take half a second on a small machine, and who stops a service that has just been started
wants no error for it. Nothing has been begun by then, so there is nothing to clean up. Nor must who
reloads one that has just been started end it: what is to be read again is about to be read.
"""

import os
import signal


def main() -> int:
    """Run the program; see `cli.main` for what it returns."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, _not_yet)
    from cpanel_mail_exporter import cli  # noqa: PLC0415 - after the signals, see above

    return cli.main()


def _end(_number: int, _frame: object) -> None:
    os._exit(0)


def _not_yet(_number: int, _frame: object) -> None:
    """A reload before the program serves; `cli` lets other commands end on a hang-up again."""
