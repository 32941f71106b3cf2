"""From the plan of a minute to its rows."""

from datetime import datetime, tzinfo
from functools import lru_cache
from typing import NamedTuple

from whm_simulator.mail.rows import FAILURE, Row
from whm_simulator.world import delivery, envelopes, people
from whm_simulator.world.accounts import Account
from whm_simulator.world.blocks import Block, acts_at
from whm_simulator.world.chance import Dice
from whm_simulator.world.delivery import Attempt
from whm_simulator.world.envelopes import Envelope
from whm_simulator.world.places import PLACES
from whm_simulator.world.plan import Slot, Source, Verdict
from whm_simulator.world.replies import defer_fail_limit_text, hourly_limit_text

_INBOUND_FORWARDED_SHARE = 0.05
_INBOUND_PIPED_SHARE = 0.02
_ADMIN = "admin@example.net"
_ADMIN_PLACE = next(place for place in PLACES if "example.net" in place.domains)


class Site(NamedTuple):
    """The server that writes: what its rows need to know of it."""

    hostname: str
    accounts: tuple[Account, ...]
    has_old_exim: bool
    zone: tzinfo


class _Mail(NamedTuple):
    """A message: its id, when it was accepted, and who it is from."""

    msgid: str
    send_unix: int
    envelope: Envelope


def write_minute(dice: Dice, site: Site, slots: tuple[Slot, ...]) -> Block:
    """Everything that becomes of the messages in *slots*."""
    attempts: list[Row] = []
    firsts: list[int] = []
    first_process_id = dice.below(4_194_304)
    for ordinal, slot in enumerate(slots):
        msgid = envelopes.exim_id(
            slot.send_unix, ordinal, first_process_id, is_old_form=site.has_old_exim
        )
        envelope, recipients = _compose(dice, site, slot)
        mail = _Mail(msgid, slot.send_unix, envelope)
        for recipient, tries in recipients:
            firsts.append(len(attempts))
            attempts += [_attempt_row(mail, recipient, attempt, site.zone) for attempt in tries]
    return Block(
        attempts,
        firsts,
        max(map(acts_at, attempts), default=0),
        max((acts_at(attempts[place]) for place in firsts), default=0),
    )


Recipients = list[tuple[str, list[Attempt]]]


def _compose(dice: Dice, site: Site, slot: Slot) -> tuple[Envelope, Recipients]:
    if slot.account is not None:
        envelope = envelopes.from_account(dice, slot.account, site.hostname)
        return envelope, _recipients_of_account(dice, site, slot, slot.account)
    if slot.source is Source.INBOUND:
        envelope = envelopes.from_elsewhere(dice)
        number = 1 if dice.chance(0.93) else dice.between(2, 4)
        return envelope, [_inbound(dice, site, slot.send_unix) for _ in range(number)]
    if slot.source is Source.BOUNCE:
        return envelopes.bounce(dice, site.hostname), [_to_mailbox(dice, site, slot.send_unix)]
    return envelopes.from_system(dice, site.hostname), [_to_root(dice, site, slot.send_unix)]


def _recipients_of_account(dice: Dice, site: Site, slot: Slot, account: Account) -> Recipients:
    habit = account.habit
    number = dice.between(2, habit.most_recipients) if dice.chance(habit.several) else 1
    recipients = []
    for index in range(number):
        is_gone = dice.chance(habit.gone) if slot.is_bad is None else slot.is_bad and index == 0
        recipients.append(_outbound(dice, site, slot, account, is_gone=is_gone))
    return recipients


