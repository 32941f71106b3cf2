"""A queue becomes its families: zeros for an empty one, and a bound on users that is shown."""

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.metrics.queue import mail_queue
from cpanel_mail_exporter.model.queue import QueueSummary

EMPTY_AGES = {"5m": 0, "30m": 0, "1h": 0, "4h": 0, "1d": 0, "4d": 0}


def shown(queue: QueueSummary, limit: int = 0) -> dict[str, dict[str, object]]:
    """Samples of every family by the values of their labels; whole, so nothing hides."""
    return {
        part.family.name.removeprefix("cpanel_mail_queue_"): {
            ",".join(labels): value for labels, value in part.samples
        }
        for part in mail_queue(queue, user_limit=limit).families
    }


def test_an_empty_queue_is_shown_with_zeros_and_without_an_oldest_message() -> None:
    assert shown(QueueSummary()) == {
        "messages": {"active": 0, "frozen": 0},
        "bytes": {"": 0},
        "bounce_messages": {"": 0},
        "oldest_message_timestamp_seconds": {},
        "older_messages": EMPTY_AGES,
        "recipients": {},
        "user_messages": {},
    }


def test_every_figure_of_a_queue_has_its_place() -> None:
    queue = QueueSummary(
        messages=9,
        frozen=2,
        bounces=3,
        size_bytes=7_301,
        oldest_unix=1_795_250_000,
        older=EMPTY_AGES | {"5m": 4, "30m": 1},
        recipients={"other": 5, "google": 8},
        users={"shop": 6, "": 3},
    )
    assert shown(queue) == {
        "messages": {"active": 7, "frozen": 2},
        "bytes": {"": 7_301},
        "bounce_messages": {"": 3},
        "oldest_message_timestamp_seconds": {"": 1_795_250_000},
        "older_messages": EMPTY_AGES | {"5m": 4, "30m": 1},
        "recipients": {"google": 8, "other": 5},
        "user_messages": {"": 3, "shop": 6},
    }


def test_users_with_most_messages_are_kept_and_the_rest_is_in_other() -> None:
    users = {"a": 1, "b": 5, "c": 5, "d": 9, "_other": 4}
    queue = QueueSummary(messages=26, users=users, of_more_users=2)
    assert shown(queue, 2)["user_messages"] == {"b": 5, "d": 9, "_other": 12}
    found = mail_queue(queue, user_limit=2)
    assert (found.users_shown, found.users_wanted) == (2, 5)


@given(
    users=st.dictionaries(st.text(max_size=3), st.integers(1, 9), max_size=8),
    limit=st.integers(0, 9),
)
def test_no_message_is_lost_to_the_bound(users: dict[str, int], limit: int) -> None:
    found = shown(QueueSummary(users=users), limit)["user_messages"]
    assert sum(map(int, map(str, found.values()))) == sum(users.values())
    assert not limit or len(found.keys() - {"_other"}) <= limit
