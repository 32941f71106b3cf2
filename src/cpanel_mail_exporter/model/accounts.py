"""Accounts of a server: what each may send, how far it has got, and how many it wrote to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """One account of listaccts.

    Attributes:
        user: the account's name.
        domain: its main domain.
        owner: `root` or a reseller, empty if the server doesn't say.
        max_email_per_hour: messages that each of its domains may send in an hour; None if there
            is no limit or none of its own is told (then the server's default applies, which this
            answer doesn't hold).
        max_defer_fail_percentage: share of deferred and failed mail, in percent, from which on a
            domain of it may send no more until the hour is over; None as above.
        is_outgoing_suspended: its outgoing mail is refused; None if the server doesn't say.
        is_outgoing_held: its outgoing mail is kept in the queue; None as above.
        is_suspended: the whole account is suspended; None as above.
    """

    user: str
    domain: str = ""
    owner: str = ""
    max_email_per_hour: int | None = None
    max_defer_fail_percentage: int | None = None
    is_outgoing_suspended: bool | None = None
    is_outgoing_held: bool | None = None
    is_suspended: bool | None = None


@dataclass(frozen=True, slots=True)
class UniqueRecipients:
    """One record of get_unique_sender_recipient_count_per_user.

    Attributes:
        user: account or pseudo-user.
        recipients: different pairs of sending address and recipient.
    """

    user: str
    recipients: int


@dataclass(frozen=True, slots=True)
class LastHour:
    """What one user's delivery events of the past hour come to, by their time of action.

    cPanel compares with its limits what went to other servers, so that is what to count: local
    deliveries left out, one for each recipient.

    Attributes:
        sent: deliveries to recipients at other servers.
        deferred: attempts that were put off.
        failed: recipients given up.
    """

    sent: int = 0
    deferred: int = 0
    failed: int = 0

    @property
    def defer_fail_ratio(self) -> float | None:
        """Deferred and failed out of all, 0 to 1, as cPanel reckons it; None without mail."""
        everything = self.sent + self.deferred + self.failed
        return (self.deferred + self.failed) / everything if everything > 0 else None
