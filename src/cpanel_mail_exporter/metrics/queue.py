"""A queue, summed up -> its families, the one by user within a bound."""

from collections.abc import Mapping
from dataclasses import dataclass

from cpanel_mail_exporter.ledger.budget import OTHER_LABEL
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.model.family import Family, FamilySamples
from cpanel_mail_exporter.model.queue import AGES, QueueSummary


@dataclass(frozen=True, slots=True)
class QueueFamilies:
    """The families.

    Attributes:
        users_shown: users with a series of their own.
        users_wanted: users with messages in the queue; where there are too many to be told apart,
            those that were and one more.
    """

    families: list[FamilySamples]
    users_shown: int
    users_wanted: int


def mail_queue(queue: QueueSummary, *, user_limit: int) -> QueueFamilies:
    """What a whole queue comes to; an empty one is shown with zeros, and without an oldest message.

    Args:
        queue: all of it.
        user_limit: the most users with a series of their own, those with most messages; what the
            others have is in `_other`. 0 for all.
    """
    users = dict(queue.users)
    others = queue.of_more_users + users.pop(OTHER_LABEL, 0)
    ranked = sorted(users, key=lambda user: (-users[user], user))
    kept = ranked[:user_limit] if user_limit else ranked
    others += sum(users[user] for user in ranked[len(kept) :])
    of_users = {user: users[user] for user in sorted(kept)}
    if others:
        of_users[OTHER_LABEL] = others
    return QueueFamilies(
        [
            _by_name(
                catalogue.QUEUE_MESSAGES,
                {"active": queue.messages - queue.frozen, "frozen": queue.frozen},
            ),
            _one(catalogue.QUEUE_BYTES, queue.size_bytes),
            _one(catalogue.QUEUE_BOUNCES, queue.bounces),
            _one(catalogue.QUEUE_OLDEST, queue.oldest_unix),
            _by_name(catalogue.QUEUE_OLDER, {age: queue.older[age] for age in AGES}),
            _by_name(catalogue.QUEUE_RECIPIENTS, dict(sorted(queue.recipients.items()))),
            _by_name(catalogue.QUEUE_USER_MESSAGES, of_users),
        ],
        users_shown=len(kept),
        users_wanted=len(users) + (1 if queue.of_more_users else 0),
    )


def _one(family: Family, value: int | None) -> FamilySamples:
    return FamilySamples(family, [] if value is None else [((), value)])


def _by_name(family: Family, values: Mapping[str, int]) -> FamilySamples:
    return FamilySamples(family, [((name,), value) for name, value in values.items()])
