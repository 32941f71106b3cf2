"""The newest texts that nobody has a rule for, kept in memory so that rules can grow."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import NamedTuple

from cpanel_mail_exporter.ledger.masking import masked
from cpanel_mail_exporter.model.records import DeliveryRecord

KEPT_TEXTS = 100


class Unexplained(NamedTuple):
    """A counted failure or deferral whose reason is `other`.

    Attributes:
        when: its action time, or else its send time.
        code: the reply code of its text, empty without one.
        provider: who takes the mail.
    """

    record: DeliveryRecord
    when: int
    code: str
    provider: str


class Unclassified(NamedTuple):
    """Events of one kind of text.

    Attributes:
        text: as `masking.masked` gives it.
        code: reply code, empty without one.
        provider: who takes the mail.
        events: how many were counted since the text was first noted.
        last_unix: when the newest of them happened.
    """

    text: str
    code: str
    provider: str
    events: int
    last_unix: int


class UnclassifiedTexts:
    """Takes events, gives the kinds of text that came last, at most KEPT_TEXTS.

    What is kept ends with the process. One thread may note while another reads.

    Args:
        lock: keeps them apart.
    """

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        # Those that came last at the end.
        self._kinds: dict[tuple[str, str, str], Unclassified] = {}

    def note(self, events: Iterable[Unexplained]) -> None:
        """Add *events*, in the order in which they were learned."""
        found = [
            Unclassified(masked(event.record), event.code, event.provider, 1, event.when)
            for event in events
        ]
        if not found:
            return
        with self._lock:
            for one in found:
                kind = one[:3]
                before = self._kinds.pop(kind, None)
                self._kinds[kind] = one if before is None else _together(before, one)
            for kind in list(self._kinds)[: max(0, len(self._kinds) - KEPT_TEXTS)]:
                del self._kinds[kind]

    def newest(self) -> list[Unclassified]:
        """Those that are kept, the newest first."""
        with self._lock:
            return list(reversed(self._kinds.values()))


def _together(before: Unclassified, one: Unclassified) -> Unclassified:
    last_unix = max(before.last_unix, one.last_unix)
    return before._replace(events=before.events + one.events, last_unix=last_unix)
