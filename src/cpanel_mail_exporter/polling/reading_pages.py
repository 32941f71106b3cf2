"""Pages of one query: whether a page is all there is, and reading on from row to row.

Rows may come while pages are read one after another, and then a page may begin with rows that the
one before ended with. So pages are multisets of their own. A row that really stands there twice,
once on either page, can't be told from such a shift by one reading; a second one tells.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from cpanel_mail_exporter.ledger.identity import event_identities
from cpanel_mail_exporter.model.query import SearchQuery
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.polling.reading_answers import Answers, Steps
from cpanel_mail_exporter.polling.reading_state import Page

_MOST_PAGES = 2_000


class TooManyPages(Exception):
    """The server goes on sending new pages without end."""


@dataclass(slots=True)
class Run:
    """What pages of one query, read one after another, held together.

    Attributes:
        raw: rows by type.
        own: those by type that the query asked for.
        length: rows, rejected ones included.
        is_incomplete: something of it can't be read.
        is_stuck: pages repeat themselves, and more may follow that they don't show.
        copies: by identity, how many rows there are.
        on_two_pages: identities that stand on more than one page.
        kept: rows of wanted identities.
    """

    raw: Counter[str] = field(default_factory=Counter)
    own: Counter[str] = field(default_factory=Counter)
    length: int = 0
    is_incomplete: bool = False
    is_stuck: bool = False
    copies: Counter[int] = field(default_factory=Counter)
    on_two_pages: set[int] = field(default_factory=set)
    kept: list[DeliveryRecord] = field(default_factory=list)

    def add(self, page: Page, wanted: set[int]) -> None:
        """One more page, which repeats none before."""
        self.raw.update(page.of_type)
        self.own.update(page.own_of_type)
        self.length += page.length
        identities = event_identities(page.rows)
        self.on_two_pages.update(i for i in identities if i in self.copies)
        self.copies.update(identities)
        if wanted:
            found = zip(page.rows, identities, strict=True)
            self.kept += [record for record, identity in found if identity in wanted]

    def agrees(self, later: "Run") -> bool:
        """Whether a *later* run saw the same of what stands on two pages.

        As many rows in all mean that none came meanwhile, so that nothing was shifted.
        """
        both = self.on_two_pages | later.on_two_pages
        return self.length == later.length and all(
            self.copies[identity] == later.copies[identity] for identity in both
        )


def run_of(page: Page) -> Run:
    """A run of one page."""
    return Run(page.of_type.copy(), page.own_of_type.copy(), page.length, page.is_cut)


def is_all(answers: Answers, query: SearchQuery, page: Page) -> Steps[bool]:
    """Rule 4: whether *page*, the first of *query*, is the only one; asks for the next if need be.

    False: it is full, or has to be taken for full. Where nobody can tell, it counts as cut.
    """
    memory = answers.memory
    if answers.is_surely_last(page):
        return True
    if page.length >= memory.full_page or memory.ignores_start:
        return False
    more = yield from answers.ask(replace(query, first_row=1 + page.length), confirms=True)
    if more.length == 0:
        return True
    if more.is_repeat and page.is_of_one_row:
        page.is_cut = True
        return True
    if more.is_repeat:
        answers.counts.repeated_pages += 1
        memory.ignores_start = True
    elif not (more.is_unreadable and not page.rows):
        memory.full_page = page.length
    return False


def read_pages(answers: Answers, query: SearchQuery, first: Page | None) -> Steps[Run]:
    """Rule 3: accept all pages of *query*, of which *first* may be there already.

    Rows that stand on two pages are accepted as one multiset if two readings agree on them.

    Raises:
        TooManyPages: there seems to be no end to them.
    """
    outside = answers.counts.outside
    run = yield from _read_run(answers, query, first, set())
    if not run.on_two_pages or run.is_incomplete or run.is_stuck:
        run.is_incomplete = run.is_incomplete or bool(run.on_two_pages)
        return run
    answers.counts.outside = outside
    again = yield from _read_run(answers, query, None, run.on_two_pages)
    outside = answers.counts.outside
    if again.on_two_pages and not again.is_incomplete:
        if run.agrees(again) and again.on_two_pages <= run.on_two_pages:
            answers.accept(again.kept, query, answers.new_multiset())
        else:
            again.is_incomplete = True
    answers.counts.outside = outside
    return again


def _read_run(
    answers: Answers, query: SearchQuery, first: Page | None, wanted: set[int]
) -> Steps[Run]:
    memory, run = answers.memory, Run()
    page = first if first is not None else (yield from answers.ask(query))
    for _ in range(_MOST_PAGES):
        is_first = run.length == 0
        may_be_cut = page.is_cut or page.length >= memory.full_page
        run.is_incomplete = run.is_incomplete or page.is_cut
        if page.is_repeat and not is_first:
            answers.counts.repeated_pages += 1
            memory.ignores_start = memory.ignores_start or not page.is_of_one_row
            run.is_stuck = may_be_cut or page.is_of_one_row
            return run
        is_last = answers.is_surely_last(page)
        answers.accept_page(page, query)
        run.add(page, wanted)
        if is_last or page.is_unreadable:
            run.is_incomplete = run.is_incomplete or not is_last
            return run
        page = yield from answers.ask(replace(query, first_row=1 + run.length))
    raise TooManyPages
