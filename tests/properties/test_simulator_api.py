"""Algebra of the simulated API: options, totals, caps and views agree with the rows, always."""

import itertools
from collections import Counter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.simulator.hand_mail import (
    CARDS,
    EVERY_TYPE,
    FAILS,
    HOURLY,
    NOW_UNIX,
    HandMail,
    attempt,
    body,
    found,
    refused,
    within,
)
from whm_simulator.api.filters import OPERATORS, Filter, value_test
from whm_simulator.api.quirks import Quirks
from whm_simulator.api.quirky_mail import FLAG_OF, QuirkyMail
from whm_simulator.api.scope import OwnedMail
from whm_simulator.api.search import goes_by
from whm_simulator.api.sorting import METHODS
from whm_simulator.api.visit import Caller
from whm_simulator.mail.rows import FIELDS, Row
from whm_simulator.mail.source import Queued, Span
from whm_simulator.mail.sums import sums_of

SECONDS = st.integers(-900, 60)
SENDERS = st.sampled_from(
    ["", "eve@example.net", "a@alpha.example.com", "b@alpha.example.com", "a@shop.example.com",
     "x@beta.example.org", "x@gamma.example.net", "x@delta.example.com"]
)  # fmt: skip
RECIPIENTS = st.sampled_from(
    ["amy@example.net", "bob@example.org", "info@alpha.example.com", "info@beta.example.org",
     "info@gamma.example.net", "jörg@example.net"]
)  # fmt: skip
ENDS = st.sampled_from(["success", "success", "failure", "defer"])


@st.composite
def mails(draw: st.DrawFn) -> HandMail:
    """A few messages with all that may become of them."""
    rows: list[Row] = []
    for number in range(draw(st.integers(0, 8))):
        sent, sender = draw(SECONDS), draw(SENDERS)
        for recipient in draw(st.lists(RECIPIENTS, min_size=1, max_size=3, unique=True)):
            msgid = f"m{number}"
            if sender.endswith(".example.org") and draw(st.booleans()):
                text = draw(st.sampled_from([HOURLY, FAILS])).format("d", "150/150", 100)
                rows.append(refused(msgid, sent, sender, recipient, text))
                continue
            delays = draw(st.lists(st.integers(0, 400), min_size=1, max_size=3, unique=True))
            *early, last = sorted(delays)
            rows += [attempt(msgid, sent, sender, recipient, sent + d, "defer") for d in early]
            rows.append(attempt(msgid, sent, sender, recipient, sent + last, draw(ENDS)))
    queued = [
        Queued(row.msgid, row.sender, (row.recipient,), row.size, row.sendunixtime, False, row.user)
        for row in rows
    ]
    return HandMail(rows, queued=queued)


ROW_QUIRKS = st.builds(
    Quirks,
    late_seconds=st.sampled_from([0, 0, 60, 500]),
    retries=st.sampled_from(["kept", "replaced"]),
    accepted=st.sampled_from(["Accepted", "Angenommen"]),
    type_words=st.sampled_from(["documented", "more"]),
    remote_user=st.sampled_from(["-remote-", "null", "empty"]),
    totals_go_by=st.sampled_from(["send", "action"]),
    range_ends=st.sampled_from(["included", "excluded"]),
    user_rows=st.sampled_from(["user", "domain"]),
)
CALLERS = st.sampled_from([Caller(), Caller("reseller1"), Caller("reseller2")])
INSTANTS = st.integers(NOW_UNIX - 1000, NOW_UNIX + 100)
DELIVERY_TYPES = st.sampled_from(["all", "remote", "remote-or-faildefer", "local"])

VALUES = st.sampled_from(
    ["", "0", "1", "success", "amy@example.net", "example", "m1", "eve@example.net", "1000",
     str(NOW_UNIX - 300), str(NOW_UNIX - 299.5), "unlimited"]
)  # fmt: skip


def is_accepted(condition: Filter) -> bool:
    if condition.operator in ("eq", "begins", "contains"):
        return True
    has_unlimited = condition.operator.endswith("_handle_unlimited")
    return condition.wanted.replace(".", "").isdigit() or (
        has_unlimited and condition.wanted == "unlimited"
    )


