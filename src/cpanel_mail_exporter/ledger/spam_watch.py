"""Which accounts may be sending spam: stored activity -> signals, worked out once a poll.

Slots of a few hours ago are folded into hours, which say for weeks what is usual. The hours that
aren't folded yet are no part of that, so that a run doesn't become its own measure while it begins.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager

from cpanel_mail_exporter.ledger.activity import ActivityKey
from cpanel_mail_exporter.ledger.change import Change
from cpanel_mail_exporter.ledger.recent import Recent
from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.activity import (
    HOUR_SECONDS,
    HourActivity,
    hour_of,
)
from cpanel_mail_exporter.spam_runs.baseline import KEPT_DAYS, History, baseline
from cpanel_mail_exporter.spam_runs.signals import LEAST_RECIPIENTS, Signals, signals

SLOTS_KEPT_SECONDS = 3 * HOUR_SECONDS
"""Hours that ended so long ago are folded; more than what `Recent` keeps."""
_FOLDED_AT_ONCE_SECONDS = 86_400
_HOURS_KEPT_SECONDS = KEPT_DAYS * 86_400

_NOT_JUDGED = frozenset(("mailnull",))
"""Exim's reports of failure: who gets them was often made up by others."""


class SpamWatch:
    """Watches the accounts of one server.

    `signals` and `recent` may be asked by another thread; all else reads the store.

    Args:
        lock: keeps the two threads apart.
    """

    def __init__(self, store: LedgerStore, lock: AbstractContextManager[object]) -> None:
        self.recent = Recent(lock)
        self._store = store
        self._lock = lock
        self._is_loaded = False
        self._signals: tuple[Signals, ...] | None = None
        self._oldest_hour: int | None = None
        # What is stored of the users that were looked at last.
        self._hours: dict[str, dict[int, HourActivity]] = {}

    def load(self, now_unix: int) -> None:
        """Read the past hour from the store, if that is to be done, and let go what is older."""
        if self._is_loaded:
            self.recent.move_to(now_unix)
            return
        self._hours = {}
        self._oldest_hour = None
        self.recent.load(self._store.activity(self.recent.first_slot(now_unix)), now_unix)
        self._is_loaded = True

    def distrust(self) -> None:
        """What is in memory may differ from what is stored."""
        self._is_loaded = False

    def take_over(self, change: Change) -> None:
        """Take what has been stored."""
        if change.activity:
            self.recent.add(change.activity)
        if change.folded is not None:
            self._oldest_hour = None
            for user, _ in change.hours:
                self._hours.pop(user, None)

    def folding(self, now_unix: int) -> Change | None:
        """The next step of folding, to be stored; None if there is nothing to fold."""
        until = _folded_until(now_unix)
        oldest = self._store.oldest_activity()
        if oldest is None or oldest >= until:
            return None
        start = hour_of(oldest)
        end = min(start + _FOLDED_AT_ONCE_SECONDS, until)
        hours: dict[ActivityKey, HourActivity] = {}
        newest = start
        for hour in range(start, end, HOUR_SECONDS):
            found = self._store.activity_together(Slice(hour, hour + HOUR_SECONDS))
            if found:
                newest = hour
            hours.update(((user, hour), one) for user, one in found.items())
        return Change(
            hours=hours,
            folded=Slice(start, end),
            # Not by the clock: a server that is wrong about it once would cost the whole past.
            forget_hours_before_unix=newest - _HOURS_KEPT_SECONDS,
        )

    def judge(self, now_unix: int) -> None:
        """Work out the signals of every account that sends enough to be looked at."""
        self.recent.move_to(now_unix)
        windows = {
            user: lately
            for user, lately in self.recent.windows(now_unix).items()
            if lately.tried >= LEAST_RECIPIENTS and user not in _NOT_JUDGED
        }
        self._hours = {user: hours for user, hours in self._hours.items() if user in windows}
        found: list[Signals] = []
        for user, lately in windows.items():
            one = signals(user, lately, baseline(self._history(user, now_unix), now_unix))
            if one is not None:
                found.append(one)
        found.sort(key=lambda one: (-one.score, -one.recipients, one.user))
        with self._lock:
            self._signals = tuple(found)

    @property
    def signals(self) -> Sequence[Signals] | None:
        """As they were last worked out, the highest score first; None before the first time."""
        with self._lock:
            return self._signals

    def _history(self, user: str, now_unix: int) -> History:
        until = _folded_until(now_unix)
        if self._oldest_hour is None:
            oldest = self._store.oldest_hour()
            # Nothing is folded yet: there is no past.
            self._oldest_hour = until if oldest is None else oldest
        hours = self._hours.get(user)
        if hours is None:
            hours = self._hours[user] = self._store.hours(user)
        return History(hours, max(self._oldest_hour, until - _HOURS_KEPT_SECONDS), until)


def _folded_until(now_unix: int) -> int:
    return hour_of(now_unix - SLOTS_KEPT_SECONDS)
