"""A record is shown if all conditions that are given hold."""

import pytest

from cpanel_mail_exporter.exposition.log_choice import LogChoice
from tests.unit.exposition.records import delivery

OUT = {"user": "a", "delivery_user": "-remote-", "transport_is_remote": "1"}
RECORDS = [
    delivery(msg_id="in", user="-remote-", domain=""),
    delivery(msg_id="out", **OUT),
    delivery(msg_id="put off", **OUT, type="defer", domain="Example.ORG"),
    delivery(msg_id="on its way", **OUT, type="inprogress"),
    delivery(msg_id="own word", user="b", type="bounced"),
]


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        (LogChoice(), ["in", "out", "put off", "on its way", "own word"]),
        (LogChoice(types=("defer",)), ["put off", "own word"]),
        (LogChoice(domains=frozenset({"example.org"})), ["put off"]),
        (LogChoice(domains=frozenset({"example.com"})), ["out", "on its way", "own word"]),
        (LogChoice(not_domains=frozenset({"example.com"})), ["in", "put off"]),
        (LogChoice(users=frozenset({"-remote-", "b"})), ["in", "own word"]),
        (LogChoice(not_users=frozenset({"a"})), ["in", "own word"]),
        (LogChoice(users=frozenset({"a", "b"}), not_users=frozenset({"a"})), ["own word"]),
        (LogChoice(directions=frozenset({"outbound"})), ["out", "put off", "on its way"]),
        (LogChoice(directions=frozenset({"inbound", "internal"})), ["in", "own word"]),
        (
            LogChoice(
                types=("success",), users=frozenset({"a"}), directions=frozenset({"inbound"})
            ),
            [],
        ),
    ],
)
def test_a_record_is_shown_if_all_conditions_hold(choice: LogChoice, chosen: list[str]) -> None:
    assert [record.msg_id for record in choice.chosen(RECORDS)] == chosen


def test_without_conditions_nothing_is_looked_at() -> None:
    assert LogChoice().chosen(RECORDS) is RECORDS
