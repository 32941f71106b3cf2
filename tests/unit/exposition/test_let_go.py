"""Lines let go are counted by second, and a second of which none are left isn't known."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.exposition.let_go import LetGo
from cpanel_mail_exporter.model.window import Slice

SECONDS = st.lists(st.integers(-1, 12), max_size=8)
STEPS = st.lists(
    st.tuples(st.sampled_from(["with_lines", "with_all", "taken_back"]), SECONDS)
    | st.tuples(st.sampled_from(["without", "since"]), st.tuples(*[st.integers(-1, 13)] * 2)),
    max_size=8,
)


@given(STEPS)
def test_it_is_a_counter_of_seconds(steps: list[tuple[str, list[int]]]) -> None:
    let_go, model = LetGo(), Counter[int]()
    for what, numbers in steps:
        before, known = let_go, Counter(model)
        match what:
            case "with_lines":
                let_go, model = let_go.with_lines(numbers), model + Counter(numbers)
            case "with_all":
                other = LetGo().with_lines(numbers)
                let_go, model = let_go.with_all(other), model + Counter(numbers)
            case "taken_back":
                let_go, model = let_go.taken_back(numbers), model - Counter(numbers)
            case "without":
                start, end = sorted(numbers)
                let_go = let_go.without(Slice(start, end))
                model = Counter({s: n for s, n in model.items() if not start <= s < end})
            case "since":
                let_go = let_go.since(numbers[0])
                model = Counter({s: n for s, n in model.items() if s >= numbers[0]})
        assert _counter(let_go) == model
        assert list(let_go.seconds) == sorted(model)
        assert let_go.lines == model.total()
        assert [s for s in range(-2, 15) if s in let_go] == sorted(model)
        assert _counter(before) == known, "one is never changed"


def _counter(let_go: LetGo) -> Counter[int]:
    return Counter(dict(zip(let_go.seconds, let_go.counts, strict=True)))
