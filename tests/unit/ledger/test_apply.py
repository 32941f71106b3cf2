"""One answer and what is known -> what it adds, and nothing else."""

from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.ledger import apply as apply_module
from cpanel_mail_exporter.ledger.apply import Applied, apply
from cpanel_mail_exporter.ledger.change import (
    KIND_DEFERRAL,
    KIND_FAILURE,
    KIND_OTHER,
    KIND_SUCCESS,
    Change,
    Deferral,
    Event,
    Known,
    Pending,
    Sized,
)
from cpanel_mail_exporter.ledger.counting import LARGEST_SIZE_BYTES
from cpanel_mail_exporter.ledger.identity import (
    event_identity,
    home_second,
    message_identity,
    recipient_identity,
)
from cpanel_mail_exporter.ledger.unclassified import Unexplained
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.spam_runs.activity import Activity
from cpanel_mail_exporter.spam_runs.sketch import sketch
from tests.unit.ledger.mail import MEANING, row

T = 1_000_000
RECIPIENT = recipient_identity(T, "m1", "amy@example.net")
MESSAGE = message_identity(T, "m1")
OUTBOUND = 1
LATEST = {
    ("time_to_deliver_seconds", ("outbound", "other"), 7): (T + 7, "m1"),
    ("message_size_bytes", ("outbound",), 2000): (T, "m1"),
}
SIZE = {
    ("message_size_bytes_bucket", ("outbound", "4096")): 1,
    ("message_size_bytes_sum", ("outbound",)): 2000,
}


def at_work(**numbers: int) -> Activity:
    """What an account did that wrote to amy once."""
    return Activity(
        addresses=sketch(["sender@example.com"], 256),
        networks=sketch(["198.51.100"], 256),
        recipients=sketch(["amy@example.net"], 1_024),
        **numbers,
    )


def events_of(change: Change) -> list[Event]:
    """Its events, with names."""
    return [Event(*fields) for fields in change.events]


def test_a_success_adds_its_event_time_and_size_and_leaves_its_attempts_pending() -> None:
    record = row("outbound", "success", T, T + 7)
    assert apply(Known(), [record], MEANING, 0) == Applied(
        change=Change(
            events=[Event(T, event_identity(record), RECIPIENT, KIND_SUCCESS, 1)],
            sized=[Sized(T, MESSAGE, OUTBOUND)],
            pending=[Pending(T + 7, T, RECIPIENT, OUTBOUND, 1)],
            counters={
                ("events", ("success", "outbound", "other")): 1,
                ("time_to_deliver_seconds_bucket", ("outbound", "other", "15")): 1,
                ("time_to_deliver_seconds_sum", ("outbound", "other")): 7,
                **SIZE,
            },
            activity={("acc1", T - 100): at_work(tried=1, delivered=1)},
        ),
        to_place={("user_events", ("acc1", "example.com", "success")): 1},
        latest=LATEST,
        new_events=1,
        counted_events=1,
        newest_event_unix=T + 7,
        seen={event_identity(record): 1},
    )


REFUSED = {"message": "550-5.1.1 no such user"}
FULL = {"message": "452 4.2.2 over quota"}


def test_a_deferral_is_no_outcome_and_makes_its_recipient_a_deferred_one() -> None:
    record = row("gmail", "defer", T, T + 7, **FULL)
    result = apply(Known(), [record], MEANING, 0)
    assert result.change == Change(
        events=[Event(T, event_identity(record), RECIPIENT, KIND_DEFERRAL, 1)],
        deferrals=[Deferral(T, RECIPIENT, T + 7, 1)],
        sized=[Sized(T, MESSAGE, OUTBOUND)],
        counters={
            ("events", ("defer", "outbound", "google")): 1,
            ("deferrals", ("mailbox_full", "soft", "google", "outbound")): 1,
            ("deferred_recipients", ()): 1,
            **SIZE,
        },
        activity={("acc2", T - 100): at_work(tried=1, deferred=1)},
    )
    assert result.to_place == {
        ("user_events", ("acc2", "example.com", "defer")): 1,
        ("smtp_replies", ("452", "4.2.2")): 1,
    }
    assert result.unexplained == []


def test_a_failure_after_a_known_deferral_ends_that() -> None:
    known = Known(copies={1: 1}, deferrals={RECIPIENT: {T + 7: 1}}, sized={(MESSAGE, OUTBOUND)})
    record = row("outbound", "failure", T, T + 700_000, **REFUSED)
    result = apply(known, [record], MEANING, 0)
    assert result.change == Change(
        events=[Event(T, event_identity(record), RECIPIENT, KIND_FAILURE, 1)],
        pending=[Pending(T + 700_000, T, RECIPIENT, OUTBOUND, 1)],
        counters={
            ("events", ("failure", "outbound", "other")): 1,
            ("failures", ("unknown_user", "hard", "other", "outbound")): 1,
            ("time_to_fail_seconds_bucket", ("outbound", "inf")): 1,
            ("time_to_fail_seconds_sum", ("outbound",)): 700_000,
            ("deferred_recipients", ()): -1,
        },
        activity={("acc1", T + 699_800): at_work(failed=1, unknown=1)},
    )
    assert result.to_place == {
        ("user_events", ("acc1", "example.com", "failure")): 1,
        ("smtp_replies", ("550", "5.1.1")): 1,
    }


