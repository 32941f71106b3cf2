"""What a setting is: its names on the command line and in the files, its check, its default."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

T = TypeVar("T")

Form = Literal["text", "duration", "window", "whole number", "true or false", "list", "mapping"]
"""How a value is written in YAML."""

ENVIRONMENT_PREFIX = "CPANEL_MAIL_"


@dataclass(frozen=True, slots=True, eq=False)
class Option(Generic[T]):
    """One setting.

    Attributes:
        sentence: what it is for.
        parse: text to checked value; ValueError with one sentence.
        form: how it is written in YAML; `true or false` needs no value as a flag.
        flags: its names on the command line, without dashes; the first is the usual one.
        key: its path in the configuration file.
        web_key: its path in the web configuration file.
        default: as it would be written; empty where there is none.
        default_note: the default in words, where it can't be written.
        group: heading under which help and reference show the flag.
        shape: what stands for the value in help and reference.
    """

    sentence: str
    parse: Callable[[str], T]
    form: Form = "text"
    flags: tuple[str, ...] = ()
    key: str = ""
    web_key: str = ""
    default: str = ""
    default_note: str = ""
    group: str = ""
    shape: str = "TEXT"

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables that stand for its flags."""
        return tuple(map(variable, self.flags))

    @property
    def shown_default(self) -> str:
        """What help says of the default."""
        if self.default_note == "required":
            return self.default_note
        return f"default: {self.default_note or self.default or 'none'}"


def variable(flag: str) -> str:
    """The environment variable of a flag.

    >>> variable("tls.ca-file")
    'CPANEL_MAIL_TLS_CA_FILE'
    """
    return ENVIRONMENT_PREFIX + flag.upper().replace(".", "_").replace("-", "_")
