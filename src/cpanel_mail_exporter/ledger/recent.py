"""The activity of the past hour in memory: what has been stored in, numbers of users out.

One thread takes over what it stored, another asks; a lock keeps them apart.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from cpanel_mail_exporter.ledger.activity import ActivityKey
from cpanel_mail_exporter.model.accounts import LastHour
from cpanel_mail_exporter.spam_runs.activity import (
    HOUR_SECONDS,
    SLOT_SECONDS,
    Activity,
    Window,
    slot_of,
    window,
)
from cpanel_mail_exporter.spam_runs.signals import WINDOW_SECONDS

_KEPT_SECONDS = HOUR_SECONDS + 2 * SLOT_SECONDS
_SKETCHED_SECONDS = WINDOW_SECONDS + 2 * SLOT_SECONDS


class Recent:
    """The slots of the past hour and a bit, for each user.

    Sketches are only kept for as long as they are asked for, which is most of the memory.

    Args:
        lock: keeps the two threads apart.
    """

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        self._lock = lock
        self._users: dict[str, dict[int, Activity]] = {}
        self._first_slot = 0

    @staticmethod
    def first_slot(now_unix: int) -> int:
        """The first slot that is kept at *now_unix*."""
        return slot_of(now_unix - _KEPT_SECONDS)

    def load(self, stored: Mapping[ActivityKey, Activity], now_unix: int) -> None:
        """Take what the store holds since `first_slot`."""
        users: dict[str, dict[int, Activity]] = {}
        for (user, slot), found in stored.items():
            users.setdefault(user, {})[slot] = found
        with self._lock:
            self._users = users
            self._first_slot = self.first_slot(now_unix)

    def add(self, added: Mapping[ActivityKey, Activity]) -> None:
        """Take what has been stored; what is older than what is kept is passed over."""
        with self._lock:
            for (user, slot), found in added.items():
                if slot < self._first_slot:
                    continue
                slots = self._users.setdefault(user, {})
                before = slots.get(slot)
                slots[slot] = found if before is None else before.with_(found)

    def move_to(self, now_unix: int) -> None:
        """Let go what is too old."""
        first = self.first_slot(now_unix)
        sketched = slot_of(now_unix - _SKETCHED_SECONDS)
        with self._lock:
            self._first_slot = first
            for user, slots in list(self._users.items()):
                for slot, found in list(slots.items()):
                    if slot < first:
                        del slots[slot]
                    elif slot < sketched:
                        slots[slot] = found.without_sketches()
                if not slots:
                    del self._users[user]

    def windows(self, now_unix: int) -> dict[str, Window]:
        """What each user did in the last ten minutes."""
        with self._lock:
            return {
                user: window(slots, now_unix, WINDOW_SECONDS) for user, slots in self._users.items()
            }

    def last_hour(self, now_unix: int) -> dict[str, LastHour]:
        """What each user did in the last hour."""
        with self._lock:
            hours = {
                user: window(slots, now_unix, HOUR_SECONDS) for user, slots in self._users.items()
            }
        found = {
            user: LastHour(round(hour.delivered), round(hour.deferred), round(hour.failed))
            for user, hour in hours.items()
        }
        return {user: hour for user, hour in found.items() if hour != LastHour()}
