"""The command line and the CPANEL_MAIL_ variables -> what was asked for, values not yet read.

Flags stand before or after the subcommand. A flag wins over its variable; an empty variable counts
as not set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from cpanel_mail_exporter.config import options
from cpanel_mail_exporter.config.arguments import split_arguments
from cpanel_mail_exporter.config.option import Option
from cpanel_mail_exporter.config.options import FLAGGED
from cpanel_mail_exporter.config.problems import ConfigError, Place, Problem, suggestion

Command = Literal["serve", "once", "check-config", "demo", "explain"]
_WORDS = tuple(word for word in get_args(Command) if word != "serve")
_OF_DEMO = frozenset(
    {
        options.DEMO_SERVERS,
        options.DEMO_SEED,
        options.NO_PROMETHEUS,
        options.LISTEN,
        options.LOG_LEVEL,
        options.LOG_FORMAT,
    }
)
_OF_EXPLAIN = frozenset(
    {
        options.CONFIG_FILE,
        options.RULES_FILE,
        options.PROVIDERS_FILE,
        *(option for option in FLAGGED if option.group == options.EXPLAIN),
    }
)
_ALONE = {"demo": "the demo", "explain": "explain"}
_ONLY_OF: dict[str, Command] = {options.DEMO: "demo", options.EXPLAIN: "explain"}


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it was given.

    Attributes:
        source: the flag with its dashes, the variable's name, or check-config.
        text: not shown, it may be a token.
    """

    source: str
    text: str = field(repr=False)
    is_on_command_line: bool


@dataclass(frozen=True, slots=True)
class Invocation:
    """What was asked for.

    Attributes:
        command: the subcommand, `serve` if there was none.
        values: what flags and variables gave, not yet checked.
        problems: contradictions among them; `load` tells them with those of the values.
        text: what `explain` was given; None if it is to read standard input.
    """

    command: Command
    values: Mapping[Option[Any], Given]
    problems: tuple[Problem, ...] = ()
    text: str | None = None


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> Invocation:
    """Read the arguments (without the program's name) and the variables.

    Raises:
        ConfigError: an unknown flag or word, or a flag without its value.
        SystemExit: with 0, after printing what --help or --version asks for.
    """
    given, command, file, text = _read_line(arguments)
    values: dict[Option[Any], Given] = {}
    problems: list[Problem] = []
    for option in FLAGGED:
        if not _belongs_to(option, command):
            if option in given:
                problems.append(_misplaced(given[option][0], option, command))
            continue
        found = given.get(option) or _of_environment(option, environ)
        if found:
            values[option] = found[-1]
            problems.extend(_contradictions(option, found))
    if file is not None:
        named = values.get(options.CONFIG_FILE)
        if named is not None and named.is_on_command_line and named.text != file.text:
            problems.append(
                Problem(Place(named.source), "names another file than check-config; name one")
            )
        values[options.CONFIG_FILE] = file
    return Invocation(command, values, tuple(problems), text)


def _read_line(
    arguments: Sequence[str],
) -> tuple[dict[Option[Any], list[Given]], Command, Given | None, str | None]:
    flags, words = split_arguments(arguments)
    by_flag = {f"--{flag}": option for option in FLAGGED for flag in option.flags}
    given: dict[Option[Any], list[Given]] = {}
    for flag, text in flags:
        given.setdefault(by_flag[flag], []).append(Given(flag, text, is_on_command_line=True))
    return given, *_command_of(words)


def _command_of(words: Sequence[str]) -> tuple[Command, Given | None, str | None]:
    command: Command = "serve"
    rest = list(words)
    for known in get_args(Command):
        if rest and rest[0] == known and known != "serve":
            command = known
            del rest[0]
            break
    file = None
    if command == "check-config" and rest:
        file = Given("check-config", rest.pop(0), is_on_command_line=True)
    if command == "explain":
        return command, None, " ".join(rest) if rest else None
    if rest:
        near = suggestion(rest[0], _WORDS) if command == "serve" else ""
        raise ConfigError(
            [
                Problem(
                    Place("command line"),
                    f"holds a word that is no flag's value{near or '; see --help'}",
                )
            ]
        )
    return command, file, None


def _of_environment(option: Option[Any], environ: Mapping[str, str]) -> list[Given]:
    return [
        Given(name, environ[name], is_on_command_line=False)
        for name in reversed(option.variables)
        if environ.get(name)
    ]


def _contradictions(option: Option[Any], found: Sequence[Given]) -> list[Problem]:
    last = found[-1]
    for other in found[:-1]:
        if other.text == last.text:
            continue
        if other.source != last.source:
            sentence = f"differs from {other.source}, which is the same setting; give one of them"
            return [Problem(Place(last.source), sentence)]
        if option is options.ENDPOINT:
            sentence = "names two servers; for more than one use --config.file FILE"
            return [Problem(Place(last.source), sentence)]
    return []


def _belongs_to(option: Option[Any], command: Command) -> bool:
    if command == "demo":
        return option in _OF_DEMO
    if command == "explain":
        return option in _OF_EXPLAIN
    return option.group not in _ONLY_OF


def _misplaced(given: Given, option: Option[Any], command: Command) -> Problem:
    place = Place(given.source)
    if command == "demo":
        return Problem(place, "isn't for the demo, which brings its own; leave it out")
    only = _ONLY_OF.get(option.group, "")
    if not only:
        return Problem(place, f"has no use for {command}; leave it out")
    return Problem(place, f"is for {_ALONE[only]} alone; write '{only}' or leave it out")
