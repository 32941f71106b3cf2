"""The messages of one minute and what becomes of them, all but the reports of failure.

A draft also says which reports its failures cause, since those are messages of their own, sent a
little later. Each message and each recipient takes the same draws whatever becomes of it, so that a
change of one fate leaves all other mail as it is.
"""

from bisect import bisect_right
from typing import NamedTuple

from whm_simulator.mail.rows import FAILURE, Row
from whm_simulator.world import courses, delivery
from whm_simulator.world.accounts import SIZES, Account, sizes_between
from whm_simulator.world.chance import BITS_IN_ALL, Dice
from whm_simulator.world.desk import (
    BOX_IS_FULL_ONE_IN,
    FATE_MASK,
    MAIN_STREAM,
    SPAM_STREAM,
    Cause,
    Desk,
)
from whm_simulator.world.faces import Box
from whm_simulator.world.means import HourMeans, Origin
from whm_simulator.world.page import Letter
from whm_simulator.world.people import DECK_SIZE, FATES, people_at
from whm_simulator.world.plan import HourPlan, Mailing, Slot, Verdict
from whm_simulator.world.replies import MANNERS, SUSPENDED
from whm_simulator.world.site import Site
from whm_simulator.world.spam import spam_message

_PIPED_ONE_IN = 40
_SEVERAL_INBOUND_OF_256 = 18
_SIZE_MASK = SIZES - 1
_INBOUND_SIZES_BYTES = sizes_between(900, 15_000_000)
_SYSTEM_SIZES_BYTES = sizes_between(600, 40_000)
_LONGEST_LIST_DELAY_SECONDS = 110


class Draft(NamedTuple):
    """The rows of a minute in no order, and the reports they cause."""

    rows: list[Row]
    causes: list[Cause]


def draft_of(site: Site, plan: HourPlan, minute: int) -> Draft:
    """The *minute*-th minute of unix time, whose hour has *plan*."""
    author = _Author(site, minute)
    author.write_unplanned(plan.means)
    for slot in plan.slots.get(minute, ()):
        if slot.is_spam:
            author.write_spam(slot)
        else:
            author.write_slot(slot)
    for mailing in plan.mailings:
        if mailing.start_minute <= minute < mailing.start_minute + mailing.minutes:
            author.write_mailing(mailing, minute)
    return Draft(author.page.rows, author.causes)


