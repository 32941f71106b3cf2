"""What the rows of a day look like: who sends when, how much, and in which forms."""

from collections import Counter, defaultdict
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tests.simulator.conftest import NOW_UNIX, make_world
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Span
from whm_simulator.world.habits import HABITS
from whm_simulator.world.stream import World

HOUR, DAY = 3600, 86_400
THURSDAY_UNIX = 1_795_046_400
"""2026-11-19 00:00 UTC."""


def messages_of(rows: list[Row]) -> dict[str, Row]:
    return {row.msgid: row for row in rows}


def test_a_recipient_is_in_progress_from_sending_to_its_first_attempt() -> None:
    """At each second a message is accepted, each recipient has an in-progress row or attempts."""
    world = make_world(history_seconds=600)
    span = Span(NOW_UNIX - 60, NOW_UNIX)
    firsts: dict[tuple[str, str], int] = {}
    sends: dict[tuple[str, str], int] = {}
    for row in world.rows(NOW_UNIX + 500, span):
        key = row.msgid, row.recipient
        firsts[key] = min(firsts.get(key, 2**40), row.actionunixtime or 0)
        sends[key] = row.sendunixtime
    for now in range(NOW_UNIX - 60, NOW_UNIX + 120):
        seen = {(r.msgid, r.recipient) for r in world.rows(now, span) if r.type == "inprogress"}
        assert seen == {key for key in sends if sends[key] <= now < firsts[key]}


def test_what_only_an_attempt_can_tell_is_null_while_in_progress(world: World) -> None:
    waiting = [row for row in world.rows(NOW_UNIX) if row.type == "inprogress"]
    assert waiting
    for row in waiting:
        nulls = {name for name, value in msgspec.structs.asdict(row).items() if value is None}
        assert nulls == {
            "actiontime", "actionunixtime", "deliveredto", "deliverydomain", "deliveryuser", "host",
            "ip", "message", "router", "transport",
        }  # fmt: skip
        assert row.transport_is_remote == 0


@pytest.mark.parametrize(("number", "length"), [(1, 23), (2, 16)])
def test_message_ids_have_exims_form_and_belong_to_one_message(number: int, length: int) -> None:
    """Odd servers run a current Exim, even ones an older with shorter ids."""
    world = make_world(name=f"web{number}", number=number, rate_per_minute=2000)
    senders = defaultdict(set)
    pairs = Counter()
    for row in world.rows(NOW_UNIX + 4 * DAY, Span(NOW_UNIX - 600, NOW_UNIX)):
        assert len(row.msgid) == length
        assert row.msgid[6] == row.msgid[-3 if length == 16 else -5] == "-"
        senders[row.msgid].add((row.sender, row.sendunixtime, row.size, row.email, row.senderip))
        pairs[row.msgid, row.recipient, row.actionunixtime] += 1
    world = make_world(
        name=f"web{number}", number=number, rate_per_minute=2000, history_seconds=5 * DAY
    )
    for row in world.rows(NOW_UNIX + 4 * DAY, Span(NOW_UNIX - 600, NOW_UNIX)):
        senders[row.msgid].add((row.sender, row.sendunixtime, row.size, row.email, row.senderip))
        pairs[row.msgid, row.recipient, row.actionunixtime] += 1
    assert len(senders) > 15_000
    assert {len(facts) for facts in senders.values()} == {1}
    assert set(pairs.values()) == {1}, "recipients of a message differ"


def test_the_stream_has_the_variety_that_real_mail_has(world: World) -> None:
    rows = world.rows(NOW_UNIX)
    messages = [row.message or "" for row in rows]
    assert {row.type for row in rows} == {"success", "defer", "failure", "inprogress"}
    assert {"-remote-", "root", "mailnull"} <= {row.user for row in rows}
    assert any(row.sender == "" for row in rows)
    assert any(":" in (row.ip or "") for row in rows)
    assert any(":" in row.senderip for row in rows)
    assert any("\\n" in message for message in messages)
    assert any('"' in message for message in messages)
    assert any("\\relay" in message for message in messages)
    assert any("не найден" in message for message in messages)
    assert any("見つかりません" in message for message in messages)
    assert any("@例え.example" in row.recipient for row in rows)
    assert any(row.recipient.startswith('"') for row in rows)
    assert any(row.deliveredto not in (None, row.recipient) for row in rows)
    assert not any(
        character in value
        for row in rows
        for value in (row.message or "", row.recipient, row.sender)
        for character in "\n\r\t\0"
    )
    ways = {(row.router, row.transport, row.transport_is_remote) for row in rows if row.router}
    assert ways == {
        ("dkim_lookuphost", "dkim_remote_smtp", 1),
        ("dkim_lookuphost", "dkim_remote_forwarded_smtp", 1),
        ("dkim_lookuphost", None, 0),
        ("lookuphost", "remote_smtp", 1),
        ("virtual_user", "dovecot_virtual_delivery", 0),
        ("localuser", "dovecot_delivery", 0),
        ("virtual_aliases", None, 0),
        ("virtual_aliases_nostar", "cagefs_virtual_address_pipe", 0),
        ("enforce_mail_permissions", None, 0),
    }
    assert {row.senderauth for row in rows} == {
        "", "localuser", "dovecot_login", "dovecot_plain",
    }  # fmt: skip


