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
    """

    domain: str
    user: str
    owner: str
    primary_domain: str
    counts: dict[str, int | float]
    flags: dict[str, bool] = field(default_factory=dict)
    unreadable_flags: int = 0
