"""Rows as they are written down, in the order in which their messages are."""

from datetime import datetime, tzinfo
from functools import lru_cache

import msgspec

from whm_simulator.mail.rows import SUCCESS, Row
from whm_simulator.world.delivery import Attempt
from whm_simulator.world.faces import Box, Face
from whm_simulator.world.people import Person
from whm_simulator.world.replies import ACCEPTED

_SECONDS = tuple(f"{second:02d}" for second in range(60))


class Letter(msgspec.Struct, frozen=True, gc=False):
    """What all rows of one message share."""

    msgid: str
    send_unix: int
    size: int
    spamscore: int
    face: Face


class Page:
    """Rows of one server."""

    __slots__ = ("_minutes", "_zone", "rows")

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._minutes: dict[int, str] = {}
        self.rows: list[Row] = []

    def put(self, letter: Letter, recipient: str, attempts: list[Attempt]) -> None:
        """Write all *attempts* at *recipient*."""
        domain, email, sender, auth, sender_host, sender_ip, user = letter.face
        for attempt in attempts:
            at_unix, way = attempt.at_unix, attempt.way
            self.rows.append(
                Row(
                    self._wall_time(at_unix), at_unix, attempt.deliveredto, way.deliverydomain,
                    way.deliveryuser, domain, email, attempt.host, attempt.ip, attempt.message,
                    letter.msgid, recipient, way.router, sender, auth, sender_host, sender_ip,
                    letter.send_unix, letter.size, letter.spamscore, way.transport, way.is_remote,
                    attempt.type, user,
                )
            )  # fmt: skip

    def put_sent(self, letter: Letter, person: Person, at_unix: int) -> None:
        """Write that an account's message reached *person* at once, as most do."""
        domain, email, sender, auth, sender_host, sender_ip, user = letter.face
        address, exchanger = person.address, person.exchanger
        self.rows.append(
            Row(
                self._wall_time(at_unix), at_unix, address, None, "-remote-", domain, email,
                exchanger.host, exchanger.ip, ACCEPTED, letter.msgid, address, "dkim_lookuphost",
                sender, auth, sender_host, sender_ip, letter.send_unix, letter.size,
                letter.spamscore, "dkim_remote_smtp", 1, SUCCESS, user,
            )
        )  # fmt: skip

    def put_boxed(self, letter: Letter, box: Box, at_unix: int) -> None:
        """Write that a message reached a mailbox of this server at once."""
        domain, email, sender, auth, sender_host, sender_ip, user = letter.face
        address, to_domain, to_user, router, transport = box
        self.rows.append(
            Row(
                self._wall_time(at_unix), at_unix, address, to_domain, to_user, domain, email,
                "localhost", "127.0.0.1", ACCEPTED, letter.msgid, address, router, sender, auth,
                sender_host, sender_ip, letter.send_unix, letter.size, letter.spamscore, transport,
                0, SUCCESS, user,
            )
        )  # fmt: skip

    def _wall_time(self, at_unix: int) -> str:
        minute = at_unix // 60
        text = self._minutes.get(minute)
        if text is None:
            text = self._minutes[minute] = _minute_text(minute, self._zone)
        return text + _SECONDS[at_unix - 60 * minute]


@lru_cache(maxsize=4096)
def _minute_text(minute: int, zone: tzinfo) -> str:
    """The server's wall time of a minute, up to the colon before its seconds."""
    return datetime.fromtimestamp(minute * 60, zone).strftime("%Y-%m-%d %H:%M:")