def _outbound(
    dice: Dice, site: Site, slot: Slot, account: Account, *, is_gone: bool
) -> tuple[str, list[Attempt]]:
    """One recipient of an account's message, past cPanel's limits or stopped by them."""
    start = slot.send_unix
    held: list[Attempt] = []
    place = people.any_place(dice)
    address = people.nobody_at(dice, place) if is_gone else people.person_at(dice, place)
    if slot.verdict in (Verdict.DISCARD_HOURLY, Verdict.DISCARD_DEFER_FAIL):
        return address, [_discarded(start + 1, slot, account)]
    if slot.verdict is Verdict.RETRY_LATER:
        text = hourly_limit_text(
            account.domain, slot.counted, account.max_email_per_hour, is_discarded=False
        )
        held = delivery.held_until_next_hour(start + 1, text)
        start = held[-1].at_unix - held[-1].at_unix % 3600 + 3600 + dice.below(900)
    elif not is_gone and dice.chance(account.habit.stays_here):
        return _to_mailbox(dice, site, start)
    delay = delivery.first_attempt_delay_seconds(dice, is_remote=True, is_slow=place.is_slow)
    target = delivery.Target(address, place, delivery.REMOTE)
    tries = delivery.remote_attempts(dice, start + delay, target, is_gone=is_gone)
    return address, held + tries


def _discarded(at_unix: int, slot: Slot, account: Account) -> Attempt:
    if slot.verdict is Verdict.DISCARD_DEFER_FAIL:
        text = defer_fail_limit_text(account.domain, slot.counted, account.max_defer_fail_per_hour)
    else:
        text = hourly_limit_text(
            account.domain, slot.counted, account.max_email_per_hour, is_discarded=True
        )
    return Attempt(at_unix, FAILURE, text, None, None, None, delivery.REFUSED_BY_CPANEL)


def _inbound(dice: Dice, site: Site, send_unix: int) -> tuple[str, list[Attempt]]:
    share = dice.uniform()
    if share >= _INBOUND_FORWARDED_SHARE + _INBOUND_PIPED_SHARE:
        return _to_mailbox(dice, site, send_unix)
    account = dice.pick(site.accounts)
    if share < _INBOUND_PIPED_SHARE:
        recipient = f"help@{account.domain}"
        program = f"|/home/{account.user}/bin/desk.php"
        route = delivery.pipe_route(account)
        return recipient, delivery.local_attempts(dice, send_unix + 1, recipient, route, program)
    place = people.any_place(dice)
    target = delivery.Target(people.person_at(dice, place), place, delivery.FORWARDED)
    delay = delivery.first_attempt_delay_seconds(dice, is_remote=True, is_slow=place.is_slow)
    tries = delivery.remote_attempts(dice, send_unix + delay, target)
    return f"forward@{account.domain}", tries


def _to_mailbox(dice: Dice, site: Site, send_unix: int) -> tuple[str, list[Attempt]]:
    account = dice.pick(site.accounts)
    address = dice.pick(account.mailboxes)
    delay = delivery.first_attempt_delay_seconds(dice, is_remote=False, is_slow=False)
    route = delivery.mailbox_route(account)
    return address, delivery.local_attempts(dice, send_unix + delay, address, route, address)


def _to_root(dice: Dice, site: Site, send_unix: int) -> tuple[str, list[Attempt]]:
    """Mail to root, which every administrator has forwarded."""
    delay = delivery.first_attempt_delay_seconds(dice, is_remote=True, is_slow=False)
    target = delivery.Target(_ADMIN, _ADMIN_PLACE, delivery.UNSIGNED)
    tries = delivery.remote_attempts(dice, send_unix + delay, target)
    return f"root@{site.hostname}", tries


def _attempt_row(mail: _Mail, recipient: str, attempt: Attempt, zone: tzinfo) -> Row:
    """The row of *attempt* at *recipient* of *mail*."""
    route, envelope = attempt.route, mail.envelope
    return Row(
        _minute_text(attempt.at_unix // 60, zone) + f"{attempt.at_unix % 60:02d}",
        attempt.at_unix, attempt.deliveredto, route.deliverydomain, route.deliveryuser,
        envelope.domain, envelope.email, attempt.host, attempt.ip, attempt.message, mail.msgid,
        recipient, route.router, envelope.sender, envelope.senderauth, envelope.senderhost,
        envelope.senderip, mail.send_unix, envelope.size, envelope.spamscore, route.transport,
        int(route.is_remote), attempt.type, envelope.user,
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _minute_text(minute: int, zone: tzinfo) -> str:
    """The server's wall time of a minute, up to the colon before its seconds."""
    return datetime.fromtimestamp(minute * 60, zone).strftime("%Y-%m-%d %H:%M:")
