"""What the writer of a minute's messages has at hand: numbers, and ways to try deliveries."""

from typing import NamedTuple

from whm_simulator.mail.rows import DEFER, FAILURE
from whm_simulator.world import courses, delivery
from whm_simulator.world.accounts import Account
from whm_simulator.world.chance import Dice
from whm_simulator.world.courses import Course
from whm_simulator.world.delivery import Attempt, Destination
from whm_simulator.world.faces import Box, Face, outsiders
from whm_simulator.world.ids import exim_id
from whm_simulator.world.incidents import BadDay
from whm_simulator.world.page import Letter, Page
from whm_simulator.world.people import FATES, Person, deck, nobody_at
from whm_simulator.world.plan import Slot, Verdict
from whm_simulator.world.retry import attempt_times
from whm_simulator.world.site import Site

MAIN_STREAM, SPAM_STREAM = 0, 5
FATE_MASK = FATES - 1
BOX_IS_FULL_ONE_IN = 512

_BAD_DAY = 0xBAD_DA7


class Cause(NamedTuple):
    """A message that failed for someone at its first attempt, whose sender can be written to.

    Attributes:
        report_unix: when the server sends the report.
        stream: of the failed message.
        ordinal: of the failed message.
        begin: where the numbers of its stream began in its minute.
        size: of the failed message.
        box: where the sender reads.
    """

    report_unix: int
    stream: int
    ordinal: int
    begin: int
    size: int
    box: Box


class Desk:
    """Numbers the messages of one minute, tries their deliveries and notes what they cause.

    Attributes:
        site: the server.
        start_unix: the minute's first second.
        page: the rows so far.
        causes: the reports to be sent because of them.
        dice: the minute's draws.
        people: everybody elsewhere who may be written to.
        outsiders: the same as senders.
        bad_days: those that meet messages of this minute.
        is_ordinary: neither a bad day nor a suspension needs a look.
    """

    def __init__(self, site: Site, minute: int) -> None:
        self.page = Page(site.settings.zone)
        self.causes: list[Cause] = []
        self.site = site
        self.start_unix = minute * 60
        self.dice = Dice(site.settings.seed, site.name, "minute", minute)
        self._begin = self.dice.below(1 << 22)
        self._ordinals = {MAIN_STREAM: 0, SPAM_STREAM: 0}
        self.people = deck()
        self.outsiders = outsiders()
        self._has_old_exim = site.has_old_exim
        self.bad_days = site.bad_days_between(self.start_unix, self.start_unix + 59)
        self.is_ordinary = not self.bad_days and not site.suspended_unix

    def letter(self, stream: int, send_unix: int, size: int, spamscore: int, face: Face) -> Letter:
        """The next message of *stream*, with its id."""
        ordinal = self._ordinals[stream]
        self._ordinals[stream] = ordinal + 1
        msgid = exim_id(send_unix, ordinal, self._begin, stream, self._has_old_exim)
        return Letter(msgid, send_unix, size, spamscore, face)

    def letter_of(self, account: Account, send_unix: int, bits: int, size: int) -> Letter:
        """The next message of *account*, whose *bits* choose its face."""
        faces = account.faces
        return self.letter(MAIN_STREAM, send_unix, size, 0, faces[bits % len(faces)])

    def cause(self, stream: int, failed_unix: int, bits: int, letter: Letter, box: Box) -> None:
        """The sender of *letter*, just written, is told; Exim does so in the same second or two."""
        ordinal = self._ordinals[stream] - 1
        report_unix = failed_unix + (bits >> 2 & 1)
        self.causes.append(Cause(report_unix, stream, ordinal, self._begin, letter.size, box))

    def try_box(
        self, letter: Letter, box: Box, rest: int, gone: int, bits: int, index: int
    ) -> list[Attempt]:
        """A recipient on this server; no attempts are returned where all went well."""
        first_unix = letter.send_unix + 1 + (not rest >> 20 & 15)
        if rest & FATE_MASK < gone:
            address = nobody_at(box.domain, bits, index)
            destination = delivery.to_nowhere(address)
            course = courses.unknown_user(destination.manners)
        elif rest >> 34 & BOX_IS_FULL_ONE_IN - 1:
            self.page.put_boxed(letter, box, first_unix)
            return []
        else:
            destination = delivery.to_box(box)
            course = courses.put_off(Dice.of_bits(rest), destination.manners.deferrals)
        tries = delivery.attempts(destination, first_unix, course, rest, letter.face)
        self.page.put(letter, destination.address, tries)
        return tries

    def try_person(
        self,
        letter: Letter,
        person: Person,
        rest: int,
        gone: int,
        bits: int,
        index: int,
        slot: Slot | None,
    ) -> list[Attempt]:
        """A recipient elsewhere; at the site of *person* nobody, if the fate in *rest* says so."""
        fate, address = rest & FATE_MASK, person.address
        if fate < gone and not (slot and slot.verdict is Verdict.RETRY_LATER):
            address = nobody_at(address.rpartition("@")[2], bits, index)
        course = courses.ordinary_course(person, fate, gone, rest)
        return self.try_address(letter, address, person, rest, course, slot, is_known=fate >= gone)

    def try_address(
        self,
        letter: Letter,
        address: str,
        person: Person,
        bits: int,
        course: Course,
        slot: Slot | None,
        *,
        is_known: bool,
    ) -> list[Attempt]:
        """An address at the site of *person* whose message may be stopped or meet a bad day."""
        destination = delivery.to_person(address, person.place, delivery.SENT)
        send_unix = letter.send_unix
        if slot is not None and slot.verdict is not Verdict.SEND:
            tries = self._stopped(slot, destination, bits)
        else:
            is_slow = person.place.is_slow
            first_unix = send_unix + delivery.first_delay_seconds(bits >> 20, is_slow=is_slow)
            bad_day = self.bad_day_for(person, send_unix) if is_known else None
            if bad_day is not None:
                dice = Dice.of_bits(bits ^ _BAD_DAY)
                first_unix = send_unix + dice.between(30, 110)
                course = courses.bad_day_course(person, dice, first_unix, bad_day.end_unix)
            tries = delivery.attempts(destination, first_unix, course, bits, letter.face)
        self.page.put(letter, address, tries)
        return tries

    def bad_day_for(self, person: Person, send_unix: int) -> BadDay | None:
        """The bad day at the site of *person* that meets a message sent at *send_unix*."""
        for day in self.bad_days:
            if day.place == person.place.kind and day.start_unix <= send_unix < day.end_unix:
                return day
        return None

    def _stopped(self, slot: Slot, destination: Destination, bits: int) -> list[Attempt]:
        """What cPanel's limits leave of a message: nothing, or a delivery in the next hour."""
        way, first_unix = delivery.REFUSED_BY_CPANEL, slot.send_unix + 1
        if slot.verdict is Verdict.DISCARD:
            return [Attempt(first_unix, FAILURE, slot.text, None, None, None, way)]
        hour_end = slot.send_unix - slot.send_unix % 3600 + 3600
        times = attempt_times(first_unix, 5, bits)
        held = [at_unix for index, at_unix in enumerate(times) if not index or at_unix < hour_end]
        [delivered] = delivery.attempts(destination, times[len(held)], courses.WELL, bits,
                                        slot.account.faces[0])  # fmt: skip
        return [
            *(Attempt(at_unix, DEFER, slot.text, None, None, None, way) for at_unix in held),
            delivered,
        ]
