"""Each quirk alone changes exactly what it says, in every function."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.simulator.hand_mail import (
    CARDS,
    EVERY_TYPE,
    NOW_UNIX,
    SMALL,
    HandMail,
    attempt,
    body,
    filters,
    refused,
)
from whm_simulator.api.functions import FUNCTIONS
from whm_simulator.api.quirk_table import QUIRK_ROWS, Kind, quirk_help
from whm_simulator.api.quirks import PLAIN, Quirks, parse_quirks
from whm_simulator.api.visit import Caller

EVER = {"start_time": 1, "end_time": NOW_UNIX}
RANGE = (NOW_UNIX - 800, NOW_UNIX - 200)
FILTER = filters(("user", "begins", "b"))
SORT = {"api.sort.enable": 1, "api.sort.a.field": "size", "api.sort.a.method": "numeric"}
CHUNK = {"api.chunk.enable": 1, "api.chunk.size": 3, "api.chunk.start": 2}
COLUMNS = {"api.columns.enable": 1, "api.columns.a": "msgid"}
PER_USER = "get_unique_sender_recipient_count_per_user"
PER_SENDER = "get_unique_recipient_count_per_sender_for_user"

CALLS: dict[str, tuple[str, dict[str, object]]] = {
    "search": ("emailtrack_search", EVERY_TYPE),
    "search without types": ("emailtrack_search", {}),
    "search for successes": ("emailtrack_search", {"success": 1}),
    "search with a cap": ("emailtrack_search", {**EVERY_TYPE, "max_results_by_type": 2}),
    "search with a filter": ("emailtrack_search", {**EVERY_TYPE, **FILTER}),
    "search with cap and filter": (
        "emailtrack_search",
        {**EVERY_TYPE, **FILTER, "max_results_by_type": 1},
    ),
    "search by action time": (
        "emailtrack_search",
        {**EVERY_TYPE, **filters(("actionunixtime", "gt_equal", NOW_UNIX - 300))},
    ),
    "search in order": ("emailtrack_search", {**EVERY_TYPE, **SORT}),
    "search for a page": ("emailtrack_search", {**EVERY_TYPE, **CHUNK}),
    "search for columns": ("emailtrack_search", {**EVERY_TYPE, **COLUMNS}),
    "user stats": ("emailtrack_user_stats", {}),
    "user stats of a range": (
        "emailtrack_user_stats",
        {"starttime": RANGE[0], "endtime": RANGE[1]},
    ),
    "stats": ("emailtrack_stats", {}),
    "stats of a range": ("emailtrack_stats", {"starttime": RANGE[0], "endtime": RANGE[1]}),
    "stats of no mail": ("emailtrack_stats", {"starttime": NOW_UNIX + 99}),
    "queue": ("fetch_mail_queue", {}),
    "unique by user": (PER_USER, EVER),
    "unique by user of a range": (PER_USER, {"start_time": RANGE[0], "end_time": RANGE[1]}),
    "unique by sender": (PER_SENDER, {**EVER, "user": "beta"}),
    "unique without a range": (PER_USER, {}),
    "accounts": ("listaccts", {}),
    "services": ("servicestatus", {}),
    "functions": ("applist", {}),
    "name": ("gethostname", {}),
    "version": ("version", {}),
    "unknown": ("no_such_function", {}),
}
"""Calls that between them reach everything that a quirk may change."""


def asked(name: str, quirks: Quirks = PLAIN) -> Any:
    function, params = CALLS[name]
    return body(SMALL, function, params, quirks=quirks)


def test_the_calls_reach_every_function() -> None:
    assert {function for function, _ in CALLS.values()} - {"no_such_function"} == set(FUNCTIONS)


Change = Callable[[Any], Any]
ROWS = {row["msgid"] + row["type"][0] + row["recipient"][0]: row
        for row in asked("search")["data"]["records"]}  # fmt: skip
"""Rows of the search by message, type and recipient, such as "m2sb"."""


def everywhere(change: Change) -> dict[str, Change]:
    """The same change in all answers that it changes at all."""
    return {name: change for name in CALLS if change(asked(name)) != asked(name)}


def as_strings(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: as_strings(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_strings(member) for member in value]
    return str(value) if isinstance(value, int) else value


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    return [without_nulls(member) for member in value] if isinstance(value, list) else value


def nulls_as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: "" if v is None else nulls_as_text(v) for k, v in value.items()}
    return [nulls_as_text(member) for member in value] if isinstance(value, list) else value


def without_overflowed(answer: Any) -> Any:
    metadata = {k: v for k, v in answer["metadata"].items() if k != "overflowed"}
    return {**answer, "metadata": metadata}


def records(*names: str, **metadata: object) -> Change:
    """The answer of a search with these of ``ROWS`` in place of its own."""

    def change(answer: Any) -> Any:
        rows = [ROWS[name] for name in names]
        return {"data": {"records": rows}, "metadata": {**answer["metadata"], **metadata}}

    return change


def like(other: str) -> Change:
    """The answer to another one of the calls."""
    return lambda _answer: asked(other)


def each(change: Change) -> Change:
    """A change of each record."""

    def changed(answer: Any) -> Any:
        [(key, members)] = answer["data"].items()
        return {**answer, "data": {key: [change(member) for member in members]}}

    return changed


def replacing(field: str, old: object, new: object) -> Change:
    return each(lambda record: {**record, field: new} if record.get(field, 0) == old else record)


def members(**others: object) -> Change:
    """An answer of one record with other members."""
    return each(lambda record: {**record, **others})


def payload(*counts: tuple[str, int]) -> Change:
    found = [{"unique_sender_recipient_count": count, "user": user} for user, count in counts]
    return lambda answer: {**answer, "data": {"payload": found}}


def size(*sent: int) -> int:
    return sum(1000 + seconds % 977 for seconds in sent)


def stats(sizes: int, *counts: int) -> Change:
    sent, good, late, bad, waiting = counts
    return members(
        SENDCOUNT=sent, SUCCESSCOUNT=good, DEFERCOUNT=late, FAILCOUNT=bad,
        DEFERFAILCOUNT=late + bad, INPROGRESSCOUNT=waiting, TOTALSIZE=sizes,
    )  # fmt: skip


def split_user(answer: Any) -> Any:
    """User stats in which each of alpha's domains has a record of its own."""
    [alpha] = [one for one in answer["data"]["records"] if one["USER"] == "alpha"]
    shares = [
        alpha | {"DOMAIN": "alpha.example.com", "SENDCOUNT": 1, "TOTALSIZE": size(-1000)},
        alpha
        | {"DOMAIN": "shop.example.com", "SENDCOUNT": 1, "TOTALSIZE": size(-5), "SUCCESSCOUNT": 0},
    ]
    others = [one for one in answer["data"]["records"] if one["USER"] != "alpha"]
    return {**answer, "data": {"records": [others[0], *shares, *others[1:]]}}