def test_an_ordinary_day_is_plausible(world: World) -> None:
    """Around nine of ten attempts succeed, a few of a hundred are put off."""
    rows = [row for row in world.rows(NOW_UNIX) if row.type != "inprogress"]
    kinds = Counter(row.type for row in rows)
    assert 0.86 < kinds["success"] / len(rows) < 0.94
    assert 0.02 < kinds["defer"] / len(rows) < 0.08
    assert 0.02 < kinds["failure"] / len(rows) < 0.07


def test_only_addresses_set_aside_for_documentation_are_used(world: World) -> None:
    for row in world.rows(NOW_UNIX):
        for ip in filter(None, (row.ip, row.senderip)):
            assert ip.startswith(
                ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:", "127.0.0.1")
            )
        for address in filter(None, (row.sender, row.recipient, row.email)):
            ending = address.rpartition("@")[2].split(".")
            assert ending[-1] == "example" or ending[-2] == "example"


@pytest.mark.parametrize("rate", [0.0, 1.0, 20.0, 120.0])
def test_the_rate_is_messages_a_minute_averaged_over_a_working_day(rate: float) -> None:
    """Apart from mailings and reports; 10 % for limits and chance."""
    world = make_world(rate_per_minute=rate)
    rows = world.rows(THURSDAY_UNIX + DAY - 1, Span(THURSDAY_UNIX, THURSDAY_UNIX + DAY - 1))
    by_user = Counter(row.user for row in messages_of(rows).values())
    kept = sum(by_user.values()) - by_user["mailnull"]
    kept -= sum(n for user, n in by_user.items() if user.startswith("news") and n > 2 * rate * 60)
    assert abs(kept / 1440 - rate) <= 0.1 * rate


