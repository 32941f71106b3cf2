"""The command line as it was written: flags with their values, and the other words.

Every flag works with one dash or two. Words that aren't understood are never repeated, since one
of them may be a token.
"""

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from cpanel_mail_exporter import __version__
from cpanel_mail_exporter.config.option import Option
from cpanel_mail_exporter.config.options import FLAGGED
from cpanel_mail_exporter.config.problems import ConfigError, Place, Problem, suggestion

DISTRIBUTION = "cpanel-mail-exporter"

# Stands for a flag of true or false that came as --flag=VALUE; no one can mean to type it.
_WITH_VALUE = "\0"

_USAGE = f"{DISTRIBUTION} [once | check-config FILE | demo | explain [TEXT]] [flags]"
_DESCRIPTION = """\
Serves the mail statistics of cPanel & WHM servers to Prometheus.

  (no word)          poll the servers again and again, and serve what they told
  once               poll each server once, print the metrics, exit 1 if a poll failed
  check-config FILE  read a configuration file, tell all mistakes, exit 2 if there are any
  demo               simulated servers and an exporter that polls them, to look around
  explain [TEXT]     say why a delivery with this text failed, and by which rule;
                     without TEXT, for each line of standard input

To start with one server:   cpanel-mail-exporter --endpoint HOST:2087 --apikey-file FILE
To start with many:         cpanel-mail-exporter --config.file FILE
"""
_EPILOG = """\
One dash does as well as two. Each flag can be given as the environment variable in brackets;
flags win over variables, variables over the configuration file, the file over defaults.
"""


def split_arguments(arguments: Sequence[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Tell flags from other words.

    Returns:
        Pairs of flag (with two dashes) and value, and the words that belong to no flag.

    Raises:
        ConfigError: unknown flags, or a flag without its value.
        SystemExit: with 0, after printing what --help or --version asks for.
    """
    recorded: list[tuple[str, str]] = []
    try:
        _, rest = _parser(recorded).parse_known_args(list(map(_in_one_spelling, arguments)))
    except argparse.ArgumentError as error:
        flag = (error.argument_name or "command line").split("/")[0]
        raise ConfigError([Problem(Place(flag), "needs a value; see --help")]) from None
    unknown = [word for word in rest if word.startswith("-") and word != "--"]
    if unknown:
        raise ConfigError(_unknown_flag(word) for word in unknown)
    return recorded, [word for word in rest if word != "--"]


def help_text() -> str:
    """What --help prints."""
    return _parser([]).format_help()


def version_text() -> str:
    """What --version prints: the program's name and its version."""
    return f"{DISTRIBUTION} {__version__}"


def _in_one_spelling(argument: str) -> str:
    """`-flag` as `--flag`; `--flag=VALUE` of a flag that needs none, so that it takes it."""
    if re.match(r"-[A-Za-z]{2}", argument):
        argument = f"-{argument}"
    name, equals, text = argument.partition("=")
    switches = {f"--{flag}" for option in FLAGGED if _is_switch(option) for flag in option.flags}
    return f"{name}{_WITH_VALUE}={text}" if equals and name in switches else argument


def _unknown_flag(argument: str) -> Problem:
    # Only what is surely a name is repeated, not what follows '='.
    name = argument.partition("=")[0].replace(_WITH_VALUE, "")
    if not re.fullmatch(r"-{1,2}[a-z][a-z0-9._-]{0,40}", name):
        name = "command line"
    near = suggestion(name, (f"--{flag}" for option in FLAGGED for flag in option.flags))
    return Problem(Place(name), f"there is no such flag{near or '; see --help'}")


def _is_switch(option: Option[Any]) -> bool:
    return option.form == "true or false"


class _Record(argparse.Action):
    """Notes the flag as it was written and its value."""

    def __init__(self, *, recorded: list[tuple[str, str]], **settings: Any) -> None:
        super().__init__(**settings)
        self._recorded = recorded

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002
        namespace: argparse.Namespace,  # noqa: ARG002
        values: Any,
        option_string: str | None = None,
    ) -> None:
        flag = (option_string or "").removesuffix(_WITH_VALUE)
        self._recorded.append((flag, "true" if self.nargs == 0 else values))


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:  # noqa: ARG002
        """Never show argparse's own sentence: it may repeat a value."""
        raise ConfigError([Problem(Place("command line"), "can't be read; see --help")])


def _parser(recorded: list[tuple[str, str]]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=DISTRIBUTION,
        usage=_USAGE,
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
        exit_on_error=False,
    )
    for group in dict.fromkeys(option.group for option in FLAGGED):
        section = parser.add_argument_group(group)
        for option in FLAGGED:
            if option.group == group:
                _add(section, option, recorded)
    general = parser.add_argument_group("About")
    general.add_argument("-h", "--help", action="help", help="Show this and exit.")
    general.add_argument(
        "--version",
        action="version",
        version=version_text(),
        help="Show name and version, and exit.",
    )
    return parser


def _add(
    section: argparse._ArgumentGroup, option: Option[Any], recorded: list[tuple[str, str]]
) -> None:
    names = ", ".join(option.variables)
    told = f"{option.sentence} [{names}] ({option.shown_default})".replace("%", "%%")
    flags = [f"--{flag}" for flag in option.flags]
    if not _is_switch(option):
        section.add_argument(
            *flags, action=_Record, recorded=recorded, metavar=option.shape, help=told
        )
        return
    section.add_argument(*flags, action=_Record, recorded=recorded, nargs=0, help=told)
    section.add_argument(
        *(flag + _WITH_VALUE for flag in flags),
        action=_Record,
        recorded=recorded,
        help=argparse.SUPPRESS,
    )
