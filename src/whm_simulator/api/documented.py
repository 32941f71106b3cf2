"""What cPanel documents of the functions an exporter of mail may call, and how it is simulated.

The table stands in ``documented.tsv`` beside this file; the reference page is written from it.
"""

import csv
import enum
from importlib.resources import files
from typing import NamedTuple

EVERY_FUNCTION = "every function"
NOT_SIMULATED = "not simulated"


class What(enum.Enum):
    """What an entry is about."""

    FUNCTION = "function"
    PARAMETER = "parameter"
    MEMBER = "member"


class Entry(NamedTuple):
    """One line of the table.

    Attributes:
        function: its name, or ``EVERY_FUNCTION``.
        what: the function as a whole, one of its parameters, or a member of its answer.
        name: of the parameter, or the member's path such as ``data.records[].msgid``; empty for a
            function. Letters that count up (``api.filter.a``, ``b``, ...) show as ``X``.
        how: how it is simulated, in a few words; begins with ``NOT_SIMULATED`` where it isn't.
    """

    function: str
    what: What
    name: str
    how: str

    @property
    def is_simulated(self) -> bool:
        """Whether the simulator has it."""
        return not self.how.startswith(NOT_SIMULATED)


def _read() -> tuple[Entry, ...]:
    text = files(__package__).joinpath("documented.tsv").read_text(encoding="utf-8")
    lines = csv.reader(text.splitlines()[1:], delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(Entry(function, What(what), name, how) for function, what, name, how in lines)


DOCUMENTED: tuple[Entry, ...] = _read()
"""The whole table, in the order in which the page shows it."""
