"""Where the reading of one server stands: what has been read, what is left, what is known of it."""

from collections.abc import Mapping

from cpanel_mail_exporter.model.errors import BadStatus, NotJson, PollError, TimedOut, WrongShape
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling import ranges, rounds
from cpanel_mail_exporter.polling.ranges import READ_SECONDS, Fingerprints
from cpanel_mail_exporter.polling.reading_cursor import CURSOR, ReadingCursor
from cpanel_mail_exporter.polling.reading_terms import ReadingTerms
from cpanel_mail_exporter.polling.spans import Spans

_OWED_TO_A_SPAN = (TimedOut, BadStatus, NotJson, WrongShape)


class Standing:
    """The state of a reading; asks nothing and stores nothing itself.

    Args:
        counts: rows are read for the ledger.
        shows: rows are read for email_logs.

    Attributes:
        cursor: what is stored of it.
        fingerprints: what totals of ranges were before they were read.
        unshown: send times that email_logs should show and that were not read by this process.
        aside: spans whose answers failed, and that wait until all others have had their turn.
        now_unix: server's time of the visit that goes on.
        window_start: first second of email_logs' window, None without one.
    """

    def __init__(self, terms: ReadingTerms, *, counts: bool, shows: bool) -> None:
        self.cursor = ReadingCursor()
        self.fingerprints = Fingerprints()
        self.unshown = Spans()
        self.aside = Spans()
        self.now_unix = 0
        self.window_start: int | None = None
        self._terms = terms
        self._counts = counts
        self._shows = shows
        self._has_begun = False

    def begin_window_at(self, start_unix: int) -> bool:
        """The window moves on; or back (True), if the clock was: its lines are then read anew."""
        before, self.window_start = self.window_start, start_unix
        if before is None or start_unix >= before or not self._has_begun:
            return False
        self.unshown = self.unshown.with_(Slice(start_unix, before))
        return True

    def adopt(self, cursors: Mapping[str, str], slices: Mapping[int, str]) -> None:
        """Go on as stored: what has been read since wasn't learned, and is to be read again."""
        read_until = self.cursor.until
        stored = ReadingCursor.parsed(cursors.get(CURSOR, ""))
        if stored is None or stored.until is None:
            self.cursor = ReadingCursor(facts=self.cursor.facts)
            self.fingerprints.clear()
            return
        self.fingerprints.load(slices)
        if read_until is not None and read_until > stored.until:
            stored.unread = stored.unread.with_(Slice(stored.until, read_until))
            stored.until = read_until
        self.cursor = stored

    def begin(self) -> None:
        """Make ready for a visit: plan what a new reading has to read, and drop what is too old."""
        cursor, look_back = self.cursor, self.look_back
        if cursor.until is None:
            cursor.until = rounds.settled_until(self.now_unix)
            cursor.unread = self._wanted(Slice(look_back.start, cursor.until))
        if not self._has_begun:
            self._has_begun = True
            self.unshown = self._shown(Slice(0, cursor.until))
        cursor.forget_before(look_back.start)
        self.unshown = self.unshown.without(Slice(0, self.window_start or 0))
        self.fingerprints.drop_before(look_back.start)

    def missed(self, span: Slice) -> None:
        """The fast loop goes on behind *span*, which is left to the backlog."""
        cursor = self.cursor
        cursor.unread = Spans.of(*cursor.unread.slices, *self._wanted(span).slices)
        cursor.forget_before(self.look_back.start)
        self.unshown = Spans.of(*self.unshown.slices, *self._shown(span).slices)

    def took(self, span: Slice, incomplete: int, until: int | None) -> None:
        """A span of send time has been read; the fast loop goes on at *until*, if that is given."""
        self.unshown = self.unshown.without(span)
        self.cursor.was_read(span, incomplete)
        if until is not None:
            self.cursor.until = until

    def lost(self, span: Slice) -> None:
        """What was just taken of a span could not be stored: it is to be read again."""
        end = min(span.end, self.cursor.until or span.end)
        self.cursor.unread = self.cursor.unread.with_(Slice(span.start, end))
        self.fingerprints.drop(span)

    def plan_round(self) -> rounds.Round:
        """Decide how far back this visit looks for changes."""
        cursor, interval = self.cursor, self._terms.interval_seconds
        if cursor.day_looked_unix is None or cursor.all_looked_unix is None:
            before = rounds.looked_before(self._terms.name, self.now_unix, interval)
            cursor.day_looked_unix = cursor.all_looked_unix = before
        due = rounds.due_round(
            self.now_unix, cursor.day_looked_unix, cursor.all_looked_unix, interval
        )
        if due is not rounds.Round.NEWEST:
            cursor.day_looked_unix = self.now_unix
        if due is rounds.Round.ALL:
            cursor.all_looked_unix = self.now_unix
        return due

    def was_read(self, span: Slice) -> bool:
        """Whether a span lies within the look-back, and nothing of it is left to be read."""
        return self.look_back.start <= span.start and not self.cursor.unread.within(span)

    def next_unread(self) -> Slice | None:
        """The slice of the backlog to read next; those set aside come last."""
        unread = self.cursor.unread
        for span in self.aside.slices:
            unread = unread.without(span)
        if not unread and self.cursor.unread:
            self.aside = Spans()
            unread = self.cursor.unread
        return rounds.next_unread(unread)

    def failed(self, span: Slice, error: PollError) -> None:
        """A span could not be read; if that may be owed to the span, others go first now."""
        if isinstance(error, _OWED_TO_A_SPAN):
            self.aside = self.aside.with_(span)

    def round_ended(self, looked: rounds.Round, *, is_whole: bool) -> None:
        """What was planned has been looked at, or was broken off: then all is due again soon."""
        if looked is not rounds.Round.ALL:
            return
        if is_whole:
            self.aside = Spans()
        else:
            interval = self._terms.interval_seconds
            self.cursor.all_looked_unix = rounds.nearly_due(self.now_unix, interval)

    def next_incomplete(self) -> Slice | None:
        """A slice that could not be read whole, and that the fast loop doesn't read anyway."""
        until = self.cursor.until or 0
        return next((span for span in self.cursor.incomplete if span.end <= until), None)

    def forgettable_before(self, newest_event_unix: int) -> int:
        """Mail sent before this may be forgotten, by the newest event as well as by the clock.

        What was sent before a time that is forgotten is never counted again, so a clock that is
        far ahead must not make that everything.
        """
        now = min(self.now_unix, newest_event_unix + READ_SECONDS)
        before = min(self.look_back.start, now - self._terms.look_back_seconds)
        return ranges.floor(before, READ_SECONDS)

    @property
    def look_back(self) -> Slice:
        """The send times that are read and watched; at least the window that is shown."""
        start = self.now_unix
        if self._counts and not self._terms.is_single:
            start -= self._terms.look_back_seconds
        if self.window_start is not None:
            start = min(start, self.window_start)
        if not self._terms.is_single:
            # In steps of 80 minutes: shorter ranges at its old end would be new with every step.
            start = ranges.floor(start, READ_SECONDS)
        return Slice(start, self.now_unix + 1)

    @property
    def watched(self) -> Slice:
        """What of the look-back the fast loop doesn't read."""
        start = self.look_back.start
        return Slice(start, max(start, self.cursor.until or start))

    def _wanted(self, span: Slice) -> Spans:
        """What of a span is to be read sometime for the events in it."""
        return Spans.of(span) if self._counts else Spans()

    def _shown(self, span: Slice) -> Spans:
        """What of a span email_logs shows."""
        if not self._shows or self.window_start is None:
            return Spans()
        return Spans.of(span).without(Slice(0, self.window_start))
