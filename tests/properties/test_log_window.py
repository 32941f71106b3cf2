"""However slices of send time are read, the window holds what a dict of lines by second would."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition import blocks
from cpanel_mail_exporter.exposition.log_lines import LogLine, LogLines
from cpanel_mail_exporter.exposition.log_window import LogWindow
from cpanel_mail_exporter.model.window import Slice
from tests.unit.exposition.blocks_read import blocks_of, lines
from tests.unit.exposition.records import delivery

LINES = LogLines("email_logs", ())


@dataclass(frozen=True)
class Read:
    """A reading of a span; each batch with whether it is given as one of lines outside."""

    span: Slice
    batches: list[tuple[bool, list[LogLine]]]


@dataclass(frozen=True)
class Add:
    lines: list[LogLine]


@dataclass(frozen=True)
class BeginAt:
    start: int


@dataclass(frozen=True)
class KeepAtMost:
    lines: int


Step = Read | Add | BeginAt | KeepAtMost


@dataclass
class Model:
    """Slow and obvious: every line by itself, sorted when asked."""

    most: int
    start: int = 0
    inside: set[LogLine] = field(default_factory=set)
    let_go: Counter[int] = field(default_factory=Counter)
    read: set[int] = field(default_factory=set)
    outside: dict[LogLine, Slice] = field(default_factory=dict)
    wanted_is_exact: bool = True

    def take(self, step: Step) -> None:
        match step:
            case Read(span, batches):
                self._take_reading(span, [line for _, batch in batches for line in batch])
            case Add(found):
                single = {line for line in found if line.sent >= self.start}
                self._join(single)
                self.outside = {x: span for x, span in self.outside.items() if x not in single}
            case BeginAt(start):
                self.start = start
                self.inside = {line for line in self.inside if line.sent >= start}
                self.let_go = Counter({s: n for s, n in self.let_go.items() if s >= start})
                self.read = {second for second in self.read if second >= start}
            case KeepAtMost(most):
                self.most = most
        self.outside = {x: span for x, span in self.outside.items() if span.end > self.start}
        if self.most:
            self._let_oldest_go()

    def _take_reading(self, span: Slice, found: Sequence[LogLine]) -> None:
        if self.most and len(set(found)) < len(found):
            self.wanted_is_exact = False
        here = range(max(span.start, self.start), span.end)
        self.inside = {line for line in self.inside if line.sent not in here}
        self.inside |= {line for line in found if line.sent in here}
        self.let_go = Counter({s: n for s, n in self.let_go.items() if s not in here})
        self.read |= set(here)
        known = self.read | {line.sent for line in self.inside} | {*self.let_go}
        strays = {line for line in found if line.sent not in span}
        joining = {line for line in strays if line.sent in known and line.sent >= self.start}
        self._join(joining)
        self.outside = {
            line: old
            for line, old in self.outside.items()
            if line.sent not in span
            and line not in joining
            and not (span.start <= old.start and old.end <= span.end)
        }
        if span.end > self.start:
            self.outside |= dict.fromkeys(strays - joining, span)

    def _join(self, found: set[LogLine]) -> None:
        for line in found - self.inside:
            self.inside.add(line)
            self.let_go = self.let_go - Counter([line.sent])

    def _let_oldest_go(self) -> None:
        for line in sorted(self.inside)[: -self.most]:
            self.inside.remove(line)
            self.let_go[line.sent] += 1
        room = self.most - len(self.inside)
        for line in sorted(self.outside)[: max(0, len(self.outside) - room)]:
            del self.outside[line]
            self.wanted_is_exact = False

    def text(self) -> list[str]:
        return [line.text for part in (self.outside, self.inside) for line in sorted(part)]


def apply(window: LogWindow, step: Step) -> None:
    match step:
        case Read(span, batches):
            before = window.blocks()
            reading = window.reading(span)
            for is_outside, batch in batches:
                (reading.add_outside if is_outside else reading.add)(batch)
            assert window.blocks() is before, "nothing changes before the end of a reading"
            reading.finish()
        case Add(found):
            window.add(found)
        case BeginAt(start):
            window.begin_at(start)
        case KeepAtMost(most):
            window.keep_at_most(most)


SECONDS = st.integers(100, 116)
SENT = st.one_of(SECONDS, SECONDS, st.none(), st.sampled_from([50, 99, 200]))
SOME = st.lists(
    st.builds(
        lambda sent, acted, msg_id, message: LINES.render(
            [delivery(sent, acted, msg_id=msg_id, message=message)]
        )[0],
        SENT,
        st.one_of(st.none(), st.integers(100, 101)),
        st.sampled_from(["a", "b", "é"]),
        st.sampled_from(["", "x", "x\ny"]),
    ),
    max_size=14,
)
SPANS = st.builds(lambda start, length: Slice(start, start + length), SECONDS, st.integers(0, 12))
BATCHES = st.lists(st.tuples(st.booleans(), SOME | SOME.map(sorted)), max_size=3)
STEPS = st.lists(
    st.one_of(
        st.builds(Read, SPANS, BATCHES),
        st.builds(Read, SPANS, BATCHES),
        st.builds(Add, SOME),
        st.builds(BeginAt, st.integers(95, 118)),
        st.builds(KeepAtMost, st.integers(1, 12)),
    ),
    max_size=9,
)


def line(sent: int | None, msg_id: str = "a") -> LogLine:
    return LINES.render([delivery(sent, 100, msg_id=msg_id)])[0]


@settings(deadline=None)
@given(STEPS, st.integers(0, 14), st.integers(1, 6))
@example(  # a line let go comes again alone, is let go again, and then its second is read
    [
        Read(Slice(100, 110), [(False, [line(101), line(105), line(106)])]),
        Add([line(101)]),
        Read(Slice(100, 103), [(False, [line(101, "b")])]),
    ],
    2,
    1,
)
@example(  # one second in several blocks
    [Add([line(100, msg_id) for msg_id in "acegi"]), Add([line(100, msg_id) for msg_id in "bd"])],
    0,
    2,
)
@example(  # a line that joins its second stays rather than a newer one that is outside
    [
        Read(Slice(100, 101), []),
        Read(Slice(90, 91), [(False, [line(100), *[line(300 + n) for n in range(4)]])]),
    ],
    1,
    1,
)
def test_a_window_holds_what_a_dict_of_lines_by_second_would(
    steps: list[Step], max_series: int, block_lines: int
) -> None:
    model = Model(max_series)
    published = []
    with blocks_of(block_lines):
        window = LogWindow(max_series)
        for step in steps:
            model.take(step)
            apply(window, step)
            shown = window.blocks()
            text = lines(shown)
            assert text == model.text()
            if model.wanted_is_exact:
                assert shown.wanted == len(text) + model.let_go.total()
            else:
                assert shown.wanted >= len(text)
            assert len(shown.blocks) <= 2 * len(text) / blocks.BLOCK_LINES + 2
            published.append((shown, text))
            apply(window, KeepAtMost(model.most))
            assert window.blocks() is shown
    for shown, text in published:
        assert lines(shown) == text


@settings(deadline=None)
@given(st.lists(SECONDS.map(line), unique=True), st.lists(SPANS, max_size=12), st.data())
def test_readings_in_any_order_that_cover_the_window_give_what_one_reading_gives(
    there: list[LogLine], spans: list[Slice], data: st.DataObject
) -> None:
    whole = Slice(100, 130)
    spans = data.draw(st.permutations([*spans, Slice(100, 109), Slice(109, 120), Slice(120, 130)]))
    with blocks_of(4):
        window, once = LogWindow(0), LogWindow(0)
        for span in spans:
            apply(window, Read(span, [(False, [x for x in there if x.sent in span])]))
        apply(once, Read(whole, [(False, there)]))
        assert lines(window.blocks()) == lines(once.blocks())
        assert window.blocks().wanted == once.blocks().wanted == len(there)
        before = window.blocks()
        for span in [whole, *spans]:
            apply(window, Read(span, [(False, [x for x in there if x.sent in span])]))
            assert window.blocks() is before, "the same lines again change nothing"
