"""The documented table is complete, and says nothing that the simulator doesn't do."""

import json
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.hand_mail import EVERY_TYPE, NOW_UNIX, SMALL, body, filters
from whm_simulator.api.documented import DOCUMENTED, EVERY_FUNCTION, What
from whm_simulator.api.functions import FUNCTIONS
from whm_simulator.api.quirk_table import QUIRK_ROWS
from whm_simulator.api.quirks import Quirks

ROOT = Path(__file__).parents[2]
SAMPLES: dict[str, Any] = json.loads((ROOT / "tests/contract/samples.json").read_bytes())
EVER = {"start_time": 1, "end_time": NOW_UNIX}


def paths(value: Any, path: str = "") -> Iterator[str]:
    """Paths of all members of a JSON value; a list is one too, and is what its elements hold."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from paths(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield f"{path}[]"
        for member in value:
            if isinstance(member, dict):
                yield from paths(member, f"{path}[]")
    else:
        yield path


def documented(function: str, what: What) -> set[str]:
    return {
        entry.name
        for entry in DOCUMENTED
        if entry.function == function and entry.what is what and entry.is_simulated
    }


COMMON = documented(EVERY_FUNCTION, What.MEMBER)
OPTIONS: dict[str, object] = {
    **filters(("*", "contains", "")),
    "api.filter.verbose": 1,
    "api.chunk.enable": 1,
    "api.chunk.verbose": 1,
}


def answered(function: str) -> Iterator[str]:
    """Paths of all that the simulator ever answers to *function*."""
    params: dict[str, object] = {
        "emailtrack_search": EVERY_TYPE,
        "get_unique_recipient_count_per_sender_for_user": {**EVER, "user": "alpha"},
        "get_unique_sender_recipient_count_per_user": EVER,
    }.get(function, {})  # type: ignore[assignment]
    for quirks in (Quirks(), Quirks(version_shape="legacy")):
        yield from paths(body(SMALL, function, {**params, **OPTIONS}, quirks=quirks))


def test_the_table_has_every_function_once() -> None:
    names = [entry.function for entry in DOCUMENTED if entry.what is What.FUNCTION]
    assert len(set(names)) == len(names)
    simulated = {e.function for e in DOCUMENTED if e.what is What.FUNCTION and e.is_simulated}
    assert simulated - {EVERY_FUNCTION} == set(FUNCTIONS)
    entries = [entry[:3] for entry in DOCUMENTED]
    assert len(set(entries)) == len(entries)
    assert all(entry.how for entry in DOCUMENTED)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_table_has_exactly_the_members_that_are_answered(function: str) -> None:
    found = set(answered(function))
    own = documented(function, What.MEMBER)
    assert found - COMMON == own
    has_list = any(path.endswith("[]") for path in found)
    assert found & COMMON == (COMMON if has_list else {p for p in COMMON if p.count(".") == 1}
                              - {"metadata.__chunked"})  # fmt: skip


@pytest.mark.parametrize("title", SAMPLES)
def test_every_member_of_every_sample_is_in_the_table(title: str) -> None:
    function = title.split(maxsplit=1)[0]
    if function == "error":
        assert "metadata" not in SAMPLES[title] or set(paths(SAMPLES[title])) <= COMMON
        return
    entries = {e.name for e in DOCUMENTED if e.function == function and e.what is What.MEMBER}
    if function not in FUNCTIONS:
        assert entries, "said to be not simulated, member by member"
        return
    assert set(paths(SAMPLES[title])) <= entries | COMMON


def test_the_page_is_what_the_tables_give() -> None:
    written = runpy.run_path(str(ROOT / "docs/generate.py"))["simulated_whm_page"]()
    page = (ROOT / "docs/reference/simulated-whm.md").read_text(encoding="utf-8")
    assert page == written
    for entry in DOCUMENTED:
        assert f"`{entry.name}` | {entry.how} |" in page or entry.what is What.FUNCTION
    for row in QUIRK_ROWS:
        assert f"| {row.does} | {row.is_open} |" in page


SEARCH = ("emailtrack_search", EVERY_TYPE)
SORT = {"api.sort.enable": 1, "api.sort.a.field": "size", "api.sort.a.method": "numeric"}
CHUNK = {"api.chunk.enable": 1, "api.chunk.size": 2, "api.chunk.start": 1}
COLUMNS = {"api.columns.enable": 1, "api.columns.a": "msgid"}
FILTER = filters(("sender", "eq", "eve@example.net"))
PER_SENDER = "get_unique_recipient_count_per_sender_for_user"
PER_USER = "get_unique_sender_recipient_count_per_user"
MIDDLE = NOW_UNIX - 500

PROBES: dict[tuple[str, str], tuple[str, dict[str, object], object]] = {
    (EVERY_FUNCTION, "api.version"): ("version", {}, 2),
    (EVERY_FUNCTION, "api.filter.enable"): (SEARCH[0], {**EVERY_TYPE, **FILTER}, 0),
    (EVERY_FUNCTION, "api.filter.X.field"): (SEARCH[0], {**EVERY_TYPE, **FILTER}, "user"),
    (EVERY_FUNCTION, "api.filter.X.arg0"): (SEARCH[0], {**EVERY_TYPE, **FILTER}, "x"),
    (EVERY_FUNCTION, "api.filter.X.type"): (SEARCH[0], {**EVERY_TYPE, **FILTER}, "=="),
    (EVERY_FUNCTION, "api.filter.verbose"): (SEARCH[0], {**EVERY_TYPE, **FILTER}, 1),
    (EVERY_FUNCTION, "api.sort.enable"): (SEARCH[0], {**EVERY_TYPE, **SORT}, 0),
    (EVERY_FUNCTION, "api.sort.X.field"): (SEARCH[0], {**EVERY_TYPE, **SORT}, "sendunixtime"),
    (EVERY_FUNCTION, "api.sort.X.method"): (
        SEARCH[0], {**EVERY_TYPE, **SORT, "api.sort.a.field": "spamscore"}, "numeric_zero_as_max",
    ),
    (EVERY_FUNCTION, "api.sort.X.reverse"): (SEARCH[0], {**EVERY_TYPE, **SORT}, 1),
    (EVERY_FUNCTION, "api.chunk.enable"): (SEARCH[0], {**EVERY_TYPE, **CHUNK}, 0),
    (EVERY_FUNCTION, "api.chunk.size"): (SEARCH[0], {**EVERY_TYPE, **CHUNK}, 3),
    (EVERY_FUNCTION, "api.chunk.start"): (SEARCH[0], {**EVERY_TYPE, **CHUNK}, 2),
    (EVERY_FUNCTION, "api.chunk.verbose"): (SEARCH[0], {**EVERY_TYPE, **CHUNK}, 1),
    (EVERY_FUNCTION, "api.columns.enable"): (SEARCH[0], {**EVERY_TYPE, **COLUMNS}, 0),
    (EVERY_FUNCTION, "api.columns.X"): (SEARCH[0], {**EVERY_TYPE, **COLUMNS}, "size"),
    ("emailtrack_search", "success"): (*SEARCH, 0),
    ("emailtrack_search", "defer"): (*SEARCH, 0),
    ("emailtrack_search", "failure"): (*SEARCH, 0),
    ("emailtrack_search", "inprogress"): (*SEARCH, 0),
    ("emailtrack_search", "deliverytype"): (*SEARCH, "local"),
    ("emailtrack_search", "max_results_by_type"): (*SEARCH, 1),
    ("emailtrack_user_stats", "deliverytype"): ("emailtrack_user_stats", {}, "local"),
    ("emailtrack_user_stats", "starttime"): ("emailtrack_user_stats", {}, MIDDLE),
    ("emailtrack_user_stats", "endtime"): ("emailtrack_user_stats", {}, MIDDLE),
    ("emailtrack_user_stats", "sender"): ("emailtrack_user_stats", {}, "eve@example.net"),
    ("emailtrack_stats", "user"): ("emailtrack_stats", {}, "beta"),
    ("emailtrack_stats", "starttime"): ("emailtrack_stats", {}, MIDDLE),
    ("emailtrack_stats", "startdate"): ("emailtrack_stats", {}, MIDDLE),
    ("emailtrack_stats", "endtime"): ("emailtrack_stats", {}, MIDDLE),
    ("emailtrack_stats", "enddate"): ("emailtrack_stats", {}, MIDDLE),
    ("emailtrack_stats", "deliverytype"): ("emailtrack_stats", {}, "remote"),
    ("emailtrack_stats", "nosize"): ("emailtrack_stats", {}, 1),
    ("emailtrack_stats", "nosuccess"): ("emailtrack_stats", {}, 1),
    (PER_USER, "start_time"): (PER_USER, EVER, MIDDLE),
    (PER_USER, "end_time"): (PER_USER, EVER, MIDDLE),
    (PER_SENDER, "start_time"): (PER_SENDER, {**EVER, "user": "alpha"}, MIDDLE),
    (PER_SENDER, "end_time"): (PER_SENDER, {**EVER, "user": "alpha"}, MIDDLE),
    (PER_SENDER, "user"): (PER_SENDER, {**EVER, "user": "alpha"}, "beta"),
    ("servicestatus", "service"): ("servicestatus", {}, "exim"),
    ("listaccts", "search"): ("listaccts", {"searchtype": "user"}, "beta"),
    ("listaccts", "searchmethod"): (
        "listaccts", {"searchtype": "user", "search": "bet"}, "exact",
    ),
    ("listaccts", "searchtype"): ("listaccts", {"search": "beta"}, "user"),
    ("listaccts", "want"): ("listaccts", {}, "user"),
}  # fmt: skip
"""For each documented parameter a call, and a value of the parameter that makes a difference."""


def test_every_documented_parameter_has_a_probe() -> None:
    parameters = {
        (entry.function, entry.name) for entry in DOCUMENTED if entry.what is What.PARAMETER
    }
    assert set(PROBES) == parameters


@pytest.mark.parametrize("probe", PROBES, ids=" ".join)
def test_every_documented_parameter_makes_a_difference(probe: tuple[str, str]) -> None:
    function, params, value = PROBES[probe]
    name = probe[1].replace("X", "a")
    assert body(SMALL, function, {**params, name: value}) != body(SMALL, function, params)
