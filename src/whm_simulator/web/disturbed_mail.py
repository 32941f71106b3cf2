"""A server's mail as its API sees it while faults of the data last.

All functions read the same disturbed rows, so they go on to agree with each other; the queue is
Exim's own and stays as it is. Which rows are hit depends on the rows alone, so every call sees the
same ones.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from whm_simulator.mail.overlay import Overlay
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Mail, Span
from whm_simulator.mail.sums import Sender, Sums, sums_of
from whm_simulator.web.faults import MAIL, Fault


def disturbed(mail: Mail, faults: Sequence[Fault]) -> Mail:
    """*mail* with those of *faults* that concern it, *mail* itself if none does."""
    hitting = tuple(fault for fault in faults if fault.kind.stage == MAIL)
    return DisturbedMail(mail, hitting) if hitting else mail


@dataclass(frozen=True, slots=True)
class DisturbedMail(Overlay):
    """*mail* seen through *faults*, in their order."""

    faults: tuple[Fault, ...]

    def rows(
        self, now_unix: float, span: Span | None = None, acted: Span | None = None
    ) -> list[Row]:
        """The rows that are left, oldest send time first."""
        if any(fault.fault == "eximstats_off" for fault in self.faults):
            return []
        rows = self.mail.rows(now_unix, span, acted)
        for fault in self.faults:
            rows = _CHANGES[fault.fault](rows, fault.amount, now_unix)
        return rows

    def sums(self, now_unix: float, span: Span | None = None) -> dict[Sender, Sums]:
        """Sums over the rows that are left."""
        return sums_of(self.rows(now_unix, span))


def _duplicated(rows: list[Row], share: float, _now_unix: float) -> list[Row]:
    return [row for row in rows for _ in range(2 if _is_among(share, b"twice", row) else 1)]


def _missing(rows: list[Row], share: float, _now_unix: float) -> list[Row]:
    return [row for row in rows if not _is_among(share, b"missing", row)]


def _purged(rows: list[Row], seconds: float, now_unix: float) -> list[Row]:
    oldest_unix = math.ceil(now_unix - seconds)
    return [row for row in rows if row.sendunixtime >= oldest_unix]


_CHANGES: dict[str, Callable[[list[Row], float, float], list[Row]]] = {
    "duplicated_rows": _duplicated,
    "missing_rows": _missing,
    "purge": _purged,
}


def _is_among(share: float, salt: bytes, row: Row) -> bool:
    """Whether *row* is among the *share* of all rows that *salt* picks."""
    key = f"{row.msgid} {row.recipient} {row.type} {row.actionunixtime}"
    digest = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=4, key=salt).digest()
    return int.from_bytes(digest) < share * 2**32
