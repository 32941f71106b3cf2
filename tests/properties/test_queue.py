"""A queue is summed up the same however it is cut, and whatever stands in its rows."""

import json
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.model import queue as module
from cpanel_mail_exporter.model.queue import AGES, QueuedMessage, QueueSummary, QueueTally
from cpanel_mail_exporter.whm.decode import queue_rows
from cpanel_mail_exporter.whm.stream import RowStream

NOW = 1_795_252_447
quick = settings(deadline=None, max_examples=150)

domains = st.sampled_from(["gmail.com", "GMAIL.com", "example.com", "outlook.com", ""])
addresses = st.builds(
    lambda local, domain: f"{local}@{domain}", st.sampled_from(["a", "b@c", ""]), domains
)
ages = st.sampled_from([*AGES.values()]).flatmap(
    lambda seconds: st.sampled_from([seconds - 1, seconds, seconds + 1])
) | st.integers(-100, 500_000)
messages = st.builds(
    QueuedMessage,
    is_bounce=st.booleans(),
    is_frozen=st.booleans(),
    size_bytes=st.integers(0, 10**7),
    arrived_unix=ages.map(lambda age: NOW - age),
    recipients=st.lists(addresses | st.just("nobody"), max_size=3),
    user=st.sampled_from(["shop", "news", "", "_other"]),
)
queues = st.lists(messages, max_size=25)


def provider(host: str, domain: str) -> str:
    assert host == ""
    return {"gmail.com": "google", "outlook.com": "microsoft"}.get(domain.lower(), "other")


def summed(*batches: Sequence[QueuedMessage]) -> QueueSummary:
    tally = QueueTally(NOW, provider)
    for batch in batches:
        tally.add(batch)
    return tally.summary()


@quick
@given(queue=queues)
def test_a_summary_is_what_a_look_at_each_message_gives(queue: list[QueuedMessage]) -> None:
    recipients = [provider("", to.split("@")[-1]) for each in queue for to in each.recipients]
    assert summed(queue) == QueueSummary(
        messages=len(queue),
        frozen=len([each for each in queue if each.is_frozen]),
        bounces=len([each for each in queue if each.is_bounce]),
        size_bytes=sum(each.size_bytes for each in queue),
        oldest_unix=min((each.arrived_unix for each in queue), default=None),
        older={
            name: len([each for each in queue if NOW - each.arrived_unix > seconds])
            for name, seconds in AGES.items()
        },
        recipients=dict(Counter(recipients)),
        users=dict(Counter(each.user for each in queue)),
    )


@quick
@given(queue=queues, cuts=st.lists(st.integers(0, 25), max_size=5))
def test_a_queue_cut_anywhere_comes_to_the_same(
    queue: list[QueuedMessage], cuts: list[int]
) -> None:
    ends = sorted({0, len(queue), *cuts})
    batches = [queue[start:end] for start, end in pairwise(ends)]
    assert summed(*batches) == summed(queue)


@quick
@given(users=st.lists(st.sampled_from("abcdef"), max_size=30), size=st.integers(1, 7))
def test_users_beyond_the_bound_are_counted_together(users: list[str], size: int) -> None:
    queue = [QueuedMessage(False, False, 1, NOW, (), user) for user in users]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST_USERS", 3)
        batches = [queue[start : start + size] for start in range(0, len(queue), size)]
        found = summed(*batches)
    first = list(dict.fromkeys(users))[:3]
    assert found.users == {user: users.count(user) for user in first}
    assert found.of_more_users == len(users) - sum(found.users.values())


# What is decoded

scalars = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec=None), max_size=6) | st.sampled_from(["0", "1", str(NOW), "<>"])
)  # fmt: skip
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=2), scalars)
names = st.sampled_from(["msgid", "sender", "recipients", "size", "time", "frozen", "user"])
rows = st.dictionaries(names, values, max_size=7) | values
well = st.fixed_dictionaries(
    {"time": st.sampled_from([NOW, str(NOW)])},
    optional={
        "sender": st.sampled_from([None, "", "<>", "a@example.com"]),
        "recipients": st.none() | st.lists(st.none() | addresses, max_size=3) | addresses,
        "size": st.sampled_from([None, "", 0, 1_000, "1000"]),
        "frozen": st.sampled_from([None, 0, 1, "0", "1", True, False, ""]),
        "user": st.sampled_from([None, "", "shop"]),
    },
)


@quick
@given(answer=st.lists(rows | well, max_size=8))
def test_no_row_is_lost_uncounted_and_none_breaks_the_sum(answer: list[Any]) -> None:
    found = queue_rows(json.dumps(answer).encode())
    assert len(found.records) + found.rejected == len(answer)
    assert summed(found.records).messages == len(found.records)


@quick
@given(answer=st.lists(well, max_size=8))
def test_a_row_with_a_time_is_read_whatever_else_has_no_value(answer: list[dict[str, Any]]) -> None:
    found = queue_rows(json.dumps(answer).encode())
    assert found.rejected == 0
    for row, message in zip(answer, found.records, strict=True):
        named = row.get("recipients")
        listed = [named] if isinstance(named, str) else named or []
        assert message == QueuedMessage(
            is_bounce=row.get("sender") in (None, "", "<>"),
            is_frozen=row.get("frozen") in (1, "1", True),
            size_bytes=int(row.get("size") or 0),
            arrived_unix=NOW,
            recipients=[each for each in listed if each is not None],
            user=row.get("user") or "",
        )


@quick
@given(answer=st.lists(well, max_size=12), cut=st.integers(1, 200), bad=st.integers(0, 12))
def test_an_answer_in_pieces_is_the_answer_in_one_and_a_bad_row_is_one_row(
    answer: list[dict[str, Any]], cut: int, bad: int
) -> None:
    answer = [*answer[:bad], {"time": "soon"}, *answer[bad:]]
    body = json.dumps({"data": {"records": answer}, "metadata": {"result": 1}}).encode()
    stream = RowStream(queue_rows)
    stream._wanted = 1  # as if pieces were large
    pieces = [stream.feed(body[start : start + cut]) for start in range(0, len(body), cut)]
    verdict, last = stream.finish()
    found = [*[piece for piece in pieces if piece is not None], last]
    assert verdict.refusal is None
    assert sum(piece.rejected for piece in found) == 1
    records = [record for piece in found for record in piece.records]
    assert records == queue_rows(json.dumps(answer).encode()).records


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"time": None},
        {"time": 0},
        {"time": -5},
        {"time": 10**12},
        {"time": "soon"},
        {"time": NOW, "size": -1},
        {"time": NOW, "size": "large"},
        {"time": NOW, "frozen": "perhaps"},
        {"time": NOW, "user": "x" * 300},
        {"time": NOW, "recipients": {"to": "a@example.com"}},
        "text",
        None,
        [],
    ],
    ids=str,
)
def test_a_row_that_cannot_be_read_is_rejected(row: object) -> None:
    found = queue_rows(json.dumps([row, {"time": NOW}]).encode())
    assert (len(found.records), found.rejected) == (1, 1)