def test_a_newsletter_mails_thousands_once_a_week_and_a_little_every_day() -> None:
    """Within minutes, at its own hour of a working day, and one message to the whole list."""
    world = make_world(
        history_seconds=14 * DAY, rate_per_minute=2, accounts=2, max_cached_rows=10**6
    )
    rows = [row for row in world.rows(NOW_UNIX) if row.user == "news1"]
    by_minute = Counter(row.sendunixtime // 60 for row in messages_of(rows).values())
    busy = sorted(minute for minute, number in by_minute.items() if number > 50)
    assert busy[-1] - busy[0] >= 7 * 1440 - 20
    weeks = (
        [minute for minute in busy if minute < busy[0] + 1440],
        [minute for minute in busy if minute >= busy[0] + 1440],
    )
    for week in weeks:
        assert week == list(range(week[0], week[-1] + 1))
        assert 5 < len(week) < 16
        assert 1500 < sum(by_minute[minute] for minute in week) < 5000
    assert abs(weeks[1][0] - weeks[0][0] - 7 * 1440) < 2
    quiet_days = Counter(minute // 1440 for minute in by_minute if minute not in busy)
    assert len(quiet_days) >= 14
    lists = defaultdict(set)
    for row in rows:
        lists[row.msgid].add((row.recipient, row.sendunixtime))
    largest = sorted(lists.values(), key=len)[-2:]
    assert all(len(recipients) > 1000 for recipients in largest)
    assert {len({sent for _, sent in recipients}) for recipients in largest} == {1}


def test_an_office_rests_at_night_and_at_weekends() -> None:
    world = make_world(history_seconds=8 * DAY, rate_per_minute=5, accounts=3)
    rows = messages_of(world.rows(THURSDAY_UNIX + 4 * DAY)).values()
    sends = [(row.sendunixtime - THURSDAY_UNIX, row.user) for row in rows]
    by_day = Counter(sent // DAY for sent, user in sends if user == "office1")
    assert by_day[2] + by_day[3] < by_day[0] / 2, "Saturday and Sunday"
    hours = Counter(sent % DAY // HOUR for sent, user in sends if user == "office1")
    assert sum(hours[hour] for hour in range(22, 24)) < sum(hours[h] for h in range(9, 11)) / 8
    shop = Counter(sent % DAY // HOUR for sent, user in sends if user == "shop1")
    assert all(shop[hour] for hour in range(24)), "receipts day and night"


def test_each_habit_leaves_its_mark(world: World) -> None:
    rows = world.rows(NOW_UNIX)
    own = defaultdict(list)
    for row in rows:
        own[row.user].append(row)
    gone = Counter(
        row.user for row in rows if world.reason(row) in ("unknown_user", "inactive_user")
    )
    assert gone["forum1"] / len(own["forum1"]) > 4 * gone["shop1"] / len(own["shop1"])
    assert {row.senderauth for row in own["blog1"]} == {"localuser"}
    local = Counter(row.user for row in rows if row.transport == "dovecot_virtual_delivery")
    assert 0.12 < local["office1"] / len(own["office1"]) < 0.4
    help_desk = [row for row in rows if row.transport == "cagefs_virtual_address_pipe"]
    assert {str(row.deliveredto)[:7] for row in help_desk if row.type == "success"} == {"|/home/"}
    recipients = defaultdict(set)
    for row in own["office1"]:
        recipients[row.msgid].add(row.recipient)
    assert max(map(len, recipients.values())) == 7


def test_action_time_is_the_servers_wall_time() -> None:
    world = make_world(history_seconds=90, rate_per_minute=300, zone=ZoneInfo("Asia/Kathmandu"))
    rows = world.rows(NOW_UNIX)
    texts = {row.actiontime for row in rows if row.actionunixtime in (NOW_UNIX - 20, NOW_UNIX)}
    assert texts == {"2026-11-21 14:58:47", "2026-11-21 14:59:07"}


@pytest.mark.parametrize("accounts", [1, 3, 10, 200])
def test_there_are_as_many_accounts_as_wanted_each_with_a_domain_of_its_own(accounts: int) -> None:
    world = make_world(accounts=accounts)
    cards = world.accounts(NOW_UNIX)
    assert [card.user for card in cards] == sorted({card.user for card in cards})
    assert len(cards) == len({card.domain for card in cards}) == accounts
    assert all(card.domains == (card.domain,) for card in cards)
    assert world.rows(NOW_UNIX, Span(NOW_UNIX - 60, NOW_UNIX))


@pytest.mark.parametrize("accounts", [10, 50])
def test_resellers_are_accounts_and_own_several(accounts: int) -> None:
    cards = make_world(accounts=accounts).accounts(NOW_UNIX)
    owners = Counter(card.owner for card in cards)
    users = {card.user for card in cards}
    assert owners.keys() - {"root"} <= users
    assert all(number >= 3 for number in owners.values())
    assert owners["root"] < accounts < 2.5 * owners["root"]


def test_cards_tell_the_limits_that_the_mail_runs_into() -> None:
    cards = {card.user: card for card in make_world().accounts(NOW_UNIX)}
    assert cards["forum1"].max_email_per_hour > 0
    assert cards["blog1"].max_defer_fail_percentage > 0
    assert cards["shop1"][4:] == (0, 0, False, False, False)


def test_addon_domains_send_and_receive() -> None:
    world = make_world(domains_per_account=3, history_seconds=6 * HOUR)
    rows = world.rows(NOW_UNIX)
    for card in world.accounts(NOW_UNIX):
        assert len(set(card.domains)) == 3
        assert card.domains[0] == card.domain
        if card.user.startswith(("shop", "office", "forum", "reseller")):
            assert {row.domain for row in rows if row.user == card.user} == set(card.domains)
            received = {row.deliverydomain for row in rows if row.deliveryuser == card.user}
            assert set(card.domains) <= received
    for row in rows:
        if row.senderauth.startswith("dovecot"):
            assert row.sender.endswith(f"@{row.domain}")


def test_there_are_accounts_of_all_habits_by_default() -> None:
    assert {account.habit for account in make_world().site.accounts} == set(HABITS)
