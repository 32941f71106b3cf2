"""Answers that are one text, such as those of version and gethostname -> the text."""

import msgspec

from cpanel_mail_exporter.whm.decode.envelope import Verdict, member_of, opened, whole
from cpanel_mail_exporter.whm.decode.outcome import UnexpectedShape
from cpanel_mail_exporter.whm.decode.scalars import text
from cpanel_mail_exporter.whm.wire import Scalar

VERSION_MEMBER = "version"
"""Name of the text in an answer of version."""

HOSTNAME_MEMBER = "hostname"
"""Name of the text in an answer of gethostname."""

_LONGEST = 255

_scalar: msgspec.json.Decoder[Scalar] = msgspec.json.Decoder(Scalar)


def judge_text(body: bytes, member: str) -> tuple[Verdict, str]:
    """Read the envelope of an answer that came with HTTP 200, and find its text.

    `version` has been seen in the envelope of refused logins too, without an error in it, so the
    `data` of that one is as good.

    Args:
        body: the whole answer.
        member: name of the text in `data`.

    Returns:
        The verdict, without rows, and the text; after a refusal an empty one.

    Raises:
        NotJsonText: the body is no JSON.
        UnexpectedShape: there is no such text, or it is empty or longer than 255 characters.
    """
    verdict, data, legacy_data = opened(body)
    if verdict.refusal is not None:
        return verdict, ""
    oddity = f"data holds no {member}"
    value = whole(_scalar.decode, member_of(data or legacy_data, member, oddity), oddity)
    found = text(value).strip()
    if not 0 < len(found) <= _LONGEST:
        raise UnexpectedShape(oddity)
    return verdict, found
