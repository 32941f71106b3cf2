"""One message with all that becomes of it, and the report that its failure causes."""

from typing import NamedTuple

from whm_simulator.world import courses, delivery
from whm_simulator.world.chance import Dice
from whm_simulator.world.courses import Course
from whm_simulator.world.delivery import Attempt, Destination
from whm_simulator.world.faces import Box, Face
from whm_simulator.world.ids import exim_id
from whm_simulator.world.page import Letter
from whm_simulator.world.people import Person
from whm_simulator.world.replies import MANNERS
from whm_simulator.world.retry import attempt_times
from whm_simulator.world.site import Site

STORY_STREAM, REPORT_STREAM = 4, 9

_MOST_QUOTED_BYTES = 100_000
_ENVELOPE_BYTES = 1_300


class Reader(NamedTuple):
    """Somebody elsewhere who may be told of a failure.

    Attributes:
        person: somebody at the site of the address.
        is_forged: the address was made up, and may well not exist.
    """

    person: Person
    is_forged: bool


class Story(NamedTuple):
    """A message to one recipient with all that becomes of it.

    Attributes:
        send_unix: when the server accepts it.
        bits: its identity.
        stream: of message ids.
        face: its sending side.
        size: in bytes.
        spamscore: WHM's, ten times SpamAssassin's.
        recipient: as addressed.
        destination: where the delivery leads.
        first_unix: when the first attempt ends.
        course: how the delivery goes.
        reader: who is told if it fails; nobody if it is a report itself.
    """

    send_unix: int
    bits: int
    stream: int
    face: Face
    size: int
    spamscore: int
    recipient: str
    destination: Destination
    first_unix: int
    course: Course
    reader: Box | Reader | None

    @property
    def end_unix(self) -> int:
        """When the last attempt ends."""
        return attempt_times(self.first_unix, self.course.retries, self.bits)[-1]

    def letter(self, *, has_old_exim: bool) -> Letter:
        """The message's own columns."""
        msgid = exim_id(self.send_unix, 0, self.bits, self.stream, has_old_exim)
        return Letter(msgid, self.send_unix, self.size, self.spamscore, self.face)

    def attempts(self) -> list[Attempt]:
        """Every attempt."""
        return delivery.attempts(
            self.destination, self.first_unix, self.course, self.bits, self.face
        )


def reported_size(size: int) -> int:
    """Bytes of the report on a message of *size* bytes, which quotes what it can."""
    return min(size, _MOST_QUOTED_BYTES) + _ENVELOPE_BYTES


def report_on(site: Site, story: Story) -> Story | None:
    """The report of failure that *story* causes, None if it causes none."""
    if not story.course.is_failed or story.reader is None:
        return None
    dice = Dice.of_bits(story.bits ^ 0x4E7)
    send_unix, bits = story.end_unix + dice.below(2), dice.bits()
    size = reported_size(story.size)
    if isinstance(story.reader, Box):
        box = story.reader
        return Story(
            send_unix, bits, REPORT_STREAM, site.daemon, size, 0, box.address,
            delivery.to_box(box), send_unix + 1, courses.WELL, None,
        )  # fmt: skip
    place, address = story.reader.person.place, story.face.sender
    manners = MANNERS[place.kind]
    share = dice.uniform() + (0 if story.reader.is_forged else 0.82)
    if share < 0.62:
        course = courses.unknown_user(manners)
    elif share < 0.76:
        course = Course(0, True, (), manners.refusals)
    elif share < 0.80:
        course = courses.given_up(manners.deferrals)
    elif share < 0.88:
        course = courses.put_off(dice, manners.deferrals)
    else:
        course = courses.WELL
    delay = delivery.first_delay_seconds(dice.below(1 << 14), is_slow=place.is_slow)
    destination = delivery.to_person(address, place, delivery.SENT)
    return Story(
        send_unix, bits, REPORT_STREAM, site.daemon, size, 0, address, destination,
        send_unix + delay, course, None,
    )  # fmt: skip