def limits_as_numbers(answer: Any) -> Any:
    def change(record: Any) -> Any:
        return {k: 1 if k.startswith("REACHED") and v else v for k, v in record.items()}

    return each(change)(answer)


def of_users(**changes: dict[str, int]) -> Change:
    """User stats in which these users have other members; outside senders are called outside."""
    by_user = {name.replace("outside", "-remote-"): found for name, found in changes.items()}
    return each(lambda record: record | by_user.get(record["USER"], {}))


without_deferrals = each(
    lambda record: (
        record
        | {"DEFERCOUNT": 0, "DEFERFAILCOUNT": record["DEFERFAILCOUNT"] - record["DEFERCOUNT"]}
    )
)


def unchanged(answer: Any) -> Any:
    return answer


REPLACED = [name for name in ROWS if name != "m2db"]

EXPECTED: dict[str, dict[str, Change]] = {
    "numbers=strings": everywhere(as_strings),
    "empty=absent": everywhere(without_nulls),
    "empty=text": everywhere(nulls_as_text),
    "cap-comes=before": {
        # What is cut first: the newest of each type are m8, m7, m6 and m2, of which one is beta's.
        "search with cap and filter": records("m2db"),
    },
    "cap=1": dict.fromkeys(
        ("search",),
        records("m8ia", "m7si", "m6fg", "m2db", overflowed=1),
    )
    | {
        "search for successes": records("m7si", overflowed=1),
        "search with a cap": records("m8ia", "m7si", "m6fg", "m2db", overflowed=1),
        "search with a filter": records("m5fd", "m2sb", "m2db", overflowed=1),
        "search by action time": records("m7si", "m6fg", overflowed=1),
        "search in order": lambda answer: {
            **answer,
            "data": {
                "records": sorted(
                    [ROWS[name] for name in ("m8ia", "m7si", "m6fg", "m2db")],
                    key=lambda row: row["size"],
                )
            },
            "metadata": {**answer["metadata"], "overflowed": 1},
        },
        "search for a page": records("m7si", "m6fg", "m2db", overflowed=1),
        "search for columns": lambda answer: {
            "data": {"records": [{"msgid": name} for name in ("m8", "m7", "m6", "m2")]},
            "metadata": {**answer["metadata"], "overflowed": 1},
        },
    },
    "hide-overflow": everywhere(without_overflowed),
    "time-filters=send": {"search by action time": records("m8ia", "m9ii", "m7si", "m6fg")},
    "totals-go-by=action": {
        # The retry of m2 and the delivery of m7 end after the range.
        "user stats of a range": of_users(
            outside={"SENDCOUNT": 2, "SUCCESSCOUNT": 1, "TOTALSIZE": size(-600, -300)},
            beta={"SUCCESSCOUNT": 0},
        ),
        "stats of a range": stats(size(-800, -600, -500, -400, -300), 5, 1, 1, 4, 0),
        "unique by user of a range": payload(("-remote-", 2), ("beta", 3), ("gamma", 1)),
    },
    "range-ends=excluded": {
        "user stats of a range": of_users(
            outside={"SENDCOUNT": 2, "SUCCESSCOUNT": 1, "TOTALSIZE": size(-600, -300)},
            beta={
                "SENDCOUNT": 1,
                "SUCCESSCOUNT": 0,
                "DEFERCOUNT": 0,
                "FAILCOUNT": 1,
                "DEFERFAILCOUNT": 1,
                "TOTALSIZE": size(-400),
            },
        ),
        "stats of a range": stats(size(-600, -500, -400, -300), 4, 1, 0, 3, 0),
        "unique by user of a range": payload(("-remote-", 2), ("beta", 1), ("gamma", 1)),
    },
    "chunk-limit=2": {"search for a page": records("m9ii", "m7si")},
    "ignored=filter": {
        "search with a filter": like("search"),
        "search by action time": like("search"),
        "search with cap and filter": records("m8ia", "m7si", "m6fg", "m2db"),
    },
    "ignored=sort": {"search in order": like("search")},
    "ignored=chunk": {"search for a page": like("search")},
    "ignored=columns": {"search for columns": like("search")},
    "ignored=sort,columns": {
        "search in order": like("search"),
        "search for columns": like("search"),
    },
    "retries=replaced": {
        "search": records(*REPLACED),
        "search with a cap": records(
            *(n for n in REPLACED if n in "m8ia m9ii m7si m6fg m5fd m3si")
        ),
        "search with a filter": records("m5fd", "m2sb", "m2fc"),
        "search with cap and filter": records("m5fd", "m2sb"),
        "search in order": lambda answer: {
            **answer,
            "data": {
                "records": [one for one in answer["data"]["records"] if one["type"] != "defer"]
            },
        },
        "search for columns": lambda answer: {
            **answer,
            "data": {"records": [{"msgid": ROWS[name]["msgid"]} for name in REPLACED]},
        },
        **dict.fromkeys(
            ("user stats", "user stats of a range", "stats", "stats of a range"), without_deferrals
        ),
    },
    "accepted=Angenommen": everywhere(
        lambda answer: (
            replacing("message", "Accepted", "Angenommen")(answer)
            if "records" in answer.get("data", {})
            else answer
        )
    ),
    "without-types=everything": {"search without types": like("search")},
    "version-shape=legacy": {
        "version": lambda answer: {
            "cpanelresult": {"apiversion": "2", "data": answer["data"], "type": "text"}
        }
    },
    "limits=number": dict.fromkeys(("user stats", "user stats of a range"), limits_as_numbers),
    "bounce-sender=brackets": {"queue": replacing("sender", "", "<>")},
    "bounce-sender=null": {"queue": replacing("sender", "", None)},
    **{
        f"remote-user={word}": everywhere(
            lambda answer, new=new: (
                replacing("deliveryuser", "-remote-", new)(answer)
                if "records" in answer.get("data", {})
                else answer
            )
        )
        for word, new in (("null", None), ("empty", ""))
    },
    "user-rows=domain": {"user stats": split_user},
    # The web side sees to these; the answers stay as they are.
    "clock-offset=-7m": {},
    "no-gzip": {},
    # Root has every privilege; test_acls.py has the others.
    "lacking-acl=403": {},
}
"""For each quirk the calls whose answers it changes, and what it makes of the plain answer."""

