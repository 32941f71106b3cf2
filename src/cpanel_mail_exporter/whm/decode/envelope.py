"""The envelope of an answer -> whether WHM answered, and its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from cpanel_mail_exporter.whm.decode.mending import mended
from cpanel_mail_exporter.whm.decode.outcome import NotJsonText, Record, UnexpectedShape
from cpanel_mail_exporter.whm.decode.scalars import text, whole_number
from cpanel_mail_exporter.whm.wire import WireEnvelope, WireLegacy, WireMetadata, WireRecords

_envelope = msgspec.json.Decoder(WireEnvelope)
_metadata = msgspec.json.Decoder(WireMetadata)
_legacy = msgspec.json.Decoder(WireLegacy)
_records = msgspec.json.Decoder(WireRecords)
_anything = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer says of itself.

    Attributes:
        refusal: WHM's own error text, None if it answered.
        is_login_refusal: the refusal is the one that bad credentials get.
        rows: the members of `data.records`, not decoded yet; None after a refusal.
        is_cut: `metadata.overflowed` isn't 0.
    """

    refusal: str | None
    is_login_refusal: bool = False
    rows: list[msgspec.Raw] | None = None
    is_cut: bool = False


def judge(body: bytes) -> Verdict:
    """Read the envelope of an answer that came with HTTP 200.

    Both shapes are known: `{"data", "metadata"}` of WHM API 1 and `{"cpanelresult"}`, which refused
    logins get (documented nowhere, seen in public clients). An answer with `data.records` and no
    `metadata` is taken for good.

    Raises:
        NotJsonText: the body is no JSON.
        UnexpectedShape: it is neither of the two shapes.
    """
    envelope = _whole(_envelope.decode, body, "not an object")
    if bytes(envelope.cpanelresult):
        error = text(_whole(_legacy.decode, envelope.cpanelresult, "cpanelresult is odd").error)
        if error:
            return Verdict(error, is_login_refusal="access denied" in error.lower())
    is_cut = False
    if bytes(envelope.metadata) not in {b"", b"null"}:
        metadata = _whole(_metadata.decode, envelope.metadata, "metadata is odd")
        if metadata.result is not None and whole_number(metadata.result) != 1:
            return Verdict(text(metadata.reason) or "no reason given")
        is_cut = metadata.overflowed not in {None, 0, "0", ""}
    data = bytes(envelope.data)
    if not data:
        raise UnexpectedShape("the answer has no data")
    return Verdict(
        None,
        rows=_whole(_records.decode, data, "data holds no list of records").records,
        is_cut=is_cut,
    )


def _whole(decode: Callable[[Any], Record], body: Any, oddity: str) -> Record:
    """Decode one member of an answer; tell JSON of another shape from what is no JSON."""
    try:
        return decode(body)
    except (ValueError, RecursionError):
        pass
    try:
        clean = mended(bytes(body))
        _anything.decode(clean)
    except (ValueError, RecursionError) as error:
        raise NotJsonText("the answer is no JSON") from error
    try:
        return decode(clean)
    except ValueError as error:
        raise UnexpectedShape(oddity) from error
