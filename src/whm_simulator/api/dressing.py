"""How an answer writes numbers and members without a value, the same for all functions."""

from typing import Any, NamedTuple

import msgspec


class Dress(NamedTuple):
    """Numbers as ``numbers`` or ``strings``; empty members as ``null``, ``absent`` or ``text``."""

    numbers: str = "numbers"
    empty: str = "null"

    def encode(self, value: object) -> bytes:
        """*value* as JSON."""
        if self == PLAIN_DRESS:
            return msgspec.json.encode(value)
        return msgspec.json.encode(self._dressed(msgspec.to_builtins(value)))

    def _dressed(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {
                name: self._dressed(member)
                for name, member in value.items()
                if member is not None or self.empty != "absent"
            }
        if isinstance(value, list):
            return [self._dressed(member) for member in value]
        if value is None:
            return "" if self.empty == "text" else None
        return str(value) if isinstance(value, int) and self.numbers == "strings" else value


PLAIN_DRESS = Dress()
"""As documented: numbers as numbers, and null."""
