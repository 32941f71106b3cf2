"""Whatever stands in an answer about accounts or services, no row is lost uncounted."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.model.accounts import Account, UniqueRecipients
from cpanel_mail_exporter.model.services import Service
from cpanel_mail_exporter.whm.decode import (
    ACCOUNTS_MEMBER,
    SERVICES_MEMBER,
    UNIQUE_RECIPIENTS_MEMBER,
    NotJsonText,
    Rows,
    UnexpectedShape,
    account_rows,
    judge_text,
    limit_use,
    service_rows,
    unique_recipient_rows,
)
from cpanel_mail_exporter.whm.stream import RowStream, TextStream

Decode = Callable[[bytes], Rows[Any]]
DECODERS: dict[str, Decode] = {
    ACCOUNTS_MEMBER: account_rows,
    UNIQUE_RECIPIENTS_MEMBER: unique_recipient_rows,
    SERVICES_MEMBER: service_rows,
}
every_decoder = pytest.mark.parametrize("member", DECODERS)
quick = settings(deadline=None, max_examples=100)

# Half surrogates included: json.dumps writes them as escapes, as a careless server does.
texts = st.text(st.characters(codec=None), max_size=8)
numbers = st.integers() | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False)
words = st.sampled_from(["unlimited", "*unknown*", "0", "1", "200", "exim", "root", "150/150"])
scalars = st.none() | st.booleans() | numbers | texts | words | numbers.map(str)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
names = st.sampled_from(
    [
        "user", "domain", "owner", "max_email_per_hour", "max_defer_fail_percentage",
        "outgoing_mail_suspended", "outgoing_mail_hold", "suspended",
        "unique_sender_recipient_count", "name", "installed", "enabled", "running",
    ]
)  # fmt: skip
named = st.fixed_dictionaries({}, optional={"user": words, "name": words})
rows_as_objects = st.builds(
    lambda some, more: {**some, **more}, st.dictionaries(names | texts, values, max_size=6), named
)
anything_as_row = rows_as_objects | values


def finite(value: Any) -> bytes:
    """JSON as a server writes it whose numbers know no end: 1e999 for infinity."""
    return json.dumps(value).replace("-Infinity", "-1e999").replace("Infinity", "1e999").encode()


def check(record: object) -> None:
    """A record holds nothing but what its model says, and nothing that trips the exposition."""
    match record:
        case Account(user, domain, owner, hourly, percentage):
            assert user
            (user + domain + owner).encode()
            for limit in (hourly, percentage):
                assert limit is None or (type(limit) is int and 0 < limit < 10**15)
            for state in (record.is_outgoing_suspended, record.is_outgoing_held):
                assert state in {True, False, None}
            assert record.is_suspended in {True, False, None}
        case UniqueRecipients(user, recipients):
            assert user.encode()
            assert type(recipients) is int
            assert 0 <= recipients < 10**15
        case Service(name, is_running):
            assert name.encode()
            assert is_running in {True, False, None}
        case _:
            raise AssertionError(record)


@quick
@every_decoder
@given(rows=st.lists(anything_as_row, max_size=6))
def test_every_row_is_a_record_or_counted_as_rejected(member: str, rows: list[Any]) -> None:
    decoded = DECODERS[member](finite(rows))
    assert len(decoded.records) + decoded.rejected == len(rows)
    for record in decoded.records:
        check(record)


@quick
@every_decoder
@given(rows=st.lists(rows_as_objects, min_size=1, max_size=5), data=st.data())
def test_a_bad_row_takes_no_other_row_with_it(
    member: str, rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    decode = DECODERS[member]
    alone = [decode(finite([row])) for row in rows]
    place = data.draw(st.integers(0, len(rows)))
    bad = data.draw(st.sampled_from([{}, [], None, 5, {"user": [1], "name": {}}]))
    together = decode(finite([*rows[:place], bad, *rows[place:]]))
    assert together.records == [record for found in alone for record in found.records]
    assert together.rejected == 1 + sum(found.rejected for found in alone)


@quick
@every_decoder
@given(body=st.binary(max_size=40))
def test_any_bytes_inside_a_text_cost_no_row(member: str, body: bytes) -> None:
    inside = body.replace(b"\\", b"/").replace(b'"', b"'")
    row = b'{"user":"a","name":"a","unique_sender_recipient_count":1,"domain":"'
    decoded = DECODERS[member](b"[" + row + inside + b'"},' + row + b'"}]')
    assert (len(decoded.records), decoded.rejected) == (2, 0)


@quick
@given(
    data=st.fixed_dictionaries({}, optional={"version": values, "x": values}) | values,
    metadata=st.fixed_dictionaries({}, optional={"result": values, "reason": values}) | values,
    legacy=st.fixed_dictionaries({}, optional={"error": values, "data": values}) | values,
    members=st.sets(st.sampled_from(["data", "metadata", "cpanelresult"])),
)
def test_any_json_gives_a_refusal_a_text_or_another_shape(
    data: Any, metadata: Any, legacy: Any, members: set[str]
) -> None:
    whole = {"data": data, "metadata": metadata, "cpanelresult": legacy}
    body = finite({name: value for name, value in whole.items() if name in members})
    try:
        verdict, found = judge_text(body, "version")
    except UnexpectedShape:
        return
    assert verdict.rows is None
    assert (verdict.refusal is None) == bool(found)
    assert len(found.encode()) <= 4 * 255


@quick
@given(body=st.binary(max_size=200))
def test_any_bytes_give_a_result_or_one_of_two_errors(body: bytes) -> None:
    for attempt in (
        *(RowStream(decode, member) for member, decode in DECODERS.items()),
        TextStream("version"),
    ):
        try:
            attempt.feed(body)
            attempt.finish()
        except (NotJsonText, UnexpectedShape):
            continue


@quick
@given(values | st.from_regex(r"\s*-?[0-9]{1,18}/-?[0-9]{1,18}( \(-?[0-9]{1,18}%\))?\s*\Z"))
def test_any_value_has_uses_that_are_finite_or_none(value: Any) -> None:
    use = limit_use(value)
    if use is not None:
        assert abs(use.used) < 10**18
        assert abs(use.limit) < 10**18
        assert use.percent is None or abs(use.percent) < 10**19
