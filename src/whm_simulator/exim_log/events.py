"""What a line of Exim's main log says, as values; nothing here knows how a line is written.

The meaning of flags and fields is that of the chapter "Log files" of Exim's specification. Where it
is silent, the comment names what a real Exim 4.96 wrote.
"""

from typing import NamedTuple

from whm_simulator.mail.rows import DEFER, FAILURE, SUCCESS

OUTCOMES = {
    "=>": SUCCESS,  # a delivery
    "->": SUCCESS,  # a further address in the same delivery
    ">>": SUCCESS,  # passed on while it was being received; comes before the line of its arrival
    "*>": SUCCESS,  # as good as delivered: -N keeps Exim from really sending
    "**": FAILURE,
    "==": DEFER,
}
"""The outcome that each flag of a delivery line stands for, by WHM's word."""


class Peer(NamedTuple):
    """The machine at the other end: *host* as logged, a name given in HELO in parentheses."""

    host: str
    ip: str


class Arrival(NamedTuple):
    """A message was accepted (``<=``, or ``(=`` if the sender was told otherwise).

    Attributes:
        sender: the envelope sender, empty for a bounce.
        parent: id of the message that this bounce or reply is about.
        peer: who brought it; None if a program on this machine did.
        ident: the login name of that program's user, or what the peer said of its user.
        protocol: such as ``esmtpsa`` or ``local``.
        authenticator: the way of login, empty if there was none.
        login: who logged in, empty if the authenticator doesn't tell.
        size: in bytes.
        recipients: empty unless the log selector ``received_recipients`` is on; Exim leaves out
            those that would make the line longer than 8 KiB.
    """

    msgid: str
    sender: str
    parent: str = ""
    peer: Peer | None = None
    ident: str = ""
    protocol: str = ""
    authenticator: str = ""
    login: str = ""
    size: int = 0
    recipients: tuple[str, ...] = ()


class Attempt(NamedTuple):
    """A delivery was made, failed or was put off.

    Attributes:
        flag: one of ``OUTCOMES``.
        address: where to; a local part alone for a local delivery, a path or ``|command`` for a
            file or pipe.
        original: the recipient it was made from, empty if that is *address* itself.
        parents: addresses between the two, the nearest first.
        sender: the envelope sender, None if the line doesn't tell.
        router, transport: empty where it didn't come to that.
        peer: None for a delivery on this machine; its ``ip`` is empty where the log has no address.
        errno: of a deferral, 0 otherwise.
        confirmation: what the receiver said to a delivery.
        text: why it failed or was put off; lines of an SMTP answer are joined by a backslash and
            the letter n, as Exim writes them.
    """

    msgid: str
    flag: str
    address: str
    original: str = ""
    parents: tuple[str, ...] = ()
    sender: str | None = None
    router: str = ""
    transport: str = ""
    peer: Peer | None = None
    errno: int = 0
    confirmation: str = ""
    text: str = ""

    @property
    def outcome(self) -> str:
        """WHM's word for *flag*."""
        return OUTCOMES[self.flag]


class Ended(NamedTuple):
    """The message left the queue: all was done (``Completed``), or somebody removed it."""

    msgid: str


class Freeze(NamedTuple):
    """The message was frozen, is found frozen, or was thawed."""

    msgid: str
    is_frozen: bool


class Settled(NamedTuple):
    """An address is done without a delivery: marked so by hand, or its failure is ignored."""

    msgid: str
    address: str


class RecipientAdded(NamedTuple):
    """An administrator gave the message another recipient."""

    msgid: str
    address: str


class SenderChanged(NamedTuple):
    """An administrator gave the message another envelope sender."""

    msgid: str
    sender: str


class Rejected(NamedTuple):
    """A command or a message was refused, so there is nothing to deliver.

    Attributes:
        msgid: empty unless the whole message had already been read.
        command: what was refused: ``RCPT``, ``after DATA`` and so on.
        recipient: empty unless it was a RCPT.
    """

    msgid: str
    peer: Peer | None
    sender: str | None
    command: str
    recipient: str
    text: str


Event = Arrival | Attempt | Ended | Freeze | Settled | RecipientAdded | SenderChanged | Rejected
