"""Series that count rows: how they are written, what is kept, and what a failure changes."""

import pytest

from cpanel_mail_exporter.exposition import count_reading, count_window
from cpanel_mail_exporter.exposition.count_lines import CountLines
from cpanel_mail_exporter.exposition.count_rows import CountRows
from cpanel_mail_exporter.exposition.count_window import CountWindow
from cpanel_mail_exporter.exposition.log_blocks import LogBlocks
from cpanel_mail_exporter.exposition.text import LabelPairs
from cpanel_mail_exporter.model.records import DELIVERY_LABELS, DeliveryRecord
from cpanel_mail_exporter.model.window import Slice
from tests.unit.exposition.blocks_read import blocks_of, lines
from tests.unit.exposition.records import delivery

DAY = Slice(100_000, 186_400)
BY_DOMAIN = CountLines("email_logs", (), ("domain",))


def read(
    window: CountWindow, span: Slice | None, *records: DeliveryRecord, by: CountLines = BY_DOMAIN
) -> LogBlocks:
    reading = window.reading(span)
    reading.add(by.render(records), 0)
    reading.finish()
    return window.blocks()


def row(sent: int | None, domain: str = "a", msg_id: str = "m") -> DeliveryRecord:
    return delivery(sent, domain=domain, msg_id=msg_id)


def line(domain: str, count: int) -> str:
    return f'email_logs{{domain="{domain}"}} {count}\n'


@pytest.mark.parametrize(
    ("server", "labels", "text"),
    [
        ((), (), "email_logs"),
        ((("server", 'a"%s'),), (), 'email_logs{server="a\\"%s"}'),
        ((), ("type",), 'email_logs{type="success"}'),
        (
            (("server", "web1"), ("rack", "1")),
            ("domain", "message"),
            'email_logs{server="web1",rack="1",domain="example.com",message="\\"a\\" %d\\nb\\\\"}',
        ),
    ],
)
def test_labels_that_are_left_out_leave_no_trace(
    server: LabelPairs, labels: tuple[str, ...], text: str
) -> None:
    records = [delivery(100, msg_id=name, message='"a" %d\nb\\') for name in "abc"]
    shown = read(
        CountWindow(0), Slice(100, 101), *records, by=CountLines("email_logs", server, labels)
    )
    assert lines(shown) == [f"{text} 3\n"]


def test_masked_values_are_counted_together() -> None:
    masked = CountLines("email_logs", (), DELIVERY_LABELS, lambda record: ("x",) * 22)
    (shown,) = lines(read(CountWindow(0), Slice(5, 9), row(5), row(6, "b"), row(8), by=masked))
    assert shown.startswith('email_logs{actionunixtime="x",')
    assert shown.endswith(',user="x"} 3\n')


def test_a_row_that_leaves_lowers_its_count_and_the_last_one_takes_the_series_along() -> None:
    window = CountWindow(0)
    read(window, Slice(100, 110), row(100), row(101), row(101, msg_id="n"), row(105, "b"))
    assert lines(window.blocks()) == [line("a", 3), line("b", 1)]
    window.begin_at(101)
    assert lines(window.blocks()) == [line("a", 2), line("b", 1)]
    read(window, Slice(101, 102), row(101))
    assert lines(window.blocks()) == [line("a", 1), line("b", 1)]
    window.begin_at(102)
    assert lines(window.blocks()) == [line("b", 1)]
    window.begin_at(110)
    assert window.blocks() == LogBlocks()


def test_series_with_the_newest_rows_are_kept_and_their_counts_are_whole() -> None:
    window = CountWindow(2)
    rows = [
        row(100, "a"),
        row(101, "b"),
        row(102, "c"),
        row(103, "a"),
        row(None, "d"),
        row(300, "e"),
    ]
    shown = read(window, Slice(100, 110), *rows)
    assert lines(shown) == [line("c", 1), line("a", 2)]
    assert shown.wanted == 5
    shown = read(window, Slice(110, 120), row(110, "b"))
    assert lines(shown) == [line("a", 2), line("b", 2)]
    assert shown.wanted == 5


def test_a_share_shows_the_newest_series() -> None:
    with blocks_of(4):
        shown = read(CountWindow(0), DAY, *[row(DAY.start + n, f"d{n}") for n in range(9)])
    assert shown.lines == 9
    assert lines(shown.newest(2)) == [line("d7", 1), line("d8", 1)]


def test_a_reading_that_fails_at_its_end_or_is_given_up_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    window = CountWindow(0)
    before = read(window, Slice(100, 110), row(100), row(101))
    reading = window.reading(Slice(100, 110))
    reading.add(BY_DOMAIN.render([row(100, "b"), row(None, "c")]), 0)
    assert window.blocks() is before

    def full(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(count_reading, "merged", full)
        with pytest.raises(MemoryError):
            reading.finish()
    assert window.blocks() is before
    assert lines(read(window, Slice(101, 102))) == [line("a", 1)]


def test_a_reading_keeps_few_texts_of_series_that_will_not_be_shown() -> None:
    window = CountWindow(20)
    reading = window.reading(DAY)
    held = []
    for second in range(DAY.start, DAY.start + 3_000):
        reading.add(BY_DOMAIN.render([row(second, f"d{second}")]), 0)
        held.append(len(reading.texts()))
    reading.finish()
    assert max(held) <= 2 * 20 + 501
    shown = window.blocks()
    assert lines(shown) == [line(f"d{second}", 1) for second in range(102_980, 103_000)]
    assert shown.wanted == 3_000
    assert len(window._texts) == 20


def test_a_row_costs_24_bytes_however_many_there_are() -> None:
    window = CountWindow(0)
    reading = window.reading(DAY)
    for multiset in range(10):
        start = DAY.start + multiset * 2_000
        reading.add(
            BY_DOMAIN.render([row(start + n % 2_000, "a", f"{n}") for n in range(6_000)]), multiset
        )
    reading.finish()
    assert lines(window.blocks()) == [line("a", 60_000)]
    kept: CountRows = window._inside
    assert len(kept) == 60_000
    columns = (kept.sent, kept.series, kept.rows)
    assert sum(column.itemsize * len(column) for column in columns) == 24 * 60_000


def test_a_poll_that_brings_nothing_new_packs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    window = CountWindow(0)
    before = read(window, Slice(100, 110), *[row(100 + n) for n in range(10)])
    monkeypatch.setattr(
        count_window, "piece", lambda *_, **__: pytest.fail("a block was made anew")
    )
    assert read(window, Slice(104, 110), *[row(104 + n) for n in range(6)]) is before
    assert read(window, None, row(103), row(109)) is before
    window.begin_at(100)
    window.keep_at_most(0)
    assert window.blocks() is before
