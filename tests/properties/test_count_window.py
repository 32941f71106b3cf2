"""However slices of send time are read, each series counts the rows that a list of rows holds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from unittest.mock import patch

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition import count_reading, count_window
from cpanel_mail_exporter.exposition.count_lines import CountLines
from cpanel_mail_exporter.exposition.count_window import CountWindow
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.model.records import DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from tests.unit.exposition.blocks_read import blocks_of, lines
from tests.unit.exposition.records import delivery

LABELS = ("domain", "type")
LINES = CountLines("email_logs", (("server", "web1"),), LABELS)


@dataclass(frozen=True)
class Read:
    """A reading of a span, None for rows of any time; its batches by number of multiset."""

    span: Slice | None
    batches: list[tuple[int, list[DeliveryRecord]]]


@dataclass(frozen=True)
class BeginAt:
    start: int


@dataclass(frozen=True)
class KeepAtMost:
    series: int


Step = Read | BeginAt | KeepAtMost


def second(record: DeliveryRecord) -> int:
    return -1 if record.send_unix is None else record.send_unix


def series(record: DeliveryRecord) -> str:
    return f'email_logs{{server="web1",domain="{record.domain}",type="{record.type}"}}'


@dataclass
class Model:
    """Slow and obvious: every row by itself, counted when asked."""

    most: int
    start: int = 0
    inside: Counter[DeliveryRecord] = field(default_factory=Counter)
    read: set[int] = field(default_factory=set)
    outside: dict[Slice, Counter[DeliveryRecord]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)

    def take(self, step: Step) -> None:
        match step:
            case Read(span, batches):
                found = self._without_what_left(span, rows_of(batches))
                self.known |= set(map(series, found))
                self._take_reading(span, found)
            case BeginAt(start):
                self.start = start
                self.inside = only(self.inside, range(start, 1_000))
                self.read = {second for second in self.read if second >= start}
            case KeepAtMost(most):
                self.most = most
        self.outside = {s: rows for s, rows in self.outside.items() if s.end > self.start}

    def _without_what_left(
        self, span: Slice | None, found: Counter[DeliveryRecord]
    ) -> Counter[DeliveryRecord]:
        """Rows that were asked for and had been sent before the window are none of its business."""
        left = {row for row in found if second(row) < self.start}
        asked = left if span is None else {row for row in left if second(row) in span}
        return Counter({row: number for row, number in found.items() if row not in asked})

    def _take_reading(self, span: Slice | None, found: Counter[DeliveryRecord]) -> None:
        if span is None:
            single = only(found, range(self.start, 1_000))
            self.inside |= single
            self._not_outside(set(single))
            return
        here = range(max(span.start, self.start), span.end)
        self.read |= set(here)
        self.inside = Counter({row: n for row, n in self.inside.items() if second(row) not in here})
        self.inside |= only(found, here)
        known = self.read | {second(row) for row in self.inside}
        strays = Counter({row: n for row, n in found.items() if second(row) not in span})
        joining = Counter(
            {r: n for r, n in strays.items() if second(r) in known and second(r) >= self.start}
        )
        self.inside |= joining
        self._not_outside(set(strays))
        self.outside = {
            s: Counter({row: n for row, n in rows.items() if second(row) not in span})
            for s, rows in self.outside.items()
            if not (span.start <= s.start and s.end <= span.end)
        }
        if span.end > self.start:
            self.outside[span] = strays - joining

    def _not_outside(self, rows: set[DeliveryRecord]) -> None:
        self.outside = {
            s: Counter({row: n for row, n in others.items() if row not in rows})
            for s, others in self.outside.items()
        }

    def counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for rows in (self.inside, *self.outside.values()):
            for row, number in rows.items():
                counts[series(row)] += number
        return counts

    def text(self) -> list[str]:
        counts = self.counts()
        newest: dict[str, tuple[bool, int]] = {}
        for is_inside, rows in (
            *((False, rows) for rows in self.outside.values()),
            (True, self.inside),
        ):
            for row in rows:
                key = series(row)
                newest[key] = max(newest.get(key, (False, -1)), (is_inside, second(row)))
        shown = sorted(self.known & set(counts), key=lambda key: (newest[key], key))
        shown = shown[-self.most :] if self.most else shown
        self.known = set(shown)
        return [f"{key} {counts[key]}\n" for key in shown]


def rows_of(batches: Sequence[tuple[int, list[DeliveryRecord]]]) -> Counter[DeliveryRecord]:
    of_multiset: dict[int, Counter[DeliveryRecord]] = {}
    for number, rows in batches:
        of_multiset.setdefault(number, Counter()).update(rows)
    most: Counter[DeliveryRecord] = Counter()
    for counts in of_multiset.values():
        most |= counts
    return most


def only(rows: Counter[DeliveryRecord], seconds: range) -> Counter[DeliveryRecord]:
    return Counter({row: number for row, number in rows.items() if second(row) in seconds})


def apply(window: CountWindow, step: Step) -> None:
    match step:
        case Read(span, batches):
            before = window.blocks()
            reading = window.reading(span)
            for multiset, rows in batches:
                reading.add(LINES.render(rows), multiset)
            assert window.blocks() is before, "nothing changes before the end of a reading"
            reading.finish()
        case BeginAt(start):
            window.begin_at(start)
        case KeepAtMost(most):
            window.keep_at_most(most)


SECONDS = st.integers(100, 116)
SENT = st.one_of(SECONDS, SECONDS, st.none(), st.sampled_from([50, 99, 200]))
ROWS = st.lists(
    st.builds(
        lambda sent, domain, kind, msg_id: delivery(
            sent, 1, domain=domain, type=kind, msg_id=msg_id
        ),
        SENT,
        st.sampled_from(["a.example", "b.example", "c.example"]),
        st.sampled_from(["success", "defer"]),
        st.sampled_from(["m1", "m2"]),
    ),
    max_size=14,
)
SPANS = st.builds(lambda start, length: Slice(start, start + length), SECONDS, st.integers(0, 12))


def in_order(
    numbered: list[tuple[int, list[DeliveryRecord]]],
) -> list[tuple[int, list[DeliveryRecord]]]:
    """Batches of one multiset come one after another."""
    return sorted(numbered, key=lambda batch: batch[0])


BATCHES = st.lists(
    st.tuples(st.integers(0, 2), ROWS | ROWS.map(lambda rows: sorted(rows, key=second))),
    max_size=4,
).map(in_order)
STEPS = st.lists(
    st.one_of(
        st.builds(Read, SPANS, BATCHES),
        st.builds(Read, SPANS | st.none(), BATCHES),
        st.builds(BeginAt, st.integers(95, 118)),
        st.builds(KeepAtMost, st.integers(1, 7)),
    ),
    max_size=9,
)


@settings(deadline=None)
@given(STEPS, st.integers(0, 7), st.integers(1, 4))
@example(  # the same row twice in one multiset and once in another: two rows
    [Read(Slice(100, 110), [(0, [delivery(101)]), (1, [delivery(101)] * 2)])], 0, 1
)
@example(  # a row that is known comes alone, twice: it is one
    [Read(Slice(100, 110), [(0, [delivery(101)])]), *[Read(None, [(0, [delivery(101)])])] * 2],
    0,
    1,
)
@example(  # a row brings back the count of a series that had been let go
    [
        Read(Slice(100, 110), [(0, [delivery(101, domain="a"), delivery(102, domain="b")])]),
        Read(Slice(110, 112), [(0, [delivery(111, domain="a")])]),
    ],
    1,
    1,
)
def test_each_series_counts_the_rows_that_a_list_of_rows_holds(
    steps: list[Step], max_series: int, rows_open: int
) -> None:
    model = Model(max_series)
    published: list[tuple[LogBlocks, list[str]]] = []
    with (
        blocks_of(2),
        patch.object(count_reading, "_ROWS_OPEN", rows_open),
        patch.object(count_window, "_ROWS_AT_ONCE", 3),
    ):
        window = CountWindow(max_series)
        for step in steps:
            model.take(step)
            apply(window, step)
            shown = window.blocks()
            text = lines(shown)
            assert text == model.text()
            assert shown.wanted == len(model.counts())
            published.append((shown, text))
            apply(window, KeepAtMost(model.most))
            assert window.blocks() is shown
    for shown, text in published:
        assert lines(shown) == text


@settings(deadline=None)
@given(ROWS, st.lists(SPANS, max_size=12), st.data())
def test_readings_in_any_order_that_cover_the_window_count_what_one_reading_counts(
    there: list[DeliveryRecord], spans: list[Slice], data: st.DataObject
) -> None:
    there = [row for row in there if second(row) in Slice(100, 130)]
    spans = data.draw(st.permutations([*spans, Slice(100, 109), Slice(109, 120), Slice(120, 130)]))
    window, once = CountWindow(0), CountWindow(0)
    for span in spans:
        apply(window, Read(span, [(0, [row for row in there if second(row) in span])]))
    apply(once, Read(Slice(100, 130), [(0, there)]))
    assert lines(window.blocks()) == lines(once.blocks())
    before = window.blocks()
    for span in [Slice(100, 130), *spans]:
        apply(window, Read(span, [(0, [row for row in there if second(row) in span])]))
        apply(window, Read(None, [(0, [row for row in there if second(row) in span])]))
        assert window.blocks() is before, "the same rows again change nothing"
