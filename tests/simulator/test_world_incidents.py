"""Incidents on request: what they add, what they leave alone, and how they are asked for."""

import re
from collections import Counter

import pytest

from tests.simulator.conftest import NOW_UNIX, make_world
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Span
from whm_simulator.world.incidents import (
    BadDay,
    Compromise,
    bad_day_of,
    check,
    compromise_of,
)
from whm_simulator.world.places import PLACE_OF
from whm_simulator.world.settings import WorldSettings

HOUR = 3600
START = NOW_UNIX - 3 * HOUR + 13
SPAM = Compromise("web1", "shop1", START, seconds=HOUR)
AS_INSTANT = "as @+TIME such as @+60s, or as @ and unix seconds such as @1795252447."
AFTER_A_COMMA = "After a comma write rate=... or for=..., not"
PLAIN_ROWS = set(make_world(history_seconds=4 * HOUR).rows(NOW_UNIX))


def rows_with(*compromises: Compromise, bad_days: tuple[BadDay, ...] = ()) -> set[Row]:
    world = make_world(history_seconds=4 * HOUR, compromises=compromises, bad_days=bad_days)
    return set(world.rows(NOW_UNIX))


@pytest.mark.parametrize("user", ["shop1", "forum1", "blog1", "news1"])
def test_a_compromise_changes_no_mail_of_others(user: str) -> None:
    rows = rows_with(Compromise("web1", user, START, seconds=HOUR))
    more, less = rows - PLAIN_ROWS, PLAIN_ROWS - rows
    assert len(more) > 2000
    for row in more | less:
        is_report = row.user == "mailnull" and row.deliveryuser == user
        is_report_away = row.user == "mailnull" and row.type == "inprogress"
        assert row.user == user or is_report or is_report_away
    assert all(row.sendunixtime >= START for row in more | less)


def test_a_compromise_of_another_server_changes_nothing() -> None:
    assert rows_with(Compromise("web2", "shop1", START)) == PLAIN_ROWS


def test_spam_comes_by_login_from_many_machines_to_many_people() -> None:
    rows = [r for r in rows_with(SPAM) - PLAIN_ROWS if r.user == "shop1"]
    spam = [row for row in rows if row.sendunixtime < SPAM.end_unix]
    messages = {row.msgid: row for row in spam}
    assert 2100 < len(messages) < 2700
    assert {row.senderauth for row in spam} == {"dovecot_login"}
    assert len({row.sender for row in spam}) == 1
    assert len({row.senderip for row in spam}) > 200
    pairs = {(row.msgid, row.recipient) for row in spam}
    assert len({recipient for _, recipient in pairs}) > 0.98 * len(pairs)
    assert {START, START + HOUR - 1} >= {min(r.sendunixtime for r in spam)} or min(
        r.sendunixtime for r in spam
    ) - START < 15
    reasons = Counter(make_world().reason(row) for row in spam)
    assert reasons["unknown_user"] > 300
    assert reasons["spam_content"] + reasons["blocklisted"] + reasons["reputation"] > 200
    assert reasons["rate_limited"] > 200


def test_spam_runs_into_the_limits_of_the_account() -> None:
    world = make_world(
        history_seconds=4 * HOUR,
        compromises=(
            Compromise("web1", "forum1", START, seconds=HOUR),
            Compromise("web1", "blog1", START, seconds=HOUR),
        ),
    )
    rows = [row for row in world.rows(NOW_UNIX) if START <= row.sendunixtime < START + HOUR]
    texts = {user: " ".join(str(r.message) for r in rows if r.user == user)
             for user in ("forum1", "blog1")}  # fmt: skip
    assert "max emails per hour" in texts["forum1"]
    assert "max defers and failures per hour" in texts["blog1"]


def test_after_a_compromise_outgoing_mail_is_suspended() -> None:
    """CPanel's words are those that hosters quote from their logs."""
    world = make_world(history_seconds=4 * HOUR, compromises=(SPAM,))
    for now, is_suspended in ((SPAM.end_unix - 1, False), (SPAM.end_unix, True), (NOW_UNIX, True)):
        flags = {card.user: card.is_outgoing_suspended for card in world.accounts(now)}
        assert flags.pop("shop1") == is_suspended
        assert not any(flags.values())
    rows = [r for r in world.rows(NOW_UNIX, Span(SPAM.end_unix, NOW_UNIX)) if r.user == "shop1"]
    assert {row.type for row in rows} - {"inprogress"} == {"failure"}
    done = [row for row in rows if row.type == "failure"]
    assert {(row.router, row.transport) for row in done} == {("enforce_mail_permissions", None)}
    domain = world.site.accounts[0].domain
    assert {row.message for row in done} == {
        f"Domain {domain} has an outgoing mail suspension. Message discarded."
    }
    assert {world.reason(row) for row in done} == {"local_policy"}


def test_a_bad_day_changes_only_mail_to_its_place_and_the_reports_on_it() -> None:
    changed = rows_with(bad_days=(BadDay("microsoft", START, HOUR),)) ^ PLAIN_ROWS
    reports = {row for row in changed if row.user == "mailnull"}
    assert len(changed) > 50
    for row in changed - reports:
        assert row.recipient.endswith(PLACE_OF["microsoft"].domains)
        assert START <= row.sendunixtime < START + HOUR
    assert {row.recipient for row in reports} <= {row.sender for row in changed - reports}


