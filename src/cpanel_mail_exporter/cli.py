"""Command line in, exit code out: what went wrong is one sentence each, never a traceback."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from cpanel_mail_exporter import logs
from cpanel_mail_exporter.app.running import poll_once, serve
from cpanel_mail_exporter.config.explain import load_explain
from cpanel_mail_exporter.config.flags import parse
from cpanel_mail_exporter.config.load import load, load_demo
from cpanel_mail_exporter.config.problems import ConfigError
from cpanel_mail_exporter.metrics.catalogue import reserved_labels
from cpanel_mail_exporter.web.listening import CannotListen
from cpanel_mail_exporter.web.tls import BadCertificate

_OK, _FAILED, _MISTAKEN = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Returns:
        0 when all went well, 1 when a poll of `once` failed or the port can't be had, 2 for
        mistakes in flags, variables or files.
    """
    try:
        return _run(sys.argv[1:] if argv is None else argv)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - before logging is set up
        return _MISTAKEN
    except (CannotListen, BadCertificate) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return _FAILED
    except BrokenPipeError:
        # Who read our output has gone (`once | head`); nothing is left to say, nor to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _OK
    except OSError as error:
        print(f"can't write the output: {error.strerror}", file=sys.stderr)  # noqa: T201
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _FAILED
    except KeyboardInterrupt:
        return _OK


def _run(argv: Sequence[str]) -> int:
    invocation = parse(argv, os.environ)
    if invocation.command != "serve" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    # What only one command needs would stay in the memory of a program that serves for months.
    if invocation.command == "demo":
        from cpanel_mail_exporter import demo  # noqa: PLC0415

        return demo.run(load_demo(invocation))
    if invocation.command == "explain":
        from cpanel_mail_exporter.app.explain import explain  # noqa: PLC0415

        explain(load_explain(invocation), sys.stdin.buffer, sys.stdout)
        return _OK
    settings = load(invocation, os.environ, reserved_labels=reserved_labels())
    logs.set_up(settings.log_level, settings.log_format)
    if invocation.command == "check-config":
        for warning in settings.warnings:
            print(f"warning: {warning}", file=sys.stderr)  # noqa: T201
        print(f"configuration is fine: {len(settings.servers)} servers")  # noqa: T201
        return _OK
    if invocation.command == "once":
        return _OK if asyncio.run(poll_once(settings)) else _FAILED
    asyncio.run(serve(settings))
    return _OK
