"""What WHM tells about mail, decoded: delivery records and the sums of one user."""

from dataclasses import dataclass, field
from typing import NamedTuple


class DeliveryRecord(NamedTuple):
    """One row of emailtrack_search.

    The first 22 fields are the label values of `email_logs` in the order of its labels, as text;
    null and absent fields are empty. Their names are those of the labels: `time` is WHM's
    `actiontime` (server-local wall time, never parsed), `msg_id` its `msgid` and so on.

    `send_unix` (message accepted by the server) and `action_unix` (this attempt) are the two
    instants as whole seconds, None where they can't be read.
    """

    actionunixtime: str
    delivered_to: str
    delivery_domain: str
    delivery_user: str
    domain: str
    host: str
    ip: str
    message: str
    msg_id: str
    recipient: str
    router: str
    sender: str
    sender_auth: str
    sender_host: str
    sender_ip: str
    sendunixtime: str
    size: str
    time: str
    transport: str
    transport_is_remote: str
    type: str
    user: str
    send_unix: int | None
    action_unix: int | None


DELIVERY_LABELS: tuple[str, ...] = DeliveryRecord._fields[:22]
"""Label names of `email_logs`, in their order."""

STAT_TYPES: tuple[str, ...] = (
    "send_count",
    "success_count",
    "fail_count",
    "defer_count",
    "defer_fail_count",
    "total_size",
)
"""The six counters of every record of emailtrack_user_stats, in the order they are shown."""

FLAGS: tuple[str, ...] = ("reached_maxemails", "reached_maxdeferfail")
"""The two limits of which every such record says whether they are reached."""


@dataclass(frozen=True, slots=True)
class LimitUse:
    """How far a sending limit of one domain was used, from a text such as "5/5 (100%)".

    As far as public code shows, cPanel writes the text when the limit is reached and takes it
    away when the hour is over, so the numbers are those of that moment. Forum posts show negative
    ones, and *used* above *limit*.

    Attributes:
        used: of what is limited: messages sent, or deferrals and failures.
        limit: messages allowed, or the fewest deferrals and failures that can stop a domain.
        percent: the number in brackets, None if there is none.
    """

    used: int
    limit: int
    percent: float | None = None


@dataclass(frozen=True, slots=True)
class UserStat:
    """One record of emailtrack_user_stats.

    Attributes:
        domain: sender's domain, may be empty (`-remote-`).
        user: account or pseudo-user.
        owner: `root` or a reseller.
        primary_domain: main domain of the account, empty for pseudo-users.
        counts: value by stat type; the six of STAT_TYPES first, others in the order WHM sent them.
        flags: `reached_maxemails` and `reached_maxdeferfail`, only those that could be read.
        unreadable_flags: how many flags were absent or not understood.
        limit_uses: the flags' numbers by flag, where the server gave some.
    """

    domain: str
    user: str
    owner: str
    primary_domain: str
    counts: dict[str, int | float]
    flags: dict[str, bool] = field(default_factory=dict)
    unreadable_flags: int = 0
    limit_uses: dict[str, LimitUse] = field(default_factory=dict)
