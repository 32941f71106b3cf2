"""What one account did in a stretch of time of action: a few numbers, and sketches.

Only mail to other servers is meant. Stretches are added up: slots of five minutes to a window of
ten, to an hour, to what is known of an hour for weeks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add, or_
from typing import NamedTuple

from cpanel_mail_exporter.spam_runs.sketch import FEW_BITS, distinct

SLOT_SECONDS = 300
HOUR_SECONDS = 3_600


class Activity(NamedTuple):
    """One account in one slot.

    Attributes:
        tried: recipients of mail that had come within ten minutes before, so first attempts;
            those that cPanel's own limits stopped included.
        delivered: recipients that another server took the mail for.
        deferred: attempts that were put off.
        failed: recipients given up, but for those that cPanel's own limits stopped.
        unknown: of these, recipients that don't exist.
        stopped: recipients and attempts that cPanel's own limits stopped.
        addresses: sketch of the sending addresses.
        networks: sketch of the networks that mail was handed in from, the server's own left out.
        recipients: sketch of the recipients' addresses.
    """

    tried: int = 0
    delivered: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    stopped: int = 0
    addresses: int = 0
    networks: int = 0
    recipients: int = 0

    def with_(self, other: "Activity") -> "Activity":
        """Both together."""
        return Activity(*map(add, self[:6], other[:6]), *map(or_, self[6:], other[6:]))

    def without_sketches(self) -> "Activity":
        """The numbers alone."""
        return Activity(*self[:6])


class HourActivity(NamedTuple):
    """One account in one hour, as it is kept for weeks.

    Attributes:
        tried, delivered, deferred, failed, unknown, stopped: as in `Activity`.
        peak: the largest *tried* of a slot. Where rows of a slot became known after the hour was
            folded it is the larger part, so at most too small.
        addresses, networks: how many different ones; parts are put together in the same way.
    """

    tried: int = 0
    delivered: int = 0
    deferred: int = 0
    failed: int = 0
    unknown: int = 0
    stopped: int = 0
    peak: int = 0
    addresses: int = 0
    networks: int = 0

    def with_(self, other: "HourActivity") -> "HourActivity":
        """Both together."""
        return HourActivity(*map(add, self[:6], other[:6]), *map(max, self[6:], other[6:]))

    @property
    def burst(self) -> int:
        """The most recipients that any ten minutes of the hour can have had."""
        return min(self.tried, 2 * self.peak)


@dataclass(frozen=True, slots=True)
class Window:
    """One account in the last few minutes.

    Attributes:
        tried, delivered, deferred, failed, unknown: as in `Activity`; of the slot in which the
            window begins a part in proportion.
        addresses, networks, recipients: sketches, those of that slot whole.
    """

    tried: float = 0
    delivered: float = 0
    deferred: float = 0
    failed: float = 0
    unknown: float = 0
    addresses: int = 0
    networks: int = 0
    recipients: int = 0

    @property
    def final(self) -> float:
        """Recipients with a final outcome."""
        return self.delivered + self.failed


def slot_of(instant_unix: int) -> int:
    """First second of the slot that an instant is in.

    >>> slot_of(1_000_000)
    999900
    """
    return instant_unix - instant_unix % SLOT_SECONDS


def hour_of(instant_unix: int) -> int:
    """First second of the hour that an instant is in."""
    return instant_unix - instant_unix % HOUR_SECONDS


def window(slots: Mapping[int, Activity], now_unix: int, seconds: int) -> Window:
    """What the last few minutes come to.

    Args:
        slots: by first second; those outside the window are passed over.
        now_unix: its end. What lies ahead of it in the slot that goes on belongs to it.
        seconds: its length.
    """
    start = now_unix - seconds
    tried = delivered = deferred = failed = unknown = 0.0
    addresses = networks = recipients = 0
    for slot, found in slots.items():
        if slot > now_unix or slot + SLOT_SECONDS <= start:
            continue
        share = 1.0 if slot >= start else (slot + SLOT_SECONDS - start) / SLOT_SECONDS
        tried += share * found.tried
        delivered += share * found.delivered
        deferred += share * found.deferred
        failed += share * found.failed
        unknown += share * found.unknown
        addresses |= found.addresses
        networks |= found.networks
        recipients |= found.recipients
    return Window(tried, delivered, deferred, failed, unknown, addresses, networks, recipients)


def folded(slots: Iterable[Sequence[int]]) -> HourActivity:
    """What the slots of one hour come to.

    Args:
        slots: each the numbers of an `Activity`, of which the recipients' sketch may be missing.
    """
    columns = list(zip(*slots, strict=True))
    if not columns:
        return HourActivity()
    tried, delivered, deferred, failed, unknown, stopped = map(sum, columns[:6])
    addresses, networks = (reduce(or_, sketches) for sketches in columns[6:8])
    return HourActivity(
        *(tried, delivered, deferred, failed, unknown, stopped),
        peak=max(columns[0]),
        addresses=distinct(addresses, FEW_BITS),
        networks=distinct(networks, FEW_BITS),
    )
