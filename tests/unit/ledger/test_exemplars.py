"""Each bucket keeps its newest message, and never goes back in time."""

from bisect import bisect_left
from collections import defaultdict
from contextlib import nullcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.ledger.counters import (
    BOUNDS,
    MESSAGE_SIZE,
    TIME_TO_DELIVER,
    TIME_TO_FAIL,
)
from cpanel_mail_exporter.ledger.exemplars import Exemplars, Latest, Observed, latest_of
from cpanel_mail_exporter.ledger.ledger import Ledger
from cpanel_mail_exporter.model.family import LONGEST_EXEMPLAR_ID, Exemplar
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.unit.ledger.mail import MEANING, row

T = 1_795_000_000
SEEN = st.tuples(
    st.sampled_from([TIME_TO_FAIL, MESSAGE_SIZE]),
    st.sampled_from([("inbound",), ("outbound",)]),
    st.sampled_from([0, 1, 2, 5, 6, 1_024, 1_025, 10**9]),
    st.integers(T - 3, T + 3),
)


@settings(deadline=None)
@given(st.lists(st.lists(SEEN, max_size=12), max_size=4))
def test_the_newest_of_each_bucket_is_kept_and_of_two_at_once_the_last(answers: list) -> None:
    kept = Exemplars(nullcontext())
    wanted: dict[tuple[str, tuple[str, ...]], list[Exemplar | None]] = {}
    number = 0
    for answer in answers:
        observed: defaultdict[tuple[str, tuple[str, ...]], list[Observed]] = defaultdict(list)
        order = []
        for name, labels, value, when in answer:
            number += 1
            observed[name, labels].append((value, when, f"id-{number}"))
            order.append((name, labels, value, when, f"id-{number}"))
        latest: Latest = {
            (*series, value): newest
            for series, seen in observed.items()
            for value, newest in latest_of(seen).items()
        }
        kept.note(latest, T)
        for name, labels, value, when, message_id in order:
            mine = wanted.setdefault((name, labels), [None] * (len(BOUNDS[name]) + 1))
            place = bisect_left(BOUNDS[name], value)
            before = mine[place]
            if before is None or before.observed_unix <= when:
                mine[place] = Exemplar(message_id, value, when)
    found = {key: list(of_buckets) for key, of_buckets in kept.by_histogram().items()}
    times = {key: [e and e.observed_unix for e in row] for key, row in found.items()}
    assert times == {key: [e and e.observed_unix for e in row] for key, row in wanted.items()}
    for key, of_buckets in found.items():
        for place, one in enumerate(of_buckets):
            assert one is None or bisect_left(BOUNDS[key[0]], one.value) == place


def test_odd_ids_those_too_long_to_be_shown_whole_and_times_to_come_are_passed_over() -> None:
    kept = Exemplars(nullcontext())
    longest = "x" * LONGEST_EXEMPLAR_ID
    odd = ("", longest + "x", 'a"b', "a\\", "a\n", "a b", "a@b", "\u00fc", "\x00")
    for message_id, when in ((longest, T), *((text, T) for text in odd), ("later", T + 86_401)):
        kept.note({(TIME_TO_FAIL, ("inbound",), 0): (when, message_id)}, T)
    (found,) = kept.by_histogram().values()
    assert [one for one in found if one] == [Exemplar(longest, 0, T)]


def test_a_ledger_gives_messages_of_delivery_failure_and_size() -> None:
    ledger = Ledger("web1", MemoryStore(), MEANING)
    ledger.begin(T)
    rows = [
        row("gmail", "success", T, T + 40, msg_id="1abc", size="2000"),
        row("gmail", "success", T + 1, T + 42, msg_id="2abc", size="999"),
        row("inbound", "failure", T, T + 3, msg_id="3abc", size="?"),
        row("inbound", "defer", T, T + 3, msg_id="4abc", size=""),
    ]
    ledger.learn(rows, T)
    ledger.settle(T + 10**6)
    found = {
        key: {BOUNDS[key[0]][place]: one for place, one in enumerate(of_buckets) if one}
        for key, of_buckets in ledger.exemplars().items()
    }
    assert found == {
        (TIME_TO_DELIVER, ("outbound", "google")): {60: Exemplar("2abc", 41, T + 42)},
        (TIME_TO_FAIL, ("inbound",)): {5: Exemplar("3abc", 3, T + 3)},
        (MESSAGE_SIZE, ("outbound",)): {
            1_024: Exemplar("2abc", 999, T + 1),
            4_096: Exemplar("1abc", 2_000, T),
        },
    }


def test_events_seen_before_give_no_example() -> None:
    ledger = Ledger("web1", MemoryStore(), MEANING)
    ledger.begin(T)
    for message_id in ("1abc", "1abc", "0old"):
        sent = T if message_id == "1abc" else T - 50
        ledger.learn([row("inbound", "failure", sent, sent, msg_id=message_id)], T)
    ids = {one.message_id for found in ledger.exemplars().values() for one in found if one}
    assert ids == {"1abc"}
