"""Quirks that fall on some rows: late ones, other words in ``type``, replaced retries."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.hand_mail import EVERY_TYPE, NOW_UNIX, SMALL, HandMail, attempt, body, found
from whm_simulator.api.quirks import PLAIN, Quirks
from whm_simulator.api.quirky_mail import QuirkyMail, with_row_quirks
from whm_simulator.mail.rows import INPROGRESS, Row

HOUR = 3600
MANY = HandMail(
    [
        attempt(
            f"m{number}", -number, sender, recipient, -number + 1 + number % 90,
            ("success", "success", "failure")[number % 3],
        )
        for number in range(600)
        for sender, recipient in (
            ("info@alpha.example.com", "amy@example.net"),
            ("eve@example.net", "info@beta.example.org"),
        )
    ]
)  # fmt: skip
"""Ten minutes of mail out and in, some of it in progress."""

LATE = Quirks(late_seconds=HOUR)


def shown(mail: HandMail, quirks: Quirks, now_unix: int) -> list[Row]:
    return QuirkyMail(mail, quirks).rows(now_unix)


def test_late_rows_come_spread_over_the_time_and_all_in_the_end() -> None:
    at_unix: dict[Row, int] = {}
    for minute in range(62):
        now_unix = NOW_UNIX + 60 * minute
        for row in shown(MANY, LATE, now_unix):
            if row.type != INPROGRESS:
                at_unix.setdefault(row, now_unix)
    assert set(at_unix) == set(MANY.attempts)
    delays = [seen - (row.actionunixtime or 0) for row, seen in at_unix.items()]
    assert all(0 <= delay <= HOUR + 660 for delay in delays)
    quarters = Counter(delay * 4 // (HOUR + 660) for delay in delays)
    assert all(quarters[quarter] > 100 for quarter in range(4))


@given(now=st.integers(-700, HOUR + 100))
def test_a_recipient_is_in_progress_until_its_first_row_shows(now: int) -> None:
    now_unix = NOW_UNIX + now
    seen = defaultdict(set)
    for row in shown(MANY, LATE, now_unix):
        seen[row.msgid, row.recipient].add(row.type)
    sent = {(row.msgid, row.recipient) for row in MANY.attempts if row.sendunixtime <= now_unix}
    assert set(seen) == sent
    assert all(INPROGRESS not in types or len(types) == 1 for types in seen.values())


@given(now=st.integers(-700, HOUR + 100))
def test_a_row_that_shows_stays_and_was_there_without_the_quirk(now: int) -> None:
    def outcomes(quirks: Quirks, now_unix: int) -> set[Row]:
        return {row for row in shown(MANY, quirks, now_unix) if row.type != INPROGRESS}

    late = outcomes(LATE, NOW_UNIX + now)
    assert late <= outcomes(LATE, NOW_UNIX + now + 60)
    assert late <= outcomes(PLAIN, NOW_UNIX + now)
    assert outcomes(PLAIN, NOW_UNIX + now - HOUR) <= late


def test_late_rows_are_as_whm_shows_them_in_progress() -> None:
    mail = HandMail([attempt("m1", -9, "info@alpha.example.com", "amy@example.net", -8)])
    [row] = found(mail, quirks=Quirks(late_seconds=10**9))
    [waiting] = found(mail, now_unix=NOW_UNIX - 9)
    assert row == waiting
    assert waiting["type"] == INPROGRESS


def test_a_retry_that_shows_before_its_deferral_ends_the_wait() -> None:
    mail = HandMail(
        [
            attempt(f"m{n}", -900, "", "amy@example.net", at, kind)
            for n in range(200)
            for at, kind in ((-600, "defer"), (-300, "success"))
        ]
    )
    types = defaultdict(set)
    for row in shown(mail, Quirks(late_seconds=900), NOW_UNIX):
        types[row.msgid].add(row.type)
    assert {frozenset(one) for one in types.values()} == {
        frozenset({INPROGRESS}),
        frozenset({"defer"}),
        frozenset({"success"}),
        frozenset({"defer", "success"}),
    }


MORE = Quirks(type_words="more")
FLAGS = {"archive": "success", "filtered": "success", "rejected": "failure"}


def test_more_type_words_stand_on_some_fitting_rows_and_change_nothing_else() -> None:
    plain, quirky = found(MANY), found(MANY, quirks=MORE)
    assert [{**row, "type": FLAGS.get(row["type"], row["type"])} for row in quirky] == plain
    words = Counter(row["type"] for row in quirky)
    assert all(words[word] >= 10 for word in ("success", "failure", *FLAGS))
    for row in quirky:
        if row["type"] in ("archive", "filtered"):
            assert row["transport_is_remote"] == 0
        if row["type"] == "rejected":
            assert row["user"] == "-remote-" or row["transport"] is None


@pytest.mark.parametrize("flag", EVERY_TYPE)
def test_flags_bring_the_words_that_stand_in_place_of_their_type(flag: str) -> None:
    answer = body(MANY, "emailtrack_search", {flag: 1}, quirks=MORE)
    assert answer["data"]["records"] == [
        row for row in found(MANY, quirks=MORE) if FLAGS.get(row["type"], row["type"]) == flag
    ]


def test_a_cap_counts_the_words_with_their_flag() -> None:
    rows = found(MANY, {"max_results_by_type": 100}, quirks=MORE)
    kinds = Counter(FLAGS.get(row["type"], row["type"]) for row in rows)
    assert (kinds["success"], kinds["failure"]) == (100, 100)


def test_totals_count_the_documented_types_alone() -> None:
    words = Counter(row["type"] for row in found(MANY, quirks=MORE))
    [record] = body(MANY, "emailtrack_stats", quirks=MORE)["data"]["records"]
    assert (record["SUCCESSCOUNT"], record["FAILCOUNT"]) == (words["success"], words["failure"])
    [plain] = body(MANY, "emailtrack_stats")["data"]["records"]
    assert (record["SENDCOUNT"], record["TOTALSIZE"]) == (plain["SENDCOUNT"], plain["TOTALSIZE"])


@pytest.mark.parametrize(
    "quirks",
    [
        LATE,
        MORE,
        Quirks(retries="replaced"),
        Quirks(accepted="Accepté"),
        Quirks(remote_user="null"),
        Quirks(late_seconds=60, type_words="more", retries="replaced", remote_user="empty"),
    ],
)
def test_the_queue_and_the_accounts_are_not_made_of_rows(quirks: Quirks) -> None:
    mail = with_row_quirks(SMALL, quirks)
    assert mail is not SMALL
    assert mail.queue(NOW_UNIX) == SMALL.queue(NOW_UNIX)
    assert mail.accounts(NOW_UNIX) == SMALL.accounts(NOW_UNIX)
    assert (mail.hostname, mail.zone) == (SMALL.hostname, SMALL.zone)


def test_mail_without_quirks_of_rows_is_left_alone() -> None:
    others = Quirks(numbers="strings", cap=1, totals_go_by="action", bounce_sender="null")
    assert with_row_quirks(SMALL, others) is SMALL
    assert with_row_quirks(SMALL, PLAIN) is SMALL