CONDITIONS = st.builds(
    Filter,
    field=st.sampled_from([*FIELDS, "*", "sendunixtime", "actionunixtime", "no_such_field"]),
    operator=st.sampled_from(OPERATORS),
    wanted=VALUES,
).filter(is_accepted)


def options(conditions: list[Filter]) -> dict[str, object]:
    params: dict[str, object] = {"api.filter.enable": 1}
    for letter, condition in zip("abcdef", conditions, strict=False):
        name = f"api.filter.{letter}"
        params |= {f"{name}.field": condition.field, f"{name}.type": condition.operator}
        params[f"{name}.arg0"] = condition.wanted
    return params


def holds(condition: Filter, record: dict[str, Any]) -> bool:
    test = value_test(condition)
    if condition.field == "*":
        return any(map(test, record.values()))
    return test(record.get(condition.field))


@given(mail=mails(), conditions=st.lists(CONDITIONS, max_size=4), quirks=ROW_QUIRKS)
@settings(deadline=None)
def test_filters_commute_and_are_those_of_a_naive_reading(
    mail: HandMail, conditions: list[Filter], quirks: Quirks
) -> None:
    rows = found(mail, quirks=quirks)
    expected = [row for row in rows if all(holds(one, row) for one in conditions)]
    assert found(mail, options(conditions), quirks=quirks) == expected
    assert found(mail, options(conditions[::-1]), quirks=quirks) == expected


@given(
    mail=mails(),
    first=INSTANTS,
    last=INSTANTS,
    acted=st.one_of(st.none(), st.builds(Span, INSTANTS, INSTANTS)),
    quirks=ROW_QUIRKS,
    owner=st.sampled_from(["", "reseller1"]),
)
@settings(deadline=None)
def test_a_range_of_rows_is_that_part_of_all_rows_in_every_wrapping(
    mail: HandMail, first: int, last: int, acted: Span | None, quirks: Quirks, owner: str
) -> None:
    quirky = QuirkyMail(mail, quirks)
    wrapped = OwnedMail(quirky, owner) if owner else quirky
    span = Span(first, last)
    rows = wrapped.rows(NOW_UNIX, span, acted)
    expected = [
        row
        for row in wrapped.rows(NOW_UNIX)
        if within(span, row.sendunixtime) and within(acted, row.actionunixtime)
    ]
    assert Counter(rows) == Counter(expected)
    assert [row.sendunixtime for row in rows] == sorted(row.sendunixtime for row in rows)
    assert wrapped.sums(NOW_UNIX, span) == sums_of(wrapped.rows(NOW_UNIX, span))


SORTS = st.lists(
    st.tuples(st.sampled_from(FIELDS), st.sampled_from(sorted(METHODS)), st.booleans()), max_size=2
)


def sort_options(keys: list[tuple[str, str, bool]]) -> dict[str, object]:
    params: dict[str, object] = {"api.sort.enable": 1}
    for letter, (field, method, is_reversed) in zip("ab", keys, strict=False):
        name = f"api.sort.{letter}"
        params |= {f"{name}.field": field, f"{name}.method": method}
        params[f"{name}.reverse"] = int(is_reversed)
    return params


@given(mail=mails(), keys=SORTS, size=st.integers(1, 7), limit=st.sampled_from([0, 0, 2]))
@settings(deadline=None)
def test_pages_of_any_size_put_together_are_the_whole_in_any_order(
    mail: HandMail, keys: list[tuple[str, str, bool]], size: int, limit: int
) -> None:
    order = sort_options(keys)
    quirks = Quirks(chunk_limit=limit)
    whole = found(mail, order, quirks=quirks)
    pages: list[dict[str, Any]] = []
    chunk: dict[str, object] = {"api.chunk.enable": 1, "api.chunk.size": size}
    while page := found(mail, {**order, **chunk, "api.chunk.start": len(pages) + 1}, quirks=quirks):
        assert len(page) <= min(size, limit or size)
        pages += page
    assert pages == whole


@given(mail=mails(), key=st.tuples(st.sampled_from(FIELDS), st.sampled_from(sorted(METHODS)),
                                   st.booleans()))  # fmt: skip
@settings(deadline=None)
def test_sorting_is_a_stable_permutation_for_every_field_and_method(
    mail: HandMail, key: tuple[str, str, bool]
) -> None:
    field, method, is_reversed = key
    rows = found(mail)
    ordered = found(mail, sort_options([key]))
    weigh = METHODS[method]
    assert ordered == sorted(rows, key=lambda row: weigh(row[field]), reverse=is_reversed)