def test_what_nobody_has_a_rule_for_counts_as_other_and_is_handed_on_as_often_as_it_is_new() -> (
    None
):
    moon = {"message": "554 the moon is full"}
    records = [
        row("gmail", "failure", T, T + 2, **moon),
        row("gmail", "failure", T, T + 2, **moon),
        row("refused", "defer", T, None, message="Message discarded"),
        row("inbound", "success", T, T, message="554 the moon is full"),
    ]
    known = Known(copies={event_identity(records[0]): 1})
    result = apply(known, records, MEANING, 0)
    assert result.unexplained == [
        Unexplained(records[1], T + 2, "554", "google"),
        Unexplained(records[2], T, "", "other"),
    ]
    told = {key: n for key, n in result.change.counters.items() if key[0] in TROUBLES}
    assert told == {
        ("failures", ("other", "soft", "google", "outbound")): 1,
        ("deferrals", ("other", "soft", "other", "outbound")): 1,
    }
    replies = {key: n for key, n in result.to_place.items() if key[0] == "smtp_replies"}
    assert replies == {("smtp_replies", ("554", "")): 1}
    assert apply(known, records, MEANING, T + 3).unexplained == []


TROUBLES = {"failures", "deferrals"}


def test_types_that_are_not_known_count_as_other_and_show_as_drift() -> None:
    for word in ("archived", "", "Success"):
        record = row("inbound", word, T, T)
        change = apply(Known(), [record], MEANING, 0).change
        assert [event.kind for event in events_of(change)] == [KIND_OTHER]
        assert change.pending == []
        assert change.counters == {
            ("events", ("other", "inbound", "local")): 1,
            ("drift", ("unknown_type",)): 1,
            ("message_size_bytes_bucket", ("inbound", "4096")): 1,
            ("message_size_bytes_sum", ("inbound",)): 2000,
        }


def test_equal_rows_are_as_many_events_and_seen_again_they_are_still_as_many() -> None:
    record = row("outbound", "success", T, T)
    identity = event_identity(record)
    two = apply(Known(), [record, record], MEANING, 0)
    assert (two.new_events, events_of(two.change)[0].copies) == (2, 2)
    assert sum(copies for *_, copies in two.change.pending) == 2
    assert apply(Known(copies={identity: 2}), [record, record], MEANING, 0).change == Change()
    assert apply(Known(copies={identity: 2}), [record], MEANING, 0).change.is_empty
    third = apply(Known(copies={identity: 2}), [record] * 3, MEANING, 0)
    assert (third.new_events, events_of(third.change)[0].copies) == (1, 3)


def test_batches_of_one_answer_are_counted_together() -> None:
    """A row that stands once in each of two batches is two events; in two answers it is one."""
    record = row("outbound", "success", T, T)
    identity = event_identity(record)
    first = apply(Known(), [record], MEANING, 0)
    known = Known(copies={identity: 1}, sized={(MESSAGE, OUTBOUND)})
    second = apply(known, [record], MEANING, 0, seen_before=first.seen)
    assert (second.new_events, events_of(second.change)[0].copies, second.seen) == (
        1,
        2,
        {identity: 2},
    )
    assert apply(known, [record], MEANING, 0).change.is_empty


def test_rows_of_one_message_under_different_seconds_are_kept_apart() -> None:
    """What one second tells never depends on whether the other is at hand."""
    deferred = row("outbound", "defer", None, T)
    delivered = row("outbound", "success", None, T + 5)
    together = apply(Known(), [deferred, delivered], MEANING, 0).change
    apart = [apply(Known(), [record], MEANING, 0).change for record in (deferred, delivered)]
    sums = [change.counters.get(("deferred_recipients", ()), 0) for change in apart]
    assert together.counters["deferred_recipients", ()] == sum(sums) == 1
    sizes = [change.counters["message_size_bytes_sum", ("outbound",)] for change in apart]
    assert together.counters["message_size_bytes_sum", ("outbound",)] == sum(sizes)


def test_what_is_filled_in_later_makes_no_new_event() -> None:
    record = row("outbound", "success", T, T)
    known = Known(copies={event_identity(record): 1})
    later = record._replace(router="x", message="x", size="9", delivery_user="x", user="x")
    assert apply(known, [later], MEANING, 0).change.is_empty


def test_rows_in_progress_are_passed_over() -> None:
    record = row("outbound", "inprogress", T, None)
    assert apply(Known(), [record], MEANING, 0) == Applied()


