"""A cut answer read in pieces: halves of time; below one second by type, instant and recipient.

A newsletter's recipients share one second of send time. What this assumes of WHM: that several
filters must all hold, that `begins` compares text, and that a recipient has more than one
character. Pieces by recipient cover the characters that an address, a pipe or a file begins with,
and those seen in the cut answer. That no row begins with another one can't be proved: where WHM
said that it cut, and the pieces hold no more rows than the cut answer did, or where they hold
fewer, the second counts as incomplete.
"""

from collections.abc import Callable
from dataclasses import replace
from string import ascii_lowercase, digits

from cpanel_mail_exporter.model.query import SearchQuery
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling.reading_answers import Answers, Steps
from cpanel_mail_exporter.polling.reading_caps import Caps, Outcome, Verdict, by_flag, is_round
from cpanel_mail_exporter.polling.reading_pages import Run, is_all, read_pages, run_of
from cpanel_mail_exporter.polling.reading_state import Page

FIRST_CHARACTERS = ascii_lowercase + digits + "!#$%&'*+-/=?^_`{|}~\"<:.@\\"
"""What the recipient of a row may begin with, capitals apart: of an address, a pipe or a file."""

_DEEPEST = 2
_EVER = Slice(1, 2**33)
_PROBE_SECONDS = 5 * 86_400


class _ActionFilterFails(Exception):
    """A filter on the other instant doesn't do what it says."""


