"""What one poll learned of a server, beside its delivery records."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from cpanel_mail_exporter.model.accounts import Account, UniqueRecipients
from cpanel_mail_exporter.model.queue import QueueSummary
from cpanel_mail_exporter.model.records import UserStat
from cpanel_mail_exporter.model.services import ServerInfo, Service


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """Whole answers; None for what wasn't asked, or was not got whole.

    Attributes:
        user_stats: of emailtrack_user_stats.
        mail_queue: of fetch_mail_queue, summed up.
        accounts: of listaccts.
        unique_recipients: of get_unique_sender_recipient_count_per_user, for the last hour.
        services: of servicestatus.
        server_info: of version and gethostname.
    """

    user_stats: Sequence[UserStat] | None = None
    mail_queue: QueueSummary | None = None
    accounts: Sequence[Account] | None = None
    unique_recipients: Sequence[UniqueRecipients] | None = None
    services: Sequence[Service] | None = None
    server_info: ServerInfo | None = None

    def after(self, newer: "ServerFacts") -> "ServerFacts":
        """All that is known once *newer* is; what that doesn't tell stays as it is."""
        told = {
            name: value
            for name in (each.name for each in fields(newer))
            if (value := getattr(newer, name)) is not None
        }
        return replace(self, **told)