def test_events_before_the_counting_are_marked_and_not_counted() -> None:
    records = [
        row("outbound", "defer", T, T + 9),
        row("outbound", "success", T, T + 9),
        row("outbound", "success", T, None, msg_id="m2"),
    ]
    result = apply(Known(), records, MEANING, T + 10)
    assert (result.new_events, result.counted_events, result.to_place) == (3, 0, {})
    assert result.change.counters == {}
    assert (result.change.pending, result.change.sized) == ([], [])
    assert [event.kind for event in events_of(result.change)] == [
        KIND_DEFERRAL,
        KIND_SUCCESS,
        KIND_SUCCESS,
    ]
    assert result.change.deferrals == [Deferral(T, RECIPIENT, T + 9, 1)]
    assert apply(Known(), records, MEANING, T + 9).counted_events == 2


def test_a_row_without_send_time_goes_by_its_action_time_and_has_no_duration() -> None:
    result = apply(Known(), [row("outbound", "success", None, T)], MEANING, 0)
    assert [event.second for event in events_of(result.change)] == [T]
    assert result.change.counters == {("events", ("success", "outbound", "other")): 1, **SIZE}


def test_an_outcome_without_action_time_is_counted_and_shows_as_drift() -> None:
    result = apply(Known(), [row("outbound", "success", T, None)], MEANING, 0)
    assert result.change.counters == {
        ("events", ("success", "outbound", "other")): 1,
        ("drift", ("no_action_time",)): 1,
        **SIZE,
    }
    assert result.newest_event_unix is None


def test_rows_without_any_time_or_older_than_what_is_remembered_are_not_counted_but_said() -> None:
    records = [row("outbound", "success", None, None), row("outbound", "success", T, T)]
    assert apply(Known(), records, MEANING, 0, horizon_unix=T + 1) == Applied(
        rows_without_time=1, rows_too_old=1
    )


def test_a_clock_set_back_makes_no_sum_fall() -> None:
    counters = apply(Known(), [row("outbound", "success", T, T - 50)], MEANING, 0).change.counters
    assert counters["time_to_deliver_seconds_sum", ("outbound", "other")] == 0
    assert counters["time_to_deliver_seconds_bucket", ("outbound", "other", "1")] == 1


def test_a_size_is_observed_once_for_each_direction_of_a_message() -> None:
    records = [
        row("outbound", "success", T, T),
        row("gmail", "success", T, T, recipient="b@example.net"),
        row("internal", "success", T, T),
        row("internal", "defer", T, T, recipient="c@example.com"),
    ]
    change = apply(Known(), records, MEANING, 0).change
    sizes = {key: n for key, n in change.counters.items() if key[0].startswith("message_size")}
    assert sizes == {
        **SIZE,
        ("message_size_bytes_bucket", ("internal", "4096")): 1,
        ("message_size_bytes_sum", ("internal",)): 2000,
    }
    assert len(change.sized) == 2


@pytest.mark.parametrize(
    ("text", "drifts"),
    [
        ("", 0),
        *((odd, 1) for odd in ("-5", "1.5", "1e3", "²", "9" * 5_000, str(LARGEST_SIZE_BYTES + 1))),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_size_that_can_be_none_is_left_to_the_next_row(text: str, drifts: int) -> None:
    records = [
        row("outbound", "defer", T, T, size=text),
        row("outbound", "defer", T, T + 1, size="2000"),
    ]
    counters = apply(Known(), records, MEANING, 0).change.counters
    assert counters["message_size_bytes_sum", ("outbound",)] == 2000
    assert counters.get(("drift", ("odd_size",)), 0) == drifts


def test_what_is_known_is_not_changed() -> None:
    known = Known()
    apply(known, [row("outbound", "defer", T, T), row("outbound", "success", T, T)], MEANING, 0)
    assert known == Known()


_ROWS = st.builds(
    row,
    st.sampled_from(("outbound", "gmail", "internal", "inbound", "refused")),
    st.sampled_from(("success", "failure", "defer", "archived", "inprogress")),
    st.sampled_from((None, T, T + 1)),
    st.sampled_from((None, T, T + 9)),
    msg_id=st.sampled_from(("m1", "m2")),
    recipient=st.sampled_from(("amy@example.net", "bob@example.net", "a\0b")),
    size=st.sampled_from(("2000", "5000", "", "odd")),
    message=st.sampled_from(("550-5.1.1 no such user", "554 the moon is full")),
)


@given(st.lists(_ROWS, max_size=12), st.integers(1, 4), st.sampled_from((0, T + 5)), st.data())
def test_rows_may_be_taken_any_number_at_a_time(
    records: list[DeliveryRecord], at_once: int, since: int, data: st.DataObject
) -> None:
    known = Known()
    if records:
        again = data.draw(st.lists(st.sampled_from(records), max_size=3))
        known.copies = dict.fromkeys(map(event_identity, again), 1)
        deferred = data.draw(st.sampled_from(records))
        recipient = recipient_identity(
            home_second(deferred) or 0, deferred.msg_id, deferred.recipient
        )
        known.deferrals = {recipient: {T: 1}}
    whole = apply(known, records, MEANING, since)
    with patch.object(apply_module, "_ROWS_AT_ONCE", at_once):
        assert apply(known, records, MEANING, since) == whole
