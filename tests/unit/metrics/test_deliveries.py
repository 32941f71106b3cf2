"""The ledger's numbers become families; both formats are read by Prometheus's own parsers."""

from collections.abc import Iterable, Sequence

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as openmetrics_families,
)
from prometheus_client.parser import text_string_to_metric_families as text_families

from cpanel_mail_exporter.exposition.body import Format
from cpanel_mail_exporter.exposition.publication import Rendered, publication
from cpanel_mail_exporter.ledger.counters import BUDGETED
from cpanel_mail_exporter.ledger.figures import PlacesTaken
from cpanel_mail_exporter.ledger.ledger import Ledger, LedgerTerms
from cpanel_mail_exporter.metrics import catalogue
from cpanel_mail_exporter.metrics.deliveries import budgets, deliveries, ledger_state, reading
from cpanel_mail_exporter.model.deliveries import ActionFilter, DeliveriesState, GoesBy, LastDay
from cpanel_mail_exporter.model.family import Distribution, Family, FamilySamples, Sample
from cpanel_mail_exporter.publishing.server_board import rendered_families
from cpanel_mail_exporter.storage.memory import MemoryStore
from tests.unit.ledger.mail import MEANING, numbers, row

T = 1_000_000


def test_numbers_become_samples_and_buckets_come_together() -> None:
    found = {
        ("events", ("success", "outbound", "google")): 3,
        ("events", ("defer", "inbound", "local")): 1,
        ("user_events", ("acc1", "example.com", "success")): 3,
        ("failures", ("unknown_user", "hard", "google", "outbound")): 6,
        ("deferrals", ("other", "soft", "other", "outbound")): 0,
        ("smtp_replies", ("_other", "_other")): 2,
        ("smtp_replies", ("550", "")): 7,
        ("drift", ("no_time",)): 2,
        ("deferred_recipients", ()): 1,
        ("attempts_bucket", ("outbound", "1")): 4,
        ("attempts_bucket", ("outbound", "inf")): 1,
        ("attempts_sum", ("outbound",)): 64,
        ("message_size_bytes_sum", ("inbound",)): 0,
    }
    assert [(part.family, part.samples) for part in deliveries(found)] == [
        (
            catalogue.DELIVERY_EVENTS,
            [(("defer", "inbound", "local"), 1), (("success", "outbound", "google"), 3)],
        ),
        (catalogue.USER_DELIVERY_EVENTS, [(("acc1", "example.com", "success"), 3)]),
        (catalogue.DELIVERY_FAILURES, [(("unknown_user", "hard", "google", "outbound"), 6)]),
        (catalogue.DELIVERY_DEFERRALS, [(("other", "soft", "other", "outbound"), 0)]),
        (catalogue.SMTP_REPLIES, [(("550", ""), 7), (("_other", "_other"), 2)]),
        (catalogue.DEFERRED_RECIPIENTS, [((), 1)]),
        (catalogue.API_DRIFT, [(("no_time",), 2)]),
        (
            catalogue.DELIVERY_ATTEMPTS,
            [(("outbound",), Distribution((4, 0, 0, 0, 0, 0, 0, 1), 64))],
        ),
        (catalogue.MESSAGE_SIZE, [(("inbound",), Distribution((0,) * 11, 0))]),
    ]


def test_observations_under_a_bound_there_is_no_more_are_in_the_next_larger_bucket() -> None:
    found = {
        ("attempts_bucket", ("outbound", "4")): 1,
        ("attempts_bucket", ("outbound", "5")): 1,
        ("attempts_bucket", ("outbound", "99")): 1,
        ("attempts_sum", ("outbound",)): 60,
        ("bygone_bucket", ("outbound", "4")): 1,
        ("bygone_sum", ("outbound",)): 1,
        ("bygone", ()): 1,
    }
    (family,) = deliveries(found)
    assert family.samples == [(("outbound",), Distribution((0, 0, 0, 2, 0, 0, 0, 1), 60))]


def test_budgets_stand_under_the_names_of_families_and_all_have_one() -> None:
    places = {name: PlacesTaken(n, n + 1, n + 2) for n, name in enumerate(BUDGETED)}
    assert budgets(places) == {
        "cpanel_mail_user_delivery_events_total": PlacesTaken(0, 1, 2),
        "cpanel_mail_smtp_replies_total": PlacesTaken(1, 2, 3),
    }


