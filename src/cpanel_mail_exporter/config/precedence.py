"""One setting at a time: from flag or variable, else from the file, else the default."""

from collections.abc import Mapping
from typing import Any, TypeVar

from cpanel_mail_exporter.config.file import FileParts
from cpanel_mail_exporter.config.flags import Given
from cpanel_mail_exporter.config.option import Option
from cpanel_mail_exporter.config.problems import Place, Problems
from cpanel_mail_exporter.config.sections import Found

T = TypeVar("T")


class Values:
    """All values that were given, each checked once; `parts` is put in when the file was read.

    Where a value is wrong that is told, and the next source answers, so that reading can go on
    to the other mistakes.
    """

    def __init__(self, given: Mapping[Option[Any], Given], problems: Problems) -> None:
        self.parts = FileParts()
        self._given: dict[Option[Any], Found[Any]] = {}
        for option, value in given.items():
            place = Place(value.source)
            try:
                self._given[option] = Found(option.parse(value.text), place)
            except ValueError as error:
                problems.add(place, str(error))

    def find(self, option: Option[T]) -> Found[T] | None:
        """The value and where it was written; None if no one wrote one."""
        return self._given.get(option) or self.parts.find(option)

    def value(self, option: Option[T]) -> T:
        """The value, or the option's own default."""
        found = self.find(option)
        return option.parse(option.default) if found is None else found.value

    def value_or(self, option: Option[T], default: T) -> T:
        """The value, or *default* for an option whose default depends on others."""
        found = self.find(option)
        return default if found is None else found.value
