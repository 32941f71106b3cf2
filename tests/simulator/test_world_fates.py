"""What becomes of messages follows Exim's and cPanel's rules, and each report has its cause."""

import itertools
from collections import Counter, defaultdict

import pytest

from tests.simulator.conftest import NOW_UNIX, make_world
from whm_simulator.mail.rows import Row
from whm_simulator.mail.source import Span
from whm_simulator.world.retry import LONGEST_FIRST_SECONDS, RETRY_OFFSETS_SECONDS
from whm_simulator.world.stream import World

HOUR, DAY = 3600, 86_400


@pytest.fixture(scope="module")
def week() -> World:
    """Seven days of a quiet server."""
    return make_world(history_seconds=7 * DAY, rate_per_minute=4, max_cached_rows=10**6)


def acted_at(row: Row) -> int:
    return row.actionunixtime or 0


def by_recipient(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    fates = defaultdict(list)
    for row in rows:
        fates[row.msgid, row.recipient].append(row)
    return {key: sorted(found, key=acted_at) for key, found in fates.items()}


def test_deferrals_follow_exims_rhythm_and_end(week: World) -> None:
    """Each recipient: deferrals at Exim's offsets, then one success or failure, nothing after."""
    rows = week.rows(NOW_UNIX, Span(NOW_UNIX - 7 * DAY, NOW_UNIX - 5 * DAY))
    retried = given_up = refused = 0
    for fate in by_recipient(rows).values():
        outcomes = [row.type for row in fate]
        assert outcomes[:-1] == ["defer"] * (len(fate) - 1)
        assert outcomes[-1] in ("success", "failure")
        if len(fate) == 1:
            continue
        first = acted_at(fate[0])
        for row, offset in zip(fate[1:], RETRY_OFFSETS_SECONDS, strict=False):
            assert 0 <= acted_at(row) - first - offset < 90
        retried += 1
        given_up += fate[-1].message == "retry timeout exceeded"
        refused += outcomes[-1] == "failure" and len(fate) <= len(RETRY_OFFSETS_SECONDS)
        assert (fate[-1].message == "retry timeout exceeded") == (
            len(fate) == len(RETRY_OFFSETS_SECONDS) + 1
        )
    assert retried > 200
    assert given_up > 5
    assert refused > 5


def test_exims_rule_gives_the_known_offsets() -> None:
    """F,2h,15m; G,16h,1h,1.5; F,4d,6h."""
    minutes = [seconds // 60 for seconds in RETRY_OFFSETS_SECONDS]
    assert minutes[:8] == [15, 30, 45, 60, 75, 90, 105, 120]
    assert minutes[8:13] == [180, 270, 405, 607, 911]
    assert {late - early for early, late in itertools.pairwise(minutes[12:])} <= {360}
    assert minutes[-1] <= 4 * 1440 < minutes[-1] + 360


def test_first_attempts_end_soon_and_retries_do_not(week: World) -> None:
    """What else relies on: a report needs a look at the minutes just before it alone."""
    for fate in by_recipient(week.rows(NOW_UNIX)).values():
        waits = [acted_at(row) - row.sendunixtime for row in fate if row.actionunixtime]
        assert all(wait >= 1 for wait in waits)
        assert all(wait <= LONGEST_FIRST_SECONDS - 5 for wait in waits[:1])
        assert all(wait > LONGEST_FIRST_SECONDS for wait in waits[1:])


def test_every_report_has_its_cause_and_every_failure_its_report(week: World) -> None:
    """A delivery run with failures makes one report to the sender, a second or so after its end.

    Reports go to the sender's own address and never cause reports.
    """
    rows = week.rows(NOW_UNIX)
    start = NOW_UNIX - 2 * DAY
    expected: list[tuple[str, int]] = []
    runs: dict[tuple[str, int], int] = {}
    for fate in by_recipient(rows).values():
        last = fate[-1]
        if last.type == "failure" and last.sender:
            run = 0 if acted_at(last) - last.sendunixtime <= LONGEST_FIRST_SECONDS else 1
            runs[last.msgid, run] = max(runs.get((last.msgid, run), 0), acted_at(last))
    senders = {row.msgid: row.sender for row in rows}
    expected = sorted(
        (senders[msgid], ended) for (msgid, _), ended in runs.items() if ended >= start
    )
    reports = {row.msgid: row for row in rows if row.user == "mailnull"}
    found = sorted(
        (row.recipient, row.sendunixtime)
        for row in reports.values()
        if row.sendunixtime >= start and row.sendunixtime <= NOW_UNIX
    )
    causes, effects = Counter(who for who, _ in expected), Counter(who for who, _ in found)
    assert sum(((causes - effects) + (effects - causes)).values()) <= 2, "at the edges"
    assert len(found) > 200
    for who in causes.keys() & effects.keys():
        ends = [ended for one, ended in expected if one == who]
        sends = [sent for one, sent in found if one == who]
        if len(ends) == len(sends):
            assert all(0 <= sent - ended <= 1 for ended, sent in zip(ends, sends, strict=True))
    for row in reports.values():
        assert (row.sender, row.domain) == ("", "-system-")
        assert row.email == f"Mailer-Daemon@{week.hostname}"


def test_reports_reach_accounts_and_mostly_not_forged_senders(week: World) -> None:
    reports = [row for row in week.rows(NOW_UNIX) if row.user == "mailnull"]
    local = [row for row in reports if not row.transport_is_remote and row.transport]
    users = {account.user for account in week.site.accounts}
    assert {row.type for row in local} <= {"success"}
    assert {row.deliveryuser for row in local} <= users
    away = {row.msgid: row for row in reports if row.router == "dkim_lookuphost"}
    frozen = [row for row in away.values() if row.type == "failure"]
    assert len(away) > 50
    assert 0.5 < len(frozen) / len(away) < 0.95


def test_scripts_are_told_in_the_home_of_their_account(week: World) -> None:
    homes = {f"forum1@{week.hostname}", f"blog1@{week.hostname}"}
    rows = [row for row in week.rows(NOW_UNIX) if row.recipient in homes]
    assert {row.recipient for row in rows} == homes
    assert {(row.router, row.transport, row.user) for row in rows} == {
        ("localuser", "dovecot_delivery", "mailnull")
    }


def test_forwarded_spam_is_refused_at_times_and_has_its_own_transport(week: World) -> None:
    rows = [r for r in week.rows(NOW_UNIX) if r.transport == "dkim_remote_forwarded_smtp"]
    assert {row.user for row in rows} == {"-remote-"}
    assert {row.deliveryuser for row in rows} == {"-remote-"}
    domains = {domain for account in week.site.accounts for domain in account.domains}
    assert {row.recipient.rpartition("@")[2] for row in rows} <= domains
    kinds = Counter(row.type for row in rows)
    assert 0.08 < kinds["failure"] / len(rows) < 0.35
    spam = [row.type for row in rows if row.spamscore > 60]
    assert len(spam) > len(rows) / 3


@pytest.mark.parametrize("domains", [1, 2])
def test_the_hourly_limit_lets_through_queues_and_discards(domains: int) -> None:
    """Of one clock hour: up to the limit sent, up to 125 % queued to the next hour, then lost."""
    world = make_world(rate_per_minute=60, domains_per_account=domains)
    hour = NOW_UNIX // HOUR * HOUR - 3 * HOUR
    account = next(a for a in world.site.accounts if a.max_email_per_hour)
    limit = account.max_email_per_hour
    most = -(-limit * 125 // 100)
    found = 0
    for start, domain in itertools.product(range(hour - 12 * HOUR, hour, HOUR), account.domains):
        span = Span(start, start + HOUR - 1)
        rows = [
            r for r in world.rows(NOW_UNIX, span) if (r.user, r.domain) == (account.user, domain)
        ]
        messages = {row.msgid for row in rows}
        if len(messages) <= most + 1:
            continue
        found += 1
        refused = [row for row in rows if row.router == "enforce_mail_permissions"]
        queued = {row.msgid for row in refused if row.type == "defer"}
        discarded = {row.msgid for row in refused if row.type == "failure"}
        assert len(messages - queued - discarded) == limit
        assert len(queued) == most - limit
        assert {row.type for row in rows if row.msgid in discarded} == {"failure"}
        for row in rows:
            if row.msgid in queued and row.router != "enforce_mail_permissions":
                assert row.type == "success", "so that nobody has to be told later"
                assert acted_at(row) >= start + HOUR
            elif row.msgid in queued:
                assert acted_at(row) < start + HOUR + 2
        text = (
            f"Domain {domain} has exceeded the max emails per hour "
            f"({most}/{limit} ({most * 100 // limit}%)) allowed. Message discarded."
        )
        assert text in {row.message for row in refused if row.type == "failure"}
    assert found > 0


def test_the_defer_fail_limit_discards_once_number_and_share_are_reached() -> None:
    """As cPanel documents it: "n/5 (p%)" is the bad messages, the trigger, and their share."""
    world = make_world(rate_per_minute=60)
    [account] = [a for a in world.site.accounts if a.max_defer_fail_percentage]
    most = account.max_defer_fail_percentage
    by_hour = defaultdict(list)
    for row in world.rows(NOW_UNIX):
        if row.user == account.user:
            by_hour[row.sendunixtime // HOUR].append(row)
    limited = 0
    for rows in list(by_hour.values())[1:]:
        refused = [row for row in rows if "max defers and failures" in str(row.message)]
        if not refused:
            continue
        limited += 1
        first = min(row.sendunixtime for row in refused)
        before = [r for r in rows if r.sendunixtime < first or r not in refused]
        sent = {row.msgid for row in before if row.sendunixtime <= first}
        gone = {r.msgid for r in before if r.type == "failure" and r.sendunixtime <= first}
        [text] = {row.message for row in refused}
        number = int(str(text).split("(")[1].split("/")[0])
        share = int(str(text).split("(")[2].split("%")[0])
        assert number >= 5
        assert share >= most
        assert number <= len(gone)
        assert abs(share - number * 100 // len(sent)) <= 2
        assert text == (
            f"Domain {account.domain} has exceeded the max defers and failures per hour "
            f"({number}/5 ({share}%)) allowed. Message discarded."
        )
        assert {row.sendunixtime >= first for row in refused} == {True}
        assert {row.type for row in refused} == {"failure"}
    assert limited > 2


def test_rows_refused_by_cpanel_look_like_the_known_sample(world: World) -> None:
    refused = [r for r in world.rows(NOW_UNIX) if r.router == "enforce_mail_permissions"]
    assert {row.type for row in refused} == {"failure", "defer"}
    for row in refused:
        assert (row.deliveredto, row.deliverydomain, row.deliveryuser) == (None, None, None)
        assert (row.host, row.ip, row.transport, row.transport_is_remote) == (None, None, None, 0)
