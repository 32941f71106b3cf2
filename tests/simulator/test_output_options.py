"""Algebra of filters, sorting, pages and columns, each against a plain reading of its rule."""

import itertools
import math
import random
import string
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.simulator.hand_mail import (
    CARDS,
    EVERY_TYPE,
    NOW_UNIX,
    SMALL,
    HandMail,
    attempt,
    body,
    filters,
    found,
)
from whm_simulator.api.filters import OPERATORS, Filter, bounds_of, keep, value_test
from whm_simulator.api.paging import Chunk
from whm_simulator.api.params import lettered
from whm_simulator.api.sorting import METHODS, SortKey, in_order

dice = random.Random(1)
WORLD = HandMail(
    [
        attempt(
            f"m{number:03}",
            sent := dice.randint(-1800, -1),
            dice.choice(["", "eve@example.net", *(f"info@{card.domain}" for card in CARDS)]),
            dice.choice(["amy@example.net", "jörg@example.org", f"ann@{CARDS[0].domain}"]),
            sent + dice.choice([0, 1, 1, 5, 60, 4000]),
            dice.choice(["success", "success", "defer", "failure"]),
            spamscore=dice.choice([0, 0, 3, 12]),
        )
        for number in range(200)
    ]
)
"""Half an hour of mail in no pattern, some of it in progress."""
ROWS = WORLD.rows(NOW_UNIX)
ask = partial(body, WORLD)
search = partial(found, WORLD)

values = st.one_of(
    st.none(),
    st.integers(-5, 5),
    st.sampled_from(["", "0", "2", "-3", "10", "unlimited", "Abc", "aB", "é", "192.0.2.9"]),
)
records = st.lists(st.fixed_dictionaries({"n": st.integers(), "x": values, "y": values}))
conditions = st.builds(
    Filter,
    field=st.sampled_from(["x", "y", "*", "absent"]),
    operator=st.sampled_from(OPERATORS),
    wanted=st.sampled_from(["0", "2", "-3", "2.5", "a", "", "unlimited", "AB", "É"]),
)


def plainly(condition: Filter, value: object) -> bool:
    """The rule of an operator, spelt out."""
    text = "" if value is None else str(value)
    if condition.operator == "eq":
        return text == condition.wanted
    if condition.operator == "begins":
        return text.lower().startswith(condition.wanted.lower())
    if condition.operator == "contains":
        return condition.wanted.lower() in text.lower()
    unlimited = math.inf if condition.operator.endswith("_handle_unlimited") else None
    try:
        left = unlimited if text == "unlimited" else float(text)
        right = unlimited if condition.wanted == "unlimited" else float(condition.wanted)
    except ValueError:
        return False
    if left is None or right is None:
        return False
    return {
        "==": left == right,
        "lt": left < right,
        "lt_equal": left <= right,
        "gt": left > right,
        "gt_equal": left >= right,
    }[condition.operator.removesuffix("_handle_unlimited")]


@given(condition=conditions, value=values)
def test_each_operator_does_what_it_is_called(condition: Filter, value: object) -> None:
    assert value_test(condition)(value) == plainly(condition, value)


@given(found=records, wanted=st.lists(conditions, max_size=3))
def test_filters_are_a_conjunction_that_keeps_the_order(
    found: list[dict[str, Any]], wanted: list[Filter]
) -> None:
    def passes(record: dict[str, Any], condition: Filter) -> bool:
        if condition.field == "*":
            return any(plainly(condition, value) for value in record.values())
        return plainly(condition, record.get(condition.field))

    assert keep(found, wanted) == [
        record for record in found if all(passes(record, one) for one in wanted)
    ]


near = st.builds(
    lambda row, offset: str(row.sendunixtime + offset),
    st.sampled_from(ROWS),
    st.sampled_from([0, 0, 1, -1, 600, -600]),
)
time_conditions = st.builds(
    Filter,
    field=st.sampled_from(["sendunixtime", "actionunixtime", "size"]),
    operator=st.sampled_from(OPERATORS),
    wanted=st.one_of(near, near.map(lambda text: text + ".5"), st.just("unlimited")),
)