def test_a_bad_day_defers_most_slowly_and_refuses_some_on_all_servers() -> None:
    day = BadDay("microsoft", START, HOUR)
    for number in (1, 2):
        world = make_world(
            name=f"web{number}", number=number, history_seconds=8 * HOUR, rate_per_minute=60,
            bad_days=(day,),
        )  # fmt: skip
        span = Span(START, START + HOUR - 1)
        rows = [
            row
            for row in world.rows(NOW_UNIX + 4 * HOUR, span)
            if row.recipient.endswith(PLACE_OF["microsoft"].domains) and row.user != "mailnull"
            and row.transport == "dkim_remote_smtp"
        ]  # fmt: skip
        firsts: dict[tuple[str, str], Row] = {}
        lasts: dict[tuple[str, str], Row] = {}
        for row in sorted(rows, key=lambda row: row.actionunixtime or 0):
            firsts.setdefault((row.msgid, row.recipient), row)
            lasts[row.msgid, row.recipient] = row
        kinds = Counter(row.type for row in firsts.values())
        assert 0.6 < kinds["defer"] / len(firsts) < 0.85
        assert 0.03 < kinds["failure"] / len(firsts) < 0.3
        waits = [(row.actionunixtime or 0) - row.sendunixtime for row in firsts.values()]
        assert sum(waits) / len(waits) > 40
        waiting = [row for row in lasts.values() if row.type == "defer"]
        assert len(waiting) <= 3, "hours later all is over but what would wait anyway"
        reasons = {world.reason(row) for row in rows if row.type == "defer"}
        assert {"rate_limited", "network"} <= reasons


@pytest.mark.parametrize(
    ("text", "compromise"),
    [
        ("web1/shop1", Compromise("web1", "shop1", 1000)),
        ("web1/shop1@+60s", Compromise("web1", "shop1", 1060)),
        ("web1/shop1@+2h,rate=2.5", Compromise("web1", "shop1", 8200, 2.5)),
        ("web1/shop1@1795252447,rate=40,for=2h",
         Compromise("web1", "shop1", 1_795_252_447, 40.0, 7200)),
        ("web1/shop1,for=1d", Compromise("web1", "shop1", 1000, 40.0, 86_400)),
    ],
)  # fmt: skip
def test_a_compromise_is_read(text: str, compromise: Compromise) -> None:
    assert compromise_of(text, 1000.9) == compromise


@pytest.mark.parametrize(
    ("text", "bad_day"),
    [
        ("microsoft", BadDay("microsoft", 1000)),
        ("yahoo@+2m,for=3h", BadDay("yahoo", 1120, 10_800)),
        ("google@5", BadDay("google", 5)),
    ],
)
def test_a_bad_day_is_read(text: str, bad_day: BadDay) -> None:
    assert bad_day_of(text, 1000.9) == bad_day


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("shop1", 'Write "shop1" as SERVER/USER, such as web1/shop1@+60s.'),
        ("/shop1", 'Write "/shop1" as SERVER/USER, such as web1/shop1@+60s.'),
        ("a/b/c@+1s", 'Write "a/b/c@+1s" as SERVER/USER, such as web1/shop1@+60s.'),
        ("web1/shop1@soon", f'Write "@soon" {AS_INSTANT}'),
        ("web1/shop1@+60", f'Write "@+60" {AS_INSTANT}'),
        ("web1/shop1,rate=x", 'Write "rate=x" as messages a minute, such as rate=40.'),
        ("web1/shop1,for=2", 'Write "for=2" as a number and s, m, h or d, such as for=3h.'),
        ("web1/shop1,for=4d", "An incident lasts from a second to three days, such as for=3h."),
        ("web1/shop1,rate=200000",
         "The rate of a compromised account must be from 0 to 100000 a minute."),
        ("web1/shop1,speed=3", f'{AFTER_A_COMMA} "speed=3", such as web1/shop1@+60s.'),
        ("web1/shop1,for=1h,for=2h", f'{AFTER_A_COMMA} "for=2h", such as web1/shop1@+60s.'),
    ],
)  # fmt: skip
def test_a_compromise_that_cannot_be_read_is_answered_with_what_to_write(
    text: str, sentence: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        compromise_of(text, 1000)
    assert str(caught.value) == sentence


def test_a_bad_day_at_an_unknown_place_names_the_known_ones() -> None:
    sentence = f'There is no receiving site "hotmail"; write one of {", ".join(PLACE_OF)}.'
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        bad_day_of("hotmail@+1s", 1000)
    assert str(caught.value) == sentence


def test_unknown_servers_accounts_and_places_are_named_with_the_known_ones() -> None:
    fine = WorldSettings(accounts=3, compromises=(SPAM,), bad_days=(BadDay("yahoo", 1),))
    check(fine, ["web1", "web2"])
    for settings, sentence in (
        (WorldSettings(compromises=(Compromise("web9", "shop1", 1),)),
         'There is no server "web9" to compromise an account on; there are: web1, web2.'),
        (WorldSettings(accounts=3, compromises=(Compromise("web2", "shop2", 1),)),
         'There is no account "shop2" on web2; there are: shop1, news1, office1.'),
        (WorldSettings(bad_days=(BadDay("nowhere", 1),)),
         f'There is no receiving site "nowhere"; write one of {", ".join(PLACE_OF)}.'),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
            check(settings, iter(["web1", "web2"]))
        assert str(caught.value) == sentence
