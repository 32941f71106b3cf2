"""Every published or observed answer about accounts and services says exactly this and no more."""

import json
from pathlib import Path
from typing import Any

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
    Rows,
    Verdict,
    account_rows,
    queue_rows,
    service_rows,
    unique_recipient_rows,
)
from cpanel_mail_exporter.whm.stream import AnswerStream, RowStream, TextStream

SAMPLES: dict[str, Any] = json.loads(Path(__file__).with_name("samples.json").read_bytes())

QUEUES = {
    "fetch_mail_queue A - documented example": [
        QueuedMessage(False, False, 14336, 1371552781, ["pricilla@example.com"], "")
    ],
    "fetch_mail_queue B - frozen bounce, many recipients": [
        QueuedMessage(True, True, 4807, 1795250000, ["a@example.com"], "mailnull"),
        QueuedMessage(False, False, 900, 1795252000, ["b@example.net", "c@example.net"], "cpanel1"),
    ],
    "fetch_mail_queue C - empty queue": [],
}
ACCOUNTS = {
    "listaccts A - mail-relevant columns only": [
        Account(
            "cpanel1",
            "example.com",
            "root",
            is_outgoing_suspended=False,
            is_outgoing_held=False,
            is_suspended=False,
        ),
        Account("spammy", "example.org", "reseller1", 200, 60, True, False, False),
    ],
    "listaccts B - strings for numbers": [
        Account("cpanel1", "example.com", "", 200, None, False, True, None)
    ],
    "listaccts C - none visible": [],
}
UNIQUE = {
    "get_unique_sender_recipient_count_per_user A": [UniqueRecipients("username", 120)],
    "get_unique_sender_recipient_count_per_user B - several, with pseudo-user": [
        UniqueRecipients("cpanel1", 7),
        UniqueRecipients("spammy", 4211),
        UniqueRecipients("-remote-", 310),
    ],
}
SERVICES = {
    "servicestatus A - exim running": [Service("exim", is_running=True)],
    "servicestatus B - not monitored: no `running` key": [Service("exim", is_running=None)],
    "servicestatus C - switched off by server profile": [Service("exim", is_running=False)],
}
TEXTS = {
    "gethostname": (HOSTNAME_MEMBER, "host1.ex.example.com"),
    "version A - API 1 shape": (VERSION_MEMBER, "11.138.0.6"),
    "version B - legacy shape, HTTP 200": (VERSION_MEMBER, "11.134.0.44"),
}
REFUSALS = {
    "error A - bad credentials: HTTP 403, Content-Type text/plain": Verdict(
        "Access denied", is_login_refusal=True
    ),
    "error B - unknown function: HTTP 200": Verdict(
        'Unknown app ("no_such_function") requested for this version (1) of the API.'
    ),
    "error C - function-level failure: HTTP 200": Verdict("Permission denied"),
    "get_unique_sender_recipient_count_per_user C - missing argument": Verdict(
        'Provide the "start_time" argument.'
    ),
}
LAYOUTS: dict[str, dict[str, Any]] = {
    "compact": {"separators": (",", ":")},
    "indented": {"indent": 2},
    "sorted": {"sort_keys": True},
}


def read(stream: AnswerStream[Any], title: str, layout: str = "compact") -> Any:
    """What is said of a refusal and the cut, and all rows, of an answer that came at once."""
    assert stream.feed(json.dumps(SAMPLES[title], **LAYOUTS[layout]).encode()) is None
    verdict, rows = stream.finish()
    return (verdict.refusal, verdict.is_login_refusal, verdict.is_cut), rows


GOOD = (None, False, False)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("title", QUEUES)
def test_every_answer_of_fetch_mail_queue_gives_exactly_its_messages(
    title: str, layout: str
) -> None:
    assert read(RowStream(queue_rows), title, layout) == (GOOD, Rows(QUEUES[title], 0))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("title", ACCOUNTS)
def test_every_answer_of_listaccts_gives_exactly_its_accounts(title: str, layout: str) -> None:
    stream = RowStream(account_rows, ACCOUNTS_MEMBER)
    assert read(stream, title, layout) == (GOOD, Rows(ACCOUNTS[title], 0))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("title", UNIQUE)
def test_every_answer_about_unique_recipients_gives_exactly_its_counts(
    title: str, layout: str
) -> None:
    stream = RowStream(unique_recipient_rows, UNIQUE_RECIPIENTS_MEMBER)
    assert read(stream, title, layout) == (GOOD, Rows(UNIQUE[title], 0))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("title", SERVICES)
def test_every_answer_of_servicestatus_gives_exactly_its_services(title: str, layout: str) -> None:
    stream = RowStream(service_rows, SERVICES_MEMBER)
    assert read(stream, title, layout) == (GOOD, Rows(SERVICES[title], 0))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("title", TEXTS)
def test_every_answer_that_is_one_text_gives_it(title: str, layout: str) -> None:
    member, text = TEXTS[title]
    assert read(TextStream(member), title, layout) == (GOOD, Rows([text], 0))


@pytest.mark.parametrize("title", REFUSALS)
def test_every_refusal_is_one_whatever_was_expected(title: str) -> None:
    for stream in (
        RowStream(queue_rows),
        RowStream(account_rows, ACCOUNTS_MEMBER),
        RowStream(service_rows, SERVICES_MEMBER),
        TextStream(VERSION_MEMBER),
    ):
        verdict, rows = read(stream, title)
        assert verdict == (REFUSALS[title].refusal, REFUSALS[title].is_login_refusal, False)
        assert rows == Rows([], 0)