class _Author(Desk):
    """Writes the messages of one minute, one after the other.

    The 53 bits of a message are, from the lowest: its face (a remainder), its size from the 10th,
    its first recipient from the 24th, whether it has several from the 37th, how many from the 45th.
    Those of a recipient are its fate, from the 20th the delay, from the 34th whether the mailbox is
    full, and from the 43rd whether it is on this server.
    """

    def write_unplanned(self, means: HourMeans) -> None:
        """Mail from elsewhere, from the system and from accounts that nobody counts."""
        uniform = self.dice.uniform
        origins, parts = means.origins, means.parts
        start_unix = self.start_unix
        for moment in sorted([uniform() for _ in range(self.dice.count(means.per_minute))]):
            seconds = moment * 60
            second = int(seconds)
            send_unix = start_unix + second
            origin = origins[bisect_right(parts, seconds - second)]
            bits = int(uniform() * BITS_IN_ALL)
            if isinstance(origin, Account):
                self._write_own(origin, send_unix, bits, None)
            elif origin is Origin.INBOUND:
                self._write_inbound(send_unix, bits)
            else:
                self._write_system(send_unix, bits)

    def write_slot(self, slot: Slot) -> None:
        """A message of a counted account."""
        self._write_own(slot.account, slot.send_unix, slot.bits, slot)

    def write_mailing(self, mailing: Mailing, minute: int) -> None:
        """The messages of *mailing* in *minute*: one to the list at first, then one for each."""
        account, start = mailing.account, mailing.start_minute
        site = self.site
        uniform = Dice(site.settings.seed, site.name, "mailing", account.user, minute).uniform
        size = account.sizes_bytes[account.first_person & _SIZE_MASK]
        if minute == start and mailing.listed:
            bits = int(uniform() * BITS_IN_ALL)
            rests = [int(uniform() * BITS_IN_ALL) for _ in range(mailing.listed)]
            letter = self.letter_of(account, self.start_unix, bits, size)
            self._write_to(letter, account, bits, 0, rests, is_list=True)
        done = mailing.messages * (minute - start) // mailing.minutes
        until = mailing.messages * (minute - start + 1) // mailing.minutes
        for number, moment in enumerate(sorted(uniform() for _ in range(until - done)), done):
            bits = int(uniform() * BITS_IN_ALL)
            send_unix = self.start_unix + int(moment * 60)
            letter = self.letter_of(account, send_unix, bits, size)
            self._write_to(letter, account, bits, number, [int(uniform() * BITS_IN_ALL)])

    def write_spam(self, slot: Slot) -> None:
        """A message that somebody sends with the password of an account."""
        message = spam_message(slot.account, slot.bits)
        letter = self.letter(SPAM_STREAM, slot.send_unix, message.size, 0, message.face)
        failed_unix = 0
        for index, (address, person) in enumerate(message.recipients):
            share, bits = message.shares[index], slot.bits ^ index << 40
            course = courses.spam_course(person, share, Dice.of_bits(bits))
            is_known = share >= courses.UNKNOWN_SHARE
            tries = self.try_address(letter, address, person, bits, course, slot, is_known=is_known)
            if tries[0].type == FAILURE:
                failed_unix = max(failed_unix, tries[0].at_unix)
        if failed_unix:
            self.cause(SPAM_STREAM, failed_unix, slot.bits, letter, message.box)

    def _write_own(self, account: Account, send_unix: int, bits: int, slot: Slot | None) -> None:
        """A message of *account*; most go to one person elsewhere and arrive."""
        uniform, number = self.dice.uniform, 1
        if bits >> 37 & 0xFF < account.several:
            number = 2 + (bits >> 45) % (account.habit.most_recipients - 1)
        first = bits >> 24 & 0x1FFF
        size, faces = account.sizes_bytes[bits >> 10 & _SIZE_MASK], account.faces
        letter = self.letter(MAIN_STREAM, send_unix, size, 0, faces[bits % len(faces)])
        rest = int(uniform() * BITS_IN_ALL)
        if number == 1 and slot is None and self.is_ordinary:
            place = account.first_person + first % account.habit.audience
            person = self.people[place % DECK_SIZE]
            if rest & FATE_MASK >= account.gone + person.trouble and rest >> 43 >= account.stays:
                delay = delivery.first_delay_seconds(rest >> 20, is_slow=person.place.is_slow)
                self.page.put_sent(letter, person, send_unix + delay)
                return
        rests = [rest, *(int(uniform() * BITS_IN_ALL) for _ in range(number - 1))]
        self._write_to(letter, account, bits, first, rests, slot)

    def _write_to(
        self,
        letter: Letter,
        account: Account,
        bits: int,
        first: int,
        rests: list[int],
        slot: Slot | None = None,
        *,
        is_list: bool = False,
    ) -> None:
        """The recipients of *letter*, from the *first* on; *rests* are the bits of each."""
        people, send_unix, put_sent = self.people, letter.send_unix, self.page.put_sent
        slot = slot or self._slot_if_suspended(account, send_unix, bits)
        is_stopped = slot is not None and slot.verdict is not Verdict.SEND
        stays = 0 if is_list or is_stopped else account.stays
        begin, audience, gone = account.first_person, account.habit.audience, account.gone
        if slot is not None and slot.is_bad is not None:
            gone = FATES if slot.is_bad else 0
        failed_unix = 0
        for index, rest in enumerate(rests):
            person = people[(begin + (first + index) % audience) % DECK_SIZE]
            if (
                rest & FATE_MASK >= gone + person.trouble
                and rest >> 43 >= stays
                and not is_stopped
                and not (self.bad_days and self.bad_day_for(person, send_unix))
            ):
                if is_list:
                    delay = 1 + (rest >> 20) % _LONGEST_LIST_DELAY_SECONDS
                else:
                    delay = delivery.first_delay_seconds(rest >> 20, is_slow=person.place.is_slow)
                put_sent(letter, person, send_unix + delay)
            else:
                if rest >> 43 < stays:
                    box = self.site.boxes[(first + index) % len(self.site.boxes)]
                    tries = self.try_box(letter, box, rest, gone, bits, index)
                else:
                    tries = self.try_person(letter, person, rest, gone, bits, index, slot)
                if tries and tries[0].type == FAILURE:
                    failed_unix = max(failed_unix, tries[0].at_unix)
            if slot is not None and slot.is_bad:
                gone = 0  # the first recipient is enough to make the message a bad one
        if failed_unix:
            box = account.bounce_boxes[bits % len(account.faces)]
            self.cause(MAIN_STREAM, failed_unix, bits, letter, box)

    def _slot_if_suspended(self, account: Account, send_unix: int, bits: int) -> Slot | None:
        if not self.site.is_suspended(account.user, send_unix):
            return None
        domain = account.faces[bits % len(account.faces)].domain
        text = SUSPENDED.text.format(sender_domain=domain)
        return Slot(send_unix, account, bits, Verdict.DISCARD, text, None, is_spam=False)

    def _write_inbound(self, send_unix: int, bits: int) -> None:
        face = self.outsiders[bits % DECK_SIZE]
        boxes, first, number = self.site.boxes, bits >> 24 & 0x1FFF, 1
        if bits >> 37 & 0xFF < _SEVERAL_INBOUND_OF_256:
            number = 2 + (bits >> 45) % 3
        size, share = _INBOUND_SIZES_BYTES[bits >> 10 & _SIZE_MASK], (bits & 0xFFF) / 0x1000
        letter = self.letter(MAIN_STREAM, send_unix, size, int(share * share * share * 48), face)
        uniform = self.dice.uniform
        for index in range(number):
            rest = int(uniform() * BITS_IN_ALL)
            box = boxes[(first + index) % len(boxes)]
            if number == 1 and rest & FATE_MASK < FATES // _PIPED_ONE_IN:
                self._write_to_pipe(letter, box, rest)
            elif rest >> 34 & BOX_IS_FULL_ONE_IN - 1:
                self.page.put_boxed(letter, box, send_unix + 1 + (not rest >> 20 & 15))
            else:
                self.try_box(letter, box, rest, 0, bits, index)

    def _write_to_pipe(self, letter: Letter, box: Box, bits: int) -> None:
        destination = delivery.to_pipe(box.domain, box.user)
        course = courses.WELL
        if not bits >> 34 & 0x3F:
            course = courses.put_off(Dice.of_bits(bits), destination.manners.deferrals)
        first_unix = letter.send_unix + 1
        tries = delivery.attempts(destination, first_unix, course, bits, letter.face)
        self.page.put(letter, f"help@{box.domain}", tries)

    def _write_system(self, send_unix: int, bits: int) -> None:
        """A report of cron or of a daemon to root, whose mail every administrator has forwarded."""
        size = _SYSTEM_SIZES_BYTES[bits >> 10 & _SIZE_MASK]
        letter = self.letter(MAIN_STREAM, send_unix, size, 0, self.site.system)
        rest = int(self.dice.uniform() * BITS_IN_ALL)
        admin = people_at("postfix")[0]
        destination = delivery.to_person(admin.address, admin.place, delivery.UNSIGNED)
        course = courses.WELL
        if not rest & 0x7F:
            course = courses.put_off(Dice.of_bits(rest), MANNERS["postfix"].deferrals)
        first_unix = send_unix + delivery.first_delay_seconds(rest >> 20, is_slow=False)
        tries = delivery.attempts(destination, first_unix, course, rest, letter.face)
        self.page.put(letter, self.site.system.sender, tries)
