"""Authorization header in, verdict out; bcrypt runs in two threads of its own.

bcrypt is slow on purpose, so three things are bounded: what is remembered, how many checks wait,
and how many of these one client may hold. Beyond that the verdict is BUSY, to be answered with 503:
the one who is turned away need not be the one who floods (all clients behind one proxy look alike),
so it isn't told that it did something wrong. A scrape whose password has been checked before never
waits, whatever else is waiting.

Successes and failures are remembered apart: guessing fills only the memory of failures. Failures
are remembered so that a scraper with an outdated password costs one check, not one each interval.
"""

import asyncio
import base64
import hmac
import secrets
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import Enum, auto

from cpanel_mail_exporter.model.secret import Secret

BCRYPT_BYTES = 72
REMEMBERED_FAILURES = 1_000


class Verdict(Enum):
    """What an Authorization header is worth."""

    ALLOWED = auto()
    REFUSED = auto()
    BUSY = auto()


def matches(password: bytes, hashed: bytes) -> bool:
    """Whether *password* is the one behind the bcrypt hash; a broken hash matches nothing.

    bcrypt sees 72 bytes; tools that make hashes drop the rest without a word, so we do as well.
    """
    import bcrypt  # noqa: PLC0415 - only where logins are asked for

    try:
        return bcrypt.checkpw(password[:BCRYPT_BYTES], hashed)
    except ValueError:
        return False


class BasicAuth:
    """Checks user names and passwords against bcrypt hashes.

    Args:
        users: bcrypt hash by user name, at least one.
        check: compares a password with a hash; called in a thread.
        max_waiting: checks that may be under way or wait at once.
        max_waiting_of_one_client: how many of these one client address may hold.
    """

    def __init__(
        self,
        users: Mapping[str, Secret],
        *,
        check: Callable[[bytes, bytes], bool] = matches,
        max_waiting: int = 32,
        max_waiting_of_one_client: int = 4,
    ) -> None:
        self._hashes = {
            name.encode("utf-8", "surrogateescape"): hashed.reveal().encode("utf-8", "replace")
            for name, hashed in users.items()
        }
        self._decoys = tuple(_decoy(hashed) for hashed in self._hashes.values())
        self._check = check
        self._max_waiting = max_waiting
        self._max_waiting_of_one_client = max_waiting_of_one_client
        self._key = secrets.token_bytes(32)
        self._executor = ThreadPoolExecutor(max_workers=2, thread_name_prefix="basic-auth")
        self._successes: set[bytes] = set()
        self._failures: OrderedDict[bytes, None] = OrderedDict()
        self._waiting: dict[bytes, asyncio.Future[bool]] = {}
        self._waiting_of_client: Counter[str] = Counter()

    async def verdict(self, header: str | None, client: str) -> Verdict:
        """Judge the value of one Authorization header (None: absent) sent by address *client*."""
        credentials = _credentials(header)
        if credentials is None:
            return Verdict.REFUSED
        user, password = credentials
        hashed = self._hashes.get(user) or self._decoy_for(user)
        # With the hash as part of the key, and only as much of the password as bcrypt sees, there
        # are never more successes than users.
        key = self._digest(user, password[:BCRYPT_BYTES], hashed)
        if key in self._successes:
            return Verdict.ALLOWED
        if key in self._failures:
            self._failures.move_to_end(key)
            return Verdict.REFUSED
        waiting = self._waiting.get(key) or self._begin(key, password, hashed, client)
        if waiting is None:
            return Verdict.BUSY
        # Another request may wait for the same check, so it outlives the one that began it.
        return Verdict.ALLOWED if await asyncio.shield(waiting) else Verdict.REFUSED

    def close(self) -> None:
        """Drop the checks that haven't begun; those under way end unheard."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _begin(
        self, key: bytes, password: bytes, hashed: bytes, client: str
    ) -> asyncio.Future[bool] | None:
        """Start a check, or None if too many are waiting."""
        if (
            len(self._waiting) >= self._max_waiting
            or self._waiting_of_client[client] >= self._max_waiting_of_one_client
        ):
            return None
        loop = asyncio.get_running_loop()
        check = loop.run_in_executor(self._executor, self._check, password, hashed)
        self._waiting[key] = check
        self._waiting_of_client[client] += 1
        check.add_done_callback(lambda done: self._finish(key, client, done))
        return check

    def _finish(self, key: bytes, client: str, check: asyncio.Future[bool]) -> None:
        del self._waiting[key]
        self._waiting_of_client[client] -= 1
        if not self._waiting_of_client[client]:
            del self._waiting_of_client[client]
        if check.cancelled() or check.exception() is not None:
            return
        if check.result():
            self._successes.add(key)
            return
        self._failures[key] = None
        if len(self._failures) > REMEMBERED_FAILURES:
            self._failures.popitem(last=False)

    def _decoy_for(self, user: bytes) -> bytes:
        """What an unknown user's password is compared with: always the same one for a name.

        Taken from the decoys of all users, so that where costs differ an unknown name takes as
        long as some known one.
        """
        number = int.from_bytes(self._digest(user), "big")
        return self._decoys[number % len(self._decoys)]

    def _digest(self, *parts: bytes) -> bytes:
        framed = b"".join(b"%d:%b" % (len(part), part) for part in parts)
        return hmac.digest(self._key, framed, "sha256")


def _decoy(hashed: bytes) -> bytes:
    """A hash of the same cost that nothing matches: its last part is no result of bcrypt's."""
    import bcrypt  # noqa: PLC0415 - only where logins are asked for

    parts = hashed.split(b"$")
    try:
        return bcrypt.gensalt(int(parts[2])) + b"." * 31
    except (IndexError, ValueError):
        return b""


def _credentials(header: str | None) -> tuple[bytes, bytes] | None:
    """User and password as sent, None if the header isn't well-formed (RFC 7617)."""
    scheme, _, encoded = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return None
    user, colon, password = decoded.partition(b":")
    return (user, password) if colon else None
