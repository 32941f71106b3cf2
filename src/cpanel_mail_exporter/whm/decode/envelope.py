"""The envelope of an answer -> whether WHM answered, and its rows."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from cpanel_mail_exporter.whm.decode.mending import mended
from cpanel_mail_exporter.whm.decode.outcome import NotJsonText, Record, UnexpectedShape
from cpanel_mail_exporter.whm.decode.scalars import text, whole_number
from cpanel_mail_exporter.whm.wire import WireEnvelope, WireLegacy, WireMetadata

_OF_FUNCTION = re.compile(
    r"permission denied|access denied|not (authori[sz]ed|permitted|allowed)"
    r"|(lack|do(es)? not have|without|require).{0,40}(privilege|permission|acl\b|feature|role)"
    r"|unknown app|(function|app|role)\b.{0,80}(not available|disabled)",
    re.IGNORECASE,
)
"""Public code shows "Permission denied", and "Unknown app" from versions without a function; the
rest are guesses. A text that may pass, as of a service that is down, must not be among them."""

_envelope = msgspec.json.Decoder(WireEnvelope)
_metadata = msgspec.json.Decoder(WireMetadata)
_legacy = msgspec.json.Decoder(WireLegacy)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_rows = msgspec.json.Decoder(list[msgspec.Raw])
_anything = msgspec.json.Decoder(msgspec.Raw)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer says of itself.

    Attributes:
        refusal: WHM's own error text, None if it answered.
        is_login_refusal: the refusal is the one that bad credentials get.
        rows: the members of the list that was looked for, not decoded yet; None after a refusal,
            and where none was looked for.
        is_cut: `metadata.overflowed` isn't 0.
    """

    refusal: str | None
    is_login_refusal: bool = False
    rows: list[msgspec.Raw] | None = None
    is_cut: bool = False

    @property
    def is_function_refusal(self) -> bool:
        """The refusal says that the function is lacking, or the privilege for it.

        >>> Verdict("Permission denied").is_function_refusal, Verdict("No DB").is_function_refusal
        (True, False)
        """
        return self.refusal is not None and _OF_FUNCTION.search(self.refusal) is not None


def judge(body: bytes, member: str = "records") -> Verdict:
    """Read the envelope of an answer that came with HTTP 200, and find its rows.

    Both shapes are known: `{"data", "metadata"}` of WHM API 1 and `{"cpanelresult"}`, which refused
    logins get (documented nowhere, seen in public clients). An answer with its rows and no
    `metadata` is taken for good.

    Args:
        body: the whole answer.
        member: name of the list in `data` that holds the rows; it differs between functions.

    Raises:
        NotJsonText: the body is no JSON.
        UnexpectedShape: it is neither of the two shapes.
    """
    verdict, data, _ = opened(body)
    if verdict.refusal is not None:
        return verdict
    oddity = f"data holds no list of {member}"
    rows = whole(_rows.decode, member_of(data, member, oddity), oddity)
    return Verdict(None, rows=rows, is_cut=verdict.is_cut)


def opened(body: bytes) -> tuple[Verdict, bytes, bytes]:
    """The verdict without rows, and the bytes of `data` in either shape, empty where it isn't."""
    envelope = whole(_envelope.decode, body, "not an object")
    legacy_data = b""
    if bytes(envelope.cpanelresult):
        legacy = whole(_legacy.decode, envelope.cpanelresult, "cpanelresult is odd")
        error = text(legacy.error)
        if error:
            return Verdict(error, is_login_refusal="access denied" in error.lower()), b"", b""
        legacy_data = bytes(legacy.data)
    is_cut = False
    if bytes(envelope.metadata) not in {b"", b"null"}:
        metadata = whole(_metadata.decode, envelope.metadata, "metadata is odd")
        if metadata.result is not None and whole_number(metadata.result) != 1:
            return Verdict(text(metadata.reason) or "no reason given"), b"", b""
        is_cut = metadata.overflowed not in {None, 0, "0", ""}
    return Verdict(None, is_cut=is_cut), bytes(envelope.data), legacy_data


def member_of(data: bytes, name: str, oddity: str) -> msgspec.Raw:
    """One member of `data`, not decoded yet.

    Raises:
        UnexpectedShape: there is none, which *oddity* says, or *data* is empty.
    """
    if not data:
        raise UnexpectedShape("the answer has no data")
    value = whole(_members.decode, data, oddity).get(name)
    if value is None:
        raise UnexpectedShape(oddity)
    return value


def whole(decode: Callable[[Any], Record], body: Any, oddity: str) -> Record:
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
