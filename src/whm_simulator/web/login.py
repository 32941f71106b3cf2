"""Who may call a server: users with a token and ACLs, and the check of what a client sends."""

import hmac
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

from whm_simulator.api.visit import Caller

_CAPITALS_AND_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_SCHEME = "whm "


class Login(NamedTuple):
    """A user of every server.

    Attributes:
        user: its name.
        acls: the privileges of its token.
        token: empty for one of each server's own.
    """

    user: str
    acls: tuple[str, ...]
    token: str = ""

    def __repr__(self) -> str:
        """Without the token."""
        return f"Login(user={self.user!r}, acls={self.acls!r})"


class Logins:
    """The users of one server, and their tokens."""

    def __init__(self, logins: Iterable[Login]) -> None:
        self._known = {
            login.user: (_bytes(login.token), Caller(login.user, frozenset(login.acls)))
            for login in logins
        }

    def caller_of(self, authorization: str) -> Caller | None:
        """Who sent this Authorization header (``whm USER:TOKEN``); None if it is no good."""
        if not authorization.startswith(_SCHEME):
            return None
        user, _, token = authorization.removeprefix(_SCHEME).partition(":")
        wanted, caller = self._known.get(user, (b"", None))
        if caller is None or not hmac.compare_digest(_bytes(token), wanted):
            return None
        return caller


def token_of(seed: str, server: str, user: str = "root") -> str:
    """The token that *server* gives *user* where none is given: 32 capitals and digits, as WHM's.

    Each login has its own, and the same again in every run with this seed.
    """
    whose = server if user == "root" else f"{server}/{user}"
    digest = blake2b(f"token/{seed}/{whose}".encode(), digest_size=32).digest()
    return "".join(_CAPITALS_AND_DIGITS[byte % len(_CAPITALS_AND_DIGITS)] for byte in digest)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
