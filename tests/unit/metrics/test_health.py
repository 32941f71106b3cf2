"""The history of a server's polls becomes families that tell how well it is watched."""

import re
from collections.abc import Iterable

import pytest

from cpanel_mail_exporter.ledger.history import ServerHistory
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.metrics.exporter import build_info
from cpanel_mail_exporter.metrics.health import health, series, windows
from cpanel_mail_exporter.model.errors import (
    KINDS,
    ApiRefused,
    Denied,
    StorageFailed,
    TimedOut,
    Unsupported,
)
from cpanel_mail_exporter.model.family import FamilySamples, Sample
from cpanel_mail_exporter.model.outcome import (
    DELIVERY_EVENTS,
    EMAIL_LOGS,
    MAIL_QUEUE,
    UNIQUE_RECIPIENTS,
    USER_STATS,
    CollectorOutcome,
    PollOutcome,
)

COLLECTORS = (USER_STATS, DELIVERY_EVENTS, EMAIL_LOGS)

KIND_WORDS = [
    "denied",
    "unsupported",
    "timeout",
    "connect",
    "dns",
    "tls",
    "http_status",
    "redirect",
    "not_json",
    "api_error",
    "shape",
    "storage",
]


def by_name(families: Iterable[FamilySamples]) -> dict[str, list[Sample]]:
    return {part.family.name: list(part.samples) for part in families}


def outcome(collector: str, **values: object) -> CollectorOutcome:
    usual: dict[str, object] = {
        "ended_unix": 1000.0,
        "duration_seconds": 0.25,
        "window_start_unix": 500,
    }
    return CollectorOutcome(collector, **{**usual, **values})  # type: ignore[arg-type]


def failures(**counts: int) -> list[Sample]:
    """Every kind for all collectors, those named with their number; keys are COLLECTOR__KIND."""
    return [
        ((collector, kind), counts.get(f"{collector}__{kind}", 0))
        for collector in COLLECTORS
        for kind in KIND_WORDS
    ]


def each(value: float) -> list[Sample]:
    return [((collector,), value) for collector in COLLECTORS]


def test_every_kind_of_failure_is_in_the_list() -> None:
    assert [kind.kind for kind in KINDS] == KIND_WORDS


def test_before_the_first_poll_counters_stand_at_0_and_up_is_absent() -> None:
    history = ServerHistory.empty(COLLECTORS)
    assert by_name(health(history, poll_interval_seconds=60)) == {
        "cpanel_mail_up": [],
        "cpanel_mail_collector_success": [],
        "cpanel_mail_collector_supported": [],
        "cpanel_mail_polls_total": each(0),
        "cpanel_mail_poll_failures_total": failures(),
        "cpanel_mail_last_poll_duration_seconds": [],
        "cpanel_mail_last_success_timestamp_seconds": [],
        "cpanel_mail_rows_read_total": each(0),
        "cpanel_mail_rows_rejected_total": each(0),
        "cpanel_mail_poll_interval_seconds": [((), 60)],
        "cpanel_mail_clock_skew_seconds": [],
        "cpanel_mail_login_retry_timestamp_seconds": [],
        "cpanel_mail_flags_unreadable_total": [((), 0)],
        "cpanel_mail_repeated_pages_total": [(("delivery_events",), 0), (("email_logs",), 0)],
    }