SEEN_ELSEWHERE = {"late", "type-words"}
"""Quirks that fall on some rows only; what they do is in test_quirks_of_rows.py."""


def test_every_quirk_is_tried() -> None:
    tried = {text.partition("=")[0] for text in EXPECTED} | SEEN_ELSEWHERE
    assert tried == {row.name for row in QUIRK_ROWS}


@pytest.mark.parametrize("quirk", EXPECTED)
@pytest.mark.parametrize("name", CALLS)
def test_a_quirk_changes_what_it_says_and_nothing_else(name: str, quirk: str) -> None:
    changes = EXPECTED[quirk]
    assert set(changes) <= set(CALLS)
    quirks = parse_quirks([quirk], ["web1"])["web1"]
    change = changes.get(name, unchanged)
    assert asked(name, quirks) == change(asked(name))


@pytest.mark.parametrize("quirk", [text for text, changes in EXPECTED.items() if changes], ids=str)
def test_a_quirk_changes_something(quirk: str) -> None:
    quirks = parse_quirks([quirk], ["web1"])["web1"]
    assert [name for name in CALLS if asked(name, quirks) != asked(name)]


@pytest.mark.parametrize("words", ["numbers=numbers", "empty=null", "accepted=Accepted", "cap=0"])
def test_the_usual_word_changes_nothing(words: str) -> None:
    assert parse_quirks([words], ["web1"]) == {"web1": PLAIN}


