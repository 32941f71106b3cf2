"""The functions over made-up mail: they agree with each other at any instant, and stream it all."""

from typing import Any

import msgspec
import pytest

from tests.simulator.conftest import NOW_UNIX, make_world
from tests.simulator.hand_mail import EVERY_TYPE, body, found
from whm_simulator.api.functions import call
from whm_simulator.api.quirks import PLAIN, Quirks
from whm_simulator.api.visit import Caller, Visit

BUSY = make_world(history_seconds=2 * 3600, rate_per_minute=30)
COUNTED = {"SUCCESSCOUNT": "success", "DEFERCOUNT": "defer", "FAILCOUNT": "failure"}


@pytest.mark.parametrize("before_seconds", [0, 1, 59, 1234])
@pytest.mark.parametrize("quirks", [PLAIN, Quirks(late_seconds=600, retries="replaced")])
@pytest.mark.parametrize("user", ["root", "reseller1"])
def test_search_totals_and_unique_counts_agree(
    before_seconds: int, quirks: Quirks, user: str
) -> None:
    now_unix = NOW_UNIX - before_seconds
    how: dict[str, Any] = {"quirks": quirks, "caller": Caller(user), "now_unix": now_unix}
    rows = found(BUSY, **how)
    by_user = body(BUSY, "emailtrack_user_stats", **how)["data"]["records"]
    [whole] = body(BUSY, "emailtrack_stats", **how)["data"]["records"]
    for name, kind in COUNTED.items():
        number = sum(row["type"] == kind for row in rows)
        assert number == (whole[name] or 0) == sum(record[name] for record in by_user)
    assert whole["INPROGRESSCOUNT"] == sum(row["type"] == "inprogress" for row in rows)
    assert whole["SENDCOUNT"] == len({row["msgid"] for row in rows})
    ever = {"start_time": 1, "end_time": now_unix}
    unique = body(BUSY, "get_unique_sender_recipient_count_per_user", ever, **how)
    pairs = {(row["user"], row["sender"], row["recipient"]) for row in rows}
    assert {
        one["user"]: one["unique_sender_recipient_count"] for one in unique["data"]["payload"]
    } == {user: sum(pair[0] == user for pair in pairs) for user in {pair[0] for pair in pairs}}


def test_all_rows_of_the_world_come_in_several_pieces_of_one_json() -> None:
    params = {"api.version": "1", **dict.fromkeys(EVERY_TYPE, "1")}
    answer = call(Visit(BUSY, NOW_UNIX), "emailtrack_search", params)
    assert answer.is_large
    pieces = list(answer.pieces())
    assert len(pieces) > 2
    rows = msgspec.json.decode(b"".join(pieces))["data"]["records"]
    assert rows == msgspec.to_builtins(BUSY.rows(NOW_UNIX)[::-1])


def test_accounts_and_name_are_those_of_the_world() -> None:
    accounts = body(BUSY, "listaccts")["data"]["acct"]
    assert [account["user"] for account in accounts] == [
        card.user for card in BUSY.accounts(NOW_UNIX)
    ]
    assert body(BUSY, "gethostname")["data"] == {"hostname": BUSY.hostname}
    queue = body(BUSY, "fetch_mail_queue")["data"]["records"]
    assert [message["msgid"] for message in queue] == [one.msgid for one in BUSY.queue(NOW_UNIX)]
