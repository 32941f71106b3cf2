"""The delivery records of one server, poll by poll: what is read, and in what order.

As far as a poll's time reaches: what is new; the window of email_logs, once; what has changed of
what is older, as totals tell; and a slice of the backlog. docs/decisions/0009 has the reasons.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from cpanel_mail_exporter.ledger.counters import CHANGED_SHAPE
from cpanel_mail_exporter.model.deliveries import ActionFilter, DeliveriesState, GoesBy, LastDay
from cpanel_mail_exporter.model.errors import PollError, WrongShape
from cpanel_mail_exporter.model.outcome import DELIVERY_EVENTS, EMAIL_LOGS
from cpanel_mail_exporter.model.query import Instant
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling import ranges, rounds
from cpanel_mail_exporter.polling.behaviour import facts_after
from cpanel_mail_exporter.polling.intake import Intake, Visit
from cpanel_mail_exporter.polling.ports import DeliveryServer
from cpanel_mail_exporter.polling.ranges import LEAF_SECONDS, READ_SECONDS, Ask
from cpanel_mail_exporter.polling.reading_cursor import CURSOR
from cpanel_mail_exporter.polling.reading_terms import Moment, PollReading, ReadingTerms
from cpanel_mail_exporter.polling.rounds import Round
from cpanel_mail_exporter.polling.shown_rows import ShownRows
from cpanel_mail_exporter.polling.sinks import EventSink
from cpanel_mail_exporter.polling.spans import Spans
from cpanel_mail_exporter.polling.standing import Standing
from cpanel_mail_exporter.polling.tally import are_missing

_DAY_SECONDS = 86_400
_STEPS_FOR_CHANGES = 60
_OPEN_DEFERRALS = 10

_Found = dict[Slice, ranges.Fingerprint]


class DeliveriesReading:
    """Reads one server's delivery records. One request at a time.

    Args:
        events: where they are counted, None if they aren't.
        lines: where they are shown, None if they aren't.
    """

    def __init__(
        self,
        terms: ReadingTerms,
        server: DeliveryServer,
        events: EventSink | None,
        lines: ShownRows | None,
    ) -> None:
        self._terms = terms
        self._events = events
        self._lines = lines
        self._intake = Intake(terms.name, terms.types, server, events, lines)
        self._standing = Standing(terms, counts=events is not None, shows=lines is not None)
        self._state = DeliveriesState()
        self._stored = ""
        self._sweep: list[Slice] = []
        self._round = Round.ALL
        self._longest_when_short = 0
        self._has_shown = False

    async def poll(self, moment: Moment) -> PollReading:
        """One visit; never raises but for cancellation and mistakes of ours."""
        poll = PollReading()
        has_filled = False
        visit = self._intake.visit = Visit(moment.server_unix(None))
        try:
            start = visit.now_unix - _DAY_SECONDS
            day = await self._intake.totals(start, visit.now_unix, was_refused=moment.was_refused)
            in_progress = None if day is None else day.in_progress
            self._state = replace(self._state, messages_in_progress=in_progress)
            # Only now is the server's clock known, before its mail is asked for.
            await self._begin(moment, visit)
            if not self._ignores_filters():
                await self._read_new()
            if self._ignores_filters():  # known before, or seen just now
                await self._read_everything()
            has_filled = await self._fill_window()
        except PollError as error:
            poll.error = error
        if poll.error is None and not self._terms.is_single:
            is_first_filling, self._has_shown = has_filled and not self._has_shown, True
            try:
                if is_first_filling:
                    # What has just been read has hardly changed, and the lines are waited for.
                    await self._tidy()
                else:
                    await self._read_what_can_wait(moment.has_time)
            except PollError as error:
                poll.later_error = error
        await self._end(poll, moment.line_share)
        return poll

    def forget_refusals(self) -> None:
        """The token is another one: what was refused to the old one may be asked again."""
        self._intake.forget_refusals()

    def note_shape(self, error: PollError | None) -> None:
        """Count an answer whose shape isn't WHM's as drift of its API."""
        if self._events is not None and isinstance(error, WrongShape):
            self._events.note_drift(CHANGED_SHAPE)

    async def _begin(self, moment: Moment, visit: Visit) -> None:
        """Set the time, open the ledger, and take up where the reading stands by it."""
        standing = self._standing
        now = standing.now_unix = visit.now_unix = moment.server_unix(visit.skew)
        if moment.window_start is not None:
            start = moment.window_start(now)
            if standing.begin_window_at(start) and self._lines is not None:
                self._lines.begin_at(start)
        if self._events is not None:
            # Whatever the server's clock shows: the times of its events are shown by it too.
            since = now if visit.skew is None else int(moment.exporter_unix() + visit.skew)
            if await self._events.begin(since):
                stored = await self._events.stored(standing.look_back)
                if stored is not None:
                    standing.adopt(*stored)
        standing.begin()

    async def _read_new(self) -> None:
        """The fast loop, by send time and, where that works, by action time."""
        standing = self._standing
        until = standing.cursor.until or standing.now_unix
        new, missed = rounds.fast_loop(standing.now_unix, until)
        if missed is not None:
            standing.missed(missed)
        settled = rounds.settled_until(standing.now_unix)
        found = await self._look_at(ranges.cover(Slice(new.start, settled)))
        axis = self._axis
        is_whole = True
        if standing.cursor.facts.action_filter is ActionFilter.WORKS:
            is_whole = await self._read(new, by=Instant.ACTED)
        own = found if axis is Instant.SENT else {}
        is_whole &= await self._read(new, keeping=own, until=max(new.start, settled))
        if axis is Instant.ACTED and is_whole:
            standing.fingerprints.keep(found)

    async def _read_everything(self) -> None:
        """One reading that gives all there is, from a server that ignores filters."""
        standing = self._standing
        now, start = standing.now_unix, standing.window_start
        span = standing.look_back if start is None else Slice(start, now + 1)
        totals = await self._intake.totals(0, now)
        self._intake.visit.counts.outside = 0  # what came before in this poll comes again
        await self._read(span, until=rounds.settled_until(now))
        cursor = standing.cursor
        if totals and are_missing(self._intake.tally.total(), ranges.fingerprint(totals)):
            # Nothing can be done about a cap if no question can be made narrower.
            cursor.incomplete[span] = max(1, cursor.incomplete.get(span, 0))
        if not self._has_lost_events:
            cursor.unread = Spans()

    async def _fill_window(self) -> bool:
        """Read what email_logs should show and hasn't been read since this process started.

        Gives whether there was any. Newest first, in pieces as long as their mail is thin, so that
        what was read stays read if the server fails on the way.
        """
        seconds = READ_SECONDS
        has_filled = bool(self._standing.unshown)
        while unshown := self._standing.unshown:
            last = unshown.slices[-1]
            start = max(last.start, ranges.floor(last.end - seconds, READ_SECONDS))
            piece = Slice(start, last.end)
            parts = [part for part in ranges.pieces(piece) if part.seconds == READ_SECONDS]
            found = await self._look_at(parts) if self._axis is Instant.SENT else {}
            rows = self._intake.visit.counts.rows
            await self._read(piece, keeping=found)
            seconds = rounds.next_fill_seconds(seconds, self._intake.visit.counts.rows - rows)
        return has_filled

    async def _read_what_can_wait(self, has_time: Callable[[], bool]) -> None:
        self._round = self._standing.plan_round()
        try:
            if not self._ignores_filters():
                await self._look_for_changes(has_time)
                if has_time():
                    await self._read_backlog()
                if has_time():
                    await self._learn_behaviour()
            if has_time():
                await self._compare_last_day()
        finally:
            await self._tidy()

    async def _tidy(self) -> None:
        """Observe what has settled, judge what accounts did, and forget what is too old."""
        standing = self._standing
        if self._events is not None:
            await self._events.settle(standing.now_unix, standing.cursor.unread.slices)
            await self._events.watch(standing.now_unix)
            newest = self._events.newest_event_unix
            if newest is not None:
                await self._events.forget(standing.forgettable_before(newest))

    async def _look_for_changes(self, has_time: Callable[[], bool]) -> None:
        """Follow totals that differ to what has changed, and read that again."""
        standing, axis = self._standing, self._axis
        watched, unread = standing.watched, standing.cursor.unread
        if axis is None:
            await self._read_around(watched, has_time)
            return
        if standing.cursor.facts.totals is GoesBy.UNKNOWN and not unread:
            # They may go by action after all, and tell of mail that was sent at another time; and
            # what there is to learn from may be such a row, too.
            await self._read_around(watched, has_time)
        steps_left = _STEPS_FOR_CHANGES
        is_whole = True
        for due in rounds.due_ranges(watched, self._round):
            if axis is Instant.SENT and standing.cursor.unread.within(due):
                continue
            walk = ranges.walk(due, standing.fingerprints, standing.now_unix)
            is_done = False
            try:
                step = next(walk)
                while steps_left > 0 and has_time():
                    steps_left -= 1
                    if isinstance(step, Ask):
                        step = walk.send(await self._fingerprint(step.range) or False)
                    else:
                        step = walk.send(await self._read_again(step.range, axis))
            except StopIteration:
                is_done = True
            finally:
                walk.close()
            is_whole &= is_done
        standing.round_ended(self._round, is_whole=is_whole)

    async def _read_again(self, span: Slice, axis: Instant) -> bool:
        """Read a range that has changed, unless that has just failed; True if it was taken."""
        standing = self._standing
        if standing.aside.within(span):
            return False
        seen = standing.fingerprints[span]
        try:
            await self._read(span, by=axis, keeping={span: seen} if seen else {})
        except PollError as error:
            standing.failed(span, error)
            standing.round_ended(self._round, is_whole=False)
            raise
        return not self._has_lost_events

    async def _read_around(self, watched: Slice, has_time: Callable[[], bool]) -> None:
        """Without totals to go by: read again what may have changed.

        A slice of the look-back in each poll, all of it in turn; in every fifth the last 80
        minutes, and what was sent with recipients that are deferred still: most news come there.
        """
        if not has_time():
            return
        self._sweep = self._sweep or ranges.pieces(watched)
        again = self._sweep[:1]
        # Whatever becomes of it: one that always fails must not keep the others waiting.
        self._sweep = self._sweep[1:]
        if self._round is not Round.NEWEST:
            again.append(Slice(max(watched.start, watched.end - READ_SECONDS), watched.end))
            if self._events is not None:
                seconds = await self._events.open_deferral_seconds(_OPEN_DEFERRALS)
                starts = {ranges.floor(second) for second in seconds}
                again += [Slice(start, start + LEAF_SECONDS) for start in sorted(starts)]
        for span in again:
            if has_time() and watched.start <= span.start and span.end <= watched.end:
                await self._read(span)

    async def _read_backlog(self) -> None:
        """The newest slice that hasn't been read, or at times one that wasn't read whole."""
        standing = self._standing
        span = standing.next_unread()
        if span is None and self._round is Round.ALL:
            span = standing.next_incomplete()
        if span is None or self._has_lost_events:
            return
        is_range = ranges.cover(span) == [span]
        found = await self._look_at([span] if is_range else [])
        try:
            await self._read(span, keeping=found if self._axis is Instant.SENT else {})
        except PollError as error:
            standing.failed(span, error)
            raise

    async def _learn_behaviour(self) -> None:
        """Find out which instants filters and totals go by, if a row is at hand to learn from."""
        standing, row = self._standing, self._intake.telling_row
        facts = standing.cursor.facts
        if row is None or not facts.is_due(standing.now_unix):
            return
        before = self._axis, facts.ends_belong
        standing.cursor.facts = await facts_after(row, facts, self._intake, standing.now_unix)
        if (self._axis, standing.cursor.facts.ends_belong) != before:
            # What was asked in another way can't be compared.
            standing.fingerprints.clear()

    async def _compare_last_day(self) -> None:
        """What WHM reports of the last full day, beside what is known of it."""
        standing, last = self._standing, self._state.last_day
        day = rounds.last_full_day(standing.now_unix)
        is_new = last is None or last.start_unix != day.start
        if not is_new and self._round is not Round.ALL:
            return
        found = None
        if self._events is not None and standing.was_read(day):
            reported = await self._intake.totals_of_sent(day, standing.cursor.facts)
            known = await self._events.outcomes(day)
            if reported is not None and known is not None:
                counts = (reported.success, reported.failure, reported.defer)
                outcomes = ("success", "failure", "defer")
                found = LastDay(day.start, dict(zip(outcomes, counts, strict=True)), known)
        self._state = replace(self._state, last_day=found)

    async def _fingerprint(self, of: Slice) -> ranges.Fingerprint | None:
        return await self._intake.fingerprint(of, self._standing.cursor.facts)

    async def _look_at(self, parts: list[Slice]) -> _Found:
        """The fingerprints of ranges that are about to be read."""
        found: _Found = {}
        if self._terms.is_single or self._axis is None:
            return found
        for part in parts:
            seen = await self._fingerprint(part)
            if seen is None:
                break
            found[part] = seen
        return found

    async def _read(
        self,
        span: Slice,
        *,
        by: Instant = Instant.SENT,
        keeping: Mapping[Slice, ranges.Fingerprint] | None = None,
        until: int | None = None,
    ) -> bool:
        """Read a span into ledger and lines; True if all of it was read and taken.

        What *keeping* says that ranges' totals were before is kept if so; *until* is where the fast
        loop goes on after it.
        """
        standing = self._standing
        facts = standing.cursor.facts
        incomplete = await self._intake.read(span, facts, by)
        if by is Instant.SENT:
            incomplete += self._short_of_totals(keeping or {})
            standing.took(span, incomplete, until)
        elif not self._intake.memory.action_filter_works:
            standing.cursor.facts = replace(facts, action_filter=ActionFilter.FAILS)
        if keeping and not incomplete and not self._has_lost_events:
            standing.fingerprints.keep(keeping)
        if await self._store():
            return not incomplete
        if by is Instant.SENT:
            standing.lost(span)
        return False

    def _short_of_totals(self, reported: Mapping[Slice, ranges.Fingerprint]) -> int:
        """How many ranges of the last reading have fewer rows than their totals said before.

        If that happens twice while the longest answer stays as long, its length is taken for a cap
        that nobody told of, and what is incomplete is read again in shorter pieces.
        """
        cursor, memory = self._standing.cursor, self._intake.memory
        if not cursor.facts.totals_are_exact:
            return 0
        tally = self._intake.tally
        short = sum(are_missing(tally.of(each), seen) for each, seen in reported.items())
        if short and memory.cap_rows is None:
            if self._longest_when_short == memory.most_of_type:
                memory.cap_rows = memory.most_of_type
                cursor.unread = Spans.of(*cursor.unread.slices, *cursor.incomplete)
            self._longest_when_short = memory.most_of_type
        return short

    async def _store(self) -> bool:
        """Store the last events of a reading together with the cursor; False if that failed."""
        if self._events is None:
            return True
        standing = self._standing
        text, slices = standing.cursor.text(), standing.fingerprints.unstored()
        cursors = {} if text == self._stored else {CURSOR: text}
        if not await self._events.finish(standing.now_unix, cursors, slices):
            self._stored = ""
            return False
        self._stored = text
        standing.fingerprints.stored(slices)
        return True

    async def _end(self, poll: PollReading, line_share: int) -> None:
        """Put together what is known, whatever failed."""
        standing, visit = self._standing, self._intake.visit
        cursor, look_back, start = standing.cursor, standing.look_back, standing.window_start
        poll.counts, poll.skew = visit.counts, visit.skew
        if self._events is not None:
            self._events.abandon()
            poll.window_start_unix[DELIVERY_EVENTS] = look_back.start
            if cursor.until is not None and not self._has_lost_events:
                await self._store()
            size_bytes = await self._events.rest()
            newest = self._events.newest_event_unix
            poll.storage_error = self._events.error
            if size_bytes is not None:
                self._state = replace(self._state, size_bytes=size_bytes)
            self._state = replace(self._state, newest_event_unix=newest)
        poll.state = self._state = replace(
            self._state,
            backlog_slices=rounds.backlog_slices(cursor.unread),
            slices_incomplete=cursor.incomplete_within(look_back),
            totals_go_by=cursor.facts.totals if self._intake.has_totals else GoesBy.NOTHING,
            action_filter=cursor.facts.action_filter,
        )
        if start is None:
            return
        poll.window_start_unix[EMAIL_LOGS] = start
        if self._lines is not None and poll.error is None:
            self._lines.begin_at(start)
            poll.lines = await self._lines.shown(line_share)
            poll.lines_incomplete = cursor.incomplete_within(Slice(start, look_back.end))

    @property
    def _axis(self) -> Instant | None:
        """The instant by which both totals and filters go, None if there is none to rely on."""
        facts = self._standing.cursor.facts
        if not self._intake.has_totals:
            return None
        if facts.totals is not GoesBy.ACTED:
            return Instant.SENT
        return Instant.ACTED if facts.action_filter is ActionFilter.WORKS else None

    @property
    def _has_lost_events(self) -> bool:
        """What is read now doesn't get into the ledger."""
        return self._events is not None and self._events.error is not None

    def _ignores_filters(self) -> bool:
        return self._intake.memory.ignores_filters