def test_nothing_is_no_family() -> None:
    assert deliveries({}) == []


def test_gauges_of_the_reading_go_when_they_are_stale_and_how_far_it_is_behind_stays() -> None:
    state = DeliveriesState(
        newest_event_unix=T,
        backlog_slices=34,
        messages_in_progress=0,
        last_day=LastDay(0, {"defer": 1, "success": 2}, {"other": 4, "success": 2, "defer": 0}),
        totals_go_by=GoesBy.ACTED,
        action_filter=ActionFilter.WORKS,
    )
    lasting = [
        (catalogue.NEWEST_EVENT, [((), T)]),
        (catalogue.BACKLOG_SLICES, [((), 34)]),
        (catalogue.SERVER_BEHAVIOUR, [(("action", "works"), 1)]),
    ]
    passing = [
        (catalogue.MESSAGES_IN_PROGRESS, [((), 0)]),
        (catalogue.LAST_DAY_REPORTED, [(("success",), 2), (("defer",), 1)]),
        (catalogue.LAST_DAY_COUNTED, [(("success",), 2), (("defer",), 0), (("other",), 4)]),
    ]
    assert samples(reading(state, is_fresh=True)) == lasting + passing
    assert samples(reading(state, is_fresh=False)) == lasting


def test_what_is_not_known_yet_is_absent_and_never_0() -> None:
    found = dict(samples(reading(DeliveriesState(), is_fresh=True)))
    shown = {family for family, values in found.items() if values}
    assert shown == {catalogue.BACKLOG_SLICES, catalogue.SERVER_BEHAVIOUR}
    assert found[catalogue.SERVER_BEHAVIOUR] == [(("unknown", "unknown"), 1)]
    assert samples(ledger_state(None, None)) == [
        (catalogue.COUNTING_SINCE, []),
        (catalogue.LEDGER_SIZE, []),
    ]
    assert samples(ledger_state(0, 4096)) == [
        (catalogue.COUNTING_SINCE, [((), 0)]),
        (catalogue.LEDGER_SIZE, [((), 4096)]),
    ]


def samples(families: Iterable[FamilySamples]) -> list[tuple[Family, Sequence[Sample]]]:
    return [(part.family, part.samples) for part in families]


@pytest.mark.parametrize("form", list(Format))
def test_prometheuss_own_parsers_read_what_the_ledger_has_counted(form: Format) -> None:
    ledger = Ledger(
        "web1", MemoryStore(), MEANING, LedgerTerms(settle_seconds=0, birth_delay_seconds=None)
    )
    ledger.begin(T)
    for kind, acted in (("defer", T), ("success", T + 40), ("failure", T + 500_000)):
        ledger.learn([row("gmail", kind, T, acted, recipient=f"{kind[0]}@example.net")], T)
    ledger.settle(T + 10**6)
    lines = rendered_families(deliveries(numbers(ledger, T)), (("server", "web1"),))
    one = publication([Rendered(lines)], [], catalogue.EMAIL_LOGS)
    body = b"".join(one.body(form, compressed=False).open()).decode()
    parse = openmetrics_families if form is Format.OPENMETRICS else text_families
    found = {family.name: family for family in parse(body)}
    waited = found["cpanel_mail_time_to_deliver_seconds"]
    assert waited.type == "histogram"
    labels = {"server": "web1", "direction": "outbound", "provider": "google"}
    assert [(s.name.rsplit("_", 1)[1], s.value) for s in waited.samples] == [
        *[("bucket", float(bound >= 40)) for bound in catalogue.TIME_TO_DELIVER.bounds],
        ("bucket", 1.0),
        ("sum", 40.0),
        ("count", 1.0),
    ]
    assert waited.samples[-1].labels == labels
    assert found["cpanel_mail_delivery_attempts"].samples[-1].value == 2.0
    assert found["cpanel_mail_deferred_recipients"].samples[0].value == 1.0
    events = {tuple(s.labels.values())[1:]: s.value for s in found[EVENTS].samples}
    assert {labels: value for labels, value in events.items() if value} == {
        (outcome, "outbound", "google"): 1.0 for outcome in ("success", "failure", "defer")
    }
    assert len(events) == 23


EVENTS = "cpanel_mail_delivery_events"
