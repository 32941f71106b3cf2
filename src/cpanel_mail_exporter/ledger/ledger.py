"""The ledger of one server: takes whole answers, keeps them, and gives the numbers to be shown.

Nothing is counted that isn't stored: each step works out a change, has it stored in one
transaction, and only then takes it over. After a failure all is read again from the store.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from cpanel_mail_exporter.ledger import counters as names
from cpanel_mail_exporter.ledger.apply import Applied, apply
from cpanel_mail_exporter.ledger.change import OUTCOME_OF_KIND, Change, Known, Pending
from cpanel_mail_exporter.ledger.counters import Labels
from cpanel_mail_exporter.ledger.exemplars import BucketExemplars, Exemplars
from cpanel_mail_exporter.ledger.figures import Figures, Published
from cpanel_mail_exporter.ledger.identity import home_second
from cpanel_mail_exporter.ledger.meaning import Meaning
from cpanel_mail_exporter.ledger.places import Placed
from cpanel_mail_exporter.ledger.recent import Recent
from cpanel_mail_exporter.ledger.settle import DEFAULT_SETTLE_SECONDS, forget, settle
from cpanel_mail_exporter.ledger.spam_watch import SpamWatch
from cpanel_mail_exporter.ledger.store import LedgerStore
from cpanel_mail_exporter.ledger.unclassified import Unclassified, UnclassifiedTexts
from cpanel_mail_exporter.model.accounts import LastHour
from cpanel_mail_exporter.model.errors import StorageFailed
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.spam_runs.signals import Signals

COUNTING_SINCE = "ledger.counting_since_unix"
HORIZON = "ledger.horizon_unix"
_OWN_CURSORS = "ledger."

_DAY_SECONDS = 86_400
_JOINED_GAP_SECONDS = 60
_SETTLED_AT_ONCE = 5_000
_FORGOTTEN_AT_ONCE_SECONDS = 3_600


@dataclass(frozen=True, slots=True)
class LedgerTerms:
    """How a server's events are counted.

    Attributes:
        user_limit: most (user, domain) pairs with series of their own, 0 for all.
        reply_limit: most pairs of reply code and enhanced code with series of their own, 0 for all.
        settle_seconds: how long after an outcome its earlier deferrals may become known.
        birth_delay_seconds: how long a new series is shown at its first value; None shows every
            series at its value at once.
    """

    user_limit: int = 2_000
    reply_limit: int = 100
    settle_seconds: int = DEFAULT_SETTLE_SECONDS
    birth_delay_seconds: float | None = 60.0


class Ledger:
    """Counts every event of one server once.

    Its methods read and write the store, so they are for worker threads, one call at a time.
    `version`, `next_publication_unix`, `counting_since_unix`, `published`, `unclassified`,
    `exemplars`, `last_hour` and `spam_runs` touch memory alone and may be used by another thread
    meanwhile, such as that of the event loop.

    Args:
        server: its name, for errors.
        meaning: says why events failed, and who takes the mail.
        lock: keeps those two threads apart; a `threading.Lock`, unless there is only one.
    """

    def __init__(
        self,
        server: str,
        store: LedgerStore,
        meaning: Meaning,
        terms: LedgerTerms = LedgerTerms(),
        lock: AbstractContextManager[object] | None = None,
    ) -> None:
        self.terms = terms
        self._server = server
        self._store = store
        self._meaning = meaning
        self._is_loaded = False
        self._cursors: dict[str, str] = {}
        limits = {names.USER_EVENTS: terms.user_limit, names.SMTP_REPLIES: terms.reply_limit}
        apart = nullcontext() if lock is None else lock
        self._figures = Figures(limits, terms.birth_delay_seconds, apart)
        self._unclassified = UnclassifiedTexts(apart)
        self._watch = SpamWatch(store, apart)
        self._exemplars = Exemplars(apart)

    def load(self) -> None:
        """Read the numbers from the store, if that is to be done; they are shown from then on.

        Raises:
            StorageFailed: they can't be read.
        """
        if self._is_loaded:
            return
        with self._trusting_the_store():
            counters = self._store.counters()
            cursors = self._store.cursors()
            seats = self._store.seats()
        self._cursors = cursors
        self._figures.load(counters, seats, self.counting_since_unix)
        self._is_loaded = True

    def begin(self, server_now_unix: int, *, counts_past: bool = False) -> int:
        """Make ready for a poll; gives the instant since which events are counted.

        Args:
            server_now_unix: the server's own time, before anything is asked; what happened
                earlier isn't counted if this is the first time.
            counts_past: at the first time, count also what happened earlier; gives 0.

        Raises:
            StorageFailed: what is stored can't be read, or written.
        """
        self.load()
        with self._trusting_the_store():
            self._watch.load(server_now_unix)
        since = self.counting_since_unix
        if since is None:
            since = 0 if counts_past else server_now_unix
            self._commit(Change(cursors={COUNTING_SINCE: str(since)}))
        return since

    def learn(
        self,
        records: Sequence[DeliveryRecord],
        now_unix: int,
        cursors: Mapping[str, str | None] | None = None,
        slices: Mapping[int, str | None] | None = None,
        seen: dict[int, int] | None = None,
    ) -> Applied:
        """Count what is new in an answer or a batch of it, and store what the reading knows by it.

        Args:
            records: rows of one answer, or of several of which it is known that they show no row
                twice.
            now_unix: server's time, about: budgets go by its day, and what happened long before
                isn't asked for signs of spam.
            cursors: opaque values to store in the same transaction, None to delete; keys don't
                begin with `ledger.`.
            slices: the same by the first second of a slice of send time.
            seen: how often each identity stood in earlier batches of the same answer, empty before
                the first; this batch is added to it once it is stored.

        Raises:
            StorageFailed: nothing was counted; the same records can be given again, with the same
                *seen*.
        """
        self.load()
        since = self.counting_since_unix
        if since is None:
            raise StorageFailed(self._server, "storage", "counting has not begun yet")
        if any(key.startswith(_OWN_CURSORS) for key in cursors or ()):
            raise ValueError(f"a cursor of the reading begins with {_OWN_CURSORS}")
        with self._trusting_the_store():
            known = self._store.load(spans_of(map(home_second, records)))
        applied = apply(
            known,
            records,
            self._meaning,
            since,
            self.horizon_unix,
            seen or {},
            Recent.first_slot(now_unix),
        )
        applied.change.cursors = cursors or {}
        applied.change.slices = slices or {}
        placed = self._placed(applied, now_unix)
        self._commit(applied.change, placed)
        self._unclassified.note(applied.unexplained)
        self._exemplars.note(applied.latest, now_unix)
        if seen is not None:
            seen.update(applied.seen)
        self.note_drift(names.NO_TIME, applied.rows_without_time)
        return applied

    def note_drift(self, what: str, rows: int) -> None:
        """Count rows that were other than documented; only in memory, and at every reading.

        Args:
            what: one of `counters.DRIFTS_OF_ROWS`: `unknown_field` for rows that have fields the
                documentation doesn't name, `changed_shape` for those that can't be decoded as what
                it describes. What events show is counted by `learn`.
            rows: how many more.
        """
        if what not in names.DRIFTS_OF_ROWS:
            raise ValueError(f"{what!r} isn't counted by rows")
        if rows:
            self._figures.note_drift(what, rows)

    def settle(self, newest_reading_unix: int, held: Sequence[Slice] = ()) -> int:
        """Observe the attempts of outcomes that lie far enough behind; gives how many.

        Args:
            newest_reading_unix: server's time up to which events have been read.
            held: send times that are known not to have been read whole.

        Raises:
            StorageFailed: some may have been observed, the others will be by the next call.
        """
        self.load()
        until = newest_reading_unix - self.terms.settle_seconds
        settled = 0
        last: Pending | None = None
        while True:
            with self._trusting_the_store():
                part = self._store.pending_until(until, last, _SETTLED_AT_ONCE)
            settled += self._settle(part, held)
            if len(part) < _SETTLED_AT_ONCE:
                return settled
            last = part[-1]

    def forget(self, before_unix: int) -> None:
        """Forget identities of mail sent before *before_unix*; no such mail is counted any more.

        What is pending of it is observed as it stands. A time before that of an earlier call
        changes nothing.

        Raises:
            StorageFailed: part of it may be done, the rest will be by the next call.
        """
        self.load()
        if before_unix <= self.horizon_unix:
            return
        while True:
            with self._trusting_the_store():
                oldest = self._store.oldest_second()
            # From what there is to what there is: one odd row may be years older than the next.
            start = before_unix if oldest is None else min(oldest, before_unix)
            end = min(start + _FORGOTTEN_AT_ONCE_SECONDS, before_unix)
            with self._trusting_the_store():
                pending = self._store.pending_sent_before(end)
            self._settle(pending)
            known = Known()
            if start < end:
                with self._trusting_the_store():
                    known = self._store.load([Slice(start, end)])
            change = forget(known, end)
            change.cursors = {HORIZON: str(end)}
            self._commit(change)
            if end == before_unix:
                return

    def watch(self, server_now_unix: int) -> None:
        """Fold what accounts did hours ago, and see which of them may be sending spam.

        To be called once a poll, when what is new has been learned.

        Raises:
            StorageFailed: part of the folding may be done; what was seen before stays.
        """
        self.load()
        with self._trusting_the_store():
            self._watch.load(server_now_unix)
        while True:
            with self._trusting_the_store():
                change = self._watch.folding(server_now_unix)
            if change is None:
                break
            self._commit(change)
        with self._trusting_the_store():
            self._watch.judge(server_now_unix)

    def note(
        self,
        cursors: Mapping[str, str | None] | None = None,
        slices: Mapping[int, str | None] | None = None,
    ) -> None:
        """Store what the reading knows, without any records."""
        self.load()
        self._commit(Change(cursors=cursors or {}, slices=slices or {}))

    def cursors(self) -> Mapping[str, str]:
        """What the reading has stored by key."""
        self.load()
        own = _OWN_CURSORS
        return {key: value for key, value in self._cursors.items() if not key.startswith(own)}

    def slices(self, span: Slice) -> Mapping[int, str]:
        """What the reading has stored of slices that begin in *span*."""
        self.load()
        with self._trusting_the_store():
            return self._store.slices(span)

    def outcomes(self, span: Slice) -> Mapping[str, int]:
        """Events known of mail sent in *span* by outcome, those that aren't counted included.

        Every outcome is named; those of seconds that have been forgotten are missing.
        """
        self.load()
        with self._trusting_the_store():
            copies = self._store.outcomes(span)
        return {outcome: copies.get(kind, 0) for kind, outcome in enumerate(OUTCOME_OF_KIND)}

    def open_deferral_seconds(self, limit: int) -> list[int]:
        """When mail was sent of which a recipient is deferred and has no final outcome yet.

        Returns:
            Different seconds, the newest first, at most *limit*.
        """
        self.load()
        with self._trusting_the_store():
            return self._store.open_deferral_seconds(limit)

    def size_bytes(self) -> int:
        """Space the store takes on disk."""
        return self._store.size_bytes()

    def rest(self) -> None:
        """Nothing will be asked for a while."""
        self._store.rest()

    def close(self) -> None:
        """Nothing will be asked any more."""
        self._store.close()

    @property
    def counting_since_unix(self) -> int | None:
        """Since when events are counted, 0 for all; None before the first poll."""
        value = self._cursors.get(COUNTING_SINCE)
        return None if value is None else int(value)

    @property
    def horizon_unix(self) -> int:
        """Mail sent before this isn't counted any more."""
        return int(self._cursors.get(HORIZON, "0"))

    @property
    def version(self) -> int:
        """Rises whenever there is something new to publish."""
        return self._figures.version

    @property
    def next_publication_unix(self) -> float | None:
        """When a publication would differ from the last one though nothing was learned."""
        return self._figures.next_publication_unix

    def published(self, now_unix: float) -> Published | None:
        """What to show in a publication made at *now_unix*; None before anything was loaded.

        What a failure of the store made doubtful is shown as it was, until it is read again.
        """
        return self._figures.published(now_unix)

    def last_hour(self, server_now_unix: int) -> Mapping[str, LastHour]:
        """What each user sent to other servers in the past hour, by time of action.

        Users that sent nothing are missing, and so is what cPanel's own limits stopped. The first
        five minutes of the hour may be a part in proportion.
        """
        return self._watch.recent.last_hour(server_now_unix)

    def spam_runs(self) -> Sequence[Signals] | None:
        """Accounts that sent much in the last ten minutes, as `watch` last saw them.

        Returns:
            The highest score first; None before the first time.
        """
        return self._watch.signals

    def unclassified(self) -> list[Unclassified]:
        """The newest texts that nobody has a rule for, addresses masked, the newest first."""
        return self._unclassified.newest()

    def exemplars(self) -> Mapping[tuple[str, Labels], BucketExemplars]:
        """The newest message of each bucket since the start, by name and labels of the histogram.

        There are none of attempts, which are observed long after their messages were seen.
        """
        return self._exemplars.by_histogram()

    def _placed(self, applied: Applied, now_unix: int) -> Placed | None:
        """Add numbers to the series their label sets have, and keep the places in the change."""
        if not applied.to_place:
            return None
        placed = self._figures.places.placed(applied.to_place, now_unix // _DAY_SECONDS)
        applied.change.counters.update(placed.counters)
        applied.change.seats = placed.seats()
        return placed

    def _settle(self, pending: Sequence[Pending], held: Sequence[Slice] = ()) -> int:
        if not pending:
            return 0
        with self._trusting_the_store():
            known = self._store.deferrals(spans_of(outcome.second for outcome in pending))
        change = settle(pending, known, held)
        self._commit(change)
        return sum(outcome.copies for outcome in change.settled)

    def _commit(self, change: Change, placed: Placed | None = None) -> None:
        """Store, then take over."""
        if change.is_empty:
            return
        with self._trusting_the_store():
            self._store.commit(change)
        self._watch.take_over(change)
        # Another dict, since the other thread may look something up in this one.
        cursors = {**self._cursors, **change.cursors}
        self._cursors = {key: value for key, value in cursors.items() if value is not None}
        if change.counters or placed is not None or COUNTING_SINCE in change.cursors:
            self._figures.take_over(change.counters, placed, self.counting_since_unix)

    @contextmanager
    def _trusting_the_store(self) -> Iterator[None]:
        """After a failure, what is in memory may differ from what is stored: it is read again."""
        try:
            yield
        except BaseException:
            self._is_loaded = False
            self._watch.distrust()
            raise


def spans_of(seconds: Iterable[int | None]) -> list[Slice]:
    """Slices that hold all *seconds* and little more, in order.

    >>> spans_of([100, 130, None, 9_000])
    [Slice(start=100, end=131), Slice(start=9000, end=9001)]
    """
    spans: list[Slice] = []
    start = last = None
    for second in sorted({second for second in seconds if second is not None}):
        if start is None or last is None:
            start = second
        elif second - last > _JOINED_GAP_SECONDS:
            spans.append(Slice(start, last + 1))
            start = second
        last = second
    if start is not None and last is not None:
        spans.append(Slice(start, last + 1))
    return spans