@given(wanted=st.lists(time_conditions, max_size=4))
@settings(max_examples=300, deadline=None)
def test_reading_only_the_bounded_range_loses_nothing(wanted: list[Filter]) -> None:
    assume(all(one.wanted != "unlimited" or "handle" in one.operator for one in wanted))
    span, acted, rest = bounds_of(wanted)
    assert keep(WORLD.rows(NOW_UNIX, span, acted), rest) == keep(ROWS, wanted)


@pytest.mark.parametrize("field", ["sendunixtime", "actionunixtime"])
@pytest.mark.parametrize("operator", ["==", "lt", "lt_equal", "gt", "gt_equal"])
@pytest.mark.parametrize("offset", [-1, -0.5, 0, 0.5, 1])
def test_a_bound_at_the_very_second_of_a_row_loses_nothing(
    field: str, operator: str, offset: float
) -> None:
    row = ROWS[len(ROWS) // 2]
    wanted = [Filter(field, operator, str(getattr(row, field) + offset))]
    span, acted, rest = bounds_of(wanted)
    assert keep(WORLD.rows(NOW_UNIX, span, acted), rest) == keep(ROWS, wanted)


@pytest.mark.parametrize("operator", OPERATORS)
def test_each_operator_works_over_the_api(operator: str) -> None:
    wanted = {"eq": "success", "begins": "SUC", "contains": "cces"}.get(operator)
    condition = ("type", operator, wanted) if wanted else ("size", operator, 4000)
    answer = ask("emailtrack_search", {**EVERY_TYPE, **filters(condition)})
    plain = Filter(condition[0], operator, str(condition[2]))
    expected = [row for row in ROWS if plainly(plain, getattr(row, plain.field))]
    assert {r["msgid"] for r in answer["data"]["records"]} == {row.msgid for row in expected}
    assert len(answer["data"]["records"]) == len(expected)


def test_contains_is_the_default_and_a_star_searches_all_fields() -> None:
    params = {
        "api.filter.enable": 1,
        "api.filter.a.field": "*",
        "api.filter.a.arg0": "SUCC",
    }
    records = search(params)
    expected = [
        row
        for row in ROWS
        if any("succ" in str(value).lower() for value in msgspec.structs.astuple(row))
    ]
    assert len(records) == len(expected) > 0


def test_filters_beyond_z_count_as_well() -> None:
    params: dict[str, object] = {"api.filter.enable": 1}
    for letter, kind in (("z", "success"), ("za", "failure")):
        params[f"api.filter.{letter}.field"] = "type"
        params[f"api.filter.{letter}.type"] = "eq"
        params[f"api.filter.{letter}.arg0"] = kind
    assert search(params) == []


def test_letters_go_from_z_to_za() -> None:
    letters = [*string.ascii_lowercase, "za", "zb"]
    params = {f"api.sort.{letter}.field": "x" for letter in reversed(letters)}
    assert lettered({**params, "api.sort.enable": "1"}, "api.sort.") == letters


SWITCHES = {
    "filter": {"api.filter.a.field": "type", "api.filter.a.arg0": "none such"},
    "sort": {"api.sort.a.field": "size", "api.sort.a.method": "numeric"},
    "chunk": {"api.chunk.size": "1"},
    "columns": {"api.columns.a": "size"},
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_an_option_does_nothing_until_it_is_enabled(switch: str) -> None:
    params = SWITCHES[switch]
    plain = ask("emailtrack_search", EVERY_TYPE)
    assert ask("emailtrack_search", {**EVERY_TYPE, **params}) == plain
    enabled = {**params, f"api.{switch}.enable": "1"}
    assert ask("emailtrack_search", {**EVERY_TYPE, **enabled}) != plain


sort_keys = st.builds(
    SortKey,
    field=st.sampled_from(["x", "y", "n", "absent"]),
    method=st.sampled_from(sorted(METHODS)),
    is_reversed=st.booleans(),
)


@given(found=records, keys=st.lists(sort_keys, max_size=3))
def test_sorting_orders_by_the_first_key_that_differs_and_is_stable(
    found: list[dict[str, Any]], keys: list[SortKey]
) -> None:
    found = [{**record, "place": place} for place, record in enumerate(found)]
    ordered = in_order(found, keys)
    assert sorted(record["place"] for record in ordered) == list(range(len(found)))
    for early, late in itertools.pairwise(ordered):
        for key in keys:
            method = METHODS[key.method]
            left, right = method(early.get(key.field)), method(late.get(key.field))
            if left != right:
                assert (left > right) is key.is_reversed
                break
        else:
            assert early["place"] < late["place"]


@pytest.mark.parametrize(
    ("method", "ordered"),
    [
        ("lexicographic", ["", "0", "10", "192.0.2.10", "192.0.2.9", "9", "x"]),
        ("numeric", ["", "192.0.2.10", "192.0.2.9", "x", "0", "9", "10"]),
        ("numeric_zero_as_max", ["", "192.0.2.10", "192.0.2.9", "x", "9", "10", "0"]),
        ("ipv4", ["", "0", "10", "9", "x", "192.0.2.9", "192.0.2.10"]),
    ],
)
def test_sort_methods(method: str, ordered: list[str]) -> None:
    found = [{"v": value} for value in sorted(ordered)]
    assert [r["v"] for r in in_order(found, [SortKey("v", method, is_reversed=False)])] == ordered


@given(found=st.lists(st.integers()), size=st.integers(1, 9))
def test_pages_put_together_are_the_whole(found: list[int], size: int) -> None:
    pages = []
    start = 1
    while page := Chunk(start, size, is_verbose=False).of(found):
        assert len(page) <= size
        pages += page
        start += size
    assert pages == found


def test_pages_of_an_answer_are_one_based_and_tell_of_the_whole() -> None:
    everything = search()
    params = {"api.chunk.enable": 1, "api.chunk.size": 7, "api.chunk.verbose": 1}
    answer = ask("emailtrack_search", {**EVERY_TYPE, **params, "api.chunk.start": 8})
    assert answer["data"]["records"] == everything[7:14]
    assert answer["metadata"]["chunk"] == {
        "start": 8,
        "size": 7,
        "records": len(everything),
        "chunks": -(-len(everything) // 7),
        "current": 2,
    }
    first = ask("emailtrack_search", {**EVERY_TYPE, **params, "api.chunk.start": -1})
    assert first["data"]["records"] == everything[:7]
    beyond = ask("emailtrack_search", {**EVERY_TYPE, **params, "api.chunk.start": 10**6})
    assert beyond["data"]["records"] == []


def test_columns_cut_rows_down_to_what_is_asked_for() -> None:
    everything = search()
    params = {
        "api.columns.enable": 1,
        "api.columns.a": "size",
        "api.columns.b": "msgid",
        "api.columns.c": "no_such_field",
    }
    answer = ask("emailtrack_search", {**EVERY_TYPE, **params})
    assert answer["data"]["records"] == [
        {"size": row["size"], "msgid": row["msgid"]} for row in everything
    ]


def test_several_sort_keys_work_over_the_api() -> None:
    params = {
        "api.sort.enable": 1,
        "api.sort.a.field": "type",
        "api.sort.b.field": "size",
        "api.sort.b.method": "numeric",
        "api.sort.b.reverse": 1,
    }
    records = search(params)
    keys = [(record["type"], -record["size"]) for record in records]
    assert keys == sorted(keys)
    assert len({kind for kind, _ in keys}) > 2


@pytest.mark.parametrize("function", ["emailtrack_user_stats", "emailtrack_stats"])
def test_options_work_on_totals_too(function: str) -> None:
    params = filters(("SENDCOUNT", "gt", 50))
    everything = ask(function)["data"]["records"]
    expected = [record for record in everything if record["SENDCOUNT"] > 50]
    assert ask(function, params)["data"]["records"] == expected
    columns = {"api.columns.enable": 1, "api.columns.a": "SENDCOUNT"}
    assert ask(function, columns)["data"]["records"] == [
        {"SENDCOUNT": record["SENDCOUNT"]} for record in everything
    ]


def test_verbose_filters_tell_how_many_records_they_found() -> None:
    params = {**filters(("type", "eq", "failure")), "api.filter.verbose": 1}
    answer = ask("emailtrack_search", {**EVERY_TYPE, **params})
    assert answer["metadata"]["filter"] == {"filtered": len(answer["data"]["records"])}


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        (
            {"api.sort.enable": 1, "api.sort.a.field": "size", "api.sort.a.method": "random"},
            'The sort method "random" is unknown.',
        ),
        ({"api.sort.enable": 1, "api.sort.a.method": "numeric"}, 'The sort key "a" needs "api.'),
        *(
            (filters(("size", kind, "x")), f'The filter type "{kind}" is unknown.')
            for kind in ("ends", "matches", "ne", "defined", "undefined")
        ),
        (filters(("size", "gt", "big")), 'The filter "a" compares numbers; "big" is none.'),
        (filters(("size", "lt", "unlimited")), 'The filter "a" compares numbers; "unlimited"'),
        ({"api.filter.enable": 1, "api.filter.b.arg0": 1}, 'The filter "b" needs "api.filter.b.f'),
        ({"api.chunk.enable": 1, "api.chunk.size": "x"}, 'The "api.chunk.size" argument must be'),
        ({"api.chunk.enable": 1, "api.chunk.size": -1}, 'The "api.chunk.size" argument must not'),
        ({"api.filter.enable": "yes"}, 'The "api.filter.enable" argument must be a whole number'),
        (
            {
                "api.sort.enable": 1,
                "api.sort.a.field": "size",
                "api.columns.enable": 1,
                "api.columns.a": "msgid",
            },
            'The sort key "size" is no shown column.',
        ),
    ],
)
def test_a_malformed_option_is_refused_in_the_envelope(
    params: dict[str, object], reason: str
) -> None:
    answer = ask("emailtrack_search", {**EVERY_TYPE, **params})
    assert list(answer) == ["metadata"]
    assert answer["metadata"].pop("reason").startswith(reason)
    assert answer["metadata"] == {"command": "emailtrack_search", "result": 0, "version": 1}


LISTS = {
    "applist": ({}, "app"),
    "emailtrack_search": (EVERY_TYPE, "records"),
    "emailtrack_stats": ({}, "records"),
    "emailtrack_user_stats": ({}, "records"),
    "fetch_mail_queue": ({}, "records"),
    "get_unique_recipient_count_per_sender_for_user": (
        {"start_time": 1, "end_time": NOW_UNIX, "user": "alpha"},
        "payload",
    ),
    "get_unique_sender_recipient_count_per_user": (
        {"start_time": 1, "end_time": NOW_UNIX},
        "payload",
    ),
    "listaccts": ({}, "acct"),
    "servicestatus": ({}, "service"),
}
"""Every function that returns a list, with what it needs and the list's name."""


def as_record(member: Any) -> dict[str, Any]:
    return member if isinstance(member, dict) else {"app": member}


@pytest.mark.parametrize("function", LISTS)
def test_every_list_can_be_filtered_sorted_paged_and_cut_to_columns(function: str) -> None:
    params, key = LISTS[function]

    def shown(options: dict[str, object]) -> list[dict[str, Any]]:
        members = body(SMALL, function, {**params, **options})["data"][key]
        return [as_record(member) for member in members]

    whole = shown({})
    assert whole
    field = "app" if function == "applist" else list(whole[0])[-1]
    value = whole[0][field]
    assert shown(filters((field, "eq", value))) == [one for one in whole if one[field] == value]
    sort = {"api.sort.enable": 1, "api.sort.a.field": field, "api.sort.a.reverse": 1}
    assert shown(sort) == sorted(
        whole, key=lambda one: "" if one[field] is None else str(one[field]), reverse=True
    )
    chunk = {"api.chunk.enable": 1, "api.chunk.size": 1, "api.chunk.start": 1}
    assert shown(chunk) == whole[:1]
    columns = {"api.columns.enable": 1, "api.columns.a": field}
    assert shown(columns) == [{field: one[field]} for one in whole]


def test_a_list_of_values_is_found_by_one_of_them() -> None:
    def waiting_for(kind: str, wanted: str) -> list[str]:
        answer = body(SMALL, "fetch_mail_queue", filters(("recipients", kind, wanted)))
        return [record["msgid"] for record in answer["data"]["records"]]

    assert waiting_for("eq", "info@beta.example.org") == ["m0"]
    assert waiting_for("begins", "INFO@") == ["m0", "m9"]
    assert waiting_for("contains", "@example.") == ["m0", "m8"]
