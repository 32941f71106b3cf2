"""Whatever a server sends, decoding gives records or one of its two errors, and loses no row."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.model.records import DELIVERY_LABELS, STAT_TYPES, DeliveryRecord, UserStat
from cpanel_mail_exporter.whm.decode import (
    NotJsonText,
    Rows,
    UnexpectedShape,
    Verdict,
    delivery_rows,
    judge,
    user_stat_rows,
)
from cpanel_mail_exporter.whm.stream import RowStream

quick = settings(deadline=None, max_examples=100)

CONTRACT = Path(__file__).parents[1] / "contract" / "samples.json"
SAMPLES = [json.dumps(sample).encode() for sample in json.loads(CONTRACT.read_bytes()).values()]

# Half surrogates included: json.dumps writes them as escapes, as a careless server does.
texts = st.text(st.characters(codec=None), max_size=8)
numbers = st.integers() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False)
scalars = st.none() | st.booleans() | numbers | texts | numbers.map(str)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
limits = st.sampled_from(["150/150", "5/5 (100%)", "3/-1 (-300%)", "1/0", "many"])
names = (
    st.sampled_from(
        [
            *DELIVERY_LABELS,
            "deliveredto", "deliverydomain", "deliveryuser", "msgid", "senderauth", "senderhost",
            "senderip", "actiontime", "email", "spamscore",
            "DOMAIN", "USER", "OWNER", "PRIMARY_DOMAIN", "REACHED_MAXEMAILS",
            "REACHED_MAXDEFERFAIL", "SENDCOUNT", "TOTALSIZE", "INPROGRESSCOUNT", "COUNT",
        ]
    )
    | texts
)  # fmt: skip
rows_as_objects = st.dictionaries(names, values | limits, max_size=5)
anything_as_row = rows_as_objects | values
metadata = st.fixed_dictionaries(
    {}, optional={"result": values, "reason": values, "overflowed": values, "chunk": values}
)
answers = st.fixed_dictionaries(
    {},
    optional={
        "data": st.fixed_dictionaries(
            {}, optional={"records": st.lists(anything_as_row, max_size=4) | values}
        )
        | values,
        "metadata": metadata | values,
        "cpanelresult": st.fixed_dictionaries({}, optional={"error": values, "data": values})
        | values,
    },
)


def whole(body: bytes) -> list[object]:
    """What is made of *body* by each way in: a result, or the type of one of the two errors."""
    made: list[object] = []
    for attempt in (
        lambda: judge(body),
        lambda: delivery_rows(body),
        lambda: user_stat_rows(body),
        lambda: streamed(body, delivery_rows),
        lambda: streamed(body, user_stat_rows),
    ):
        try:
            made.append(attempt())
        except (NotJsonText, UnexpectedShape) as error:
            made.append(type(error))
    return made


def streamed(body: bytes, decode: Callable[[bytes], Rows[Any]]) -> tuple[Verdict, Rows[Any]]:
    stream = RowStream(decode)
    stream.feed(body)
    return stream.finish()


@quick
@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf{}")
@example(b"{" * 50_000)
@example(b'{"data":{"records":[' + b'{"a":' * 50_000)
def test_any_bytes_give_a_result_or_one_of_two_errors(body: bytes) -> None:
    whole(body)


@quick
@given(st.data())
def test_any_damage_to_a_good_answer_gives_a_result_or_one_of_two_errors(
    data: st.DataObject,
) -> None:
    body = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 40)))
        body[start:end] = data.draw(st.binary(max_size=6) | st.just(bytes(body[start:end]) * 2))
    whole(bytes(body))


@quick
@given(answers | values)
def test_any_json_value_is_an_answer_or_of_another_shape_but_never_no_json(answer: Any) -> None:
    body = finite(answer)
    try:
        verdict, rows = streamed(body, delivery_rows)
    except UnexpectedShape:
        return
    assert (verdict.refusal is None) is (verdict.rows is not None)
    if verdict.rows is None:
        assert rows == Rows([], 0)
    else:
        assert len(rows.records) + rows.rejected == len(answer["data"]["records"])


@quick
@given(st.lists(anything_as_row, max_size=6))
def test_every_delivery_row_is_a_record_or_counted_as_rejected(rows: list[Any]) -> None:
    decoded = delivery_rows(finite(rows))
    assert len(decoded.records) + decoded.rejected == len(rows)
    for record in decoded.records:
        assert type(record) is DeliveryRecord
        assert all(type(value) is str for value in record[:22])
        "".join(record[:22]).encode()  # no half surrogates are left to trip the exposition
        for instant in (record.send_unix, record.action_unix):
            assert instant is None or 0 < instant < 10**11


@quick
@given(st.lists(rows_as_objects, max_size=6))
def test_a_delivery_row_is_rejected_only_for_an_object_or_list_or_an_endless_number(
    rows: list[dict[str, Any]],
) -> None:
    known = {*DELIVERY_LABELS, "deliveredto", "deliverydomain", "deliveryuser", "msgid"}
    known |= {"senderauth", "senderhost", "senderip", "actiontime"}
    bad = sum(
        any(
            name in known and (isinstance(value, (dict, list)) or value in {math.inf, -math.inf})
            for name, value in row.items()
            if not isinstance(value, (dict, list)) or name in known
        )
        or all(value in {None, ""} for name, value in row.items() if name in known)
        for row in rows
    )
    assert delivery_rows(finite(rows)).rejected == bad


def finite(rows: Any) -> bytes:
    """JSON as a server writes it whose numbers know no end: 1e999 for infinity."""
    return json.dumps(rows).replace("-Infinity", "-1e999").replace("Infinity", "1e999").encode()


@quick
@given(st.lists(anything_as_row, max_size=6))
def test_every_row_of_user_stats_is_a_record_or_counted_as_rejected(rows: list[Any]) -> None:
    decoded = user_stat_rows(finite(rows))
    assert len(decoded.records) + decoded.rejected == len(rows)
    for record in decoded.records:
        assert type(record) is UserStat
        assert list(record.counts)[:6] == list(STAT_TYPES)
        assert all(math.isfinite(value) for value in record.counts.values())
        assert len(record.flags) + record.unreadable_flags == 2
        for value in (record.domain, record.user, record.owner, record.primary_domain):
            value.encode()
        "".join(record.counts).encode()


@quick
@given(st.lists(st.dictionaries(names, scalars, max_size=6), min_size=1, max_size=5), st.data())
def test_a_bad_row_takes_no_other_row_with_it(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    alone = [delivery_rows(finite([row])) for row in rows]
    place = data.draw(st.integers(0, len(rows)))
    bad = data.draw(st.sampled_from([{"type": {}}, [], None, 5, {"size": [1]}]))
    together = delivery_rows(finite([*rows[:place], bad, *rows[place:]]))
    assert together.records == [record for rows_of_one in alone for record in rows_of_one.records]
    assert together.rejected == 1 + sum(rows_of_one.rejected for rows_of_one in alone)


@pytest.mark.parametrize("decode", [delivery_rows, user_stat_rows])
@given(body=st.binary(max_size=40))
@settings(deadline=None, max_examples=100)
def test_any_bytes_inside_a_text_cost_no_row(
    decode: Callable[[bytes], Rows[Any]], body: bytes
) -> None:
    inside = body.replace(b"\\", b"/").replace(b'"', b"'")
    decoded = decode(b'[{"user":"a","message":"' + inside + b'"},{"user":"b","x":"\xff"}]')
    assert [record.user for record in decoded.records] == ["a", "b"]
    assert decoded.rejected == 0
