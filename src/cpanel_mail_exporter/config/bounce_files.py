"""The files that say why mail fails and who takes it: the user's, then the package's own.

Read when the configuration is checked, at start, and again on SIGHUP.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cpanel_mail_exporter import bounces
from cpanel_mail_exporter.bounces import providers
from cpanel_mail_exporter.bounces.classifier import Classifier, mistaken_examples
from cpanel_mail_exporter.bounces.providers import (
    ProviderMistakes,
    Providers,
    ProviderTable,
    providers_from_toml,
)
from cpanel_mail_exporter.bounces.rules import PACKAGE_FILES, Rule, RuleMistakes, rules_from_toml
from cpanel_mail_exporter.config import options
from cpanel_mail_exporter.config.precedence import Values
from cpanel_mail_exporter.config.problems import ConfigError, Place, Problem
from cpanel_mail_exporter.config.reading import read_regular
from cpanel_mail_exporter.config.settings import BouncesSettings

_LIMIT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BounceKnowledge:
    """What is known about replies and places.

    Attributes:
        own_rules: those of the user's file.
        own_places: names of exchangers and domains in the user's file.
    """

    classifier: Classifier
    providers: Providers
    own_rules: int
    own_places: int


def named_files(values: Values) -> BouncesSettings:
    """The files that flags, variables or the configuration name."""
    rules, providers = values.find(options.RULES_FILE), values.find(options.PROVIDERS_FILE)
    return BouncesSettings(
        rules_file=rules.value if rules else None,
        providers_file=providers.value if providers else None,
    )


def read_bounce_files(named: BouncesSettings) -> BounceKnowledge:
    """Read and check the files that *named* names, and put them before the package's.

    Raises:
        ConfigError: with every mistake in both files.
    """
    problems: list[Problem] = []
    rules = _rules(named.rules_file, problems)
    table = _providers(named.providers_file, problems)
    classifier = Classifier([*rules, *package_rules()])
    if named.rules_file is not None:
        place = Place(str(named.rules_file))
        problems += [Problem(place, line) for line in mistaken_examples(rules, classifier)]
    if problems:
        raise ConfigError(problems)
    return BounceKnowledge(
        classifier,
        Providers([table, package_providers()]),
        own_rules=len(rules),
        own_places=len(table.mx) + len(table.domains),
    )


@cache
def package_rules() -> tuple[Rule, ...]:
    """The rules of all files of the package, in the order they are tried.

    Tests have checked their patterns: to do it again would take most of the time of a start.
    """
    return tuple(
        rule
        for name in PACKAGE_FILES
        for rule in rules_from_toml(
            _of_package(name), name.rpartition("/")[2], patterns_are_checked=True
        )
    )


@cache
def package_providers() -> ProviderTable:
    """The package's own table of providers."""
    return providers_from_toml(_of_package(providers.PACKAGE_FILE), providers.PACKAGE_FILE)


def _of_package(name: str) -> str:
    return Path(bounces.__path__[0], name).read_text(encoding="utf-8")


def _rules(path: Path | None, problems: list[Problem]) -> tuple[Rule, ...]:
    if path is None:
        return ()
    try:
        return rules_from_toml(_text(path), "")
    except RuleMistakes as error:
        problems += [Problem(Place(str(path)), mistake) for mistake in error.mistakes]
    except ValueError as error:
        problems.append(Problem(Place("bounces.rules_file"), str(error)))
    return ()


def _providers(path: Path | None, problems: list[Problem]) -> ProviderTable:
    if path is None:
        return ProviderTable()
    try:
        return providers_from_toml(_text(path), "")
    except ProviderMistakes as error:
        problems += [Problem(Place(str(path)), mistake) for mistake in error.mistakes]
    except ValueError as error:
        problems.append(Problem(Place("bounces.providers_file"), str(error)))
    return ProviderTable()


def _text(path: Path) -> str:
    data = read_regular(path, _LIMIT_BYTES).data
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} isn't UTF-8 text; save the file as UTF-8") from None