def test_the_first_word_of_each_quirk_is_what_happens_without_it() -> None:
    for row in QUIRK_ROWS:
        usual = getattr(PLAIN, row.field)
        if row.kind is Kind.WORD:
            assert usual == row.values[0]
        elif row.kind is Kind.TEXT:
            assert usual == "Accepted"
        else:
            assert usual == {Kind.SWITCH: True, Kind.WORDS: frozenset()}.get(row.kind, 0)


def test_the_table_has_every_field_of_the_quirks() -> None:
    assert sorted(row.field for row in QUIRK_ROWS) == sorted(Quirks.__dataclass_fields__)


def test_numbers_are_texts_in_refusals_too() -> None:
    quirks = Quirks(numbers="strings")
    answer = body(SMALL, "fetch_mail_queue", quirks=quirks, caller=Caller("root", frozenset()))
    assert answer == {
        "metadata": {
            "command": "fetch_mail_queue",
            "reason": "Permission denied",
            "result": "0",
            "version": "1",
        }
    }


def test_large_answers_are_dressed_in_every_piece() -> None:
    mail = HandMail([attempt(f"m{i}", -i, "", "x@example.net", -i) for i in range(2100)])
    quirks = Quirks(numbers="strings", empty="absent")
    rows = body(mail, "emailtrack_search", EVERY_TYPE, quirks=quirks)["data"]["records"]
    assert [row["sendunixtime"] for row in rows] == [str(NOW_UNIX - i) for i in range(2100)]
    assert not any(value is None for row in rows for value in row.values())


def test_replaced_retries_go_by_the_newest_attempt_outside_the_range_too() -> None:
    quirks = parse_quirks(["retries=replaced", "totals-go-by=action"], ["web1"])["web1"]
    before = {"endtime": NOW_UNIX - 700}
    [plain] = body(SMALL, "emailtrack_stats", before)["data"]["records"]
    [found] = body(SMALL, "emailtrack_stats", before, quirks=quirks)["data"]["records"]
    assert (plain["DEFERCOUNT"], found["DEFERCOUNT"]) == (1, 0)


