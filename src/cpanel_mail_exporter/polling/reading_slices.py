"""Slices of time: which to ask for next, and what to make smaller."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

from cpanel_mail_exporter.model.query import Instant, SearchQuery
from cpanel_mail_exporter.model.window import Slice
from cpanel_mail_exporter.polling import reading_state
from cpanel_mail_exporter.polling.reading_answers import Answers, FiltersIgnored, Steps, of_types
from cpanel_mail_exporter.polling.reading_caps import Caps, Verdict
from cpanel_mail_exporter.polling.reading_pages import Run, is_all, read_pages, run_of
from cpanel_mail_exporter.polling.reading_pieces import Pieces
from cpanel_mail_exporter.polling.reading_state import Page, Progress, next_width, target_rows


@dataclass(frozen=True, slots=True)
class _Nearer:
    """A page that isn't all of its slice: what follows from it.

    Attributes:
        second: where the next query ends, or begins if the page is kept.
        is_page_kept: its rows before that second are all there are.
    """

    second: int
    is_page_kept: bool


@dataclass(slots=True)
class _Head:
    """A slice whose first page was full, and what has been read of it since.

    A silent cap of more rows than a page shows in the sum only.
    """

    span: Slice
    page: Page
    run: Run = field(default_factory=Run)

    def add(self, run: Run) -> None:
        """One more part of it has been read."""
        self.run.own.update(run.own)
        self.run.raw.update(run.raw)
        self.run.is_incomplete = self.run.is_incomplete or run.is_incomplete


class Slices:
    """Reads a span slice by slice, in order of time."""

    def __init__(self, answers: Answers, types: tuple[str, ...]) -> None:
        self.own_of_type: Counter[str] = Counter()
        self._answers = answers
        self._types = types
        self._caps = Caps(answers.memory)
        self._pieces = Pieces(answers, self._caps, self._read)
        self._progress = Progress()
        self._believed: list[tuple[Slice, Run]] = []
        self._width = answers.span.seconds
        self._has_plan = bool(answers.memory.known_boundaries(answers.span))

    def read_all(self) -> Steps[None]:
        """Read the whole span; where the server ignores filters, all it has."""
        answers, span = self._answers, self._answers.span
        if answers.memory.ignores_filters:
            yield from self._read_unfiltered(None)
            return
        try:
            cap_rows = answers.memory.cap_rows
            run = yield from self._read(span)
            if answers.memory.cap_rows not in (None, cap_rows):
                yield from self._read_again(run)
        except FiltersIgnored as found:
            answers.counts.incomplete = 0
            answers.counts.outside = 0  # all of them come again
            if answers.by is Instant.SENT:
                answers.memory.ignores_filters = True
                yield from self._read_unfiltered(found.page)
            else:
                self._give_up(found.page)
            return
        self.own_of_type = run.own
        if not run.is_incomplete:
            boundaries = self._progress.boundaries(target_rows(answers.memory))
            answers.memory.learn_boundaries(span, boundaries)

    def _read_again(self, total: Run) -> Steps[None]:
        """A cap has been proven: what was believed before, and holds as many rows, is cut."""
        believed, self._believed = self._believed, []
        for span, run in believed:
            if max(run.raw.values(), default=0) == self._answers.memory.cap_rows:
                better = yield from self._read(span)
                total.own += better.own
                total.own -= run.own
                total.is_incomplete = total.is_incomplete or better.is_incomplete

    def _give_up(self, page: Page | None) -> None:
        """Filters on action time aren't what they say; what came of it is still true."""
        answers = self._answers
        answers.memory.action_filter_works = False
        answers.counts.incomplete = 1
        if page is not None:
            answers.accept(page.rows, self._query(answers.span), page.multiset)

    def _read_unfiltered(self, first: Page | None) -> Steps[None]:
        """Rule 5: every row there is, in pages."""
        run = yield from read_pages(self._answers, self._query(self._answers.span), first)
        is_cut = run.is_stuck or self._caps.verdict(run.raw, self._answers.span) is Verdict.CUT
        self._answers.counts.incomplete += run.is_incomplete or is_cut
        self.own_of_type = run.own

    def _query(self, span: Slice) -> SearchQuery:
        answers = self._answers
        return SearchQuery(span, self._types, reading_state.PAGE_ROWS, by=answers.by)

    def _read(self, span: Slice) -> Steps[Run]:
        """Read one span, in as many slices as it takes."""
        total = Run()
        low, ends = span.start, [span.end]
        head: _Head | None = None
        self._plan(low, ends)
        while ends:
            incomplete = self._answers.counts.incomplete
            query = self._query(Slice(low, ends[-1]))
            page = yield from self._answers.ask(query)
            run = yield from self._read_slice(query, page)
            if isinstance(run, Run):
                low = ends.pop()
            elif run.is_page_kept:
                head = head or _Head(query.span, page)
                low, run = run.second, self._accept_start(query, page, run.second)
            else:
                ends.append(run.second)
                continue
            self._count_incomplete(run, incomplete)
            total.is_incomplete = total.is_incomplete or run.is_incomplete
            if head is None:
                total.own.update(run.own)
            else:
                head.add(run)
                if low >= head.span.end:
                    run = yield from self._close(head)
                    total.own.update(run.own)
                    total.is_incomplete = total.is_incomplete or run.is_incomplete
                    head = None
            if ends:
                self._plan(low, ends)
        return total

    def _close(self, head: _Head) -> Steps[Run]:
        """What a slice that took several queries comes to as a whole."""
        incomplete = self._answers.counts.incomplete
        was_incomplete = head.run.is_incomplete
        query = self._query(head.span)
        run = yield from self._pieces.judge(query, head.page, head.run, is_sum=True)
        if not was_incomplete:
            self._count_incomplete(run, incomplete)
        return run

    def _count_incomplete(self, run: Run, before: int) -> None:
        """Count it unless the parts of it that are incomplete have been counted since *before*."""
        counts = self._answers.counts
        if run.is_incomplete and counts.incomplete == before:
            counts.incomplete += 1

    def _read_slice(self, query: SearchQuery, page: Page) -> Steps[Run | _Nearer]:
        """One slice, whose first answer is *page*; a _Nearer if it isn't to be read as it is."""
        answers, pieces, span = self._answers, self._pieces, query.span
        if page.is_repeat and page.has_untimed:
            raise FiltersIgnored(page)
        if pieces.is_cut(page) and pieces.can_be_split(query, page):
            return (yield from pieces.split(query, page, run_of(page)))
        is_whole = yield from is_all(answers, query, page)
        if is_whole or page.is_unreadable:
            run = run_of(page)
            run.is_incomplete = run.is_incomplete or not is_whole
            judged = yield from pieces.judge(query, page, run)
            if judged is run:
                self._note_read(span, page.length)
                answers.accept_page(page, query)
                page.let_rows_go()
                self._believed.append((span, run))
            return judged
        if answers.memory.ignores_start and page.has_untimed:
            raise FiltersIgnored(page)
        nearer = self._nearer(query, page)
        if nearer is not None:
            return nearer
        run = yield from read_pages(answers, query, page)
        if run.is_stuck and span.seconds > 1:
            return (yield from pieces.split(query, page, run))
        self._progress.add(span.start, reading_state.PAGE_ROWS)
        return (yield from pieces.judge(query, page, run))

    def _nearer(self, query: SearchQuery, page: Page) -> _Nearer | None:
        """Rule 2 where rows are sorted and span more than a second; None for rule 3.

        Rows of one and the same second don't show whether they are sorted: then what is of an
        earlier second is asked for by itself.
        """
        low, end = query.span.start, query.span.end
        instants = [instant or 0 for instant in map(self._answers.instant, page.rows)]
        memory = self._answers.memory
        memory.ignores_sort = memory.ignores_sort or instants != sorted(instants)
        is_sorted = not memory.ignores_sort
        last = min(instants[-1], end - 1)
        if is_sorted and last > low:
            return _Nearer(last, is_page_kept=instants[0] != instants[-1])
        if is_sorted and end - low > 1:
            return _Nearer(low + 1, is_page_kept=False)
        if memory.ignores_start and end - low > 1:
            return _Nearer((low + end) // 2, is_page_kept=False)
        return None

    def _accept_start(self, query: SearchQuery, page: Page, second: int) -> Run:
        """Accept what a full page, whose rows are sorted, holds of the time before *second*."""
        answers, span = self._answers, Slice(query.span.start, second)
        end = bisect_left(page.rows, second, key=lambda record: answers.instant(record) or 0)
        own = of_types(answers.accept(page.rows[:end], query, page.multiset))
        page.let_rows_go()
        self._note_read(span, end)
        return Run(raw=own, own=own.copy())

    def _note_read(self, span: Slice, rows: int) -> None:
        memory = self._answers.memory
        self._progress.add(span.start, rows)
        self._width = next_width(span.seconds, rows, target_rows(memory))

    def _plan(self, low: int, ends: list[int]) -> None:
        """The slice at *low* ends where one ended last time, or as its width says."""
        end = low + self._width
        if self._has_plan:
            known = self._answers.memory.known_boundaries(Slice(low, ends[-1]))
            end = known[0] if known else ends[-1]
        if low < end < ends[-1]:
            ends.append(end)
