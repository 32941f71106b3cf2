"""Who a message is from: the columns that all rows of one message share, and its Exim id."""

from typing import NamedTuple

from whm_simulator.world import people
from whm_simulator.world.accounts import Account
from whm_simulator.world.chance import Dice

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_HIGHEST_PROCESS_ID = 4_194_304
_HIGHEST_OLD_PROCESS_ID = 32_768


class Envelope(NamedTuple):
    """The sending side of a message, with WHM's field names."""

    sender: str
    email: str
    user: str
    domain: str
    senderauth: str
    senderhost: str
    senderip: str
    size: int
    spamscore: int


def from_account(dice: Dice, account: Account, hostname: str) -> Envelope:
    """A message that an account sends, by login or from a web application."""
    size = dice.skewed(*account.habit.sizes_bytes)
    if account.habit.is_script:
        sender = f"{account.user}@{hostname}"
        visible = f"{account.habit.name}@{account.domain}"
        return Envelope(
            sender, visible, account.user, account.domain, "localuser", "localhost", "127.0.0.1",
            size, 0,
        )  # fmt: skip
    mailbox = dice.pick(account.mailboxes)
    host, ip = people.client_machine(dice)
    login = "dovecot_login" if dice.chance(0.7) else "dovecot_plain"
    return Envelope(mailbox, mailbox, account.user, account.domain, login, host, ip, size, 0)


def from_elsewhere(dice: Dice) -> Envelope:
    """A message that another mail server brings."""
    sender = people.person_at(dice, people.any_place(dice))
    host, ip = people.sending_site(dice)
    return Envelope(
        sender, sender, "-remote-", "", "", host, ip, dice.skewed(900, 15_000_000),
        dice.skewed(0, 120),
    )  # fmt: skip


def from_system(dice: Dice, hostname: str) -> Envelope:
    """A report of cron or of a daemon."""
    root = f"root@{hostname}"
    return Envelope(
        root, root, "root", "-system-", "localuser", "localhost", "127.0.0.1",
        dice.skewed(600, 40_000), 0,
    )  # fmt: skip


def bounce(dice: Dice, hostname: str) -> Envelope:
    """A delivery failure report of this server, with an empty sender."""
    return Envelope(
        "", f"Mailer-Daemon@{hostname}", "mailnull", "-system-", "", "localhost", "127.0.0.1",
        dice.skewed(2_000, 60_000), 0,
    )  # fmt: skip


def exim_id(send_unix: int, ordinal: int, first_process_id: int, *, is_old_form: bool) -> str:
    """Exim's message id, 23 characters since Exim 4.97 and 16 before.

    Ids of one second differ as long as *ordinal* does, up to 32,768 messages.
    """
    if is_old_form:
        process_id = (first_process_id + 7 * ordinal) % _HIGHEST_OLD_PROCESS_ID
        return f"{_base62(send_unix, 6)}-{_base62(process_id, 6)}-{_base62(ordinal * 97 % 3844, 2)}"
    process_id = (first_process_id + 7 * ordinal) % _HIGHEST_PROCESS_ID
    fraction = (first_process_id * 31 + ordinal * 7919) % 1_000_000
    return f"{_base62(send_unix, 6)}-{_base62(process_id, 11)}-{_base62(fraction, 4)}"


def _base62(number: int, width: int) -> str:
    digits = []
    while number:
        number, rest = divmod(number, 62)
        digits.append(_DIGITS[rest])
    return "".join(reversed(digits)).rjust(width, "0")