class Pieces:
    """Reads in pieces what one query was cut for."""

    def __init__(
        self, answers: Answers, caps: Caps, read_span: Callable[[Slice], Steps[Run]]
    ) -> None:
        self._answers = answers
        self._caps = caps
        self._read_span = read_span

    def read(self, query: SearchQuery) -> Steps[Run]:
        """All rows of *query*, in pieces if need be."""
        answers = self._answers
        page = yield from answers.ask(query)
        self._check_filters(query, page)
        if self.is_cut(page) and self.can_be_split(query, page):
            return (yield from self.split(query, page, run_of(page)))
        if not (yield from is_all(answers, query, page)):
            run = yield from read_pages(answers, query, page)
            return (yield from self.judge(query, page, run))
        run = run_of(page)
        judged = yield from self.judge(query, page, run)
        if judged is run:
            answers.accept_page(page, query)
        return judged

    def judge(
        self, query: SearchQuery, page: Page, run: Run, *, is_sum: bool = False
    ) -> Steps[Run]:
        """What *run*, which began with *page*, comes to once silent caps are thought of.

        *is_sum*: it was read in several slices.
        """
        run.is_incomplete = run.is_incomplete or run.is_stuck
        verdict = self._caps.verdict(run.raw, query.span, is_sum=is_sum)
        if run.is_incomplete or verdict is Verdict.WHOLE:
            return run
        if self.can_be_split(query, page):
            return (yield from self.split(query, page, run))
        run.is_incomplete = True
        return run

    def is_cut(self, page: Page) -> bool:
        """Whether the page alone shows that its answer is cut."""
        cap_rows = self._answers.memory.cap_rows
        most = max(by_flag(page.of_type).values(), default=0)
        is_full = cap_rows is not None and most == cap_rows
        return is_full or self._is_called_cut(page)

    def _is_called_cut(self, page: Page) -> bool:
        """Rule 6: whether WHM calls the answer cut, and that means something.

        `overflowed` is undocumented, and a server may always say it. An answer that is called cut
        and holds no row shows that smaller slices are no way out of it.
        """
        memory = self._answers.memory
        if page.is_cut and page.length == 0:
            memory.always_says_cut = True
        return page.is_cut and not memory.always_says_cut

    def can_be_split(self, query: SearchQuery, page: Page) -> bool:
        """Whether there is still a way to smaller pieces."""
        memory = self._answers.memory
        is_short = len(query.recipient_begins) < _DEEPEST
        return not memory.ignores_filters and (
            query.span.seconds > 1
            or len(query.types) > 1
            or self._halves(query, page.rows) is not None
            or (memory.begins_works and is_short)
        )

    def split(self, query: SearchQuery, page: Page, known: Run) -> Steps[Run]:
        """Read *query* in pieces; *page* is its first answer, *known* what was read of it."""
        is_told = self._is_called_cut(page)
        numbers = self._caps.begin_check(known.raw, query.span)
        halves = self._halves(query, page.rows)
        total: Run | None = None
        if query.span.seconds > 1:
            page.let_rows_go()  # all of them come again
            total = yield from self._read_halves_of_time(query.span)
        elif len(query.types) > 1:
            total = yield from self._read_each([replace(query, types=(t,)) for t in query.types])
        elif halves is not None:
            try:
                total = yield from self._read_each(halves)
                self._check_sums(known, total)
            except _ActionFilterFails:
                if query.also is not None:
                    raise
                self._answers.memory.action_filter_works = False
                total = None
        if total is None:
            total = yield from self._read_by_recipient(query, page.rows)
            if is_told and known.raw == known.own and total.own.total() <= known.own.total():
                total.is_incomplete = True
        yield from self._conclude(query, numbers, known, total)
        total.raw = total.own.copy()
        if total.is_incomplete and query.span.seconds == 1:
            self._answers.accept_page(page, query)
        return total

    def _conclude(
        self, query: SearchQuery, numbers: set[int], known: Run, total: Run
    ) -> Steps[None]:
        """Compare a cut or suspect answer with its pieces, and keep what that tells.

        Where the pieces hold no more, the answer was whole, or the server looks at its newest so
        many rows before it filters them: then no older row is to be had, and what is missing
        can't be known. A server without an older row gives the same picture.
        """
        outcome = self._caps.end_check(numbers, known.raw, known.own, total.own)
        if outcome is Outcome.LESS:
            total.is_incomplete = True
        elif outcome is Outcome.HONEST and not total.is_incomplete:
            for kind, rows in known.raw.items():
                if rows in numbers and is_round(rows) and not total.is_incomplete:
                    start = query.span.start
                    span = Slice(start - _PROBE_SECONDS, start - 1)
                    probe = SearchQuery(span, (kind,), 1, by=query.by)
                    older = yield from self._answers.ask_aside(probe)
                    total.is_incomplete = older == 0
            if not total.is_incomplete:
                self._caps.trust(numbers)

    def _read_halves_of_time(self, span: Slice) -> Steps[Run]:
        middle = (span.start + span.end) // 2
        first = yield from self._read_span(Slice(span.start, middle))
        second = yield from self._read_span(Slice(middle, span.end))
        is_incomplete = first.is_incomplete or second.is_incomplete
        return Run(own=first.own + second.own, is_incomplete=is_incomplete)

    def _read_each(self, queries: list[SearchQuery]) -> Steps[Run]:
        total = Run()
        for query in queries:
            part = yield from self.read(query)
            total.own += part.own
            total.is_incomplete = total.is_incomplete or part.is_incomplete
        return total

    def _read_by_recipient(self, query: SearchQuery, seen: list[DeliveryRecord]) -> Steps[Run]:
        """Small letters and the rest first; capitals where small letters don't find them."""
        memory, place = self._answers.memory, len(query.recipient_begins)
        found = {record.recipient[place : place + 1].lower() for record in seen}
        others = "".join(sorted(found.difference(FIRST_CHARACTERS)))
        total, small = Run(), dict.fromkeys(ascii_lowercase, 0)
        for character in FIRST_CHARACTERS + others:
            part = yield from self._read_beginning(query, character, total)
            small[character] = part.own.total()
        for letter in sorted(ascii_lowercase, key=lambda letter: -small[letter]):
            if memory.begins_ignores_case or not memory.begins_works:
                break
            part = yield from self._read_beginning(query, letter.upper(), total)
            if self._answers.memory.begins_ignores_case:  # which this part has shown
                total.own -= part.own
        total.is_incomplete = total.is_incomplete or not memory.begins_works
        return total

    def _read_beginning(self, query: SearchQuery, character: str, total: Run) -> Steps[Run]:
        if not self._answers.memory.begins_works:
            return Run()
        begins = query.recipient_begins + character
        part = yield from self.read(replace(query, recipient_begins=begins))
        total.own += part.own
        total.is_incomplete = total.is_incomplete or part.is_incomplete
        return part

    def _halves(self, query: SearchQuery, seen: list[DeliveryRecord]) -> list[SearchQuery] | None:
        """Two pieces by the other instant, parted where half of the rows seen are.

        None where that is no way: a row without this instant would be in neither.
        """
        if not self._answers.memory.action_filter_works or query.recipient_begins or not seen:
            return None
        others = [self._answers.other_instant(record) for record in seen]
        readable = sorted(instant for instant in others if instant is not None)
        if len(readable) < len(others):
            return None
        whole = query.also or _EVER
        middle = max(whole.start, min(readable[len(readable) // 2], whole.end - 1))
        part_at = middle if middle > whole.start else middle + 1
        if part_at >= whole.end:
            return None
        return [
            replace(query, also=Slice(whole.start, part_at)),
            replace(query, also=Slice(part_at, whole.end)),
        ]

    def _check_sums(self, known: Run, total: Run) -> None:
        if any(total.own[kind] < rows for kind, rows in known.own.items()):
            raise _ActionFilterFails

    def _check_filters(self, query: SearchQuery, page: Page) -> None:
        """Learn from the rows of a piece whether its filters do what they say.

        Raises:
            _ActionFilterFails: rows lie elsewhere by the other instant.
        """
        memory, begins, also = self._answers.memory, query.recipient_begins, query.also
        for record in page.rows:
            if not record.recipient.lower().startswith(begins.lower()):
                memory.begins_works = False
            elif not record.recipient.startswith(begins):
                memory.begins_ignores_case = True
            if also is not None:
                other = self._answers.other_instant(record)
                if other is None or not also.start - 1 <= other <= also.end:
                    raise _ActionFilterFails
