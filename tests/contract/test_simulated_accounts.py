"""What the simulated WHM says of accounts and services is read as it is meant, odd or plain."""

from typing import Any
from urllib.parse import parse_qsl

import pytest

from cpanel_mail_exporter.model.accounts import Account, UniqueRecipients
from cpanel_mail_exporter.model.queue import QueuedMessage
from cpanel_mail_exporter.model.services import Service
from cpanel_mail_exporter.whm.decode import (
    ACCOUNTS_MEMBER,
    HOSTNAME_MEMBER,
    SERVICES_MEMBER,
    UNIQUE_RECIPIENTS_MEMBER,
    VERSION_MEMBER,
    account_rows,
    queue_rows,
    service_rows,
    unique_recipient_rows,
)
from cpanel_mail_exporter.whm.request import (
    ACCOUNTS_FUNCTION,
    HOSTNAME_FUNCTION,
    MAIL_QUEUE_FUNCTION,
    SERVICES_FUNCTION,
    UNIQUE_RECIPIENTS_FUNCTION,
    VERSION_FUNCTION,
    accounts_query,
    plain_query,
    service_query,
    unique_recipients_query,
)
from cpanel_mail_exporter.whm.stream import AnswerStream, RowStream, TextStream
from whm_simulator.api.functions import call
from whm_simulator.api.params import params_of
from whm_simulator.api.quirks import PLAIN, parse_quirks
from whm_simulator.api.visit import Visit
from whm_simulator.world.cache import BlockCache
from whm_simulator.world.settings import WorldSettings
from whm_simulator.world.stream import World

NOW_UNIX = 1_795_252_447
SETTINGS = WorldSettings(seed="accounts", accounts=40, rate_per_minute=6, history_seconds=1800)
ODD = parse_quirks(
    ["numbers=strings", "empty=absent", "limits=number", "version-shape=legacy"], ["web1"]
)["web1"]

both = pytest.mark.parametrize("quirks", [PLAIN, ODD], ids=["plain", "odd"])


@pytest.fixture(scope="module")
def world() -> World:
    return World(SETTINGS, "web1", 1, BlockCache(100_000))


def asked(visit: Visit, function: str, query: str, stream: AnswerStream[Any]) -> list[Any]:
    """All rows of an answer to the exporter's own question."""
    rows: list[Any] = []
    for piece in call(visit, function, params_of(parse_qsl(query))).pieces():
        found = stream.feed(piece)
        rows += found.records if found else []
    verdict, last = stream.finish()
    assert (verdict.refusal, last.rejected) == (None, 0)
    return rows + last.records


@both
def test_every_account_is_read_as_its_card_says(world: World, quirks: Any) -> None:
    visit = Visit(world, NOW_UNIX, quirks=quirks)
    stream = RowStream(account_rows, ACCOUNTS_MEMBER)
    found = asked(visit, ACCOUNTS_FUNCTION, accounts_query(), stream)
    cards = world.accounts(NOW_UNIX)
    assert found == [
        Account(
            card.user,
            card.domain,
            card.owner,
            card.max_email_per_hour or None,
            card.max_defer_fail_percentage or None,
            card.is_outgoing_suspended,
            card.is_outgoing_held,
            card.is_suspended,
        )
        for card in cards
    ]
    assert any(account.max_email_per_hour for account in found)


QUEUE_QUIRKS = {
    "plain": [],
    "odd": ["numbers=strings", "empty=absent"],
    "empty texts, null senders": ["empty=text", "bounce-sender=null"],
    "absent senders": ["empty=absent", "bounce-sender=null"],
    "brackets": ["bounce-sender=brackets"],
}


@pytest.mark.parametrize("quirks", QUEUE_QUIRKS.values(), ids=QUEUE_QUIRKS)
def test_every_message_of_the_queue_is_read_as_it_lies_there(
    world: World, quirks: list[str]
) -> None:
    visit = Visit(world, NOW_UNIX, quirks=parse_quirks(quirks, ["web1"]).get("web1", PLAIN))
    found = asked(visit, MAIL_QUEUE_FUNCTION, plain_query(), RowStream(queue_rows))
    queue = world.queue(NOW_UNIX)
    assert found == [
        QueuedMessage(
            not message.sender,
            message.is_frozen,
            message.size,
            message.time_unix,
            list(message.recipients),
            message.user or "",
        )
        for message in queue
    ]
    assert any(message.is_bounce for message in found)
    assert any(not message.is_bounce for message in found)


@both
def test_every_user_s_recipients_are_counted(world: World, quirks: Any) -> None:
    visit = Visit(world, NOW_UNIX, quirks=quirks)
    query = unique_recipients_query(NOW_UNIX - 3600, NOW_UNIX)
    stream = RowStream(unique_recipient_rows, UNIQUE_RECIPIENTS_MEMBER)
    found = asked(visit, UNIQUE_RECIPIENTS_FUNCTION, query, stream)
    assert len(found) > 10
    assert all(type(row) is UniqueRecipients and row.recipients > 0 for row in found)
    assert len({row.user for row in found}) == len(found)


@both
@pytest.mark.parametrize(
    ("name", "is_running"),
    [("exim", True), ("tailwatchd", True), ("spamd", None), ("clamd", False)],
)
def test_a_service_is_read_alone(
    world: World, quirks: Any, name: str, is_running: bool | None
) -> None:
    visit = Visit(world, NOW_UNIX, quirks=quirks)
    stream = RowStream(service_rows, SERVICES_MEMBER)
    found = asked(visit, SERVICES_FUNCTION, service_query(name), stream)
    assert found == [Service(name, is_running)]


@both
def test_name_and_version_are_texts(world: World, quirks: Any) -> None:
    visit = Visit(world, NOW_UNIX, quirks=quirks)
    version = asked(visit, VERSION_FUNCTION, plain_query(), TextStream(VERSION_MEMBER))
    assert version == ["11.138.0.6"]
    hostname = asked(visit, HOSTNAME_FUNCTION, plain_query(), TextStream(HOSTNAME_MEMBER))
    assert hostname == ["web1.example.net"]
