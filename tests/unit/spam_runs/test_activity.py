"""Slots come to windows and hours, of which nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st

from cpanel_mail_exporter.spam_runs.activity import (
    Activity,
    HourActivity,
    Window,
    folded,
    window,
)
from cpanel_mail_exporter.spam_runs.sketch import FEW_BITS, sketch

T = 3_600_000
COUNTS = st.integers(0, 1_000)
ACTIVITY = st.builds(Activity, *([COUNTS] * 6), *([st.integers(0, (1 << 256) - 1)] * 3))


@given(st.lists(ACTIVITY), st.randoms())
def test_an_hour_has_the_sums_of_its_slots_in_any_order(
    slots: list[Activity], dice: object
) -> None:
    hour = folded(slots)
    assert hour[:6] == tuple(sum(slot[n] for slot in slots) for n in range(6))
    assert hour.peak == max((slot.tried for slot in slots), default=0)
    dice.shuffle(slots)  # type: ignore[attr-defined]
    assert folded(slots) == hour


@given(st.lists(ACTIVITY), st.lists(ACTIVITY))
def test_slots_that_become_known_after_folding_are_added(
    early: list[Activity], late: list[Activity]
) -> None:
    whole = folded(early).with_(folded(late))
    assert whole[:6] == folded(early + late)[:6]
    assert whole.peak == folded(early + late).peak
    assert whole.networks <= folded(early + late).networks


def test_a_window_has_a_part_of_the_slot_in_which_it_begins() -> None:
    """Of the ten minutes before 11:40 that lie in three slots: 3:20 of the first."""
    slots = {
        T: Activity(30, 15, 6, 3, 3, 9, addresses=1, networks=2, recipients=4),
        T + 300: Activity(10, 10, addresses=8),
        T + 600: Activity(7, networks=1),
        T + 900: Activity(1_000),
        T - 300: Activity(1_000),
    }
    assert window(slots, T + 700, 600) == Window(
        tried=20 + 10 + 7,
        delivered=10 + 10,
        deferred=4,
        failed=2,
        unknown=2,
        addresses=9,
        networks=3,
        recipients=4,
    )
    assert window(slots, T + 599, 300).tried == 10.0 + 30 / 300
    assert window({}, T, 600) == Window()


def test_ten_minutes_of_an_hour_had_at_most_two_full_slots() -> None:
    networks = sketch(["192.0.2", "198.51.100"], FEW_BITS)
    hour = folded([Activity(tried=5, networks=networks), Activity(tried=70), Activity(tried=40)])
    assert hour == HourActivity(tried=115, peak=70, networks=2)
    assert hour.burst == 115
    assert folded([Activity(tried=20)] * 12).burst == 40
