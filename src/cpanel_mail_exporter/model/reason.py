"""Why a delivery failed or was deferred, in few words that labels can carry."""

from typing import NamedTuple


class Reason(NamedTuple):
    """What a delivery event's text means.

    Attributes:
        reason: one of the classes of `bounces`, such as `unknown_user`.
        severity: `hard`, `soft` or `block`.
        code: reply code such as `550`, empty where the text holds none.
        enhanced_code: enhanced status code such as `5.1.1`, empty where the text holds none.
    """

    reason: str
    severity: str
    code: str = ""
    enhanced_code: str = ""
