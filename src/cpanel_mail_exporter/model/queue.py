"""The mail queue of a server: its messages, and what they come to, summed up as they arrive."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

AGES: Mapping[str, int] = {
    "5m": 300,
    "30m": 1_800,
    "1h": 3_600,
    "4h": 14_400,
    "1d": 86_400,
    "4d": 4 * 86_400,
}
"""Ages that messages are counted beyond, in seconds by the name they are shown under.

Exim's own steps: retries every 15 minutes for two hours and then ever less often, given up after
four days.
"""

_MOST_USERS = 50_000


class QueuedMessage(NamedTuple):
    """One message of fetch_mail_queue.

    Attributes:
        is_bounce: its sender is empty, as that of every report on mail is.
        is_frozen: Exim tries it no more.
        size_bytes: 0 if the server doesn't say.
        arrived_unix: when the server took it.
        recipients: addresses it still waits for, none if the server doesn't say.
        user: account it belongs to, empty if the server names none.
    """

    is_bounce: bool
    is_frozen: bool
    size_bytes: int
    arrived_unix: int
    recipients: Sequence[str]
    user: str


@dataclass(frozen=True, slots=True)
class QueueSummary:
    """What a whole queue comes to.

    Attributes:
        messages: all of them.
        frozen: those that Exim tries no more.
        bounces: those without a sender.
        size_bytes: of all messages.
        oldest_unix: when the oldest arrived, None if there is none.
        older: messages older than each of AGES, by its name.
        recipients: recipients by mailbox provider.
        users: messages by user.
        of_more_users: messages of users beyond those, who are too many to be told apart.
    """

    messages: int = 0
    frozen: int = 0
    bounces: int = 0
    size_bytes: int = 0
    oldest_unix: int | None = None
    older: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(AGES, 0))
    recipients: Mapping[str, int] = field(default_factory=dict)
    users: Mapping[str, int] = field(default_factory=dict)
    of_more_users: int = 0


class QueueTally:
    """Takes the messages of a queue batch by batch, and keeps none of them.

    What it keeps is bounded: numbers by age, by provider, and by the first 50,000 users. A batch
    is taken column by column, which costs half of what a look at each message would.

    Args:
        now_unix: the server's own time, which ages are reckoned by.
        provider: the mailbox provider behind a mail exchanger (empty here: the queue doesn't
            name one) and a recipient's domain.
    """

    def __init__(self, now_unix: int, provider: Callable[[str, str], str]) -> None:
        self._provider = provider
        # Messages that arrived at an edge are not older than it; oldest age first.
        self._edges = [now_unix - seconds for seconds in reversed([*AGES.values()])]
        self._by_age: Counter[int] = Counter()
        self._messages = 0
        self._frozen = 0
        self._bounces = 0
        self._size_bytes = 0
        self._oldest: int | None = None
        self._recipients: Counter[str] = Counter()
        self._users: Counter[str] = Counter()
        self._of_more_users = 0

    def add(self, batch: Sequence[QueuedMessage]) -> None:
        """Take some messages."""
        if not batch:
            return
        bounces, frozen, sizes, arrivals, recipients, users = zip(*batch, strict=True)
        self._messages += len(batch)
        self._bounces += sum(bounces)
        self._frozen += sum(frozen)
        self._size_bytes += sum(sizes)
        oldest = min(arrivals)
        self._oldest = oldest if self._oldest is None else min(oldest, self._oldest)
        edges = self._edges
        self._by_age.update([bisect_right(edges, arrived) for arrived in arrivals])
        # Each domain is looked up once for a batch, as most are of a few.
        domains = Counter([to[to.rfind("@") + 1 :] for some in recipients for to in some])
        for domain, count in domains.items():
            self._recipients[self._provider("", domain)] += count
        self._add_users(users)

    def summary(self) -> QueueSummary:
        """What all messages together come to."""
        counts = [self._by_age[place] for place in range(len(self._edges))]
        older = reversed(list(accumulate(counts)))
        return QueueSummary(
            messages=self._messages,
            frozen=self._frozen,
            bounces=self._bounces,
            size_bytes=self._size_bytes,
            oldest_unix=self._oldest,
            older=dict(zip(AGES, older, strict=True)),
            recipients=dict(self._recipients),
            users=dict(self._users),
            of_more_users=self._of_more_users,
        )

    def _add_users(self, users: Sequence[str]) -> None:
        if len(self._users) + len(users) <= _MOST_USERS:
            self._users.update(users)
            return
        for user in users:
            if user in self._users or len(self._users) < _MOST_USERS:
                self._users[user] += 1
            else:
                self._of_more_users += 1