def test_a_good_poll_then_a_failed_one() -> None:
    """Counters rise, the time of the last success stands still, the last outcome is shown."""
    good = PollOutcome(
        1001.0,
        (
            outcome("user_stats", rows_read=5, rows_rejected=1, unreadable_flags=3),
            outcome("delivery_events", rows_read=70, repeated_pages=1),
            outcome("email_logs", ended_unix=1000.98765, rows_read=70, repeated_pages=2),
        ),
        clock_skew_seconds=-1.23456,
    )
    failed = PollOutcome(
        1061.0,
        (
            outcome(
                "user_stats",
                ended_unix=1060.0,
                duration_seconds=30.00000049,
                error=TimedOut("web1", "emailtrack_user_stats", "too slow"),
            ),
            outcome("delivery_events", error=StorageFailed("web1", "storage", "full")),
            outcome("email_logs", ended_unix=1060.5, rows_read=7, rows_rejected=2),
        ),
    )
    history = ServerHistory.empty(COLLECTORS).after(good).after(failed)
    assert by_name(health(history, poll_interval_seconds=1.5)) == {
        "cpanel_mail_up": [((), 1)],
        "cpanel_mail_collector_success": [
            (("user_stats",), 0),
            (("delivery_events",), 0),
            (("email_logs",), 1),
        ],
        "cpanel_mail_collector_supported": each(1),
        "cpanel_mail_polls_total": each(2),
        "cpanel_mail_poll_failures_total": failures(
            user_stats__timeout=1, delivery_events__storage=1
        ),
        "cpanel_mail_last_poll_duration_seconds": [
            (("user_stats",), 30.0),
            (("delivery_events",), 0.25),
            (("email_logs",), 0.25),
        ],
        "cpanel_mail_last_success_timestamp_seconds": [
            (("user_stats",), 1000.0),
            (("delivery_events",), 1000.0),
            (("email_logs",), 1060.5),
        ],
        "cpanel_mail_rows_read_total": [
            (("user_stats",), 5),
            (("delivery_events",), 70),
            (("email_logs",), 77),
        ],
        "cpanel_mail_rows_rejected_total": [
            (("user_stats",), 1),
            (("delivery_events",), 0),
            (("email_logs",), 2),
        ],
        "cpanel_mail_poll_interval_seconds": [((), 1.5)],
        "cpanel_mail_clock_skew_seconds": [((), -1.235)],
        "cpanel_mail_login_retry_timestamp_seconds": [],
        "cpanel_mail_flags_unreadable_total": [((), 3)],
        "cpanel_mail_repeated_pages_total": [(("delivery_events",), 1), (("email_logs",), 2)],
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_each_error_raises_the_counter_of_its_kind_alone(kind: type) -> None:
    history = ServerHistory.empty(COLLECTORS)
    for _ in range(2):
        history = history.after(
            PollOutcome(1.0, (outcome("email_logs", error=kind("web1", "f", "d")),))
        )
    found = by_name(health(history, poll_interval_seconds=60))
    assert found["cpanel_mail_poll_failures_total"] == failures(**{f"email_logs__{kind.kind}": 2})


def test_up_is_0_only_if_nothing_was_got() -> None:
    refused = outcome("user_stats", error=ApiRefused("web1", "f", "no"))
    denied = outcome("email_logs", error=Denied("web1", "f", "no"))
    for outcomes, is_up in (
        ((refused, denied), 0),
        ((refused,), 0),
        ((refused, outcome("email_logs")), 1),
        ((outcome("user_stats"), outcome("email_logs")), 1),
    ):
        history = ServerHistory.empty(COLLECTORS).after(PollOutcome(1.0, outcomes))
        assert by_name(health(history, poll_interval_seconds=60))["cpanel_mail_up"] == [((), is_up)]


def test_a_collector_that_is_refused_alone_is_shown_as_not_supported_until_it_answers() -> None:
    refused = outcome(MAIL_QUEUE, error=Unsupported("web1", "fetch_mail_queue", "no"))
    history = ServerHistory.empty((USER_STATS, MAIL_QUEUE))
    supported = "cpanel_mail_collector_supported"
    for outcomes, expected in (
        ((outcome(USER_STATS), refused), 0),
        ((outcome(USER_STATS),), 0),
        ((outcome(USER_STATS), outcome(MAIL_QUEUE)), 1),
    ):
        history = history.after(PollOutcome(1.0, outcomes))
        found = by_name(health(history, poll_interval_seconds=60))
        assert found[supported] == [((USER_STATS,), 1), ((MAIL_QUEUE,), expected)]
        assert found["cpanel_mail_up"] == [((), 1)]


def test_where_nothing_answers_a_collector_that_was_not_asked_is_no_success_either() -> None:
    both = (outcome(USER_STATS), outcome(UNIQUE_RECIPIENTS))
    down = outcome(USER_STATS, error=TimedOut("web1", "f", "d"))
    history = ServerHistory.empty((USER_STATS, UNIQUE_RECIPIENTS)).after(PollOutcome(1.0, both))
    for outcomes, successes in (((down,), (0, 0)), ((outcome(USER_STATS),), (1, 1))):
        history = history.after(PollOutcome(2.0, outcomes))
        assert by_name(health(history, poll_interval_seconds=60))[
            "cpanel_mail_collector_success"
        ] == [((USER_STATS,), successes[0]), ((UNIQUE_RECIPIENTS,), successes[1])]


def test_a_refused_login_shows_when_it_is_tried_again_until_it_works() -> None:
    refused = PollOutcome(
        1.0, (outcome("user_stats", error=Denied("web1", "f", "no")),), login_retry_unix=900.12345
    )
    history = ServerHistory.empty(COLLECTORS).after(refused)
    name = "cpanel_mail_login_retry_timestamp_seconds"
    assert by_name(health(history, poll_interval_seconds=60))[name] == [((), 900.123)]
    history = history.after(PollOutcome(2.0, (outcome("user_stats"),)))
    assert by_name(health(history, poll_interval_seconds=60))[name] == []


def test_a_collector_that_is_off_has_no_series() -> None:
    for off, on in (("user_stats", "email_logs"), ("email_logs", "user_stats")):
        history = ServerHistory.empty((on,)).after(PollOutcome(1.0, (outcome(on),)))
        families = [*health(history, poll_interval_seconds=60), *windows(history, (on,))]
        shown = {labels for part in families for labels, _ in part.samples}
        assert not any(off in labels for labels in shown)


def test_windows_describe_the_newest_complete_poll_of_the_fresh_collectors() -> None:
    good = PollOutcome(
        1.0,
        (
            outcome("user_stats", window_start_unix=400),
            outcome("delivery_events", window_start_unix=1, slices_incomplete=3),
            outcome("email_logs", window_start_unix=300, rows_outside_range=8, slices_incomplete=2),
        ),
    )
    failed = PollOutcome(
        2.0,
        tuple(
            outcome(name, window_start_unix=999, error=TimedOut("web1", "f", "d"))
            for name in COLLECTORS
        ),
    )
    history = ServerHistory.empty(COLLECTORS).after(good).after(failed)
    outside, incomplete = "cpanel_mail_rows_outside_range", "cpanel_mail_slices_incomplete"
    starts = "cpanel_mail_window_start_timestamp_seconds"
    of_stats: list[Sample] = [(("email_user_stats",), 400), (("email_flag_stats",), 400)]
    of_logs: list[Sample] = [(("email_logs",), 300)]
    assert by_name(windows(history, COLLECTORS)) == {
        outside: [(("delivery_events",), 0), (("email_logs",), 8)],
        incomplete: [(("user_stats",), 0), (("delivery_events",), 3), (("email_logs",), 2)],
        starts: [*of_stats, *of_logs],
    }
    assert by_name(windows(history, ("user_stats",))) == {
        outside: [],
        incomplete: [(("user_stats",), 0)],
        starts: of_stats,
    }
    assert by_name(windows(history, ())) == {outside: [], incomplete: [], starts: []}


def test_series_stand_beside_what_was_wanted_and_what_is_allowed() -> None:
    assert by_name(series({"a": 2, "b": 0}, {"a": 5, "b": 0}, {"a": 2})) == {
        "cpanel_mail_series": [(("a",), 2), (("b",), 0)],
        "cpanel_mail_series_wanted": [(("a",), 5), (("b",), 0)],
        "cpanel_mail_series_limit": [(("a",), 2)],
    }


def test_build_info_names_the_version() -> None:
    ((labels, value),) = build_info("1.2.3").samples
    assert (labels[0], value) == ("1.2.3", 1)
    assert re.fullmatch(r"3\.\d+\.\d+\S*", labels[1])


def test_every_family_is_declared_once_and_well_named() -> None:
    names = [family.name for family in catalogue.FAMILIES]
    assert len(names) == len(set(names))
    for family in catalogue.FAMILIES:
        assert re.fullmatch(r"[a-z][a-z0-9_]*[a-z0-9]", family.name)
        assert (family.kind == "counter") == family.name.endswith("_total")
        assert family.help.endswith(".")
        assert len(family.labels) == len(set(family.labels))


def test_the_families_of_mail_name_the_function_they_come_from() -> None:
    """Those that carry what WHM says, and not what we say about asking it."""
    for family in catalogue.FAMILIES:
        if family.name.startswith("email_"):
            assert re.search(r"emailtrack_(search|user_stats)", family.help), family.name


def test_only_the_descriptions_family_carries_addresses_and_free_text() -> None:
    private = {"sender", "recipient", "message", "msg_id", "ip", "sender_ip", "delivered_to"}
    carriers = [f.name for f in catalogue.FAMILIES if private & set(f.labels)]
    assert carriers == ["email_logs"]


def test_labels_of_families_are_reserved() -> None:
    reserved = catalogue.reserved_labels()
    assert {"domain", "collector", "kind", "msg_id", "owner", "version"} <= reserved
    assert reserved == {"le"} | {
        label for f in catalogue.FAMILIES if f.of_server for label in f.labels
    }