@given(mail=mails(), columns=st.lists(st.sampled_from([*FIELDS, "no_such_field"]), max_size=4))
@settings(deadline=None)
def test_columns_are_a_projection(mail: HandMail, columns: list[str]) -> None:
    params: dict[str, object] = {"api.columns.enable": 1}
    params |= {f"api.columns.{letter}": name for letter, name in zip("abcd", columns, strict=False)}
    rows = found(mail)
    expected = [{name: row[name] for name in columns if name in row} for row in rows]
    assert found(mail, params) == (expected if columns else rows)


@given(
    mail=mails(),
    asked=st.integers(0, 4),
    quirks=st.builds(
        Quirks,
        cap=st.integers(0, 4),
        cap_comes=st.sampled_from(["after", "before"]),
        type_words=st.sampled_from(["documented", "more"]),
    ),
    conditions=st.lists(CONDITIONS, max_size=1),
)
@settings(deadline=None)
def test_caps_keep_the_newest_of_each_type_before_or_after_the_filters(
    mail: HandMail, asked: int, quirks: Quirks, conditions: list[Filter]
) -> None:
    def cut(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        most = min((cap for cap in (asked, quirks.cap) if cap), default=len(rows))
        counts: Counter[str] = Counter()
        kept = []
        for row in rows:
            flag = FLAG_OF.get(row["type"], row["type"])
            counts[flag] += 1
            if counts[flag] <= most:
                kept.append(row)
        return kept

    def passing(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row for row in rows if all(holds(one, row) for one in conditions)]

    words = Quirks(type_words=quirks.type_words)
    rows = found(mail, quirks=words)
    if quirks.cap_comes == "after":
        expected, is_cut = cut(passing(rows)), len(cut(passing(rows))) < len(passing(rows))
    else:
        expected, is_cut = passing(cut(rows)), len(cut(rows)) < len(rows)
    params = {**EVERY_TYPE, "max_results_by_type": asked, **options(conditions)}
    answer = body(mail, "emailtrack_search", params, quirks=quirks)
    assert answer["data"]["records"] == expected
    assert answer["metadata"]["overflowed"] == int(is_cut)


def of_range(rows: list[dict[str, Any]], start: int, end: int, quirks: Quirks) -> list[Row]:
    """Rows of a search that totals of a range are to be made of."""
    if quirks.range_ends == "excluded":
        start, end = start + 1, end - 1
    span = Span(start, end)
    chosen = []
    for record in rows:
        row = msgspec.convert(record, Row)
        by_action = quirks.totals_go_by == "action" and row.type != "inprogress"
        if within(span, row.actionunixtime if by_action else row.sendunixtime):
            chosen.append(row)
    return chosen


def counts_of(rows: list[Row]) -> dict[str, int]:
    kinds = Counter(row.type for row in rows)
    sizes = {row.msgid: row.size for row in rows}
    return {
        "SENDCOUNT": len(sizes),
        "SUCCESSCOUNT": kinds["success"],
        "DEFERCOUNT": kinds["defer"],
        "FAILCOUNT": kinds["failure"],
        "DEFERFAILCOUNT": kinds["defer"] + kinds["failure"],
        "TOTALSIZE": sum(sizes.values()),
    }


@given(
    mail=mails(),
    start=INSTANTS,
    end=INSTANTS,
    now=st.integers(NOW_UNIX - 60, NOW_UNIX + 60),
    kind=DELIVERY_TYPES,
    quirks=ROW_QUIRKS,
    caller=CALLERS,
)
@settings(deadline=None, max_examples=200)
def test_search_user_stats_and_stats_agree(
    mail: HandMail, start: int, end: int, now: int, kind: str, quirks: Quirks, caller: Caller
) -> None:
    how: dict[str, Any] = {"quirks": quirks, "caller": caller, "now_unix": now}
    rows = of_range(found(mail, **how), start, end, quirks)
    rows = [row for row in rows if goes_by(kind, row)]
    params = {"starttime": start, "endtime": end, "deliverytype": kind}
    by_user = body(mail, "emailtrack_user_stats", params, **how)["data"]["records"]
    [whole] = body(mail, "emailtrack_stats", params, **how)["data"]["records"]
    for record in by_user:
        own = [row for row in rows if row.user == record["USER"]]
        if quirks.user_rows == "domain":
            own = [row for row in own if row.domain == record["DOMAIN"]]
        assert own
        expected = counts_of(own)
        assert {name: record[name] for name in expected} == expected
    assert len({(record["USER"], record["DOMAIN"]) for record in by_user}) == len(by_user)
    assert {record["USER"] for record in by_user} == {row.user for row in rows}
    expected = counts_of(rows)
    assert {name: whole[name] or 0 for name in expected} == expected
    assert {name: sum(record[name] for record in by_user) for name in expected} == expected
    assert whole["INPROGRESSCOUNT"] == sum(row.type == "inprogress" for row in rows)


@given(mail=mails(), start=INSTANTS, end=INSTANTS, quirks=ROW_QUIRKS, caller=CALLERS)
@settings(deadline=None)
def test_unique_counts_are_those_of_the_rows(
    mail: HandMail, start: int, end: int, quirks: Quirks, caller: Caller
) -> None:
    how: dict[str, Any] = {"quirks": quirks, "caller": caller}
    rows = of_range(found(mail, **how), start, end, quirks)
    params = {"start_time": start, "end_time": end}
    function = "get_unique_sender_recipient_count_per_user"
    payload = body(mail, function, params, **how)["data"]["payload"]
    pairs = {(row.user, row.sender, row.recipient) for row in rows}
    by_user = Counter(user for user, _, _ in pairs)
    assert payload == [
        {"unique_sender_recipient_count": count, "user": user}
        for user, count in sorted(by_user.items())
    ]
    function = "get_unique_recipient_count_per_sender_for_user"
    for user in by_user:
        payload = body(mail, function, {**params, "user": user}, **how)["data"]["payload"]
        by_sender = Counter(sender for name, sender, _ in pairs if name == user)
        assert payload == [
            {"sender": sender, "unique_recipient_count": count}
            for sender, count in sorted(by_sender.items())
        ]


OWNERS = sorted({card.owner for card in CARDS})


@given(mail=mails(), quirks=ROW_QUIRKS)
@settings(deadline=None)
def test_owners_part_the_accounts_and_the_rows_that_root_sees(
    mail: HandMail, quirks: Quirks
) -> None:
    quirky = QuirkyMail(mail, quirks)
    views = {owner: OwnedMail(quirky, owner) for owner in OWNERS}
    accounts = [card for view in views.values() for card in view.accounts(NOW_UNIX)]
    assert sorted(accounts) == sorted(CARDS)
    owner_of = {card.user: card.owner for card in CARDS}
    by_domain = {domain: card.owner for card in CARDS for domain in card.domains}
    whole = quirky.rows(NOW_UNIX)
    for owner, view in views.items():
        seen = view.rows(NOW_UNIX)
        assert not Counter(seen) - Counter(whole)
        for row in seen:
            owners = {owner_of.get(row.user), owner_of.get(row.deliveryuser or "")}
            if row.deliveryuser is None:
                owners.add(by_domain.get(row.recipient.rpartition("@")[2]))
            assert owner in owners
    of_accounts = [row for row in whole if row.user in owner_of or row.deliveryuser in owner_of]
    seen_by_any = set(itertools.chain.from_iterable(v.rows(NOW_UNIX) for v in views.values()))
    assert set(of_accounts) <= seen_by_any
    sent = [
        [row for row in views[owner].rows(NOW_UNIX) if owner_of.get(row.user) == owner]
        for owner in OWNERS
    ]
    assert Counter(itertools.chain.from_iterable(sent)) == Counter(
        row for row in whole if row.user in owner_of
    )


@given(mail=mails(), owner=st.sampled_from(OWNERS))
@settings(deadline=None)
def test_a_resellers_queue_is_a_part_of_the_servers(mail: HandMail, owner: str) -> None:
    view = OwnedMail(mail, owner)
    own = view.accounts(NOW_UNIX)
    users = {card.user for card in own}
    domains = {domain for card in own for domain in card.domains}
    expected = [
        one
        for one in mail.queue(NOW_UNIX)
        if one.user in users or one.recipients[0].rpartition("@")[2] in domains
    ]
    assert view.queue(NOW_UNIX) == expected