def test_a_limit_that_one_domain_ran_into_shows_at_that_domain() -> None:
    text = (
        "Domain shop.example.com has exceeded the max emails per hour (9/5 (180%)) allowed."
        " Message discarded."
    )
    mail = HandMail(
        [
            attempt("m1", -9, "a@alpha.example.com", "x@example.net", -8),
            refused("m2", -7, "a@shop.example.com", "x@example.net", text),
        ],
        CARDS,
    )
    found = {}
    for word in ("user", "domain"):
        answer = body(mail, "emailtrack_user_stats", quirks=Quirks(user_rows=word))
        found[word] = [
            (one["DOMAIN"], one["PRIMARY_DOMAIN"], one["SENDCOUNT"], one["REACHED_MAXEMAILS"])
            for one in answer["data"]["records"]
        ]
    assert found == {
        "user": [("alpha.example.com", "alpha.example.com", 2, "9/5")],
        "domain": [
            ("alpha.example.com", "alpha.example.com", 1, 0),
            ("shop.example.com", "alpha.example.com", 1, "9/5"),
        ],
    }


SERVERS = ["web1", "web2"]


def test_quirks_are_read_from_texts_for_all_servers_or_for_one() -> None:
    texts = [
        "web2:cap=9", "cap=250", "cap=300", "late=45m", "web1:clock-offset=-7m", "no-gzip",
        "hide-overflow", "ignored=filter,chunk", "accepted=Gut: ja=ja", "web2:numbers=strings",
    ]  # fmt: skip
    common = {
        "late_seconds": 2700,
        "has_gzip": False,
        "tells_overflow": False,
        "ignored": frozenset({"filter", "chunk"}),
        "accepted": "Gut: ja=ja",
    }
    assert parse_quirks(texts, SERVERS) == {
        "web1": Quirks(cap=300, clock_offset_seconds=-420, **common),  # type: ignore[arg-type]
        "web2": Quirks(cap=9, numbers="strings", **common),  # type: ignore[arg-type]
    }
    assert parse_quirks([], SERVERS) == {"web1": PLAIN, "web2": PLAIN}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("web3:cap=1", 'The quirk "web3:cap=1" is for no known server; there are: web1, web2.'),
        ("", 'There is no quirk ""; there are: numbers, empty, cap-comes, cap, '),
        ("hurry=yes", 'There is no quirk "hurry"; there are: numbers, empty, cap-comes, cap, '),
        ("no-gzip=1", 'The quirk "no-gzip" takes no value.'),
        ("numbers", 'The quirk "numbers" needs a value: numbers=numbers|strings.'),
        ("accepted", 'The quirk "accepted" needs a value: accepted=TEXT.'),
        ("empty=none", 'The quirk "empty" takes one of null, absent, text, not "none".'),
        ("empty=null,text", 'The quirk "empty" takes one of null, absent, text, not "null,text".'),
        ("ignored=a,sort", 'The quirk "ignored" takes some of filter, sort, chunk, columns, not'),
        ("ignored=", 'The quirk "ignored" takes some of filter, sort, chunk, columns, not "".'),
        ("cap=many", 'The quirk "cap" takes a whole number of 0 or more, not "many".'),
        ("cap=-1", 'The quirk "cap" takes a whole number of 0 or more, not "-1".'),
        ("late=soon", 'The quirk "late" takes a time such as 90s, 45m or 2h of 0'),
        ("late=-5m", 'The quirk "late" takes a time such as 90s, 45m or 2h of 0'),
        ("clock-offset=", 'The quirk "clock-offset" takes a time such as 90s, 45m or 2h, not "".'),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_that_says_what_would_be_right(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="quirk") as caught:
        parse_quirks([text], SERVERS)
    assert str(caught.value).startswith(sentence)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("width", [60, 100])
def test_the_help_names_every_quirk_within_its_width(width: int) -> None:
    lines = quirk_help(width).splitlines()
    assert max(map(len, lines)) <= width
    heads = [line.strip() for line in lines if not line.startswith("   ")]
    assert heads == [row.usage for row in QUIRK_ROWS]
    whole = " ".join(" ".join(lines).split())
    assert all(row.does in whole for row in QUIRK_ROWS)


def test_every_quirk_says_in_sentences_what_it_does_and_why_it_is_open() -> None:
    for row in QUIRK_ROWS:
        assert row.does.endswith(".")
        assert row.is_open.endswith(".")
